"""Keras 3's compositions.

The learning rate is inside the momentum buffer; Adam's eps is "epsilon hat". Weight decay, clipping and averaging
belong to Keras' base class, which applies them around these chains.
"""

from steepest.conventions import CLASSES
from steepest.errors import HyperparameterError
from steepest.rules import ScaleByAdam, ScaleByAMSGrad, ScaleByBelief, ScaleByLion, ScaleByMaxBelief, ScaleByRms, ScaleByStddev
from steepest.transform import Chain, Scalar, chain
from steepest.transforms import Scale, ScaleByLearningRate, Trace

NAMES = CLASSES | {
    "lr": "learning_rate",
    "b1": "beta_1",
    "b2": "beta_2",
    "eps": "epsilon",
    "decay": "rho",
    "k": "sync_period",
    "alpha": "slow_step_size",
}


def sgd(lr: Scalar, momentum: float = 0.0, nesterov: bool = False) -> Chain:
    """keras.optimizers.SGD."""
    return chain(ScaleByLearningRate(lr), *([Trace(momentum, nesterov=nesterov)] if momentum else []))


def rmsprop(lr: Scalar, decay: float, eps: float, momentum: float = 0.0, centered: bool = False) -> Chain:
    """keras.optimizers.RMSprop, whose momentum buffer holds what is subtracted from the weights."""
    scale = (ScaleByStddev if centered else ScaleByRms)(decay, eps, eps_in_sqrt=True)
    average = [Scale(-1.0), Trace(momentum), Scale(-1.0)] if momentum else []
    return chain(scale, ScaleByLearningRate(lr), *average)


def adam(lr: Scalar, b1: float, b2: float, eps: float, amsgrad: bool = False) -> Chain:
    """keras.optimizers.Adam, and AdamW but for the decay."""
    return chain((ScaleByAMSGrad if amsgrad else ScaleByAdam)(b1, b2, eps, eps_hat=True), ScaleByLearningRate(lr))


def adabelief(lr: Scalar, b1: float, b2: float, eps: float, rectify: bool = False, amsgrad: bool = False) -> Chain:
    """AdaBelief as its authors and TensorFlow Addons have it."""
    if amsgrad and rectify:
        raise HyperparameterError("AdaBelief: amsgrad=True has no effect on a rectified step; choose rectify=False with it.")
    scale = ScaleByMaxBelief(b1, b2, eps, eps) if amsgrad else ScaleByBelief(b1, b2, eps, eps, rectify)
    return chain(scale, ScaleByLearningRate(lr))


def lion(lr: Scalar, b1: float, b2: float) -> Chain:
    """keras.optimizers.Lion."""
    return chain(ScaleByLion(b1, b2), ScaleByLearningRate(lr))
