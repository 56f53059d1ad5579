"""Lookahead around an optimizer that has been constructed already."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from steepest.errors import HyperparameterError
from steepest.plan import Plan
from steepest.rules.lookahead import Lookahead as Strategy
from steepest.torch.optimizer import Optimizer
from steepest.transform import Transform
from steepest.tree import Leaf


class Lookahead(Optimizer):
    """k steps of `optimizer`, then one step of slow weights `alpha` of the way, from which it goes on.

    >>> import torch, steepest.torch
    >>> model = torch.nn.Linear(3, 1)
    >>> opt = Lookahead(steepest.torch.AdamW(model.parameters(), lr=1e-3), k=5)

    Groups and state are shared with the wrapped optimizer, whose hyperparameters stay where they are: attach
    schedulers to either. The slow weights are in the state (`slow`) and in the checkpoint. They start as a
    copy of the parameters at the first step after wrapping. Steps are counted for each parameter, as the
    wrapped optimizer counts them: one without a gradient stands still, fast and slow.

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
        if isinstance(optimizer, Lookahead):
            raise HyperparameterError(
                "Lookahead wraps a Lookahead, and a group has room for the k of one. "
                "Nest the strategies: steepest.torch.Optimizer(params, Lookahead(Lookahead(strategy, k=2), k=5))."
            )
        self._wrap(optimizer)
        own = {"lookahead_k": k, "lookahead_alpha": alpha}
        for group in optimizer.param_groups:
            self._strategy({**group, **own})
        self._begin([{"params": g["params"]} for g in optimizer.param_groups], {**optimizer.defaults, **own})
        for group in optimizer.param_groups:
            group.update(own)
        self.param_groups, self.state = optimizer.param_groups, optimizer.state

    def _wrap(self, optimizer: Optimizer) -> None:
        self._inner = optimizer
        self.state_keys, self.added_keys, self.count_key = optimizer.state_keys, optimizer.added_keys, "step"  # pyright: ignore[reportAttributeAccessIssue]: as the wrapped one has them

    def _checked(self, group: Mapping[str, Any]) -> Transform:
        self._inner._checked(group)
        return super()._checked(group)

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        return Strategy(self._inner._strategy(group), group["lookahead_k"], group["lookahead_alpha"])

    def _is_lr(self, leaf: Leaf) -> bool:
        return self._inner._is_lr(leaf)

    def _tensor(self, group: Mapping[str, Any], leaf: Leaf, number: Any) -> Any:
        return self._inner._tensor(group, leaf, number)

    def _step(self, closure: Callable[[], float] | None = None) -> float | None:
        self._inner._opt_called = True  # pyright: ignore[reportAttributeAccessIssue]: what a scheduler attached to it asks for
        for group in self.param_groups:
            for key in ("lookahead_k", "lookahead_alpha"):
                group.setdefault(key, self.defaults[key])  # a group that was added to the wrapped optimizer
        return super()._step(closure)

    def _count(self, p: Tensor, plan: Plan) -> int:
        begun = self._inner.count_key is None and "step" not in self.state.get(p, {}) and self._inner._count(p, plan)
        return self.defaults["lookahead_k"] if begun else super()._count(p, plan)  # not the first step, and k more to the next sync

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_inner": self._inner}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._wrap(self._inner)
        self._inner.__setstate__({"state": self.state, "param_groups": self.param_groups})
