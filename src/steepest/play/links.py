"""One link of a chain by itself: its plan, its fields with the range of their sliders, its state.

A page that lets people put chains together cannot hold a function for every chain. It holds one for each link, printed
from the link's own graph, and joins them as `Chain` and `Lookahead` do: by handing the update on.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import steepest
from steepest.codegen import javascript
from steepest.errors import TraceError
from steepest.expr import Expr, load, scalar, walk
from steepest.plan import Plan, cut
from steepest.transform import At, Chain, Step, Transform
from steepest.tree import bind, flatten, nest, slots

HANDED = ("u", "next", "inner")
"""Arrays beside param and grad: the update that arrives and leaves, the parameter it would lead to, the update of a part."""


class _Made(Step):
    """What a part has made, computed before the transform around it begins."""

    def __init__(self) -> None:
        super().__init__(load("inner"))

    def direction(self, at: At) -> Any:
        return load("inner")

    def result(self, at: At) -> Any:
        return load("next")


class _Hole(Transform):
    """Where the part of a transform goes."""

    def update(self, u: Any, at: At) -> Step:
        return _Made()


@dataclass(frozen=True)
class Link:
    """One kind of transform, whatever its numbers."""

    kind: type[Transform]

    @property
    def name(self) -> str:
        """Its class."""
        return self.kind.__name__

    @property
    def about(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.kind) or "").partition("\n")[0]

    @property
    def part(self) -> str | None:
        """The field that holds a strategy of its own: `inner` of Lookahead."""
        parts = [name for name, kind in self.kind._kinds.items() if kind.kind == "part"]
        assert len(parts) <= 1, f"{self.name} has several parts"
        return parts[0] if parts else None

    @property
    def switches(self) -> list[str]:
        """The fields that lead to another function."""
        return [name for name, kind in self.kind._kinds.items() if kind.type is bool]

    @property
    def functions(self) -> Iterator[tuple[str, Plan]]:
        """A plan for each setting of the switches, by name: `ScaleByAdam_01`."""
        for setting in product((False, True), repeat=len(self.switches)):
            yield self.name + "_" * bool(setting) + "".join(str(int(s)) for s in setting), plan_of(self.kind, setting)

    def default(self, field: str) -> Any:
        """The value that a field has when nothing is said; None if something must be said."""
        value = getattr(self.kind, field, None)
        return value if isinstance(value, (bool, int, float)) else None


@cache
def links() -> dict[str, Link]:
    """Every public transform that a chain can be made of, by the name of its class."""
    public = [getattr(steepest, name) for name in steepest.__all__]
    kinds = [c for c in public if inspect.isclass(c) and issubclass(c, Transform)]
    return {kind.__name__: Link(kind) for kind in kinds if kind not in (Transform, Chain)}


def functions() -> str:
    """All of them as JavaScript: the helpers, then one function for each link and setting of its switches."""
    printed = [javascript.function(name, plan) for link in links().values() for name, plan in link.functions]
    return "".join(javascript.HELPERS.values()) + "".join(printed)


@cache
def plan_of(kind: type[Transform], setting: tuple[bool, ...] = ()) -> Plan:
    """The plan of one transform, to be joined to others by whoever runs it.

    It takes the running update `u`, and gives `u` to hand on and, as `next`, the parameter that there would be if nothing
    came after it. What its part has made of the same two arrives as `inner` and `next`. An `int` is read at every step, as
    a float is, where the rule can do with that.
    """
    try:
        return _plan(kind, setting, (float, int, object))
    except TraceError:
        return _plan(kind, setting, (float, object))


def _plan(kind: type[Transform], setting: tuple[bool, ...], read: tuple[type, ...]) -> Plan:
    link = Link(kind)
    one = object.__new__(kind)
    for name, field in kind._kinds.items():
        switch = dict(zip(link.switches, setting, strict=True)).get(name)
        object.__setattr__(one, name, _Hole() if field.kind == "part" else link.default(name) if switch is None else switch)
    symbolic = bind(one, lambda leaf, old: scalar(leaf.field) if kind._kinds[leaf.field].type in read else old)
    at = At(load("grad"), load("param"), scalar("count"), scalar("size"))
    step = symbolic.update(load("u"), at, **nest(symbolic, {name: load(name) for name in slots(symbolic)}))
    made: dict[str, Expr] = {**flatten(symbolic, step), "u": step.direction(at), "next": step.result(at)}
    taken = {e.name for e in walk(made.values()) if e.op == "load"}
    if link.part and "u" in taken:
        raise TraceError(f"{link.name} reads the update that arrives beside what its part made of it: the playground keeps only one.")
    return cut(symbolic, made, [name for name, field in kind._kinds.items() if field.type in read])
