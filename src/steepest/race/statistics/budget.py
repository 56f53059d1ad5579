"""The budget curve: how good the best of k trials is expected to be, for each k up to the number of trials made.

Which k of the n trials come first is chance, so the expectation is over all choices of k without replacement; it is
exact and unbiased, as the chance that the i-th best is the best of k is C(n - i - 1, k - 1) / C(n, k). Dodge et al. 2019
(arXiv:1909.03004) draw with replacement, which is biased to the pessimistic side for k near n (Tang et al. 2020,
arXiv:2004.13705). Trials are chosen on validation data; what is reported may be another figure of the chosen trial.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from steepest.race.record import Race
from steepest.race.statistics.intervals import median
from steepest.race.statistics.values import Cell, cost, final_metric, of, search


@dataclass(frozen=True)
class Budget:
    """What is reported of the best of k trials."""

    k: int
    mean: float
    """Infinite or nan only if a chosen trial's figure can be: use the median for times to a target."""
    deviation: float
    """The standard deviation over the choices of k trials."""
    median: float
    low: float
    high: float
    """Between these lies the figure in 9 of 10 choices."""


def weights(n: int, k: int) -> list[float]:
    """The chance of the i-th best of n (from 0) to be the best of k drawn without replacement."""
    if not 1 <= k <= n:
        raise ValueError(f"k must be from 1 to {n}, the number of trials; it is {k}")
    return [math.comb(n - i - 1, k - 1) / math.comb(n, k) for i in range(n)]


def budget_curve(chosen_by: Sequence[float], reported: Sequence[float] | None = None) -> list[Budget]:
    """For k = 1 .. n. `chosen_by` is a cost (lower is chosen, of equals the earlier); `reported` is that cost itself by default."""
    values = chosen_by if reported is None else reported
    order = sorted(range(len(chosen_by)), key=lambda i: chosen_by[i])
    return [_budget([values[i] for i in order], k) for k in range(1, len(values) + 1)]


def race_budget(race: Race, entrant: str, task: str) -> list[Budget]:
    """The budget curve of one entrant on one task in its validation metric: the mean over studies at each k.

    Tuning trials never look at the test data, so that the validation metric is all that can be reported of them. It is
    a little too good for large k, since it was chosen by; more so, the noisier the metric is.
    """
    facts = race.tasks[task]
    sign = -1.0 if facts.higher_is_better else 1.0
    curves: list[list[Budget]] = []
    for trials in search(race, entrant, task).values():
        costs = [cost(t.validation, facts) for t in trials]
        curves.append(budget_curve(costs, [sign * c for c in costs]))
    longest = max(map(len, curves), default=0)
    return [_average([c[k] for c in curves if len(c) > k]) for k in range(longest)]


def defaults_metric(race: Race, entrant: str, task: str) -> float:
    """The median metric with default hyperparameters, which cost no trial at all; nan if they were not run."""
    return median([final_metric(t) for t in of(race, "defaults", entrant, task)])


def steps_budget(race: Race, entrant: str, cell: Cell) -> list[Budget]:
    """The budget curve of one study in steps to the target, a miss being infinite: chosen by time, as AlgoPerf does."""
    return budget_curve([t.steps_to_target for t in search(race, entrant, cell.task).get(cell.study, [])])


def _budget(ordered: Sequence[float], k: int) -> Budget:
    chances = weights(len(ordered), k)
    possible = [(v, w) for v, w in zip(ordered, chances, strict=True) if w > 0]
    mean = sum(v * w for v, w in possible)
    finite = all(math.isfinite(v) for v, _ in possible)
    deviation = math.sqrt(max(sum(w * (v - mean) ** 2 for v, w in possible), 0.0)) if finite else math.inf
    return Budget(k, mean, deviation, _quantile(possible, 0.5), _quantile(possible, 0.05), _quantile(possible, 0.95))


def _quantile(possible: Sequence[tuple[float, float]], q: float) -> float:
    total = 0.0
    for value, weight in sorted(possible):
        total += weight
        if total >= q - 1e-12:
            return value
    return max(v for v, _ in possible)


def _average(budgets: Sequence[Budget]) -> Budget:
    """Over studies; their deviations are those of choices within a study, and are averaged as variances."""
    n = len(budgets)
    return Budget(
        k=budgets[0].k,
        mean=sum(b.mean for b in budgets) / n,
        deviation=math.sqrt(sum(b.deviation**2 for b in budgets) / n),
        median=sum(b.median for b in budgets) / n,
        low=sum(b.low for b in budgets) / n,
        high=sum(b.high for b in budgets) / n,
    )
