"""The eager executor: the rule itself, called with arrays. The reference for every kernel, and what autograd sees.

A step of many parameters is one call of the rule. Each of its values is a `Leaves`: one array (or number)
for each parameter, on which operators act side by side, and over which `total(x, over="model")` sums.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steepest import ops
from steepest.errors import TensorError
from steepest.op_table import OPS
from steepest.transform import At, Step, Transform
from steepest.tree import bind, flatten, floats, nest, slots


@dataclass(frozen=True)
class Leaf:
    """One parameter with all that its step needs; arrays of one library, of one shape and dtype."""

    param: Any
    grad: Any
    slots: Mapping[str, Any]
    scalars: Mapping[str, Any]
    count: int


class Leaves:
    """One value per parameter. `like` are the parameters, whose dtype a choice between plain numbers takes."""

    def __init__(self, values: Sequence[Any], like: Sequence[Any]) -> None:
        self.values, self.like = list(values), like

    def _steepest_op(self, op: str, *args: Any, **data: Any) -> "Leaves":
        if op == "total" and data["over"] == "model":
            summed = sum(getattr(ops, op)(v) for v in args[0].values)
            return Leaves([summed] * len(self.values), self.like)
        if op == "where":
            return self._each(_choice, *args, Leaves(self.like, self.like))
        function: Callable[..., Any] = getattr(ops, op)
        return self._each(lambda *a: function(*a, **data), *args)

    def _each(self, function: Callable[..., Any], *args: Any) -> "Leaves":
        columns = [a.values if isinstance(a, Leaves) else [a] * len(self.values) for a in args]
        return Leaves([function(*row) for row in zip(*columns, strict=True)], self.like)


def _install(name: str, op: Callable[..., Any], on_numbers: Callable[..., Any] | None) -> None:
    def apply(a: Any, b: Any) -> Any:
        # Numbers follow IEEE's rules here as in the kernel's uniforms: 1 / 0 is inf, not an exception.
        if on_numbers is not None and all(isinstance(x, (bool, int, float)) for x in (a, b)):
            return on_numbers(a, b)
        return op(*ops.meeting(a, b))

    def forward(self: Leaves, other: Any) -> Leaves:
        return self._each(apply, self, other)

    def backward(self: Leaves, other: Any) -> Leaves:
        return self._each(apply, other, self)

    setattr(Leaves, f"__{name}__", forward)
    if name in ("add", "sub", "mul", "truediv", "mod", "pow", "and", "or"):
        setattr(Leaves, f"__r{name}__", backward)


def _install_unary(name: str, op: Callable[..., Any]) -> None:
    def apply(self: Leaves) -> Leaves:
        return self._each(op, self)

    setattr(Leaves, f"__{name}__", apply)


for _name in ("add", "sub", "mul", "mod", "pow", "lt", "le", "gt", "ge", "eq", "ne", "and", "or"):
    _install(_name, getattr(operator, f"{_name}_" if _name in ("and", "or") else _name), None)
_install("truediv", operator.truediv, OPS["div"].number)
for _name in ("neg", "abs", "invert"):
    _install_unary(_name, getattr(operator, _name))


def step(strategy: Transform, leaves: Sequence[Leaf], maximize: bool = False) -> list[dict[str, Any]]:
    """The new `param` and slots of every leaf, by name. Nothing is changed in place."""
    return _called(strategy, leaves, maximize, "param", Step.result)


def update(strategy: Transform, leaves: Sequence[Leaf]) -> list[dict[str, Any]]:
    """What to add to every leaf as `u`, and its new slots, by name."""
    return _called(strategy, leaves, False, "u", Step.direction)


def _called(
    strategy: Transform, leaves: Sequence[Leaf], maximize: bool, name: str, outcome: Callable[[Step, At], Any]
) -> list[dict[str, Any]]:
    names, read_every_step = list(slots(strategy)), set(floats(strategy))
    for leaf in leaves:
        if leaf.param.shape != leaf.grad.shape:
            raise TensorError(f"A parameter of shape {tuple(leaf.param.shape)} has a gradient of shape {tuple(leaf.grad.shape)}.")

    def together(value: Callable[[Leaf], Any]) -> Leaves:
        return Leaves([value(leaf) for leaf in leaves], [leaf.param for leaf in leaves])

    bound = bind(strategy, lambda at, old: together(lambda leaf: leaf.scalars[at.name]) if at.name in read_every_step else old)
    at = At(
        grad=together(lambda leaf: -leaf.grad if maximize else leaf.grad),
        param=together(lambda leaf: leaf.param),
        count=together(lambda leaf: leaf.count),
        size=together(lambda leaf: _size(leaf.param)),
    )
    state = {name: together(lambda leaf, name=name: leaf.slots[name]) for name in names}
    result = bound.update(at.grad, at, **nest(bound, state))
    new = {**flatten(bound, result), name: outcome(result, at)}
    return [{name: value.values[i] for name, value in new.items()} for i in range(len(leaves))]


def _choice(test: Any, a: Any, b: Any, like: Any) -> Any:
    """`where` for one parameter; of two plain numbers it makes arrays of the parameter's dtype, which widen nothing."""
    if not isinstance(test, bool) and not hasattr(a, "dtype") and not hasattr(b, "dtype"):
        a, b = ops.constant(a, like), ops.constant(b, like)
    return ops.where(test, a, b)


def _size(array: Any) -> int:
    size = 1
    for n in array.shape:
        size *= int(n)
    return size
