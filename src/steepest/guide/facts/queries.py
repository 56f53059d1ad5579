"""Questions to the record of a race of ours, whose answers are the figures of facts.

    [fact.source]
    record = "standard"
    query = "speedup('lion')"

A query is a call of one of the functions here without its first argument, the race; its answer is the figure, word for word.
"""

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from steepest.errors import GuideError

if TYPE_CHECKING:
    from steepest.race.record import Race
    from steepest.race.statistics import Comparison


def answer(query: str, race: "Race") -> str:
    """The figure that a query gives.

    Raises:
        GuideError: it is no query, or asks for an optimizer or task that was not in the race.
    """
    name, arguments = parsed(query)
    for given, there, what in ((arguments, race.entrants, "optimizer"), (arguments, race.tasks, "task")):
        if what in given and given[what] not in there:
            raise GuideError(f"{query}: {given[what]} was not in that race; there are {', '.join(there)}.")
    return QUERIES[name](race, **arguments)


def parsed(query: str) -> tuple[str, dict[str, str]]:
    """`speedup('lion')` as the name of a query and its arguments."""
    try:
        call: Any = ast.parse(query, mode="eval").body
        name: str = call.func.id
        names = _arguments(QUERIES[name])
        given = {
            **dict(zip(names, map(ast.literal_eval, call.args), strict=False)),
            **{k.arg: ast.literal_eval(k.value) for k in call.keywords},
        }
        if set(given) != set(names) or len(call.args) > len(names):
            raise ValueError
    except (SyntaxError, AttributeError, KeyError, ValueError):
        calls = ", ".join(f"{name}({', '.join(_arguments(f))})" for name, f in QUERIES.items())
        raise GuideError(f"{query!r} is no query. There are: {calls}.") from None
    return name, given


def _arguments(query: Callable[..., str]) -> list[str]:
    code = query.__code__
    return list(code.co_varnames[1 : code.co_argcount])


def speedup(race: "Race", optimizer: str) -> str:
    """How many times as fast as the baseline it reaches the targets, in steps, with its interval."""
    from steepest.race.statistics import overall, trial_times

    found = overall(trial_times(race), race.baseline)[optimizer]
    if not found.both:
        return f"no target that both it and {_title(race, race.baseline)} reach, of {found.tasks}"
    f = found.factor
    interval = f" (95 % interval {f.low:.2f} to {f.high:.2f})" if f.known and math.isfinite(f.high) else ""
    where = f"on the {found.both} of {found.tasks} targets that both reach"
    return f"{f.middle:.2f} times the speed of {_title(race, race.baseline)} in steps{interval} {where}"


def difference(race: "Race", optimizer: str) -> str:
    """How much its error at the end of training differs from the baseline's, and whether that is more than luck."""
    from steepest.race.statistics import between

    c = between(_comparisons(race), optimizer, race.baseline)
    d = c.difference
    interval = f" (95 % interval {_percent(d.low)} to {_percent(d.high)})" if d.known else ""
    return (
        f"error {_percent(d.middle)} against {_title(race, race.baseline)}{interval}, {'told apart' if c.told_apart else 'not told apart'}"
    )


def wins(race: "Race", optimizer: str) -> str:
    """On how many tasks its median result is the best of all."""
    best = [min(finals, key=lambda e: finals[e]) for finals in _medians(race).values() if finals]
    return f"best median on {best.count(optimizer)} of {len(best)} tasks"


def lr_width(race: "Race", optimizer: str) -> str:
    """Over how many decades of learning rate its metric is within 5 % of its best: the median over tasks."""
    from steepest.race.statistics import median, sensitivity

    found = [sensitivity(race, optimizer, task) for task in race.tasks]
    widths = [s.width_5 for s in found if math.isfinite(s.width_5)]
    open_ = sum(s.open_5 for s in found if math.isfinite(s.width_5))
    more = f"; at least, on {open_} of {len(widths)} tasks" if open_ else ""
    return f"{median(widths):.2g} decades of learning rate within 5 % of its best{more}"


