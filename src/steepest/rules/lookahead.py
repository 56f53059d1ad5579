"""Lookahead: k steps forward, one step back.

Zhang, Lucas, Hinton & Ba 2019, Lookahead Optimizer: k steps forward, 1 step back, arXiv:1907.08610, Algorithm 1.
"""

from typing import Annotated, Any

from steepest.ops import Value, where
from steepest.registry import optimizer
from steepest.rules.adam import adam
from steepest.transform import At, Count, Scalar, Slot, Step, Transform, Within


class Lookahead(Transform):
    """Let `inner` take k steps; then move slow weights `alpha` of the way and start again from there.

    Wraps any strategy. The slow weights start as a copy of the parameters and are part of the state.
    """

    inner: Transform
    k: Count = 5
    alpha: Annotated[float, Within(0, 1, high_included=True)] = 0.8

    slow = Slot(init="param")

    def update(self, u: Value, at: At, slow: Value, inner: dict[str, Any]) -> Step:
        step = self.inner.update(u, at, **inner)
        fast = step.result(at)
        sync = at.count % self.k == 0
        slow = where(sync, slow + self.alpha * (fast - slow), slow)
        return Step(param=where(sync, slow, fast), slow=slow, inner=step.slots)


@optimizer(title="Lookahead", paper="arXiv:1907.08610", options=[{"k": 2, "alpha": 0.5}])
def lookahead(
    lr: Scalar = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0, k: int = 5, alpha: float = 0.8
) -> Lookahead:
    """Slow weights that follow every k-th step of Adam: less variance for one array more. `Lookahead(...)` wraps any strategy.

    Fast weights explore for k steps; the slow ones then move towards where they have come, and the fast ones
    start again from there. Averaging along the way damps what oscillates, and forgives a learning rate that is
    somewhat too high. On ordinary steps it costs nothing: slow weights are read every k-th step only.

    Args:
        lr: the inner learning rate; that of Adam, or a little more.
        b1: how much of the mean gradient is kept from step to step, as in Adam.
        b2: how much of the mean square is kept, as in Adam.
        eps: added to the root, as in Adam.
        weight_decay: L2 regularisation, as in Adam.
        k: steps from one synchronisation to the next.
        alpha: how far the slow weights go towards the fast ones; 1 leaves Adam as it is.

    Differs from:
    1. Other implementations in the default of alpha: 0.8, k=5 are those of the authors' code; 0.5 is common too.
    2. Implementations that synchronise after the first step: here after steps k, 2k, ..., as in Algorithm 1.
    3. The authors' code, whose checkpoint leaves the slow weights out.
    """
    return Lookahead(adam(lr, b1, b2, eps, weight_decay), k, alpha)
