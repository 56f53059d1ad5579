"""Performance profiles: on what share of tasks is an entrant within tau times the fastest?"""

from collections.abc import Sequence

from steepest.race.report.charts.chart import Chart, Selector, Trace, View, band, line
from steepest.race.report.facts import Facts
from steepest.race.report.words import count, scored
from steepest.race.statistics import TAUS, Measure, profiles

MEASURES: dict[Measure, str] = {"steps": "steps", "seconds": "seconds of training"}
"""Samples are left out: within one task they are steps times the batch size, so that all ratios are those of steps."""


def profile(facts: Facts) -> Chart:
    """By steps and by seconds."""
    heading = "Performance profile"
    read = (
        "A line shows on what share of the tasks an optimizer reaches the target within so many times the time of the fastest one there. "
        "Higher is better, far left is being fastest; a line that stays low misses targets. The score is the area below it. "
        "Bands are 95 % bootstrap intervals over repeated searches. Profiles and scores depend on who else races."
    )
    if not facts.has_targets:
        return Chart(heading, read, empty="No task of this race has a target, so that there is no time to one.")
    if len(facts.race.entrants) < 2:
        return Chart(heading, read, empty="One entrant alone is always the fastest: a profile needs at least two.")
    selectors: dict[Selector, dict[str, str]] = {"measure": {m: f"by {said}" for m, said in MEASURES.items()}}
    return Chart(heading, read, selectors, {m: _view(facts, m) for m in MEASURES})


def _view(facts: Facts, measure: Measure) -> View:
    found = profiles(facts.times(measure))
    order = sorted(found, key=lambda e: -found[e].score.middle)
    bands: list[Trace] = []
    lines: list[Trace] = []
    for e in order:
        look, p = facts.looks[e], found[e]
        if p.score.known:
            bands.append(band(look, *_stepped(TAUS, p.low, p.high)))
        steps = line(look, TAUS, p.share, ": %{y:.0%} of tasks within %{x:.2f} × the fastest")
        lines.append(steps | {"line": {**steps["line"], "shape": "hv"}})
    best, *others = order
    near = [e for e in others if found[e].score.known and found[e].score.high >= found[best].score.low and found[e].score.middle > 0]
    title = f"{facts.label(best)} has the highest score, {found[best].score.middle:.2f} of 1"
    title += f"; the interval of {count(len(near), 'other')} reaches its own." if near else "."
    if not found[best].score.middle > 0:
        title = "Nobody reaches the targets often enough for a profile."
    tasks = sum(t.target is not None for t in facts.tasks)
    marks_at = (1.0, 1.5, 2.0, 3.0, 4.0)
    nearest = [min(range(len(TAUS)), key=lambda i: abs(TAUS[i] - t)) for t in marks_at]
    return View(
        title=title,
        data=bands + lines,
        layout={
            "xaxis": {"title": {"text": f"times the {measure} of the fastest optimizer on the task"}, "range": [0.97, 4.03]},
            "yaxis": {"title": {"text": f"share of the {count(tasks, 'task')}"}, "range": [-0.03, 1.03], "tickformat": ".0%"},
        },
        head=("optimizer", "score (95 % interval)", *(f"within {t:g} ×" for t in marks_at)),
        rows=[(facts.label(e), scored(found[e].score), *(f"{found[e].share[i]:.0%}" for i in nearest)) for e in order],
    )


def _stepped(x: Sequence[float], *ys: Sequence[float]) -> list[list[float]]:
    """The corners of step functions of one x, so that straight lines between them draw the steps."""
    corners = [i for i in range(1, len(x)) if i == len(x) - 1 or any(y[i] != y[i - 1] for y in ys)]
    return [[x[0], *(x[i] for i in corners for _ in range(2))], *([y[0], *(y[j] for i in corners for j in (i - 1, i))] for y in ys)]
