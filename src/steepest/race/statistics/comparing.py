"""Which entrants can be told apart: paired tests over all pairs of entrants, corrected for being many.

Two entrants are told apart only if all of these hold:

1. a paired test finds a difference, after Holm's correction (1979) over *all* pairs of entrants: the pair that one looks
   at is chosen after seeing the results, so that correcting for comparisons with the best alone would not do;
2. the mean difference lies outside the zone of a practical tie, half a per cent by default;
3. where the test cannot see it, the difference also lies beyond twice the luck of the search (`luck`): with too few
   studies; or if a study tried the same points on every task, since then its luck is the same on all of them.

What counts as one observation:

    cells   one (task, study) each, the mean over its seeds, since seeds of one study share their tuned
            hyperparameters. Wilcoxon's signed-rank test, as Demšar (JMLR 2006) recommends for comparisons over data sets
    runs    one (task, study, seed) each, if cells are too few for any outcome to be significant; point 3 applies
    t       runs as well, but fewer than that test could ever decide by: Student's t with the luck of the search in its
            variance. It assumes normal noise, which so few values cannot show
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np

from steepest.race.extra import NeedsExtra
from steepest.race.record import Race
from steepest.race.statistics.intervals import Interval, mean_interval
from steepest.race.statistics.luck import lucks, shared_points
from steepest.race.statistics.values import Cell, Pair, final_costs, relative

with NeedsExtra():
    from scipy import stats

LEVEL = 0.01
"""The chance, over the whole family of comparisons, that two equal entrants are told apart. Stricter than the usual 5 %:
two copies of one optimizer are to tie in 19 of 20 races in practice, not only where every assumption holds."""
TIE_ZONE = 0.005
"""A practical tie: relative differences that nobody would change the optimizer for."""

Unit = Literal["cells", "runs", "t", "none"]


@dataclass(frozen=True)
class Comparison:
    """Entrant `a` against entrant `b`, over the runs that both have."""

    a: str
    b: str
    difference: Interval
    """Mean relative difference in cost; negative: `a` is better."""
    p: float
    adjusted: float
    """p after Holm's correction."""
    unit: Unit
    zone: float
    """Differences up to here are ties whatever p is."""
    told_apart: bool
    better: str | None
    """The better one, if they are told apart."""

    def reversed(self) -> "Comparison":
        """`b` against `a`."""
        d = self.difference
        return replace(self, a=self.b, b=self.a, difference=Interval(0.0 - d.middle, 0.0 - d.high, 0.0 - d.low, d.values))


