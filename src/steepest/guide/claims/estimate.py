"""The estimate of a figure and its interval: a bootstrap over tasks, over searches, and over the runs in each.

Of few tasks the percentiles of a bootstrap lie too close together. They are taken further out, as far as Student's interval is wider
than the normal one for as many tasks: the expanded percentile interval of Hesterberg 2015 (What Teachers Should Know about the Bootstrap).
In simulations it covers the truth in 95 to 100 of 100 experiments with four tasks or more, and in fewer with two or three.
"""

import math
from typing import NamedTuple

import numpy as np

from steepest.guide.claims.measures import Values
from steepest.race.extra import NeedsExtra

RESAMPLES, SEED, CONFIDENCE = 4000, 20240229, 0.95


class Estimate(NamedTuple):
    """A mean over tasks, each counting alike, and its interval."""

    middle: float
    low: float
    high: float


def estimate(values: Values) -> Estimate:
    """Draw tasks, in each drawn task searches, in each drawn search runs; 4,000 times. The same figures every time.

    Runs of one search share their hyperparameters, tasks share nothing: drawn as if all were alike, the interval would leave out the
    luck of a search and the choice of tasks. Of a single task only searches and runs can be drawn.

    >>> estimate({"a": [[1.0, 3.0]], "b": [[2.0]]}).middle
    2.0
    """
    groups = [[np.asarray(search, dtype=float) for search in searches if len(search)] for searches in values.values()]
    groups = [searches for searches in groups if searches]
    if not groups:
        return Estimate(float("nan"), -float("inf"), float("inf"))
    middle = float(np.mean([np.mean([s.mean() for s in searches]) for searches in groups]))
    rng = np.random.default_rng(SEED)
    # Means over redrawn runs of a task, as many as are needed at most; tasks are drawn from those.
    redrawn = np.stack([_redrawn(searches, len(groups), rng) for searches in groups])
    chosen = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    draws = redrawn[chosen, np.arange(RESAMPLES)[:, None], np.arange(len(groups))[None]].mean(1)
    tail = _tail(next((len(level) for level in (groups, groups[0], groups[0][0]) if len(level) > 1), 1))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(middle, float(low), float(high))


def _tail(count: int) -> float:
    """The share of draws to leave out at either end, with so many independent values; none of a single one."""
    if count < 2:
        return 0.0
    with NeedsExtra():
        from scipy.special import ndtr, stdtrit
    return float(ndtr(math.sqrt(count / (count - 1)) * stdtrit(count - 1, (1 - CONFIDENCE) / 2)))


def _redrawn(searches: "list[np.ndarray]", places: int, rng: np.random.Generator) -> np.ndarray:
    """The mean of one task, redrawn: an array of shape (resamples, places), all independent."""
    count = RESAMPLES * places
    means = np.stack([s[rng.integers(len(s), size=(count, len(searches), len(s)))].mean(2) for s in searches])
    which = rng.integers(len(searches), size=(count, len(searches)))
    picked = means[which, np.arange(count)[:, None], np.arange(len(searches))[None]]
    return picked.mean(1).reshape(RESAMPLES, places)
