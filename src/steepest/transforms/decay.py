"""Weight decay.

Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, arXiv:1711.05101, Algorithm 2.
"""

from steepest.ops import Value
from steepest.transform import At, NonNegative, Step, Transform


class AddDecayedWeights(Transform):
    """Add `weight_decay * param` to the update.

    Its place in the chain is its meaning: first, before the gradient is averaged or rescaled, it is L2
    regularisation ("coupled"); after that, before `ScaleByLearningRate`, it is decoupled decay, as in AdamW.
    """

    weight_decay: NonNegative = 0.01

    def update(self, u: Value, at: At) -> Step:
        return Step(u + self.weight_decay * at.param)
