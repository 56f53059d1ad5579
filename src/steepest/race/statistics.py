"""From runs to figures: means with intervals, medians in which a miss counts, ties.

The interval of a mean is Student's t over the seeds, 95 %. Two optimizers are told apart only where their
intervals do not overlap. That is stricter than a test of their differences seed by seed, on purpose: of five
differences that are whole numbers of test images, all may be alike by chance, and such a test then finds any
difference significant.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median, stdev
from typing import Any

from steepest.race.extra import NeedsExtra
from steepest.race.record import Edge, Purpose, Race, Run

with NeedsExtra():
    from scipy.stats import t as student

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean, and how far it may be off to either side: infinitely far, if there is only one value."""

    mean: float
    half_width: float

    def overlaps(self, other: "Interval") -> bool:
        """Whether some value lies in both."""
        return abs(self.mean - other.mean) <= self.half_width + other.half_width


def interval(values: Sequence[float]) -> Interval:
    """The mean of independent values with its two-sided Student t interval."""
    n = len(values)
    if n == 1:
        return Interval(values[0], math.inf)
    half_width = float(student.ppf((1 + CONFIDENCE) / 2, n - 1)) * stdev(values) / math.sqrt(n)
    return Interval(fmean(values), half_width)


def median_steps(steps: Sequence[int | None]) -> float:
    """The median number of steps, a miss being infinitely many: infinite, if half of the runs or more miss."""
    return median(math.inf if s is None else s for s in steps)


@dataclass(frozen=True)
class Standing:
    """How one optimizer did."""

    optimizer: str
    title: str
    lr: float
    edge: Edge
    test_accuracies: list[float]
    """One a seed; a diverged run has the accuracy of guessing."""
    test_accuracy: Interval
    tied: bool
    """Whether the race cannot tell it from the first, because their intervals overlap."""
    steps_to_target: float
    reached: int
    """The runs that reached the target."""
    diverged_in_tuning: int
    diverged_in_evaluation: int
    milliseconds_per_step: float
    state_bytes_per_parameter: float


def standings(race: Race) -> list[Standing]:
    """All optimizers, the best mean test accuracy first."""
    accuracies = {o: [_test_accuracy(run, race.task.guess) for run in race.of(o, "evaluation")] for o in race.entries}
    order = sorted(race.entries, key=lambda o: -fmean(accuracies[o]))
    intervals = {o: interval(accuracies[o]) for o in order}

    def diverged(o: str, purpose: Purpose) -> int:
        return sum(run.diverged_at is not None for run in race.of(o, purpose))

    found: list[Standing] = []
    for o in order:
        entry, steps = race.entries[o], [run.steps_to_target for run in race.of(o, "evaluation")]
        found.append(
            Standing(
                optimizer=o,
                title=entry.title,
                lr=entry.lr,
                edge=entry.edge,
                test_accuracies=accuracies[o],
                test_accuracy=intervals[o],
                tied=intervals[o].overlaps(intervals[order[0]]),
                steps_to_target=median_steps(steps),
                reached=sum(s is not None for s in steps),
                diverged_in_tuning=diverged(o, "tuning"),
                diverged_in_evaluation=diverged(o, "evaluation"),
                milliseconds_per_step=entry.milliseconds_per_step,
                state_bytes_per_parameter=entry.state_bytes_per_parameter,
            )
        )
    return found


def as_json(found: Sequence[Standing]) -> list[dict[str, Any]]:
    """The standings for `race.json`, in which infinity is null."""
    return [_finite(asdict(s)) for s in found]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _test_accuracy(run: Run, guess: float) -> float:
    return guess if run.test_accuracy is None else run.test_accuracy
