"""Quality at the end of training: every run, the median, its interval; diverged runs in a column of their own. One view a task."""

import math
from collections.abc import Sequence
from typing import Any

from steepest.race.record import TaskFacts, Trial
from steepest.race.report.charts.chart import Chart, Trace, View, log_axis, marks, names_axis
from steepest.race.report.facts import Facts
from steepest.race.report.words import interval, leaders, number
from steepest.race.statistics import Standing
from steepest.race.statistics.values import final_metric, final_purpose, of

SPLIT = 0.88
"""Where the column of diverged runs begins."""


def finals(facts: Facts) -> Chart:
    """Of all tasks."""
    read = (
        "Each thin tick below a bar is one run on a fresh seed, the large mark is the median of all runs, "
        "the bar the 95 % interval of that. "
        "Runs that diverged stand in the column on the right; in the median they count as guessing."
    )
    views = {facts.keys[t.name]: _view(facts, t) for t in facts.tasks if any(t.name in s.finals for s in facts.table)}
    return Chart(
        heading="Quality at the end",
        read=read,
        selectors={"task": {facts.keys[t.name]: t.title for t in facts.tasks}},
        views=views,
        empty="" if views else "No run for the result is finished yet.",
    )


def _view(facts: Facts, task: TaskFacts) -> View:
    sign = -1.0 if task.higher_is_better else 1.0
    there = sorted((s for s in facts.table if task.name in s.finals), key=lambda s: sign * s.finals[task.name].middle)
    runs = {s.name: of(facts.race, final_purpose(facts.race), s.name, task.name) for s in there}
    finished = {e: [t for t in some if t.diverged_at is None] for e, some in runs.items()}
    gone = any(t.diverged_at is not None for some in runs.values() for t in some)
    seen = [final_metric(t) for some in finished.values() for t in some]
    end = (min if task.higher_is_better else max)(seen, default=task.guess)
    data: list[Trace] = []
    for row, s in enumerate(there):
        data += _row(facts, s, task, row, runs[s.name], end)
    test = "test data" if any(t.test is not None for some in runs.values() for t in some) else "validation data"
    title = f"{task.metric} on the {test} ({'higher' if task.higher_is_better else 'lower'} is better)"
    # An accuracy near 1 has its differences at the top end, where a logarithm squeezes them.
    axis: dict[str, Any] = {"title": {"text": log_axis([1.0], title)["title"]["text"]}} if task.higher_is_better else log_axis(seen, title)
    layout = {"xaxis": axis | {"domain": [0, SPLIT - 0.05 if gone else 1]}, "yaxis": names_axis([facts.label(s.name) for s in there])}
    if gone:
        layout["xaxis2"] = {
            "domain": [SPLIT, 1],
            "range": [-1, 1],
            "tickvals": [0],
            "ticktext": ["diverged"],
            "showgrid": False,
            "anchor": "y",
        }
    medians = {s.name: sign * s.finals[task.name].middle for s in there}
    first = leaders(medians, facts.label, "has", "have")
    return View(
        title=f"{first} the best median {task.metric} on {task.title}: {number(there[0].finals[task.name].middle, 4)}.",
        data=data,
        layout=layout,
        head=("optimizer", f"median {task.metric}", "with 95 % interval", "runs", "diverged"),
        rows=[
            (
                facts.label(s.name),
                number(s.finals[task.name].middle, 4),
                interval(s.finals[task.name], 4),
                str(len(runs[s.name])),
                str(len(runs[s.name]) - len(finished[s.name])),
            )
            for s in there
        ],
    )


def _row(facts: Facts, s: Standing, task: TaskFacts, row: int, runs: Sequence[Trial], end: float) -> list[Trace]:
    look, result = facts.looks[s.name], s.finals[task.name]
    finished = [t for t in runs if t.diverged_at is None]
    data: list[Trace] = []
    if finished:
        said = [f"{look.label}, search {t.study + 1}, seed {t.seed}: {number(final_metric(t), 4)}" for t in finished]
        ticks = marks(look, [final_metric(t) for t in finished], [row + 0.3] * len(finished), said, size=8)
        ticks["marker"]["symbol"] = "line-ns-open"
        data.append(ticks | {"opacity": 0.55})
    lost = len(runs) - len(finished)
    if lost:
        data.append(marks(look, [0], [row], [f"{look.label}: {lost} of {len(runs)} diverged"], hollow=True, size=12) | {"xaxis": "x2"})
    # A median that is itself that of guessing has its mark in the column of the diverged runs.
    if not finished or 2 * lost > len(runs):
        return data
    middle = marks(look, [result.middle], [row], [f"{look.label}: {interval(result, 4)}, median of {len(runs)} runs"], size=13)
    if result.known and math.isfinite(result.low) and math.isfinite(result.high):
        low, high = (max(result.low, end), result.high) if task.higher_is_better else (result.low, min(result.high, end))
        bars = {"array": [max(high - result.middle, 0.0)], "arrayminus": [max(result.middle - low, 0.0)]}
        middle["error_x"] = {"type": "data", "symmetric": False, "thickness": 2.5, "width": 5, **bars}
    return [*data, middle]
