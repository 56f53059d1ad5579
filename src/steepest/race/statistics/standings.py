"""The table of a race: one row an entrant, everything that is known of it, nobody left out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steepest.race.record import Race
from steepest.race.statistics.boundary import Edge, edges
from steepest.race.statistics.comparing import Comparison, between, compare_finals
from steepest.race.statistics.costs import Costs, costs, step_ratio
from steepest.race.statistics.intervals import Interval, grouped_median_interval, median
from steepest.race.statistics.profiles import profiles
from steepest.race.statistics.speedups import Overall, overall
from steepest.race.statistics.times import trial_times
from steepest.race.statistics.values import Cell, Pair, by_task, cost, final_costs, final_metric, final_purpose, of, relative


@dataclass(frozen=True)
class Standing:
    """One entrant."""

    place: int
    """From 1. Those tied with the first share its place and stand together before all others."""
    name: str
    title: str
    excess: float
    """How much higher its cost is than the best entrant's of each task, relative, the mean over its runs on all tasks; nan: no runs."""
    finals: dict[str, Interval]
    """Task → median metric on the test data, over studies and seeds; a diverged run counts as guessing."""
    tied_with_best: bool
    """Whether the race cannot tell it from the first; the first is tied with itself."""
    winner: bool
    """Whether it is first and told apart from everyone else: only then may it be set in bold."""
    failed: bool
    """More than half of its final runs diverged."""
    against_best: Comparison | None
    """None: it is the first itself."""
    score: Interval
    """Of AlgoPerf, from the steps to the targets. It depends on the field."""
    speedup: Overall | None
    """In steps over the baseline; None: it is the baseline, or that is not in the race."""
    costs: Costs
    step_ratio: float
    """How long a step takes relative to the baseline."""
    edges: list[Edge]
    """Where its search space ought to be extended: there it is untuned."""
    tasks: int
    """On how many tasks it has final runs."""


def standings(race: Race, comparisons: list[Comparison] | None = None) -> list[Standing]:
    """All entrants: the best, those tied with it, the others; those that failed, and those that have not run everywhere, last."""
    comparisons = compare_finals(race) if comparisons is None else comparisons
    finals, times = final_costs(race), trial_times(race)
    excess, profile, speed = excesses(finals), profiles(times), overall(times, race.baseline) if race.baseline in times else {}
    bills = {e: costs(race, e) for e in race.entrants}
    ran = {e: len({pair.task for pair in finals[e]}) for e in race.entrants}

    def worth(e: str) -> tuple[int, float, int, str]:
        gone = bills[e].diverged_final
        return -ran[e], math.inf if math.isnan(excess[e]) else excess[e], gone.count, e

    order = sorted(race.entrants, key=worth)
    tied = ties(order, comparisons, {e for e in order if failed(bills[e])} | {e for e in order if ran[e] < ran[order[0]]}) if order else []
    order = [*tied, *(e for e in order if e not in tied)]
    return [
        Standing(
            place=1 if e in tied else i + 1,
            name=e,
            title=race.entrants[e].title,
            excess=excess[e],
            finals=final_intervals(race, e),
            tied_with_best=e in tied,
            winner=tied == [e],
            failed=failed(bills[e]),
            against_best=None if i == 0 else between(comparisons, e, order[0]),
            score=profile[e].score,
            speedup=speed.get(e),
            costs=bills[e],
            step_ratio=step_ratio(race, e),
            edges=[edge for task in race.tasks for edge in edges(race, e, task)],
            tasks=ran[e],
        )
        for i, e in enumerate(order)
    ]


def ties(order: list[str], comparisons: list[Comparison], out: set[str]) -> list[str]:
    """The first and those that cannot be told from it. Who failed is no tie, however few the runs: that is a fact, no estimate."""
    first = order[0]
    if first in out:
        return []
    return [e for e in order if e == first or (e not in out and not between(comparisons, e, first).told_apart)]


def failed(bill: Costs) -> bool:
    """Whether more than half of the final runs diverged."""
    return bill.diverged_final.count * 2 > bill.diverged_final.of


def excesses(finals: Mapping[str, Mapping[Pair, float]]) -> dict[str, float]:
    """Entrant → mean over its cells of the relative difference between its runs and the lowest median cost of the task.

    A mean, so that one diverged run in five shows; every run weighs at most 2, so that it does not decide everything.
    """
    medians = {
        e: {w: median([c for seeds in studies.values() for c in seeds]) for w, studies in by_task(f).items()} for e, f in finals.items()
    }
    lowest: dict[str, float] = {}
    for tasks in medians.values():
        for w, value in tasks.items():
            lowest[w] = min(value, lowest.get(w, math.inf))
    excess: dict[str, float] = {}
    for e, runs in finals.items():
        cells: dict[Cell, list[float]] = {}
        for pair, value in sorted(runs.items()):
            cells.setdefault(Cell(pair.task, pair.study), []).append(relative(value, lowest[pair.task]))
        by_name: dict[str, list[float]] = {}
        for cell, values in cells.items():
            by_name.setdefault(cell.task, []).append(float(np.mean(values)))
        excess[e] = float(np.mean([np.mean(values) for values in by_name.values()])) if by_name else math.nan
    return excess


def final_intervals(race: Race, entrant: str) -> dict[str, Interval]:
    """Task → median metric of its final runs, with the interval over studies and seeds."""
    runs: dict[str, dict[int, list[float]]] = {}
    for t in of(race, final_purpose(race), entrant):
        task = race.tasks[t.task]
        sign = -1.0 if task.higher_is_better else 1.0
        runs.setdefault(t.task, {}).setdefault(t.study, []).append(sign * cost(final_metric(t), task))
    return {w: grouped_median_interval(list(runs[w].values())) for w in race.tasks if w in runs}
