"""Lion: step by the sign of an interpolated momentum.

Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, arXiv:2302.06675, Algorithm 2.
"""

from steepest.ops import Value, sign
from steepest.registry import optimizer
from steepest.rules.moments import running
from steepest.transform import At, Chain, Fraction, Scalar, Slot, Step, Transform, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate


class ScaleByLion(Transform):
    """Step by the sign of a blend of gradient and momentum; keep one momentum."""

    b1: Fraction = 0.9
    b2: Fraction = 0.99

    mu = Slot()

    def update(self, u: Value, at: At, mu: Value) -> Step:
        return Step(sign(running(self.b1, mu, u)), mu=running(self.b2, mu, u))


@optimizer(title="Lion", paper="arXiv:2302.06675", options=[{"weight_decay": 0.1}])
def lion(lr: Scalar = 1e-4, b1: float = 0.9, b2: float = 0.99, weight_decay: float = 0.0) -> Chain:
    """EvoLved Sign Momentum: every weight moves by exactly lr; half of Adam's state.

    Found by a search over programs. The direction is the sign of a blend of the new gradient and a slower
    momentum, so that all weights move by the same amount, however large or small their gradients are: noise has
    as much say as signal, which wants large batches and a small learning rate. One array of state instead of two.

    Use a third to a tenth of AdamW's lr, and three to ten times its weight decay.

    Args:
        lr: the learning rate: exactly how far each weight moves in one step.
        b1: the share of momentum in the blend whose sign is the step.
        b2: how much of the momentum is kept from step to step; 0.99 remembers about 100 steps.
        weight_decay: the weights shrink by lr * weight_decay each step; since lr is small, 0.1 to 1 and more.

    Differs from:
    1. PyTorch implementations in one point: a nan gradient gives a nan weight, as in NumPy and JAX.
       torch.sign turns nan into 0, and the weight silently stands still from then on.
    """
    return chain(ScaleByLion(b1, b2), AddDecayedWeights(weight_decay), ScaleByLearningRate(lr))
