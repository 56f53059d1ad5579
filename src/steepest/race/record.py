"""What a race measured, as plain data: the classes that the engine writes and that statistics and report read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from steepest.errors import RaceError

SCHEMA = 2
"""Goes up when a reader of the old record would misread the new one."""

Purpose = Literal["tuning", "evaluation", "sensitivity", "defaults", "target"]
"""What a run is for. `target`: runs of the baseline alone, from which the target of a task that has none is set."""


@dataclass(frozen=True)
class Trial:
    """One finished run of full length."""

    task: str
    optimizer: str
    purpose: Purpose
    study: int
    """Which repetition of the whole search."""
    number: int
    """Index of the quasi-random point in the study (tuning), or of the seed (evaluation); from 0."""
    seed: int
    """Of initialisation and data order: the same for all optimizers, so that runs of one seed are pairs."""
    point: Mapping[str, float]
    """The hyperparameters: `lr`, `weight_decay`, `warmup`, ..."""
    validation: float
    """The metric at the end of the run; `TaskFacts.guess` if it diverged."""
    test: float | None
    """Only of a run for evaluation: tuning never looks at the test data."""
    steps_to_target: float
    """Infinite: the target was missed."""
    samples_to_target: float
    seconds_to_target: float
    """Seconds of training, the optimizer included and evaluation untimed; infinite: missed."""
    seconds: float
    """Of the whole run, evaluation untimed."""
    diverged_at: int | None
    """The step at which the loss was no longer finite; None: it never happened."""
    state_bytes_per_parameter: float
    step_ms: float
    """The median of `optimizer.step()` alone."""
    cpu_seconds: float | None = None
    """Of the processor, in the time that `seconds` counts; None: not measured."""


@dataclass(frozen=True)
class AxisFacts:
    """One axis of a search space."""

    name: str
    low: float
    high: float
    log: bool


@dataclass(frozen=True)
class TaskFacts:
    """The task as it was."""

    name: str
    family: str
    title: str
    description: str
    metric: str
    higher_is_better: bool
    parameters: int
    train: int
    validation: int
    test: int
    """Examples of each part of the data."""
    batch: int
    steps: int
    looks: int
    """How many looks at the validation data in one run, evenly spaced, the last at the end."""
    target: float | None
    target_reason: str
    guess: float
    """The metric of an untrained or constant predictor; what a diverged run counts as."""
    clip_norm: float | None


@dataclass(frozen=True)
class EntrantFacts:
    """One optimizer of the race."""

    title: str
    source: str
    """Where it comes from: the paper, or the package and class."""
    space: tuple[AxisFacts, ...]
    code: str
    """The optimizer with all its hyperparameters, as the code that makes it."""


@dataclass(frozen=True)
class Race:
    """Everything that a race did, failed runs included."""

    tasks: dict[str, TaskFacts]
    entrants: dict[str, EntrantFacts]
    baseline: str
    """The entrant that speed-ups are measured against."""
    trials: tuple[Trial, ...]
    settings: dict[str, Any]
    environment: list[dict[str, Any]]
    """One entry a machine that took part."""
    schedule: str
    """The learning-rate schedule, in words."""


@dataclass(frozen=True)
class Curve:
    """What was seen along one run: one entry for each of `marks`, a count of steps taken."""

    marks: Sequence[int]
    train_loss: Sequence[float]
    validation: Sequence[float]
    lr: Sequence[float]


def load(path: str | Path) -> Race:
    """The record at `race.db`, in the folder that has one, in an exported file, or at a PostgreSQL address.

    Of a race that is going on, what is done so far.
    """
    from steepest.race.reading import load

    return load(path)


def curves(path: str | Path, trial: Trial) -> Curve:
    """The curve of one run of that record."""
    from steepest.race.reading import curves_of

    return curves_of(path)(trial)


def check_schema(schema: object, where: str) -> None:
    """Refuse a record that this version would misread."""
    if schema != SCHEMA:
        advice = "update Steepest" if isinstance(schema, int) and schema > SCHEMA else "use the version that wrote it"
        raise RaceError(
            f"{where} has record format {schema!r}, and this version of Steepest reads {SCHEMA}: {advice}, "
            "or run the race again with another --out."
        )
