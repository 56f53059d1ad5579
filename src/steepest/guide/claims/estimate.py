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
    chosen = rng.integers(len(groups), size=(RESAMPLES, len(groups)))
    redrawn = np.empty(chosen.shape)
    for i, searches in enumerate(groups):
        here = chosen == i
        redrawn[here] = _redrawn(searches, int(here.sum()), rng)
    draws = redrawn.mean(1)
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


def _redrawn(searches: "list[np.ndarray]", count: int, rng: np.random.Generator) -> np.ndarray:
    """The mean of one task so many times: as many searches as there are, drawn anew, and in each of them its runs, drawn anew."""
    lengths = np.array([len(search) for search in searches])
    runs = np.zeros((len(searches), lengths.max()))
    for row, search in zip(runs, searches, strict=True):
        row[: len(search)] = search
    which = rng.integers(len(searches), size=(count, len(searches)))
    length = lengths[which][..., None]
    drawn = runs[which[..., None], (rng.random((*which.shape, runs.shape[1])) * length).astype(int)]
    there = np.arange(runs.shape[1]) < length
    return ((drawn * there).sum(2) / length[..., 0]).mean(1)
