"""What there is no reference package for, written plainly around torch.optim."""

from typing import Any

import torch
from torch.optim import Optimizer


class PlainLookahead(Optimizer):
    """Zhang et al. 2019, Algorithm 1, in the words of the paper: after steps k, 2k, ... slow += alpha * (fast - slow); fast = slow."""

    def __init__(self, inner: Optimizer, k: int = 5, alpha: float = 0.8) -> None:
        self.inner, self.k, self.alpha, self.taken = inner, k, alpha, 0
        super().__init__([{"params": [torch.zeros(())]}], {})
        self.param_groups, self.state = inner.param_groups, inner.state
        self.slow = [p.detach().clone() for g in inner.param_groups for p in g["params"]]

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = self.inner.step(closure)
        self.taken += 1
        if self.taken % self.k == 0:
            for slow, fast in zip(self.slow, [p for g in self.inner.param_groups for p in g["params"]], strict=True):
                slow += self.alpha * (fast - slow)
                fast.copy_(slow)
        return loss
