"""How sensitive an optimizer is to its learning rate, in multiples of its own best one.

After Wortsman et al. 2023 (arXiv:2309.14322, section 2.2): S is the mean over learning rates of
min(loss, loss at the start) - best loss. They warn that it cannot be compared where "learning rate" means different
things, so the axis here is the multiple of each optimizer's own best learning rate, and the window is one decade to
either side of it. The metric on validation data stands for the loss and the metric of guessing for that at the start;
S is divided by their distance, so that 0 means "any of these learning rates is as good" and 1 "as bad as guessing".

The curve is that of the sweeps over the learning rate alone (trials for "sensitivity"). Where a race made none, it is
the lower envelope of the tuning trials, the best of each third of a decade: other hyperparameters vary along it.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steepest.race.record import Race, TaskFacts, Trial
from steepest.race.statistics.intervals import median
from steepest.race.statistics.values import best, cost, of, search

WINDOW = 1.0
"""Decades to either side of the best learning rate over which S is the mean."""
BIN = 1 / 3
"""Decades of learning rate in which the best tuning trial stands for all."""


@dataclass(frozen=True)
class Point:
    """One learning rate."""

    multiple: float
    """Of the best learning rate."""
    metric: float
    """On validation data, the median over trials; that of guessing, if it diverged."""
    trials: int
    diverged: int


@dataclass(frozen=True)
class Sensitivity:
    """One entrant on one task."""

    lr: float
    """Its best learning rate (the median over studies)."""
    points: list[Point]
    """By multiple, diverged ones included."""
    source: Literal["sensitivity", "tuning", "none"]
    s: float
    """nan: fewer than two learning rates."""
    decades: float
    """How much of the window of two decades was tried; S is the mean over that part."""
    width_1: float
    width_5: float
    """Decades around the best within which the metric is at most 1 % / 5 % worse."""
    open_1: bool
    open_5: bool
    """Whether that range goes on beyond the learning rates that were tried."""
    first_diverging: float | None
    """The smallest multiple above the best at which a trial diverged; None: none did."""


def sensitivity(race: Race, entrant: str, task: str) -> Sensitivity:
    """The curve and its figures."""
    facts = race.tasks[task]
    sweeps, tried = of(race, "sensitivity", entrant, task), search(race, entrant, task)
    chosen = {study: best(trials, facts) for study, trials in tried.items()}
    if len({t.point["lr"] for t in sweeps}) > 1:
        groups = _sweep(sweeps, chosen, facts)
        lr = median([t.point["lr"] for t in chosen.values()] or [_centre(sweeps, facts)])
        return figures(lr, groups, facts, "sensitivity")
    if not chosen:
        return figures(math.nan, {}, facts, "none")
    groups = _envelope([t for trials in tried.values() for t in trials], chosen, facts)
    return figures(median([t.point["lr"] for t in chosen.values()]), groups, facts, "tuning")


def figures(lr: float, groups: dict[float, list[Trial]], task: TaskFacts, source: Literal["sensitivity", "tuning", "none"]) -> Sensitivity:
    """From the trials at each multiple of `lr`. Multiples are counted anew from the best point of the curve."""
    if not groups:
        return Sensitivity(lr, [], "none", math.nan, 0.0, math.nan, math.nan, True, True, None)
    sign = -1.0 if task.higher_is_better else 1.0
    costs = {m: median([cost(t.validation, task) for t in trials]) for m, trials in sorted(groups.items())}
    # Of equals the one nearest to the learning rate that tuning chose.
    centre = min(costs, key=lambda m: (costs[m], abs(math.log(m))))
    x = np.array([math.log10(m / centre) for m in costs])
    y = np.array(list(costs.values()))
    points = [
        Point(m / centre, sign * costs[m], len(trials), sum(t.diverged_at is not None for t in trials))
        for m, trials in sorted(groups.items())
    ]
    s, decades = mean_regret(x, y, sign * task.guess)
    (width_1, open_1), (width_5, open_5) = (width(x, y, share) for share in (0.01, 0.05))
    diverging = [p.multiple for p in points if p.multiple > 1 and p.diverged]
    return Sensitivity(
        lr * centre, points, source, s, decades, width_1, width_5, open_1, open_5, first_diverging=min(diverging, default=None)
    )


def mean_regret(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, start: float) -> tuple[float, float]:
    """S of a curve of costs `y` over decades `x`, and the decades of the window that the curve covers.

    Between learning rates the curve is a straight line in the logarithm of the learning rate.
    """
    x, y = np.asarray(x, dtype=float), np.minimum(np.asarray(y, dtype=float), start)
    low, high = max(x[0], -WINDOW), min(x[-1], WINDOW)
    if not high > low or not start > y.min():
        return math.nan, max(float(high - low), 0.0)
    inside = x[(x > low) & (x < high)]
    grid = np.array([low, *inside, high])
    regret = np.interp(grid, x, y) - y.min()
    return float(np.trapezoid(regret, grid) / (high - low) / (start - y.min())), float(high - low)


def width(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, share: float) -> tuple[float, bool]:
    """Decades around the lowest cost within which it rises by at most `share` of its size, and whether either end is open."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    at = int(np.argmin(y))
    limit = y[at] + share * abs(y[at])
    right, open_right = _crossing(x[at:], y[at:], limit)
    left, open_left = _crossing(-x[at::-1], y[at::-1], limit)
    return right + left, open_right or open_left


def _crossing(x: np.ndarray, y: np.ndarray, limit: float) -> tuple[float, bool]:
    """How far from the first point the line through the points stays at or below the limit; open, if to its end."""
    for i in range(1, len(x)):
        if y[i] > limit:
            part = (limit - y[i - 1]) / (y[i] - y[i - 1])
            return float(x[i - 1] + part * (x[i] - x[i - 1]) - x[0]), False
    return float(x[-1] - x[0]), True


def _sweep(sweeps: Sequence[Trial], chosen: dict[int, Trial], task: TaskFacts) -> dict[float, list[Trial]]:
    """Multiple → trials, each study against the learning rate that it chose.

    The tuning trial that was chosen takes part only where the sweep left it out: having been chosen as the best, it is
    luckier than the others.
    """
    groups: dict[float, list[Trial]] = defaultdict(list)
    swept = {(t.study, t.point["lr"]) for t in sweeps}
    for t in [*sweeps, *(t for t in chosen.values() if (t.study, t.point["lr"]) not in swept)]:
        own = chosen[t.study].point["lr"] if t.study in chosen else _centre([s for s in sweeps if s.study == t.study], task)
        groups[_rounded(t.point["lr"] / own)].append(t)
    return dict(groups)


def _envelope(trials: Sequence[Trial], chosen: dict[int, Trial], task: TaskFacts) -> dict[float, list[Trial]]:
    """Multiple → the best trial of each study in that bin."""
    bins: dict[int, dict[int, list[Trial]]] = defaultdict(lambda: defaultdict(list))
    for t in trials:
        bins[round(math.log10(t.point["lr"] / chosen[t.study].point["lr"]) / BIN)][t.study].append(t)
    return {_rounded(10 ** (k * BIN)): [best(ts, task) for ts in studies.values()] for k, studies in bins.items()}


def _centre(sweeps: Sequence[Trial], task: TaskFacts) -> float:
    return best(sweeps, task).point["lr"]


def _rounded(multiple: float) -> float:
    """Multiples that differ by rounding alone are one."""
    return float(f"{multiple:.4g}")