def state_bytes(race: "Race", optimizer: str) -> str:
    """The bytes of state it keeps for each parameter, as measured."""
    from steepest.race.statistics import costs

    return f"{costs(race, optimizer).state_bytes_per_parameter:.3g} bytes of state a parameter"


def step_time(race: "Race", optimizer: str) -> str:
    """How long one of its steps takes beside the baseline's: the geometric mean over tasks."""
    from steepest.race.statistics import step_ratio

    return f"{step_ratio(race, optimizer):.2f} times as long a step as {_title(race, race.baseline)}"


def diverged(race: "Race", optimizer: str) -> str:
    """How many of its tuning runs diverged."""
    from steepest.race.statistics import costs

    rate = costs(race, optimizer).diverged_tuning
    return f"{rate.count} of {rate.of} tuning runs diverged"


def missed(race: "Race", optimizer: str) -> str:
    """How many of its tuning runs never reached the target."""
    from steepest.race.statistics import costs

    rate = costs(race, optimizer).missed_tuning
    return f"{rate.count} of {rate.of} tuning runs never reached the target"


def best_on(race: "Race", task: str) -> str:
    """Who ends best on one task, and who cannot be told from that."""
    tied, all_ = tied_on(race, task), len(_medians(race)[task])
    if not tied:
        return f"nobody finished on {task}"
    medians, facts = _medians(race)[task], race.tasks[task]
    sign = -1.0 if facts.higher_is_better else 1.0
    first = f"{facts.metric} on test data: {_title(race, tied[0])} {sign * medians[tied[0]]:.4g}"
    if len(tied) == 1:
        return f"{first}, told apart from the {all_ - 1} others"
    named = ", ".join(f"{_title(race, e)} {sign * medians[e]:.4g}" for e in tied[1:NAMED])
    more = f" and {len(tied) - NAMED} more" if len(tied) > NAMED else ""
    return f"{first}, not told apart from {named}{more}, of {all_}"


NAMED = 4
"""How many of those that tie are named."""


def tied_on(race: "Race", task: str) -> list[str]:
    """The best median of a task and those that cannot be told from it, best first."""
    from steepest.race.statistics import compare_finals, tied_with

    medians = _medians(race)[task]
    if not medians:
        return []
    one = replace(race, tasks={task: race.tasks[task]}, trials=tuple(t for t in race.trials if t.task == task))
    order = sorted(medians, key=lambda e: medians[e])
    tied = tied_with(order[0], compare_finals(one))
    return [order[0], *(e for e in order[1:] if e in tied)]


def _title(race: "Race", optimizer: str) -> str:
    return race.entrants[optimizer].title


def _medians(race: "Race") -> dict[str, dict[str, float]]:
    """Task → entrant → median cost of its final runs, the lower the better."""
    from steepest.race.statistics import median
    from steepest.race.statistics.values import by_task, final_costs

    found: dict[str, dict[str, float]] = {task: {} for task in race.tasks}
    for e, runs in final_costs(race).items():
        for task, studies in by_task(runs).items():
            found[task][e] = median([cost for seeds in studies.values() for cost in seeds])
    return found


_made: "tuple[Race, list[Comparison]] | None" = None


def _comparisons(race: "Race") -> "list[Comparison]":
    """All pairs, worked out once for the race that was asked about last."""
    global _made
    if _made is None or _made[0] is not race:
        from steepest.race.statistics import compare_finals

        _made = race, compare_finals(race)
    return _made[1]


def _percent(share: float) -> str:
    return f"{100 * share:+.2g} %"


QUERIES: Mapping[str, Callable[..., str]] = {
    f.__name__: f for f in (speedup, difference, wins, lr_width, state_bytes, step_time, diverged, missed, best_on)
}
