"""The luck of a search: how different its winner might have been, had other points been tried.

With several studies the luck shows as the differences between them. With one study it can only be estimated: draw as
many trials as there were from them, with replacement, and look how much worse the best drawn one is than the best of
all. No drawing is needed, as the chance that the i-th best is the best one drawn is known.
"""

import math
from collections.abc import Sequence

import numpy as np

from steepest.race.record import Race
from steepest.race.statistics.values import Cell, cost, relative, searches


def chances(n: int) -> list[float]:
    """Of the i-th best of n (from 0) to be the best of n draws with replacement."""
    return [((n - i) / n) ** n - ((n - i - 1) / n) ** n for i in range(n)]


def search_luck(costs: Sequence[float]) -> float:
    """The standard deviation of the best cost of a redrawn search, relative to the best found; 0 for a single trial."""
    if len(costs) < 2:
        return 0.0
    ordered = sorted(costs)
    worse = np.array([relative(c, ordered[0]) for c in ordered])
    weights = np.array(chances(len(ordered)))
    mean = float(weights @ worse)
    return math.sqrt(max(float(weights @ (worse - mean) ** 2), 0.0))


def lucks(race: Race) -> dict[str, dict[Cell, float]]:
    """Entrant → cell → luck of that search, in relative cost. Empty where nothing was tuned."""
    return {
        name: {cell: search_luck([cost(t.validation, race.tasks[cell.task]) for t in trials]) for cell, trials in cells.items()}
        for name, cells in searches(race).items()
    }


def shared_points(race: Race) -> bool:
    """Whether some study tried the same points on several tasks: lucky points are then lucky on all of them."""
    for cells in searches(race).values():
        tried: set[tuple[int, str]] = set()
        for cell, trials in cells.items():
            key = (cell.study, repr([sorted(t.point.items()) for t in trials]))
            if key in tried:
                return True
            tried.add(key)
    return False
