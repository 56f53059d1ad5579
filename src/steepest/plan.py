"""From a strategy to passes: what a step loads, computes, sums and stores. Decided once, for every backend.

A rule is called once with symbols (`trace`). Its graph is then cut:

    variants   a test that is known when the step begins (`count % k == 0`) selects between graphs, so that
               ordinary steps do not load what only some steps need
    passes     a sum over elements must be finished before what uses it can begin: each stage of sums is one
               `reduce` pass over the arrays, and the last pass is the `map` that stores
    uniforms   values that are not one per element are evaluated on the host, in float64, and passed in

What a pass needs of memory, in bytes, follows from its loads and stores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from steepest.errors import TraceError
from steepest.expr import Expr, load, rebuild, scalar, walk
from steepest.formats import FORMATS, Format
from steepest.op_table import Per
from steepest.transform import At, Slot, Step, Transform
from steepest.tree import bind, flatten, floats, nest, slots, structure

RESERVED = {"grad", "param", "count", "size"}


@dataclass(frozen=True, eq=False)
class Pass:
    """One sweep over all arrays: `reduce` gives sums, `map` stores."""

    loads: tuple[str, ...]
    stores: tuple[tuple[str, Expr], ...]
    sums: tuple[Expr, ...]
    uniforms: tuple[Expr, ...]
    per: Per  # whether the uniforms are one row per step and group, or one per tensor

    @property
    def kind(self) -> str:
        return "reduce" if self.sums else "map"

    @property
    def roots(self) -> tuple[Expr, ...]:
        """What the kernel computes for each element: the stored values, or what is summed."""
        return tuple(e for _, e in self.stores) + tuple(s.args[0] for s in self.sums)

    @property
    def elements(self) -> Iterator[Expr]:
        """Every value that the kernel computes per element, arguments first."""
        return walk(self.roots, lambda e: e.varying)

    @property
    def buffers(self) -> tuple[str, ...]:
        """The arrays that the pass touches, in a fixed order."""
        return tuple(dict.fromkeys([*self.loads, *(name for name, _ in self.stores)]))


@dataclass(frozen=True, eq=False)
class Variant:
    """The passes of a step for which every test of the plan has come out one way."""

    outputs: Mapping[str, Expr]  # as the rule has it, for reading
    passes: tuple[Pass, ...]

    @cached_property
    def written(self) -> tuple[Pass, ...]:
        """The passes without the changes that make a kernel fast: every operation as the rule has it."""
        return _passes({name: e for name, e in self.outputs.items() if e is not load(name)})

    @cached_property
    def totals(self) -> tuple[Expr, ...]:
        """Every sum of the step, in the order in which they are finished."""
        return tuple(s for p in self.passes for s in p.sums)

    def traffic(self, formats: Mapping[str, Format] | None = None) -> int:
        """Bytes read and written per parameter in one such step (float32 unless `formats` says otherwise)."""
        of = formats or {}
        return sum(of.get(b, FORMATS["float32"]).bytes for p in self.passes for b in (*p.loads, *(n for n, _ in p.stores)))


@dataclass(frozen=True, eq=False)
class Plan:
    """A strategy as graphs. Two strategies that differ in their floats alone share one plan."""

    scalars: tuple[str, ...]  # hyperparameters that are read at every step
    slots: Mapping[str, Slot]
    tests: tuple[Expr, ...]
    variants: Mapping[tuple[bool, ...], Variant]

    @property
    def buffers(self) -> tuple[str, ...]:
        """The arrays of one parameter, in the order of the pointer tables."""
        return ("param", "grad", *self.slots)

    @property
    def sums_over_model(self) -> bool:
        """Whether a step of one parameter depends on all the others."""
        return any(t.data == "model" for v in self.variants.values() for t in v.totals)

    def state_bytes(self, formats: Mapping[str, Format] | None = None) -> int:
        """Bytes of optimizer state per parameter (float32 unless `formats` says otherwise)."""
        of = formats or {}
        return sum(of.get(s, FORMATS["float32"]).bytes for s in self.slots)

    def ordinary(self) -> Variant:
        """The variant of most steps: the one that moves the least memory, or whose tests hold."""
        return min(self.variants.items(), key=lambda item: (item[1].traffic(), -sum(item[0])))[1]


def trace(strategy: Transform, maximize: bool = False) -> dict[str, Expr]:
    """Call the rule once, with symbols: the new value of `param` and of every slot, by name."""
    clash = RESERVED & {*slots(strategy), *floats(strategy)}
    if clash:
        raise TraceError(
            f"{strategy!r}: {', '.join(sorted(clash))} is a name of the gradient, the parameter or a counter; rename the field or slot."
        )
    symbolic = bind(strategy, lambda leaf, old: scalar(leaf.name) if leaf.own._kinds[leaf.field].kind == "float" else old)
    grad = -load("grad") if maximize else load("grad")
    at = At(grad, load("param"), scalar("count"), scalar("size"))
    step = symbolic.update(grad, at, **nest(strategy, {name: load(name) for name in slots(strategy)}))
    if not isinstance(step, Step):  # pyright: ignore[reportUnnecessaryIsInstance]: users write these
        raise TraceError(f"{type(strategy).__qualname__}.update returned {type(step).__name__}: return Step(u, ...).")
    out = {**flatten(strategy, step), "param": step.result(at)}
    for name, value in out.items():
        if not isinstance(value, Expr) or not value.varying:
            raise TraceError(f"{strategy!r}: the new {name} is {value!r}, the same for every element; a rule gives one value per element.")
    return out


_plans: dict[object, Plan] = {}


def plan(strategy: Transform, maximize: bool = False) -> Plan:
    """The plan of a strategy: traced once for each structure, whatever its learning rate or betas."""
    key = (structure(strategy), maximize)
    if key not in _plans:
        _plans[key] = cut(strategy, trace(strategy, maximize), floats(strategy))
    return _plans[key]


def cut(strategy: Transform, outputs: Mapping[str, Expr], scalars: Sequence[str]) -> Plan:
    """The graphs of a step, one for each way in which its tests can come out, as passes."""
    tests = tuple(_tests(outputs))
    if len(tests) > 4:
        raise TraceError(
            f"{strategy!r} chooses between whole arrays by {len(tests)} tests; more than 4 would need {2 ** len(tests)} kernels."
        )
    variants = {
        truth: _variant(outputs, dict(zip(map(id, tests), truth, strict=True))) for truth in product((False, True), repeat=len(tests))
    }
    return Plan(tuple(scalars), slots(strategy), tests, variants)


def _tests(outputs: Mapping[str, Expr]) -> dict[Expr, None]:
    """The tests known when the step begins that choose between values of elements."""
    found: dict[Expr, None] = {}
    for e in walk(outputs.values()):
        if e.op == "where" and e.varying and e.args[0].per is Per.STEP and e.args[0].stage == 0:
            found[e.args[0]] = None
    return found


def _variant(outputs: Mapping[str, Expr], truth: Mapping[int, bool]) -> Variant:
    def choose(old: Expr, new: tuple[Expr, ...]) -> Expr | None:
        if old.op == "where" and old.varying and id(old.args[0]) in truth:
            return new[1] if truth[id(old.args[0])] else new[2]
        return None

    chosen = dict(zip(outputs, rebuild(outputs.values(), choose), strict=True))
    lowered = dict(zip(chosen, rebuild(chosen.values(), _reciprocal), strict=True))
    changed = {name: e for name, e in lowered.items() if e is not load(name)}
    return Variant(chosen, _passes(changed))


def _passes(changed: Mapping[str, Expr]) -> tuple[Pass, ...]:
    totals = [e for e in walk(changed.values()) if e.op == "total"]
    passes = [_pass((), tuple(t for t in totals if t.stage == stage)) for stage in sorted({t.stage for t in totals})]
    return (*passes, _pass(tuple(changed.items()), ()))


def _reciprocal(old: Expr, new: tuple[Expr, ...]) -> Expr | None:
    """One division on the host in place of one per element, which would keep a kernel from the speed of memory.

    The quotient may differ in its last bit from the rule's own.
    """
    return new[0] * (1.0 / new[1]) if old.op == "div" and new[0].varying and not new[1].varying else None


def _pass(stores: tuple[tuple[str, Expr], ...], sums: tuple[Expr, ...]) -> Pass:
    roots = [e for _, e in stores] + [s.args[0] for s in sums]
    elements = list(walk(roots, lambda e: e.varying))
    loads = dict.fromkeys(e.name for e in elements if e.op == "load")
    operands = [a for e in elements for a in e.args] + roots
    uniforms = dict.fromkeys(a for a in operands if not a.varying and a.op != "const")
    return Pass(tuple(loads), stores, sums, tuple(uniforms), max((u.per for u in uniforms), default=Per.STEP))
