"""Reading a strategy: a tree of transforms, flattened to names.

A strategy is one `Transform`, most often a `Chain` of others. Its hyperparameters and its state have
names, never positions: the field or slot's own name, and `b1_2` for the second `b1` in the tree.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from steepest.errors import HyperparameterError, TraceError
from steepest.transform import Slot, Step, Transform

Path = tuple[str | int, ...]


class Leaf(NamedTuple):
    """A field or slot somewhere in a strategy: its own name, and the path of the transform it belongs to."""

    name: str  # unique in the strategy: "b1", and "b1_2" for the second of that name
    path: Path
    own: Transform
    field: str


def _parts(t: Transform) -> Iterator[tuple[Path, Transform]]:
    for name, kind in t._kinds.items():
        if kind.kind == "part":
            part = getattr(t, name)
            if isinstance(part, tuple):
                yield from (((name, i), p) for i, p in enumerate(cast("tuple[Transform, ...]", part)))
            else:
                yield (name,), part


def walk(t: Transform, path: Path = ()) -> Iterator[tuple[Path, Transform]]:
    """Every transform of a strategy with its path, parts before the transform that holds them."""
    for at, part in _parts(t):
        yield from walk(part, path + at)
    yield path, t


def _leaves(t: Transform, names: Callable[[Transform], Iterator[str]]) -> list[Leaf]:
    found: list[Leaf] = []
    seen: dict[str, int] = {}

    for path, part in walk(t):
        for field in names(part):
            seen[field] = seen.get(field, 0) + 1
            name = field if seen[field] == 1 else f"{field}_{seen[field]}"
            found.append(Leaf(name, path, part, field))
    return found


def slots(strategy: Transform) -> dict[str, Slot]:
    """The state of a strategy: name to `Slot`."""
    return {leaf.name: leaf.own._slots[leaf.field] for leaf in slot_leaves(strategy)}


def slot_leaves(strategy: Transform) -> list[Leaf]:
    """Every slot of a strategy, parts before the transform that holds them."""
    return _leaves(strategy, lambda t: iter(t._slots))


def hyperparameters(strategy: Transform) -> dict[str, Any]:
    """The numbers and choices of a strategy by name, in the order of the chain: `{"b1": 0.9, ...}`."""
    return {leaf.name: getattr(leaf.own, leaf.field) for leaf in _field_leaves(strategy)}


def _field_leaves(strategy: Transform) -> list[Leaf]:
    return _leaves(strategy, lambda t: (n for n, k in t._kinds.items() if k.kind != "part"))


def float_leaves(strategy: Transform) -> list[Leaf]:
    """The hyperparameters that are read at every step."""
    return [leaf for leaf in _field_leaves(strategy) if leaf.own._kinds[leaf.field].kind == "float"]


def floats(strategy: Transform) -> list[str]:
    """The names of the hyperparameters that are read at every step."""
    return [leaf.name for leaf in float_leaves(strategy)]


def with_hyperparameters(strategy: Transform, values: Mapping[str, Any]) -> Transform:
    """The same strategy with other hyperparameters, checked as its transforms check them."""
    known = {leaf.name: leaf for leaf in _field_leaves(strategy)}
    for name, value in values.items():
        if name not in known:
            raise HyperparameterError(f"This strategy has no hyperparameter {name!r}. It has: {', '.join(known)}.")
        leaf = known[name]
        type(leaf.own)._checked(leaf.field, value)
    return bind(strategy, lambda leaf, old: values.get(leaf.name, old))


def bind(strategy: Transform, value: Callable[[Leaf, Any], Any]) -> Transform:
    """The same tree with `value(leaf, old)` in each hyperparameter, unchecked: symbols, arrays, numbers."""
    leaves = {(leaf.path, leaf.field): leaf for leaf in _field_leaves(strategy)}

    def copy(t: Transform, path: Path) -> Transform:
        new = object.__new__(type(t))
        for name, kind in t._kinds.items():
            old = getattr(t, name)
            if kind.kind != "part":
                old = value(leaves[path, name], old)
            elif isinstance(old, tuple):
                old = tuple(copy(p, (*path, name, i)) for i, p in enumerate(cast("tuple[Transform, ...]", old)))
            else:
                old = copy(old, (*path, name))
            object.__setattr__(new, name, old)
        return new

    return copy(strategy, ())


def structure(strategy: Transform) -> object:
    """What a kernel is built from: the tree of transforms with every float left out. Hashable."""
    static = tuple(getattr(strategy, n) for n, k in strategy._kinds.items() if k.kind == "static")
    return (type(strategy), static, tuple((at, structure(p)) for at, p in _parts(strategy)))


def nest(strategy: Transform, values: Mapping[str, Any]) -> dict[str, Any]:
    """Slot values by flat name, arranged as `strategy.update(u, at, **nested)` takes them."""
    names = {(leaf.path, leaf.field): leaf.name for leaf in slot_leaves(strategy)}

    def build(t: Transform, path: Path) -> dict[str, Any]:
        nested: dict[str, Any] = {field: values[names[path, field]] for field in t._slots}
        for at, part in _parts(t):
            inner = build(part, path + at)
            if len(at) == 2:
                nested.setdefault(cast("str", at[0]), []).append(inner)
            else:
                nested[cast("str", at[0])] = inner
        return nested

    return build(strategy, ())


def flatten(strategy: Transform, step: Step) -> dict[str, Any]:
    """The new slot values of a step by flat name; an error names what is missing or too much."""
    flat: dict[str, Any] = {}

    def pick(t: Transform, given: Any, path: Path) -> None:
        parts = list(_parts(t))
        want, got = {*t._slots, *(cast("str", at[0]) for at, _ in parts)}, set(given)
        if want != got:
            missing, extra = sorted(want - got), sorted(got - want)
            raise TraceError(
                f"{type(t).__qualname__}.update returned a Step "
                + " and ".join([f"without {', '.join(missing)}"] * bool(missing) + [f"with unknown {', '.join(extra)}"] * bool(extra))
                + ": a Step gives the new value of every slot, also of one that stays as it is."
            )
        for field in t._slots:
            flat[names[path, field]] = given[field]
        for at, part in parts:
            inner = given[at[0]]
            pick(part, inner[at[1]] if len(at) == 2 else inner, path + at)

    names = {(leaf.path, leaf.field): leaf.name for leaf in slot_leaves(strategy)}
    pick(strategy, step.slots, ())
    return flat
