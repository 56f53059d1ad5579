"""The tables that advice is read from, as dataclasses: the TOML files of this folder.

    families.toml      where to begin with each kind of model
    candidates.toml    what Steepest has, and how its rates follow
    choices.toml       which candidate for which kind of model, and why
    adjustments.toml   what circumstances change about that
    outsiders.toml     what Steepest does not have, and would race
    tuning.toml        what to tune with how many runs

Every row names the facts it rests on. Unknown keys are refused.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from steepest.errors import GuideError

T = TypeVar("T")
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Rates:
    """Where one way of stepping begins in a family."""

    lr: float
    batch: int
    decay: float
    warmup: float
    ceiling: float


@dataclass(frozen=True)
class Family:
    """Where to begin with one kind of model."""

    title: str
    usual_batch: int
    adam: Rates
    sgd: Rates
    facts: tuple[str, ...]
    tasks: tuple[str, ...]
    """Of the race."""
    usual_sequence: int = 1
    size: float = 0.0
    size_power: float = 0.0
    clip: float | None = None
    b2_batch: int = 0


@dataclass(frozen=True)
class Follows:
    """How one candidate begins, relative to its family's rates."""

    title: str
    follows: str
    rule: str
    """How its learning rate goes with the batch: sqrt or linear."""
    tune: tuple[float, ...]
    facts: tuple[str, ...]
    lr: float = 1.0
    decay: float = 1.0
    warmup: float = 0.0
    size_power: float | None = None
    schedule: str = "Cosine"
    arguments: Mapping[str, Any] | None = None
    race: str = ""
    tuning: str = ""


@dataclass(frozen=True)
class Choice:
    """One candidate for one family."""

    family: str
    optimizer: str
    merit: float
    in_favour: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True)
class Adjustment:
    """What a circumstance does to candidates."""

    when: str
    optimizers: tuple[str, ...]
    merit: float
    facts: tuple[str, ...]
    families: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outsider:
    """One that Steepest does not have."""

    name: str
    title: str
    state: float
    families: tuple[str, ...]
    in_favour: tuple[str, ...]
    against: tuple[str, ...]
    when: tuple[str, ...] = ()
    peer: str = ""
    note: str = ""


@dataclass(frozen=True)
class Tuning:
    """What to tune with a number of runs."""

    kind: str
    runs: int
    axes: tuple[str, ...]
    facts: tuple[str, ...]


_WORDS = {"for": "in_favour", "from": "runs"}
"""Keys of the tables that Python has for itself."""


@cache
def families() -> Mapping[str, Family]:
    """By name."""
    rates = {"adam", "sgd"}
    return {
        name: _made(Family, name, {key: _made(Rates, name, value) if key in rates else value for key, value in row.items()})
        for name, row in _read("families").items()
    }


@cache
def candidates() -> Mapping[str, Follows]:
    """By name."""
    return {name: _made(Follows, name, row) for name, row in _read("candidates").items()}


@cache
def choices() -> tuple[Choice, ...]:
    """In the order of the table."""
    return _rows(Choice, "choices", "choice")


@cache
def adjustments() -> tuple[Adjustment, ...]:
    """In the order of the table."""
    return _rows(Adjustment, "adjustments", "adjustment")


@cache
def outsiders() -> tuple[Outsider, ...]:
    """In the order of the table."""
    return _rows(Outsider, "outsiders", "outsider")


@cache
def tunings() -> tuple[Tuning, ...]:
    """In the order of the table."""
    return _rows(Tuning, "tuning", "tuning")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _rows(kind: type[T], file: str, key: str) -> tuple[T, ...]:
    return tuple(_made(kind, f"{file}.toml", row) for row in _read(file)[key])


def _made(kind: type[T], where: str, row: Mapping[str, Any]) -> T:
    given = {_WORDS.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in row.items()}  # pyright: ignore[reportUnknownVariableType]
    unknown = set(given) - {f.name for f in fields(kind)}  # pyright: ignore[reportArgumentType]
    if unknown:
        raise GuideError(f"{where}: unknown {', '.join(sorted(unknown))} in {dict(row)}.")
    try:
        return kind(**given)
    except TypeError as error:
        raise GuideError(f"{where}: {error} in {dict(row)}.") from None
