"""Time to the target: the median over searches of the fastest trial, with its interval; misses stand in a column of their own."""

import math

from steepest.race.record import TaskFacts
from steepest.race.report.charts.chart import Chart, Selector, Trace, View, log_axis, marks, names_axis
from steepest.race.report.facts import Facts
from steepest.race.report.words import interval, leaders, number
from steepest.race.statistics import Interval, Measure, time_interval

MEASURES: dict[Measure, str] = {"steps": "steps", "samples": "training samples", "seconds": "seconds of training"}
SPLIT = 0.86
"""Where the column of those that never arrive begins."""


def targets(facts: Facts) -> Chart:
    """Of all tasks that have one, in three measures."""
    heading = "Time to the target"
    read = (
        "The median over searches of the fastest trial's time, with its 95 % interval; fewer is better. "
        "In the column on the right stand those that never reached the target, or not in half of their searches; "
        "an arrow says that the interval includes never."
    )
    with_target = [t for t in facts.tasks if t.target is not None]
    if not with_target:
        return Chart(heading, read, empty="No task of this race has a target, so that there is no time to one.")
    selectors: dict[Selector, dict[str, str]] = {
        "task": {facts.keys[t.name]: t.title for t in with_target},
        "measure": {m: f"in {said}" for m, said in MEASURES.items()},
    }
    views = {f"{facts.keys[t.name]}|{m}": _view(facts, t, m) for t in with_target for m in MEASURES}
    return Chart(heading, read, selectors, views)


def _view(facts: Facts, task: TaskFacts, measure: Measure) -> View:
    times = facts.times(measure)
    found = {e: time_interval(times[e][task.name]) for e in facts.order}
    order = sorted(facts.order, key=lambda e: found[e].middle)
    arrived = [e for e in order if math.isfinite(found[e].middle)]
    data: list[Trace] = []
    seen = [v for e in arrived for v in (found[e].middle, found[e].low, found[e].high) if math.isfinite(v) and v > 0]
    end = max(seen, default=1.0)
    for row, e in enumerate(order):
        data += _marks(facts, e, row, found[e], end, measure)
    goal = f"{task.metric} {'≥' if task.higher_is_better else '≤'} {number(task.target or 0.0)}"
    never = len(order) - len(arrived)
    if arrived:
        first = leaders({e: found[e].middle for e in order}, facts.label, "is", "are")
        title = f"{first} first at {goal} on {task.title}, after {number(found[arrived[0]].middle)} {measure}"
        title += f"; {never} of {len(order)} never get there." if never else "."
    else:
        title = f"Nobody reaches {goal} on {task.title}."
    axis = log_axis(seen, f"{MEASURES[measure]} to {goal}")
    return View(
        title=title,
        data=data,
        layout={
            "xaxis": axis | {"domain": [0, SPLIT - 0.06]},
            "xaxis2": {"domain": [SPLIT, 1], "range": [-1, 1], "tickvals": [0], "ticktext": ["never"], "showgrid": False, "anchor": "y"},
            "yaxis": names_axis([facts.label(e) for e in order]),
        },
        head=("optimizer", f"{measure} to the target", "with 95 % interval"),
        rows=[(facts.label(e), number(found[e].middle), interval(found[e])) for e in order],
    )


def _marks(facts: Facts, entrant: str, row: int, time: Interval, end: float, measure: Measure) -> list[Trace]:
    look = facts.looks[entrant]
    said = f"{look.label}: {interval(time)} {measure}"
    if not math.isfinite(time.middle):
        missed = marks(look, [0], [row], [f"{look.label}: never"], hollow=True, size=12)
        # An interval that reaches down to a time: some searches did arrive.
        if math.isfinite(time.low) and time.known:
            missed["hovertext"] = [f"{look.label}: never in the median; {number(time.low)} {measure} at the lower end of the interval"]
        return [missed | {"xaxis": "x2"}]
    mark = marks(look, [time.middle], [row], [said], size=12)
    if time.known:
        up = (time.high if math.isfinite(time.high) else end) - time.middle
        mark["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": [max(up, 0.0)],
            "arrayminus": [max(time.middle - max(time.low, 0.0), 0.0)],
            "thickness": 2.5,
            "width": 5,
        }
        if math.isinf(time.high):
            arrow = marks(look, [0], [row], [f"{look.label}: the interval includes never"], size=10)
            arrow["marker"]["symbol"] = "arrow-right"
            return [mark, arrow | {"xaxis": "x2"}]
    return [mark]
