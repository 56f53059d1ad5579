"""Medians and bootstrap intervals, also where values are few, alike or infinite.

Intervals are of the percentile bootstrap (Efron 1979), since medians of missed targets have no acceleration to
correct with; `mean_interval` is BCa (Efron 1987) from scipy. Of three to five values every bootstrap interval is too
narrow: an interval carries how many values it is from, and nothing is decided by intervals alone (see `comparing`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.race.extra import NeedsExtra

with NeedsExtra():
    from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 20240229
"""The figures of a race are the same each time they are worked out."""


@dataclass(frozen=True)
class Interval:
    """A value and what it may be: from minus to plus infinity, if there are too few values to say."""

    middle: float
    low: float
    high: float
    values: int
    """How many values it is from."""

    @property
    def known(self) -> bool:
        """Whether the spread could be estimated at all."""
        return self.values > 1


def median(values: Sequence[float]) -> float:
    """The median, infinities included; of an even number of values the mean of the middle two."""
    if not len(values):
        return math.nan
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else (low + high) / 2  # inf - inf never appears: only -inf + inf would be nan


def percentiles(draws: Sequence[float], middle: float, values: int) -> Interval:
    """The interval of resampled statistics. No interpolation: between a number and infinity there is nothing."""
    if values < 2:
        return Interval(middle, -math.inf, math.inf, values)
    tail = (1 - CONFIDENCE) / 2
    ordered = np.sort(np.asarray(draws, dtype=float))
    low = ordered[math.floor(tail * (len(ordered) - 1))]
    high = ordered[math.ceil((1 - tail) * (len(ordered) - 1))]
    return Interval(middle, float(low), float(high), values)


def median_interval(values: Sequence[float]) -> Interval:
    """The median of independent values with its percentile-bootstrap interval."""
    return grouped_median_interval([[v] for v in values])


def grouped_median_interval(groups: Sequence[Sequence[float]]) -> Interval:
    """The median of values in groups (seeds in studies), by drawing groups, and then values within each.

    Runs of one study share their tuned hyperparameters: drawn as if they were independent, the interval would leave
    out the luck of the search. With one group only its values are drawn.
    """
    groups = [g for g in groups if len(g)]
    values = [v for g in groups for v in g]
    middle = median(values)
    if len(values) < 2 or min(values) == max(values):
        low, high = (middle, middle) if len(values) > 1 else (-math.inf, math.inf)
        return Interval(middle, low, high, len(values))
    rng = np.random.default_rng(SEED)
    if all(len(g) == 1 for g in groups):
        groups = [values]
    sizes = {len(g) for g in groups}
    if len(sizes) == 1:
        array = np.asarray(groups, dtype=float)
        chosen = rng.integers(len(array), size=(RESAMPLES, len(array)))
        within = rng.integers(array.shape[1], size=(RESAMPLES, len(array), array.shape[1]))
        drawn = array[chosen[:, :, None], within].reshape(RESAMPLES, -1)
        draws = _row_medians(drawn)
    else:
        draws = np.asarray([_draw(groups, rng) for _ in range(RESAMPLES)])
    return percentiles(draws.tolist(), middle, len(values))


def mean_interval(values: Sequence[float]) -> Interval:
    """The mean of finite values with its BCa interval; the mean alone is known if all are alike."""
    array = np.asarray(values, dtype=float)
    middle = float(array.mean()) if len(array) else math.nan
    if len(array) < 2:
        return Interval(middle, -math.inf, math.inf, len(array))
    size = float(np.abs(array).max())
    if np.ptp(array) <= 1e-12 * size:  # BCa divides by the spread
        return Interval(middle, middle, middle, len(array))
    found = stats.bootstrap(
        (array / size,), np.mean, confidence_level=CONFIDENCE, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(SEED)
    ).confidence_interval
    return Interval(middle, size * float(found.low), size * float(found.high), len(array))


def _draw(groups: Sequence[Sequence[float]], rng: np.random.Generator) -> float:
    drawn: list[float] = []
    for i in rng.integers(len(groups), size=len(groups)):
        group = groups[int(i)]
        drawn += [group[int(j)] for j in rng.integers(len(group), size=len(group))]
    return median(drawn)


def _row_medians(rows: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Medians of rows that may hold infinities, for which `np.median` gives nan where both middle values are infinite."""
    ordered = np.sort(rows, axis=1)
    low, high = ordered[:, (rows.shape[1] - 1) // 2], ordered[:, rows.shape[1] // 2]
    return np.where(low == high, low, low / 2 + high / 2)
