"""Weight decay.

Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, arXiv:1711.05101, Algorithm 2.
"""

from steepest.ops import Value
from steepest.transform import At, NonNegative, NonNegativeScalar, Step, Transform


class AddDecayedWeights(Transform):
    """Add `weight_decay * param` to the update.

    Its place in the chain is its meaning: first, before the gradient is averaged or rescaled, it is L2
    regularisation ("coupled"); after that, before `ScaleByLearningRate`, it is decoupled decay, as in AdamW.
    The decay is a number or a schedule.
    """

    weight_decay: NonNegativeScalar = 0.01

    def update(self, u: Value, at: At) -> Step:
        return Step(u + self.weight_decay * at.param)  # pyright: ignore[reportOperatorIssue]: bound to a number by now


class ShrinkWeights(Transform):
    """Multiply the parameter by `1 - lr * weight_decay`, then add the update: decoupled decay as PyTorch rounds it.

    Comes last, after `ScaleByLearningRate`. In exact arithmetic it is `AddDecayedWeights` before
    `ScaleByLearningRate`. In float32 the factor, a number close to 1, is rounded, by the same amount at every
    step: after 200 steps the two have drifted apart by about 1e-5, and this is the side that PyTorch is on.
    """

    lr: NonNegativeScalar
    weight_decay: NonNegative = 0.01

    def update(self, u: Value, at: At) -> Step:
        return Step(param=at.param * (1 - self.lr * self.weight_decay) + u)  # pyright: ignore[reportOperatorIssue]: a number by now
