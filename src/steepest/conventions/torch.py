"""torch.optim's compositions, and those of lion-pytorch and adabelief-pytorch.

Coupled weight decay is L2 regularisation, first in the chain; decoupled decay shrinks the parameter in PyTorch's
own rounding; the learning rate comes after the momentum.
"""

from steepest.conventions import CLASSES
from steepest.errors import HyperparameterError
from steepest.rules import ScaleByAdam, ScaleByAMSGrad, ScaleByBelief, ScaleByLion, ScaleByMaxBelief
from steepest.rules import rmsprop as neutral_rmsprop
from steepest.rules import sgd as neutral_sgd
from steepest.transform import Chain, Scalar, Transform, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate, ShrinkWeights

NAMES = CLASSES | {
    "decay": "alpha",
    "b1": "betas[0]",
    "b2": "betas[1]",
}


def sgd(lr: Scalar, momentum: float = 0.0, dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False) -> Chain:
    """torch.optim.SGD."""
    return _pruned(neutral_sgd(lr, momentum, dampening, weight_decay, nesterov))


def rmsprop(lr: Scalar, decay: float, eps: float, weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False) -> Chain:
    """torch.optim.RMSprop."""
    return _pruned(neutral_rmsprop(lr, decay, eps, weight_decay, momentum, centered))


def adam(lr: float, b1: float, b2: float, eps: float, weight_decay: float = 0.0, amsgrad: bool = False, decoupled: bool = False) -> Chain:
    """torch.optim.Adam; with `decoupled`, torch.optim.AdamW."""
    scale = ScaleByAMSGrad if amsgrad else ScaleByAdam
    return _decayed(scale(b1, b2, eps), lr, weight_decay, decoupled)


def adabelief(
    lr: float,
    b1: float,
    b2: float,
    eps: float,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    rectify: bool = False,
    decoupled: bool = True,
) -> Chain:
    """adabelief_pytorch.AdaBelief."""
    if amsgrad and rectify:
        raise HyperparameterError("AdaBelief: amsgrad=True has no effect on a rectified step; choose rectify=False with it.")
    scale = ScaleByMaxBelief(b1, b2, eps, eps) if amsgrad else ScaleByBelief(b1, b2, eps, eps, rectify)
    return _decayed(scale, lr, weight_decay, decoupled)


def lion(lr: float, b1: float, b2: float, weight_decay: float = 0.0) -> Chain:
    """lion_pytorch.Lion and google/automl's."""
    return _decayed(ScaleByLion(b1, b2), lr, weight_decay, decoupled=True)


def _decayed(scale: Transform, lr: float, weight_decay: float, decoupled: bool) -> Chain:
    if decoupled:
        return chain(scale, ScaleByLearningRate(lr), ShrinkWeights(lr, weight_decay))
    return _pruned(chain(AddDecayedWeights(weight_decay), scale, ScaleByLearningRate(lr)))


def _pruned(strategy: Chain) -> Chain:
    """The strategy without a decay of 0: 0 times a weight of -inf, as in a mask, would be a gradient of nan."""
    return chain(*(link for link in strategy if link != AddDecayedWeights(0.0)))
