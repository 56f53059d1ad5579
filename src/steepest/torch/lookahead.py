"""Lookahead around an optimizer that has been constructed already."""

from collections.abc import Mapping
from typing import Any

from steepest.errors import HyperparameterError
from steepest.rules.lookahead import Lookahead as Strategy
from steepest.torch.optimizer import Optimizer
from steepest.transform import Transform


class Lookahead(Optimizer):
    """k steps of `optimizer`, then one step of slow weights `alpha` of the way, from which it goes on.

    >>> import torch, steepest.torch
    >>> model = torch.nn.Linear(3, 1)
    >>> opt = Lookahead(steepest.torch.AdamW(model.parameters(), lr=1e-3), k=5)

    Groups and state are shared with the wrapped optimizer, whose hyperparameters stay where they are: attach
    schedulers to either. The slow weights are in the state (`slow`) and in the checkpoint. They start as a
    copy of the parameters at the first step after wrapping.

    Reference: Zhang, Lucas, Hinton & Ba 2019, arXiv:1907.08610, Algorithm 1; defaults of the authors' code.

    Differs from the authors' code:
    1. Its checkpoints leave the slow weights out, and with them the run.
    2. Its `pullback_momentum` is not there: momentum goes on, as by default.

    Raises:
        HyperparameterError: `optimizer` is not one of steepest.torch, k < 1, or alpha outside [0, 1].
    """

    def __init__(self, optimizer: Optimizer, k: int = 5, alpha: float = 0.8) -> None:
        if not isinstance(optimizer, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]: users pass torch.optim's
            name = type(optimizer).__name__
            raise HyperparameterError(
                f"Lookahead wraps an optimizer of steepest.torch, got {type(optimizer).__module__}.{name}. "
                f"Make the inner one with steepest.torch.{name}(...)."
            )
        self._inner = optimizer
        self.state_keys, self.count_key = optimizer.state_keys, "step"  # pyright: ignore[reportAttributeAccessIssue]: as the wrapped one has them
        own = {"lookahead_k": k, "lookahead_alpha": alpha}
        for group in optimizer.param_groups:
            self._strategy({**group, **own})
        self._begin([{"params": g["params"]} for g in optimizer.param_groups], {**optimizer.defaults, **own})
        for group in optimizer.param_groups:
            group.update(own)
        self.param_groups, self.state = optimizer.param_groups, optimizer.state

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        return Strategy(self._inner._strategy(group), group["lookahead_k"], group["lookahead_alpha"])
