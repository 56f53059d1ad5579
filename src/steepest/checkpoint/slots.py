"""Whether the state of one strategy means anything to another, and by which factor it then has to be multiplied.

Two strategies can exchange state where their transforms with slots are the same, in the same order, up to settings
that do not change what the slots hold. Where they stand on different sides of the learning rate (SGD's momentum in
PyTorch and in Keras), a slot that is linear in the update is rescaled; any other cannot be.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from steepest.errors import StateError
from steepest.transform import Slot, Transform
from steepest.transforms import Scale, ScaleByLearningRate, Trace
from steepest.tree import slot_leaves, walk

Carried = Mapping[str, tuple[str, float]]
"""For every slot of the new strategy, the old one's slot that it continues, and the factor between them."""

#: Settings that change what slots hold: eps of AdaBelief is stored too, but is a number that goes on from where it was.
_CHANGES_SLOTS = {"correct_first", "correct_nu"}
#: Transforms whose slots are proportional to what comes in.
_LINEAR = (Trace,)


class _Station(NamedTuple):
    """One transform with slots, on its way through the strategy."""

    kind: type[Transform]  # the class that first had these slots
    settings: tuple[tuple[str, Any], ...]
    names: tuple[str, ...]  # of its slots, in the whole strategy
    inits: tuple[Slot, ...]
    factor: float  # what the update has been multiplied by when it comes here
    linear: bool


def carried(old: Transform, new: Transform, taken: int | None) -> Carried:
    """How the slots of `new` continue those of `old` after `taken` steps.

    Raises:
        StateError: they cannot, and why.
    """
    if old == new:
        return {leaf.name: (leaf.name, 1.0) for leaf in slot_leaves(new)}
    here, there = _stations(new, taken), _stations(old, taken)
    said = f"The state of {old!r} cannot go on as {new!r}: "
    if [s.kind for s in here] != [s.kind for s in there]:
        kept = [", ".join(s.kind.__name__ for s in stations) or "nothing" for stations in (there, here)]
        raise StateError(f"{said}the one keeps the state of {kept[0]}, the other of {kept[1]}.")
    found: dict[str, tuple[str, float]] = {}
    for mine, theirs in zip(here, there, strict=True):
        if mine.settings != theirs.settings:
            differ = ", ".join(f"{name}={value!r}" for name, value in sorted(set(theirs.settings) - set(mine.settings)))
            raise StateError(
                f"{said}with {differ}, {mine.kind.__name__} keeps something else, from which the other cannot be had "
                "(a maximum of corrected means is not the corrected maximum)."
            )
        if mine.factor == theirs.factor:
            factor = 1.0
        elif not mine.linear:
            raise StateError(f"{said}{mine.kind.__name__} stands before the learning rate in one of them and after it in the other.")
        elif theirs.factor == 0 or mine.factor == 0:
            raise StateError(
                f"{said}the learning rate is inside one momentum buffer and outside the other, and it is 0: no factor leads from one to "
                "the other. Convert at a step where it is not 0."
            )
        else:
            factor = mine.factor / theirs.factor
        scales = [1.0 if slot.init == "param" else factor for slot in mine.inits]
        found |= {name: (source, scale) for name, source, scale in zip(mine.names, theirs.names, scales, strict=True)}
    return found


def _stations(strategy: Transform, taken: int | None) -> list[_Station]:
    names = {(leaf.path, leaf.field): leaf.name for leaf in slot_leaves(strategy)}
    found: list[_Station] = []
    factor = 1.0
    for path, t in walk(strategy):
        if isinstance(t, ScaleByLearningRate):
            factor *= -_rate(t, taken)
        elif isinstance(t, Scale):
            factor *= t.factor
        elif t._slots:
            settings = tuple((n, getattr(t, n)) for n in t._kinds if n in _CHANGES_SLOTS)
            mine = tuple(names[path, slot] for slot in t._slots)
            found.append(_Station(_origin(type(t)), settings, mine, tuple(t._slots.values()), factor, isinstance(t, _LINEAR)))
    return found


def _origin(kind: type[Transform]) -> type[Transform]:
    """The class that first had these slots: a subclass may compute another step from the same memory."""
    return next(base for base in reversed(kind.__mro__) if getattr(base, "_slots", None) == kind._slots)


def _rate(t: ScaleByLearningRate, taken: int | None) -> float:
    if not callable(t.lr):
        return t.lr
    if taken is None:
        raise StateError(f"{t!r}: the checkpoint does not say how many steps were taken, so that its schedule cannot be asked.")
    return float(t.lr(max(taken - 1, 0)))