def holm(p: Sequence[float]) -> list[float]:
    """P-values adjusted for their number (Holm 1979): controls the chance of any false difference, under any dependence."""
    adjusted = [0.0] * len(p)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        running = max(running, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = running
    return adjusted


def signed_rank(differences: Sequence[float]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; 1 if there is no difference at all.

    Zeros take part in the ranking (Pratt 1959): to drop them would forget the pairs that are tied.
    """
    if not any(differences):
        return 1.0
    # Rounding makes equal differences unequal; ranks would then be told apart by noise of the arithmetic.
    found: Any = stats.wilcoxon(np.round(differences, 12), zero_method="pratt", method="auto")
    return float(found.pvalue)


def student(differences: Sequence[float], luck: float) -> float:
    """Two-sided p of a paired t test whose standard error also has the luck of the search in it."""
    n = len(differences)
    if n < 2 or not any(differences):
        return 1.0
    error = math.hypot(float(np.std(differences, ddof=1)) / math.sqrt(n), luck)
    mean = abs(float(np.mean(differences)))
    # Alike to the last digit: with no luck known either, that is no evidence (of few values, all may be alike by chance).
    return 1.0 if error <= 1e-12 * mean else float(2 * stats.t.sf(mean / error, n - 1))


def can_decide(units: int, comparisons: int) -> bool:
    """Whether a signed-rank test of so many units can be significant at all: its smallest p is 2^(1 - units)."""
    return units > 0 and 2.0 ** (1 - units) * comparisons <= LEVEL


def compare(
    costs: Mapping[str, Mapping[Pair, float]],
    luck: Mapping[str, Mapping[Cell, float]] | None = None,
    *,
    shared: bool = False,
    zone: float = TIE_ZONE,
) -> list[Comparison]:
    """All pairs of entrants, in the order of `costs`.

    `costs` may be any figures of runs of which less is better, times to a target included (a miss being infinite).
    `shared` says that the luck of a study is the same on all tasks.
    """
    many = len(costs) * (len(costs) - 1) // 2
    found = [_compare(a, b, costs, luck or {}, shared, zone, many) for a, b in combinations(costs, 2)]
    decided: list[Comparison] = []
    for c, adjusted in zip(found, holm([c.p for c in found]), strict=True):
        apart = adjusted <= LEVEL and abs(c.difference.middle) > c.zone
        better = (c.a if c.difference.middle < 0 else c.b) if apart else None
        decided.append(replace(c, adjusted=adjusted, told_apart=apart, better=better))
    return decided


def compare_finals(race: Race) -> list[Comparison]:
    """All pairs of entrants by their metric on the test data at the end of training."""
    return compare(final_costs(race), lucks(race), shared=shared_points(race))


def between(comparisons: Sequence[Comparison], a: str, b: str) -> Comparison:
    """The comparison of two entrants, whichever way round it was made."""
    for c in comparisons:
        if (c.a, c.b) == (a, b):
            return c
        if (c.a, c.b) == (b, a):
            return c.reversed()
    raise KeyError((a, b))


def tied_with(name: str, comparisons: Sequence[Comparison]) -> list[str]:
    """The entrants that cannot be told from this one, itself not included."""
    return [c.b if c.a == name else c.a for c in comparisons if name in (c.a, c.b) and not c.told_apart]


def _compare(
    a: str,
    b: str,
    costs: Mapping[str, Mapping[Pair, float]],
    luck: Mapping[str, Mapping[Cell, float]],
    shared: bool,
    zone: float,
    many: int,
) -> Comparison:
    runs = {pair: relative(costs[a][pair], costs[b][pair]) for pair in sorted(costs[a].keys() & costs[b].keys())}
    grouped: dict[Cell, list[float]] = defaultdict(list)
    for pair, d in runs.items():
        grouped[Cell(pair.task, pair.study)].append(d)
    cells = [float(np.mean(ds)) for ds in grouped.values()]
    spread = math.hypot(*(_spread(luck.get(name, {}), list(grouped), shared) for name in (a, b)))
    unit: Unit = "none"
    p, values = 1.0, list(runs.values())
    if can_decide(len(cells), many):
        unit, values, zone = "cells", cells, max(zone, 2 * spread) if shared else zone
        p = signed_rank(cells)
    elif can_decide(len(runs), many):
        unit, zone = "runs", max(zone, 2 * spread)
        p = signed_rank(values)
    elif len(runs) > 1:
        unit = "t"
        p = student(values, spread)
    # Each cell counts alike, also where an interrupted race has more seeds in one than in another.
    middle = float(np.mean(cells)) if cells else math.nan
    difference = replace(mean_interval(values), middle=middle) if values else Interval(math.nan, -math.inf, math.inf, 0)
    return Comparison(a, b, difference, p, 1.0, unit, zone, told_apart=False, better=None)


def _spread(luck: Mapping[Cell, float], cells: Sequence[Cell], shared: bool) -> float:
    """The standard deviation of an entrant's mean over cells by the luck of its searches, which are independent ..."""
    if not cells:
        return 0.0
    if not shared:
        return math.sqrt(sum(luck.get(cell, 0.0) ** 2 for cell in cells)) / len(cells)
    by_study: dict[int, float] = defaultdict(float)
    for cell in cells:  # ... but for those of one study on different tasks, if they tried the same points
        by_study[cell.study] += luck.get(cell, 0.0)
    return math.sqrt(sum(total**2 for total in by_study.values())) / len(cells)
