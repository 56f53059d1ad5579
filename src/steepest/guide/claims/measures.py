"""From the runs of a record to the values of one figure: for each task, for each search, one value a run or pair of runs.

Pairs have the same task, search and seed: the same first weights, the same batches.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from steepest.guide.claims.record import Record, Run

Values = Mapping[str, Sequence[Sequence[float]]]
"""Task → search → values."""
Measure = Callable[[Record], Values]
Compare = Callable[[float, float], float]

TOLERATED = 1.25
"""A learning rate is good if the result is at most a quarter worse than the best."""
LOST = 0.5
"""A run is ruined if half of what the best has learned, measured from guessing, is lost."""
LEARNED = 0.9
"""A run that ends above this share of guessing has learned nothing, and its restlessness says nothing."""


def percent(a: float, b: float) -> float:
    """How much larger `a` is than `b`, in per cent of their mean: turned round it only changes its sign, and 0 is allowed."""
    return 0.0 if a == b else 200 * (a - b) / (abs(a) + abs(b))


def against(worse: str, better: str, tasks: Sequence[str] = ()) -> Measure:
    """How much higher the one's error on the test data is than the other's, in per cent; on some tasks, or on all."""

    def measure(record: Record) -> Values:
        wanted = [task for task in record.tasks if (not tasks or task in tasks) and _learned(record, task)]
        return {task: _pairs(record, worse, better, task) for task in wanted}

    return measure


def _learned(record: Record, task: str) -> bool:
    """Whether anybody was better than guessing: otherwise the task says nothing of anybody."""
    return any(_result(r) < record.tasks[task].guess for r in record.runs if r.task == task and r.purpose == "evaluation")


def points(worse: str, better: str) -> Measure:
    """The same difference of shares, in percentage points."""

    def measure(record: Record) -> Values:
        return {task: _pairs(record, worse, better, task, lambda a, b: 100 * (a - b)) for task in record.tasks}

    return measure


def without(optimizer: str, suffix: str, other: str) -> Measure:
    """How much higher the error is on tasks whose name ends in `suffix` than on those that end in `other`, in per cent."""

    def measure(record: Record) -> Values:
        kinds = [name for name in record.tasks if name.count("-") == 1]
        return {kind: _matched(record, optimizer, kind + suffix, optimizer, kind + other) for kind in kinds}

    return measure


def rise(optimizer: str) -> Measure:
    """How far the validation metric has risen at the end above its lowest look, in per cent."""

    def measure(record: Record) -> Values:
        return {task: _grouped(record.of("evaluation", optimizer, task), _risen) for task in record.tasks}

    return measure


def rises_more(one: str, other: str) -> Measure:
    """The difference of two rises, run against run, in percentage points."""

    def measure(record: Record) -> Values:
        return {t: _pairs(record, one, other, t, lambda a, b: a - b, _risen) for t in record.tasks}

    return measure


def _risen(run: Run) -> float:
    return percent(run.validation, run.lowest)


# -- restlessness ---------------------------------------------------------------------------------------


def restlessness(run: Run) -> float:
    """How much the validation metric changes from look to look in the second half, as a share of itself.

    From differences of neighbours (von Neumann 1941), so that a slow fall does not count.
    """
    late = np.log(np.asarray(run.looks[len(run.looks) // 2 :], dtype=float))
    return math.sqrt(float(np.mean(np.diff(late) ** 2)) / 2)


def calmer(calm: str, other: str, *, same_rate: bool = False) -> Measure:
    """How much more restless the other is, in per cent: each at its own best learning rate, or both at each that was tried."""

    def measure(record: Record) -> Values:
        purpose = "tuning" if same_rate else "evaluation"

        def learned(name: str, task: str) -> list[Run]:
            limit = LEARNED * record.tasks[task].guess
            whole = record.tasks[task].looks + 1
            return [r for r in record.of(purpose, name, task) if len(r.looks) == whole and max(r.looks[whole // 2 :]) < limit]

        def key(run: Run) -> tuple[int, float]:
            return (run.study, run.lr) if same_rate else (run.study, float(run.seed))

        found = {task: _match(learned(other, task), learned(calm, task), key, percent, restlessness) for task in record.tasks}
        return {task: values for task, values in found.items() if values}

    return measure


# -- learning rates ---------------------------------------------------------------------------------------


def wider(wide: str, other: str) -> Measure:
    """How many decades of good learning rates the one has more than the other."""
    return _of_curves(wide, other, _width)


def less_room(tight: str, other: str) -> Measure:
    """How many decades nearer to its best learning rate the one is ruined."""
    return _of_curves(other, tight, _room)


def lost_at_ten_times(optimizers: Sequence[str]) -> Measure:
    """The share of what was learned that is lost at ten times the best learning rate, in per cent; the mean over optimizers."""

    def measure(record: Record) -> Values:
        found: dict[str, list[list[float]]] = {}
        for task, facts in record.tasks.items():
            curves = [_curves(record, name, task) for name in optimizers]
            found[task] = [[float(np.mean([_lost(*curve[study], facts.guess) for curve in curves]))] for study in curves[0]]
        return found

    return measure


Curve = tuple[np.ndarray, np.ndarray]
"""Decades of learning rate, ascending, and costs."""


def _curves(record: Record, optimizer: str, task: str) -> dict[int, Curve]:
    """Search → curve: of the race's sweep around the best learning rate, if it made one, otherwise of the trials of the search."""
    found: dict[int, list[tuple[float, float]]] = {}
    for run in list(record.of("sensitivity", optimizer, task)) or record.of("tuning", optimizer, task):
        found.setdefault(run.study, []).append((math.log10(run.lr), run.validation))
    return {study: tuple(np.asarray(sorted(pairs)).T) for study, pairs in sorted(found.items())}  # pyright: ignore[reportReturnType]


