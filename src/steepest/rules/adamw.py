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

    In Adam, decay that is added to the gradient is divided by the gradient's own size, and so is weakest where
    gradients are largest. Here it is applied to the weights directly, and its strength can be chosen without
    regard to the rest. What Transformers are trained with, unless there is a reason for something else.

    Args:
        lr: the learning rate: about how far a weight moves in one step.
        b1: how much of the mean gradient is kept from step to step; 0.9 remembers about 10 steps.
        b2: the same for the mean square; 0.999 remembers about 1000 steps. Lower (0.95 to 0.98) reacts faster.
        eps: added to the root. Bounds the step where gradients are tiny; larger values bring it closer to momentum.
        weight_decay: the weights shrink by lr * weight_decay each step: 0.01 to 0.1 is usual, 0 for biases and norms.
        amsgrad: divide by the largest mean square so far, so that a step, for the same gradient, never grows again: one array more.

    Differs from:
    1. The paper, in which the schedule's multiplier scales the decay but the base learning rate does not. As
       in PyTorch, Keras and optax, the whole learning rate does: halve lr and you halve the decay.
    2. Keras (weight_decay 4e-3) and optax (1e-4) in the default of the decay.
    """
    scale = ScaleByAMSGrad if amsgrad else ScaleByAdam
    return chain(scale(b1, b2, eps), AddDecayedWeights(weight_decay), ScaleByLearningRate(lr))
