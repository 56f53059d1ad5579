"""What a race measured, as plain data; `race.json` is these classes, written down."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from steepest.errors import SteepestError

SCHEMA = 1
"""Goes up when a reader of the old `race.json` would misread the new one."""

Purpose = Literal["tuning", "evaluation"]
Edge = Literal["", "low", "high", "only"]


@dataclass(frozen=True)
class Job:
    """One run to do."""

    optimizer: str
    lr: float
    seed: int
    purpose: Purpose


@dataclass(frozen=True)
class Run:
    """One run that was done. Curves have one entry for each of `marks`, a count of steps taken.

    The first training loss is that of the first batch before any step; the others are means since the last
    mark. A run that diverges ends with the last mark before that, and has no test accuracy.
    """

    optimizer: str
    lr: float
    seed: int
    purpose: Purpose
    marks: list[int]
    train_loss: list[float]
    validation_loss: list[float]
    validation_accuracy: list[float]
    test_accuracy: float | None
    """Only of a run for evaluation: tuning never looks at the test data."""
    steps_to_target: int | None
    """None: never reached."""
    diverged_at: int | None
    """The step whose loss was no longer finite; None: it never happened."""
    state_bytes_per_parameter: float
    seconds: float


@dataclass(frozen=True)
class Entry:
    """One optimizer in the race."""

    title: str
    paper: str
    grid: list[float]
    """The learning rates that were tried."""
    lr: float
    """The one that was chosen."""
    edge: Edge
    """Where the chosen one lies at an end of the grid, which end: a better one may lie outside."""
    strategy: str
    """The optimizer with all its hyperparameters, as the code that makes it."""
    milliseconds_per_step: float
    state_bytes_per_parameter: float


@dataclass(frozen=True)
class TaskFacts:
    """The task as it was."""

    name: str
    title: str
    description: str
    parameters: int
    train: int
    validation: int
    test: int
    batch: int
    steps: int
    every: int
    guess: float
    target: float
    target_reason: str


@dataclass(frozen=True)
class Race:
    """Everything that a race did, failed runs included."""

    task: TaskFacts
    tuning_seeds: list[int]
    evaluation_seeds: list[int]
    schedule: str
    entries: dict[str, Entry]
    runs: list[Run]
    started: str
    seconds: float
    environment: dict[str, str]

    def of(self, optimizer: str, purpose: Purpose) -> list[Run]:
        """The runs of one optimizer, in the order of their learning rates and seeds."""
        return [run for run in self.runs if run.optimizer == optimizer and run.purpose == purpose]


def save(race: Race, path: Path, summary: list[dict[str, Any]]) -> None:
    """Write `race.json`. `summary` is for readers; `load` leaves it out, since the runs say it all."""
    content: dict[str, Any] = {"schema": SCHEMA, **asdict(race), "summary": summary}
    # One run a line: readable, and easy to compare.
    runs = ",\n    ".join(json.dumps(run, allow_nan=False) for run in content.pop("runs"))
    head = json.dumps(content, indent=2, allow_nan=False).removesuffix("\n}")
    path.write_text(f'{head},\n  "runs": [\n    {runs}\n  ]\n}}\n', encoding="utf-8")


def load(path: Path) -> Race:
    """Read a `race.json`."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise SteepestError(f"{path} has schema {schema!r}, this version of Steepest reads schema {SCHEMA}: run the race again.")
    content.pop("summary")
    content["task"] = TaskFacts(**content["task"])
    content["entries"] = {name: Entry(**entry) for name, entry in content["entries"].items()}
    content["runs"] = [Run(**run) for run in content["runs"]]
    return Race(**content)
