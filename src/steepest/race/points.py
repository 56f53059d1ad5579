"""Quasi-random points: the same on every machine for the same study and task, others for another.

scipy's Halton sequence, unscrambled, with a shift of its own for every study, task and axis (Cranley & Patterson
1976); a point that is lucky everywhere would otherwise be lucky on all tasks at once. Shifts come from SHA-256 rather than a random generator, whose stream a new NumPy may change; so the points are
fixed for good. In the unit cube the points of all optimizers are the same: nobody's draw is luckier.
"""

from functools import cache
from hashlib import sha256

from steepest.race.extra import NeedsExtra
from steepest.race.spaces import Space, at

COLUMNS = ("lr", "weight_decay", "warmup", "eps")
"""The axis of each dimension. Fixed: an optimizer without weight decay has the same learning rates as one with it."""
_DIMENSIONS = 10


def point(space: Space, task: str, study: int, number: int) -> dict[str, float]:
    """The hyperparameters of trial `number`, from 0, of study `study` on a task."""
    others = sorted(axis.name for axis in space if axis.name not in COLUMNS)
    columns = {name: i for i, name in enumerate((*COLUMNS, *others))}
    row = _halton(number)
    return {axis.name: at(axis, (row[columns[axis.name]] + _shift(task, study, axis.name)) % 1.0) for axis in space}


def _shift(task: str, study: int, name: str) -> float:
    return int.from_bytes(sha256(f"steepest race, {task}, study {study}, {name}".encode()).digest()[:6], "big") / 2**48


@cache
def _halton(number: int) -> tuple[float, ...]:
    with NeedsExtra():
        from scipy.stats import qmc
    engine = qmc.Halton(_DIMENSIONS, scramble=False)
    engine.fast_forward(number)
    return tuple(float(x) for x in engine.random(1)[0])
