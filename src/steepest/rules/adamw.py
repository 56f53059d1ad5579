"""AdamW: Adam with decoupled weight decay.

Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, arXiv:1711.05101, Algorithm 2.
"""

from steepest.registry import optimizer
from steepest.rules.adam import ScaleByAdam, ScaleByAMSGrad
from steepest.transform import Chain, Scalar, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate


@optimizer(title="AdamW", paper="arXiv:1711.05101", options=[{"amsgrad": True}])
def adamw(
    lr: Scalar = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False
) -> Chain:
    """Adam with decoupled weight decay: the weights shrink by lr * weight_decay, whatever the gradient; the common default.

    Differs from:
    1. The paper, in which the schedule's multiplier scales the decay but the base learning rate does not. As
       in PyTorch, Keras and optax, the whole learning rate does: halve lr and you halve the decay.
    2. Keras (weight_decay 4e-3) and optax (1e-4) in the default of the decay.
    """
    scale = ScaleByAMSGrad if amsgrad else ScaleByAdam
    return chain(scale(b1, b2, eps), AddDecayedWeights(weight_decay), ScaleByLearningRate(lr))