def _of_curves(one: str, other: str, figure: Callable[[np.ndarray, np.ndarray, float], float]) -> Measure:
    def measure(record: Record) -> Values:
        found: dict[str, list[list[float]]] = {}
        for task, facts in record.tasks.items():
            mine, theirs = _curves(record, one, task), _curves(record, other, task)
            found[task] = [[figure(*mine[s], facts.guess) - figure(*theirs[s], facts.guess)] for s in mine]
        return found

    return measure


def _grid(x: np.ndarray) -> np.ndarray:
    return np.linspace(x[0], x[-1], 1001)


def _width(x: np.ndarray, y: np.ndarray, _: float) -> float:
    """Decades on which the straight lines between the trials stay within what is tolerated."""
    grid = _grid(x)
    return float(np.mean(np.interp(grid, x, y) <= TOLERATED * y.min()) * (grid[-1] - grid[0]))


def _room(x: np.ndarray, y: np.ndarray, guess: float) -> float:
    """Decades from the best learning rate up to the first at which half is lost; to the end of the range, if it never is."""
    best = int(np.argmin(y))
    grid = np.linspace(x[best], x[-1], 1001)
    ruined = np.interp(grid, x, y) >= y[best] + LOST * (guess - y[best])
    return float(grid[int(np.argmax(ruined))] - x[best]) if ruined.any() else float(x[-1] - x[best])


def _lost(x: np.ndarray, y: np.ndarray, guess: float) -> float:
    best = int(np.argmin(y))
    return 100 * float((np.interp(x[best] + 1, x, y) - y[best]) / (guess - y[best]))


# -- costs --------------------------------------------------------------------------------------------------


def ratio(optimizer: str, other: str, of: Callable[[Run], float]) -> Measure:
    """One number of a run, as a share of the other's, over the runs that are pairs."""

    def measure(record: Record) -> Values:
        return {task: _pairs(record, optimizer, other, task, lambda a, b: a / b, of) for task in record.tasks}

    return measure


# -- who is best ----------------------------------------------------------------------------------------------


def gain_of_choosing(record: Record) -> Values:
    """How much worse it is to use one optimizer for all tasks than the best of each, in per cent.

    Both are chosen by some of the searches and compared on the one left out, so that luck earns nothing: if one
    optimizer is best everywhere the gain is nothing or less.
    """
    names, tasks = record.optimizers(), list(record.tasks)
    studies = sorted({r.study for r in record.runs if r.purpose == "evaluation"})
    if len(studies) < 2:
        return {}  # nothing is left to compare on
    cells = [(n, t, s) for n in names for t in tasks for s in studies]
    mean = {(n, t, s): _mean([_result(r) for r in record.of("evaluation", n, t) if r.study == s]) for n, t, s in cells}
    found: dict[str, list[list[float]]] = {task: [] for task in tasks}
    for held in studies:
        others = [s for s in studies if s != held]
        known = {(n, t): _mean([mean[n, t, s] for s in others]) for n in names for t in tasks}
        best = {task: min(names, key=lambda n, t=task: known[n, t]) for task in tasks}
        overall = min(names, key=lambda n: _mean([percent(known[n, t], known[best[t], t]) for t in tasks]))
        for task in tasks:
            found[task].append([percent(mean[overall, task, held], mean[best[task], task, held])])
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# -- pairs ------------------------------------------------------------------------------------------------------


def _result(run: Run) -> float:
    return run.validation if run.test is None else run.test


def _seed(run: Run) -> tuple[int, float]:
    return run.study, run.seed


def _pairs(
    record: Record, one: str, other: str, task: str, compare: Compare = percent, of: Callable[[Run], float] = _result
) -> list[list[float]]:
    mine, theirs = (list(record.of("evaluation", name, task)) for name in (one, other))
    return _match(mine, theirs, _seed, compare, of)


def _matched(record: Record, one: str, task: str, other: str, theirs: str) -> list[list[float]]:
    return _match(list(record.of("evaluation", one, task)), list(record.of("evaluation", other, theirs)), _seed, percent, _result)


def _match(
    mine: Sequence[Run],
    theirs: Sequence[Run],
    key: Callable[[Run], tuple[int, float]],
    compare: Compare,
    of: Callable[[Run], float],
) -> list[list[float]]:
    """Search → compared pairs."""
    known = {key(run): run for run in theirs}
    found: dict[int, list[float]] = {}
    for run in sorted(mine, key=key):
        if key(run) in known:
            found.setdefault(run.study, []).append(compare(of(run), of(known[key(run)])))
    return list(found.values())


def _grouped(runs: Iterable[Run], of: Callable[[Run], float]) -> list[list[float]]:
    found: dict[int, list[float]] = {}
    for run in sorted(runs, key=_seed):
        found.setdefault(run.study, []).append(of(run))
    return list(found.values())
