"""The budget curve: how good the best of k tuning trials is expected to be."""

import math

from steepest.race.record import TaskFacts
from steepest.race.report.charts.chart import Chart, Trace, View, band, line, log_axis, marks
from steepest.race.report.facts import Facts
from steepest.race.report.words import NONE, capital, number
from steepest.race.statistics import Budget, defaults_metric, race_budget

SHOWN = 12
"""Columns of the table, at most."""


def budgets(facts: Facts) -> Chart:
    """Of all tasks."""
    heading = "What tuning is worth"
    read = (
        "The expected validation metric of the best of k tuning trials, over all choices of k of those made; 9 "
        "of 10 choices lie within the band. "
        "A curve that is low from the start needs little tuning. Marks at 0 are the defaults, which cost no trial."
    )
    if not facts.tuned:
        return Chart(heading, read, empty="Nothing was tuned in this race: everybody ran with its defaults.")
    found = {t.name: {e: race_budget(facts.race, e, t.name) for e in facts.order} for t in facts.tasks}
    if max((len(b) for each in found.values() for b in each.values()), default=0) < 2:
        return Chart(heading, read, empty="One trial for each search: there is nothing to choose among.")
    return Chart(
        heading,
        read,
        {"task": {facts.keys[t.name]: t.title for t in facts.tasks}},
        {facts.keys[t.name]: _view(facts, t, found[t.name]) for t in facts.tasks if any(found[t.name].values())},
    )


def _view(facts: Facts, task: TaskFacts, found: dict[str, list[Budget]]) -> View:
    bands: list[Trace] = []
    lines: list[Trace] = []
    seen: list[float] = []
    defaults = {e: defaults_metric(facts.race, e, task.name) for e in found}
    for e, curve in found.items():
        if not curve:
            continue
        look, ks = facts.looks[e], [b.k for b in curve]
        bands.append(band(look, ks, [b.low for b in curve], [b.high for b in curve]))
        lines.append(line(look, ks, [b.mean for b in curve], ", best of %{x}: %{y:.4g} expected"))
        seen += [b.mean for b in curve]
        if math.isfinite(defaults[e]):
            lines.append(marks(look, [0], [defaults[e]], [f"{look.label}, defaults: {number(defaults[e], 4)}"]))
            seen.append(defaults[e])
    longest = max(map(len, found.values()))
    shown = sorted({1 + round(i * (longest - 1) / (SHOWN - 1)) for i in range(SHOWN)}) if longest > SHOWN else list(range(1, longest + 1))
    sign = -1 if task.higher_is_better else 1

    def first(k: int) -> str:
        there = {e: b[k - 1].mean for e, b in found.items() if len(b) >= k}
        return facts.label(min(there, key=lambda e: sign * there[e]))

    return View(
        title=f"{capital(task.title)}: {_best_after(first(1), first(longest), longest)}",
        data=bands + lines,
        layout={
            "xaxis": {
                "title": {"text": "tuning trials"},
                "range": [-0.4 if any(map(math.isfinite, defaults.values())) else 0.7, longest + 0.3],
            }
            | ({"dtick": 1} if longest <= 15 else {}),
            "yaxis": log_axis(seen, f"expected {task.metric}"),
        },
        head=("optimizer", "defaults", *(f"best of {k}" for k in shown)),
        rows=[
            (facts.label(e), number(defaults[e], 4), *(number(b[k - 1].mean, 4) if len(b) >= k else NONE for k in shown))
            for e, b in found.items()
            if b
        ],
    )


def _best_after(one: str, all_: str, longest: int) -> str:
    if one == all_:
        return f"{one} is expected to be best after 1 trial, and after {longest} still."
    return f"{one} is expected to be best after 1 trial, {all_} after {longest}."
