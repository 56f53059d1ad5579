"""The matrix of speed-ups over the baseline, entrant by task, with what may be chance in grey."""

import math
from typing import Any

from steepest.race.report.charts.chart import Chart, Selector, View, names_axis, plain, shortened
from steepest.race.report.charts.profile import MEASURES
from steepest.race.report.facts import Facts
from steepest.race.report.words import NONE, count, factor, number
from steepest.race.statistics import Measure, Overall, SpeedUp, overall, speedups

FARTHEST = 1.0
"""Colours are full from twice as fast, or as slow, on: log2 of it."""


def speed(facts: Facts) -> Chart:
    """By steps and by seconds."""
    race = facts.race
    heading = "Speed-up over the baseline"
    baseline = facts.label(race.baseline) if race.baseline in race.entrants else race.baseline
    read = (
        f"Each cell says how many times as fast as {baseline} an optimizer reaches the target of a task: 2 is "
        "half the time, 0.5 twice the time. "
        "Grey cells may be chance (5 % false discoveries). never (✗ on a small screen): only the baseline arrives; "
        "∞: only the entrant does; –: neither. "
        "The first column is the geometric mean over the tasks that both finish, grey if its 95 % interval contains 1."
    )
    if not facts.has_targets:
        return Chart(heading, read, empty="No task of this race has a target, so that there is no time to compare.")
    if race.baseline not in race.entrants or len(race.entrants) < 2:
        return Chart(heading, read, empty=f"A speed-up needs the baseline, {baseline}, and somebody else in the race.")
    selectors: dict[Selector, dict[str, str]] = {"measure": {m: f"by {said}" for m, said in MEASURES.items()}}
    height = 130 + 34 * (len(race.entrants) - 1)
    return Chart(heading, read, selectors, {m: _view(facts, m, baseline) for m in MEASURES}, height=max(height, 240))


def _view(facts: Facts, measure: Measure, baseline: str) -> View:
    times = facts.times(measure)
    cells, means = speedups(times, facts.race.baseline), overall(times, facts.race.baseline)
    tasks = [t for t in facts.tasks if t.target is not None]
    order = [e for e in facts.order if e in cells]
    grid = [[_mean(means[e]), *(_cell(cells[e][t.name]) for t in tasks)] for e in order]
    heads = ["all tasks", *(t.title for t in tasks)]
    # Titles are too long for columns; the page has them in its tables.
    columns = ["all tasks", *(t.name for t in tasks)]
    hover = [
        [_mean_hover(facts.label(e), means[e], baseline), *(_hover(facts.label(e), cells[e][t.name], t.title, baseline) for t in tasks)]
        for e in order
    ]
    data = [_heat(grid, hover, grey=False), _heat(grid, hover, grey=True)]
    differences = [cells[e][t.name] for e in order for t in tasks]
    real = sum(not s.noise for s in differences)
    faster = sum(not s.noise and (s.outcome == "only the entrant" or (s.outcome == "both" and s.factor > 1)) for s in differences)
    title = f"{real} of {count(len(differences), 'difference')} from {baseline} {'is' if real == 1 else 'are'} more than chance"
    title += f": {faster} faster, {real - faster} slower." if real else "."
    return View(
        title=title,
        data=data,
        layout={
            "xaxis": {
                "tickvals": list(range(len(heads))),
                "ticktext": [plain(shortened(c, 20)) for c in columns],
                "side": "top",
                "showgrid": False,
                "fixedrange": True,
                "range": [-0.5, len(heads) - 0.5],
            },
            "yaxis": names_axis([facts.label(e) for e in order])
            | {"range": [len(order) - 0.5, -0.5], "showgrid": False, "title": {"text": ""}},
        },
        head=("optimizer", *heads),
        rows=[
            (
                facts.label(e),
                _mean_text(means[e]),
                *(_cell(cells[e][t.name])[1] + (" (may be chance)" if cells[e][t.name].noise else "") for t in tasks),
            )
            for e in order
        ],
    )


def _heat(grid: list[list[tuple[float, str, bool]]], hover: list[list[str]], *, grey: bool) -> dict[str, Any]:
    """Two heat maps on top of each other: cells that are decided, and those that may be chance."""
    z = [[None if noise != grey else 0.0 if grey or math.isnan(v) else round(v, 3) for v, _, noise in row] for row in grid]
    return {
        "type": "heatmap",
        "z": z,
        "text": [[text if noise == grey else "" for _, text, noise in row] for row in grid],
        "texttemplate": "%{text}",
        "hovertext": [[plain(h) for h in row] for row in hover],
        "hoverinfo": "text",
        "hoverongaps": False,
        "zmin": -FARTHEST,
        "zmax": FARTHEST,
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "meta": {"part": "noise" if grey else "heat"},
    }


def _cell(s: SpeedUp) -> tuple[float, str, bool]:
    """Colour, text, whether it is noise."""
    if s.outcome == "neither":
        return math.nan, NONE, True
    if s.outcome == "only the entrant":
        return FARTHEST, "∞", s.noise
    if s.outcome == "only the baseline":
        return -FARTHEST, "never", s.noise
    return math.log2(s.factor), factor(s.factor), s.noise


def _mean(o: Overall) -> tuple[float, str, bool]:
    if not o.both:
        return math.nan, NONE, True
    i = o.factor
    return math.log2(i.middle), factor(i.middle), not i.known or i.low <= 1 <= i.high


def _mean_text(o: Overall) -> str:
    if not o.both:
        return NONE
    i = o.factor
    known = i.known and not (i.low <= 0 and math.isinf(i.high))
    return factor(i.middle) + (f" ({factor(i.low)} to {factor(i.high)})" if known else "") + f" on {o.both} of {o.tasks}"


def _hover(label: str, s: SpeedUp, task: str, baseline: str) -> str:
    said = {
        "neither": "neither reaches the target",
        "only the entrant": f"reaches the target, {baseline} does not",
        "only the baseline": f"never reaches the target, {baseline} does",
        "both": f"{number(s.factor)} × as fast as {baseline}",
    }[s.outcome]
    return f"{label} on {task}: {said}" + ("; may be chance" if s.noise and s.outcome != "neither" else "")


def _mean_hover(label: str, o: Overall, baseline: str) -> str:
    if not o.both:
        return f"{label}: no task that both finish"
    said = f"{label}: {_mean_text(o)} tasks that both finish, as a multiple of the speed of {baseline}"
    return (
        said
        + (f"; {baseline} misses {o.entrant_only} that it finishes" if o.entrant_only else "")
        + (f"; it misses {o.baseline_only} that {baseline} finishes" if o.baseline_only else "")
    )
