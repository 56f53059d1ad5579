"""What trials are worth as numbers: the lower the better, and never worse than guessing.

Everything in this package that compares the quality of models goes through `cost`, so that misses, diverged runs
and metrics of either direction are treated in one place. Times are compared as they are, a miss being infinite.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from steepest.race.record import Purpose, Race, TaskFacts, Trial


class Pair(NamedTuple):
    """What two trials of different optimizers must share to be compared: data, initialisation, order of the batches."""

    task: str
    study: int
    seed: int


class Cell(NamedTuple):
    """One optimizer's search on one task: what the luck of the search acts on as a whole."""

    task: str
    study: int


def cost(metric: float, task: TaskFacts) -> float:
    """A metric as a cost: turned round if higher is better, and capped at the cost of guessing.

    The cap is that of Wortsman et al. 2023 (arXiv:2309.14322, section 2.2): how far a run has gone off says nothing.
    """
    sign = -1.0 if task.higher_is_better else 1.0
    return sign * task.guess if math.isnan(metric) else min(sign * metric, sign * task.guess)


def relative(a: float, b: float) -> float:
    """How much larger `a` is than `b`, relative to their mean: between -2 and 2, 0 where both are infinite or zero.

    Near 0 it is the usual relative difference. Unlike a ratio or a logarithm it takes zero errors and missed
    targets, `relative(a, b) == -relative(b, a)`, and one run gone wrong cannot outweigh all others.
    """
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if math.isinf(a) or math.isinf(b):
        return 2.0 if a > b else -2.0
    return 2.0 * (a - b) / (abs(a) + abs(b))


def of(race: Race, purpose: Purpose, entrant: str | None = None, task: str | None = None) -> list[Trial]:
    """The trials for one purpose, of all or of one, in a fixed order whatever order they finished in."""
    chosen = [t for t in race.trials if t.purpose == purpose and entrant in (None, t.optimizer) and task in (None, t.task)]
    return sorted(chosen, key=lambda t: (t.task, t.optimizer, t.study, t.number, t.seed))


def final_purpose(race: Race) -> Purpose:
    """Which trials give the result: those for evaluation; in a race without tuning, those with default hyperparameters."""
    return "evaluation" if any(t.purpose == "evaluation" for t in race.trials) else "defaults"


def final_metric(trial: Trial) -> float:
    """The metric that is reported: on the test data."""
    return trial.validation if trial.test is None else trial.test


def final_costs(race: Race) -> dict[str, dict[Pair, float]]:
    """Entrant → pair → cost at the end of training. An entrant without any trial keeps an empty entry."""
    found: dict[str, dict[Pair, float]] = {name: {} for name in race.entrants}
    for t in of(race, final_purpose(race)):
        found[t.optimizer][Pair(t.task, t.study, t.seed)] = cost(final_metric(t), race.tasks[t.task])
    return found


def by_task(values: Mapping[Pair, float]) -> dict[str, dict[int, list[float]]]:
    """Task → study → values of its seeds."""
    found: dict[str, dict[int, list[float]]] = {}
    for pair in sorted(values):
        found.setdefault(pair.task, {}).setdefault(pair.study, []).append(values[pair])
    return found


def searches(race: Race) -> dict[str, dict[Cell, list[Trial]]]:
    """Entrant → cell → the trials of that search, by number."""
    found: dict[str, dict[Cell, list[Trial]]] = {name: defaultdict(list) for name in race.entrants}
    for t in of(race, "tuning"):
        found[t.optimizer][Cell(t.task, t.study)].append(t)
    return {name: dict(cells) for name, cells in found.items()}


def search(race: Race, entrant: str, task: str) -> dict[int, list[Trial]]:
    """Study → the trials of one entrant's search on one task, by number."""
    found: dict[int, list[Trial]] = defaultdict(list)
    for t in of(race, "tuning", entrant, task):
        found[t.study].append(t)
    return dict(found)


def best(trials: Iterable[Trial], task: TaskFacts) -> Trial:
    """The trial that tuning chooses: best on validation; of equals the earliest."""
    return min(trials, key=lambda t: (cost(t.validation, task), t.number))
