"""What an optimizer costs besides the quality of its result: diverged and missed runs, memory, time of a step."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from steepest.race.record import Purpose, Race, Trial
from steepest.race.statistics.intervals import Interval, median, median_interval
from steepest.race.statistics.values import final_purpose


@dataclass(frozen=True)
class Rate:
    """So many of so many runs, with Wilson's interval (1927), which is sensible at none and at all as well."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """Of the runs; nan of none."""
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, for runs that are independent."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.959964, self.of, self.share
        centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))


def diverged(trials: Iterable[Trial]) -> Rate:
    """The runs whose loss was no longer finite."""
    runs = list(trials)
    return Rate(sum(t.diverged_at is not None for t in runs), len(runs))


def missed(race: Race, trials: Iterable[Trial]) -> Rate:
    """The runs that never reached the target, of those on tasks that have one. A diverged run has missed, unless it hit before."""
    runs = [t for t in trials if race.tasks[t.task].target is not None]
    return Rate(sum(math.isinf(t.steps_to_target) for t in runs), len(runs))


BUSY = 0.9
"""With less of a core than this, what was measured in seconds is said to be doubtful."""


def core_share(race: Race) -> float:
    """How much of a core a run had: the median over runs of its processor time to its seconds; 1 where it was not measured."""
    return median([t.cpu_seconds / t.seconds for t in race.trials if t.cpu_seconds is not None and t.seconds > 0] or [1.0])


@dataclass(frozen=True)
class Costs:
    """Of one entrant over the whole race, or on one task."""

    diverged_tuning: Rate
    diverged_final: Rate
    missed_tuning: Rate
    missed_final: Rate
    state_bytes_per_parameter: float
    """The largest over tasks of the median: it may depend on the shapes of a model."""
    step_ms: Interval
    """The median over all its runs; comparable between entrants on one task only."""
    seconds: float
    """Of all its runs, evaluation untimed."""


def costs(race: Race, entrant: str, task: str | None = None) -> Costs:
    """What an entrant cost on one task, or on all."""
    own = [t for t in race.trials if t.optimizer == entrant and task in (None, t.task)]

    def of(purpose: Purpose) -> list[Trial]:
        return [t for t in own if t.purpose == purpose]

    tuning, final = of("tuning"), of(final_purpose(race))
    memory = [median([t.state_bytes_per_parameter for t in own if t.task == w]) for w in race.tasks if any(t.task == w for t in own)]
    return Costs(
        diverged_tuning=diverged(tuning),
        diverged_final=diverged(final),
        missed_tuning=missed(race, tuning),
        missed_final=missed(race, final),
        state_bytes_per_parameter=max(memory, default=math.nan),
        step_ms=median_interval([t.step_ms for t in own if math.isfinite(t.step_ms)]),
        seconds=sum(t.seconds for t in own),
    )


def step_ratio(race: Race, entrant: str) -> float:
    """How long a step takes relative to the baseline: the geometric mean over the tasks that both ran."""
    ratios: list[float] = []
    for task in race.tasks:
        mine, theirs = (
            median([t.step_ms for t in race.trials if t.optimizer == e and t.task == task and t.step_ms > 0])
            for e in (entrant, race.baseline)
        )
        if mine > 0 and theirs > 0:
            ratios.append(math.log(mine / theirs))
    return math.exp(sum(ratios) / len(ratios)) if ratios else math.nan
