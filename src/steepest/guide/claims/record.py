"""The record of an experiment, as the measures read it: an exported race with what its runs saw on the way."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steepest.errors import ClaimError
from steepest.race.record import TaskFacts

RECORDS = Path(__file__).parents[1] / "records"
"""The records that come with Steepest."""


@dataclass(frozen=True)
class Run:
    """One run. Metrics of all tasks are the lower the better here."""

    task: str
    optimizer: str
    purpose: str
    study: int
    number: int
    seed: int
    lr: float
    validation: float
    """At the end; that of guessing, if it diverged."""
    test: float | None
    lowest: float
    """Of all looks."""
    looks: Sequence[float]
    """At the validation data, in order; empty where the record was kept without."""
    step_ms: float
    state_bytes: float


@dataclass(frozen=True)
class Record:
    """All runs of one race."""

    tasks: Mapping[str, TaskFacts]
    runs: Sequence[Run]
    settings: Mapping[str, Any]

    def of(self, purpose: str, optimizer: str, task: str) -> Iterator[Run]:
        """The runs for one purpose of one optimizer on one task."""
        return (r for r in self.runs if (r.purpose, r.optimizer, r.task) == (purpose, optimizer, task))

    def optimizers(self) -> list[str]:
        """Who raced."""
        return list(dict.fromkeys(r.optimizer for r in sorted(self.runs, key=lambda r: r.optimizer)))


def load(path: Path) -> Record:
    """The record in an exported race."""
    if not path.exists():
        raise ClaimError(f"There is no record {path}: `steepest claims --run --out {path.parent}` would measure it.")
    from steepest.race import archive  # reading the shipped verdicts needs no Parquet

    content = archive.read(path)
    tasks = {name: TaskFacts(**facts) for name, facts in content.header["tasks"].items()}
    runs = [_run(result, tasks[result["task"]], content.curves.get(place)) for place, result in content.results]
    return Record(tasks, runs, content.header["settings"])


def _run(result: Mapping[str, Any], task: TaskFacts, curve: Any) -> Run:
    best = result["best"]
    return Run(
        **{key: result[key] for key in ("task", "optimizer", "purpose", "study", "number", "seed")},
        lr=result["point"]["lr"],
        validation=cost(result["validation"], task),
        test=None if result["test"] is None else cost(result["test"], task),
        lowest=cost(best[-1][1], task) if best else cost(math.inf, task),
        looks=() if curve is None else tuple(curve.validation),
        step_ms=result["step_ms"],
        state_bytes=result["state_bytes_per_parameter"],
    )


def cost(metric: float, task: TaskFacts) -> float:
    """A metric of which less is better, and never worse than guessing: how far a run has gone off says nothing."""
    sign = -1.0 if task.higher_is_better else 1.0
    return sign * task.guess if math.isnan(metric) else min(sign * metric, sign * task.guess)
