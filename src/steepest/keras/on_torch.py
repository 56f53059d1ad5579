"""The step on Keras' PyTorch backend: one fused kernel for all variables, in place.

Stock Keras steps a subclass of its optimizers variable by variable, some ten operations each.
"""

from collections.abc import Sequence
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from steepest.plan import Plan, plan
from steepest.torch import layout, placement
from steepest.torch.roster import Counts, GroupPlan, Member, Roster
from steepest.transform import Transform
from steepest.tree import Leaf, float_leaves

if TYPE_CHECKING:
    from steepest.keras.optimizer import Optimizer

try:
    from keras.src.backend.common.stateless_scope import in_stateless_scope  # Keras exports the scope, not the question
except ImportError:  # a Keras that has moved it: never in place, then, which is right everywhere

    def in_stateless_scope() -> bool:
        """Assume so."""
        return True


class _Taken(Counts):
    """The number of steps as Keras counts them, in a variable of its own."""

    taken = 0

    @property
    def same(self) -> int:
        """The count of all members: Keras has one."""
        return self.taken

    def advance(self) -> None:
        """Keras does it."""


class Fused:
    """The kernel's view of one optimizer's variables, kept from step to step."""

    def __init__(self) -> None:
        self._roster: Roster | None = None
        self._strategy: Transform | None = None
        self._plan: Plan | None = None
        self._leaves: list[Leaf] = []
        self._slots: list[Any] = []  # Keras' variables of the state, and the tensors that were theirs
        self._held: list[Tensor] = []

    @torch.no_grad()
    def step(self, optimizer: "Optimizer", grads: Sequence[Tensor], variables: Sequence[Any], learning_rate: Any) -> bool:
        """Step all variables in place. False, with nothing done, where that must not or cannot be."""
        if in_stateless_scope() or torch.compiler.is_compiling():
            return False
        strategy = optimizer.strategy
        if strategy is not self._strategy or self._plan is None:
            self._strategy, self._plan, self._leaves = strategy, plan(strategy), float_leaves(strategy)
        taken = int(_number(optimizer.iterations))
        now = GroupPlan(self._plan, tuple(_scalar(leaf, learning_rate, taken) for leaf in self._leaves), {}, scheduled=False)
        params, grads = [v.value for v in variables], list(grads)
        if not self._stepped(params, grads, now, taken):
            self._roster = self._made(optimizer, params, grads, variables, now)
            if self._roster is not None and not self._stepped(params, grads, now, taken):
                raise AssertionError("a roster does not fit the tensors it was made from")
        return self._roster is not None

    def _stepped(self, params: list[Tensor], grads: list[Tensor], now: GroupPlan, taken: int) -> bool:
        """Step by the roster that is there, if it is for these tensors."""
        roster = self._roster
        if (
            roster is None
            or not roster.holds(params, roster.states, [now], None)
            or not all(map(is_, map(_tensor, self._slots), self._held))
        ):
            return False
        assert isinstance(roster.counts, _Taken)
        roster.counts.taken = taken
        return roster.step(grads, [now], torch.get_num_threads())

    def _made(
        self, optimizer: "Optimizer", params: list[Tensor], grads: list[Tensor], variables: Sequence[Any], now: GroupPlan
    ) -> Roster | None:
        """A roster for these tensors; None if one of them is not the variable's own memory, or no kernel can step it."""
        if any(_name(p) != v.dtype for p, v in zip(params, variables, strict=True)):
            return None  # inside an autocast scope `value` is a copy
        for p, g in zip(params, grads, strict=True):
            layout.check(p, g, type(optimizer).__name__)
        at = [optimizer._get_variable_index(v) for v in variables]
        states = [{name: made[i].value for name, made in optimizer._slots.items()} for i in at]
        self._slots = [made[i] for i in at for made in optimizer._slots.values()]
        self._held = list(map(_tensor, self._slots))
        members = [Member(p, g, 0, s) for p, g, s in zip(params, grads, states, strict=True)]
        places = {placement.place(m, {"differentiable": False}) for m in members}
        if "eager" in places or len(places) > 1:
            return None
        return Roster(members, [now], {s: s for s in now.plan.slots}, _Taken([0] * len(members)), [places == {"triton"}] * len(members))


def _scalar(leaf: Leaf, learning_rate: Any, taken: int) -> float:
    if leaf.field == "lr":
        return float(_number(learning_rate))
    value: Any = getattr(leaf.own, leaf.field)
    return float(cast("Any", value(taken)) if callable(value) else value)


def _number(value: Any) -> Any:
    """The content of a Keras variable or a tensor of one element."""
    value = getattr(value, "value", value)
    return value.item() if isinstance(value, Tensor) else value


#: a variable's tensor, at a fiftieth of the price of `value`, whose scopes do not matter here
_tensor = attrgetter("_value")


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
