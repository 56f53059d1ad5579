"""Cautious updates.

Liang et al. 2024, Cautious Optimizers: Improving Training with One Line of Code, arXiv:2411.16085, Algorithm 1.
"""

from steepest.ops import Value, maximum, mean, where
from steepest.transform import At, Step, Transform


class Cautious(Transform):
    """Keep only the elements of the update that agree in sign with the gradient; enlarge them to make up.

    Put it after the rule and before `ScaleByLearningRate`, while the update still points up the slope.
    """

    def update(self, u: Value, at: At) -> Step:
        agrees = where(u * at.grad > 0, 1.0, 0.0)
        return Step(u * agrees / maximum(mean(agrees, at.size), 1e-3))
