"""Quasi-random points: the same on every machine for the same study and task, others for another.

Halton's sequence with a shift of its own for every study, task and axis (Cranley & Patterson 1976); without it a
lucky point would be lucky on all tasks at once. Shifts come from SHA-256 rather than a random generator, whose
stream a new NumPy may change; so the points are fixed for good. In the unit cube the points of all optimizers are
the same: nobody's draw is luckier. (scipy has the sequence too, and a test compares; importing it would cost every
worker two seconds.)
"""

from hashlib import sha256

from steepest.race.spaces import Space, at

BASES = {"lr": 2, "weight_decay": 3, "warmup": 5, "eps": 7}
"""Of each axis. Fixed: an optimizer without weight decay has the same learning rates as one with it."""


def point(space: Space, task: str, study: int, number: int) -> dict[str, float]:
    """The hyperparameters of trial `number`, from 0, of study `study` on a task."""
    return {axis.name: at(axis, (_mirrored(number, BASES[axis.name]) + _shift(task, study, axis.name)) % 1.0) for axis in space}


def _shift(task: str, study: int, name: str) -> float:
    return int.from_bytes(sha256(f"steepest race, {task}, study {study}, {name}".encode()).digest()[:6], "big") / 2**48


def _mirrored(number: int, base: int) -> float:
    """The digits of `number` in `base`, mirrored at the point: van der Corput's sequence, of which Halton's has one an axis."""
    value, share = 0.0, 1.0 / base
    while number:
        number, digit = divmod(number, base)
        value += digit * share
        share /= base
    return value
