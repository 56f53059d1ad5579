"""How many times as fast as the baseline: per task with a decision whether it is noise, and as a geometric mean.

The geometric mean is over the tasks on which both reach the target, and says on how many they do: an entrant that
misses the hard tasks is not made faster by it. The noise of one time is pooled over all entrants and tasks, as three
studies cannot show the noise of their own median; it is close to the same factor everywhere (in the logs of AlgoPerf
v0.5 studies of one submission differ by a factor of 1.15 in the median, Kasimbeg et al. 2025, arXiv:2502.15015).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from steepest.race.extra import NeedsExtra
from steepest.race.statistics.intervals import Interval, percentiles
from steepest.race.statistics.luck import chances
from steepest.race.statistics.times import Times, observations, redrawn, study_times, time_to_target

with NeedsExtra():
    from scipy import stats

FALSE_DISCOVERIES = 0.05
"""The share of entries of the matrix marked as no noise that may be noise after all (Benjamini and Hochberg 1995)."""

Outcome = Literal["both", "only the entrant", "only the baseline", "neither"]


@dataclass(frozen=True)
class SpeedUp:
    """One entrant against the baseline on one task."""

    factor: float
    """Time of the baseline divided by that of the entrant; 0 or infinite where one of them misses, nan where both do."""
    outcome: Outcome
    noise: bool
    """Whether chance may have made the difference."""


@dataclass(frozen=True)
class Overall:
    """The geometric mean over the tasks on which both reach the target."""

    factor: Interval
    both: int
    tasks: int
    entrant_only: int
    baseline_only: int


@dataclass(frozen=True)
class Noise:
    """The spread of the logarithm of one study's time."""

    spread: float
    freedom: float
    """Degrees of freedom of the estimate; 0: unknown."""


def noise_of(times: Times) -> Noise:
    """Pooled over entrants and tasks from the differences between studies; with one study each, from redrawn trials."""
    squares, freedom = 0.0, 0
    for tasks in times.values():
        for studies in tasks.values():
            logs = np.log([t for t in study_times(studies) if 0 < t < math.inf])
            if len(logs) > 1:
                squares += float(((logs - logs.mean()) ** 2).sum())
                freedom += len(logs) - 1
    if freedom:
        return Noise(math.sqrt(squares / freedom), freedom)
    spreads = [_redrawn_spread(next(iter(studies))) for tasks in times.values() for studies in tasks.values() if len(studies) == 1]
    known = [s for s in spreads if s is not None]
    return Noise(math.sqrt(sum(s * s for s in known) / len(known)), len(known)) if known else Noise(math.nan, 0)


def speedups(times: Times, baseline: str) -> dict[str, dict[str, SpeedUp]]:
    """Entrant → task → speed-up over the baseline; the baseline itself is left out."""
    noise = noise_of(times)
    places = [(e, w) for e in times if e != baseline for w in times[e]]
    p = [_p(times[e][w], times[baseline][w], noise) for e, w in places]
    adjusted = stats.false_discovery_control(p) if p else []
    found: dict[str, dict[str, SpeedUp]] = {e: {} for e in times if e != baseline}
    for (e, w), q in zip(places, adjusted, strict=True):
        mine, theirs = time_to_target(times[e][w]), time_to_target(times[baseline][w])
        outcome = _outcome(mine, theirs)
        factor = math.nan if outcome == "neither" else theirs / mine if math.isfinite(mine) else 0.0
        found[e][w] = SpeedUp(factor, outcome, noise=bool(q > FALSE_DISCOVERIES))
    return found


def overall(times: Times, baseline: str, resamples: int = 1000) -> dict[str, Overall]:
    """Entrant → geometric-mean speed-up, its interval over studies on the same tasks."""
    drawn = redrawn(times, resamples)
    found: dict[str, Overall] = {}
    for e in times:
        if e == baseline:
            continue
        pairs = {w: (time_to_target(times[e][w]), time_to_target(times[baseline][w])) for w in times[e]}
        both = [w for w, (mine, theirs) in pairs.items() if math.isfinite(mine) and math.isfinite(theirs)]
        middle = geometric_mean([pairs[w][1] / pairs[w][0] for w in both])
        found[e] = Overall(
            factor=_interval(drawn[e], drawn[baseline], both, middle, min((observations(times[e][w]) for w in both), default=0)),
            both=len(both),
            tasks=len(pairs),
            entrant_only=sum(math.isfinite(m) and not math.isfinite(t) for m, t in pairs.values()),
            baseline_only=sum(math.isfinite(t) and not math.isfinite(m) for m, t in pairs.values()),
        )
    return found


def geometric_mean(values: Sequence[float]) -> float:
    """Of positive numbers; nan of none."""
    return float(stats.gmean(values)) if len(values) else math.nan


def _interval(mine: dict[str, list[float]], theirs: dict[str, list[float]], both: list[str], middle: float, values: int) -> Interval:
    if not both:
        return Interval(math.nan, 0.0, math.inf, 0)
    a, b = (np.array([drawn[w] for w in both]) for drawn in (mine, theirs))
    # A draw in which one of the two misses on a task is an infinitely fast or slow one there; both missing says nothing.
    with np.errstate(invalid="ignore"):
        logs = np.where(np.isinf(a) & np.isinf(b), 0.0, np.log(b) - np.log(a))
        draws = np.exp(logs.mean(axis=0))
    return percentiles(np.where(np.isnan(draws), middle, draws).tolist(), middle, values)


def _outcome(mine: float, theirs: float) -> Outcome:
    if math.isfinite(mine):
        return "both" if math.isfinite(theirs) else "only the entrant"
    return "only the baseline" if math.isfinite(theirs) else "neither"


def _p(mine: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]], noise: Noise) -> float:
    """Two-sided: of the difference of two times, or of the difference in how many trials hit, where one of them misses."""
    a, b = time_to_target(mine), time_to_target(theirs)
    outcome = _outcome(a, b)
    if outcome == "neither":
        return 1.0
    if outcome == "both":
        if not noise.freedom or a == b:
            return 1.0
        error = noise.spread * math.hypot(_of_median(len(study_times(mine))), _of_median(len(study_times(theirs))))
        distance = abs(math.log(a / b))
        return float(2 * stats.t.sf(distance / error, noise.freedom)) if error > 0 else 0.0
    # Trials, not studies: of three studies against three no outcome could be significant. They are independent points.
    hits = [[sum(math.isfinite(t) for s in side for t in s), sum(math.isinf(t) for s in side for t in s)] for side in (mine, theirs)]
    if not all(map(sum, hits)):
        return 1.0
    found: Any = stats.fisher_exact(hits)
    return float(found.pvalue)


def _of_median(n: int) -> float:
    """The standard deviation of the median of n standard normal values (David and Nagaraja 2003, Order Statistics)."""
    exact = {1: 1.0, 2: 0.7071, 3: 0.6698, 4: 0.5459, 5: 0.5356}
    return exact.get(n) or math.sqrt(math.pi / 2 / n)


def _redrawn_spread(trials: Sequence[float]) -> float | None:
    """The spread of the logarithm of the fastest of redrawn trials; None if fewer than two of them hit the target."""
    if sum(0 < t < math.inf for t in trials) < 2:
        return None
    weights, ordered = np.array(chances(len(trials))), np.array(sorted(trials))
    hit = np.isfinite(ordered)
    logs, weights = np.log(ordered[hit]), weights[hit] / weights[hit].sum()
    return math.sqrt(float(weights @ (logs - weights @ logs) ** 2))
