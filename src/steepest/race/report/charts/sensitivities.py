"""Sensitivity to the learning rate: quality at multiples of each one's own best, diverged learning rates in a strip at the top."""

import math

from steepest.race.record import TaskFacts
from steepest.race.report.charts.chart import Chart, Trace, View, line, log_axis, marks
from steepest.race.report.facts import Facts
from steepest.race.report.words import NONE, number
from steepest.race.statistics import Sensitivity, sensitivity

HEIGHT = 540
ROW = 13 / HEIGHT
"""The part of the height of one row in the strip of diverged runs."""


def sensitivities(facts: Facts) -> Chart:
    """Of all tasks."""
    heading = "Learning-rate sensitivity"
    read = (
        "Quality on validation data at multiples of each optimizer's own best learning rate: a wide valley forgives a wrong guess. "
        "Hollow marks in the strip at the top are learning rates at which a run diverged, one row an optimizer. "
        "S is the mean loss of quality within a decade to either side, 0: none, 1: as bad as guessing."
    )
    found = {t.name: {e: sensitivity(facts.race, e, t.name) for e in facts.order} for t in facts.tasks}
    there = {w: {e: s for e, s in each.items() if len(s.points) > 1} for w, each in found.items()}
    if not any(there.values()):
        why = (
            "no sweep of the learning rate was made"
            if facts.tuned
            else "nothing was tuned in this race, and no sweep of the learning rate made"
        )
        return Chart(heading, read, empty=f"There is no curve: {why}.")
    if all(s.source == "tuning" for each in there.values() for s in each.values()):
        read += " This race made no sweeps: the curves are the best tuning trials of each third of a decade of learning rate, "
        read += "with other hyperparameters varying along them."
    return Chart(
        heading,
        read,
        {"task": {facts.keys[t.name]: t.title for t in facts.tasks}},
        {facts.keys[t.name]: _view(facts, t, there[t.name]) for t in facts.tasks if there[t.name]},
        height=HEIGHT,
    )


def _view(facts: Facts, task: TaskFacts, found: dict[str, Sensitivity]) -> View:
    lines: list[Trace] = []
    strip: list[Trace] = []
    seen: list[float] = []
    wrecked = [e for e, s in found.items() if any(p.diverged for p in s.points)]
    for e, s in found.items():
        look = facts.looks[e]
        # A point at which most runs diverged has no quality: it stands in the strip alone.
        good = [p for p in s.points if p.diverged * 2 <= p.trials]
        said = [f"{look.label} at {p.multiple:.3g} × its best rate ({p.multiple * s.lr:.2g}): {number(p.metric, 4)}" for p in good]
        seen += [p.metric for p in good]
        lines.append(line(look, [p.multiple for p in good], [p.metric for p in good], said))
        bad = [p for p in s.points if p.diverged]
        if bad:
            said = [
                f"{look.label} at {p.multiple:.3g} × its best rate ({p.multiple * s.lr:.2g}): {p.diverged} of {p.trials} diverged"
                for p in bad
            ]
            strip.append(marks(look, [p.multiple for p in bad], [wrecked.index(e)] * len(bad), said, hollow=True, size=9) | {"yaxis": "y2"})
    known = {e: s for e, s in found.items() if not math.isnan(s.s)}
    title = f"No curve on {task.title} is long enough for a figure."
    if known:
        calm = min(known, key=lambda e: known[e].s)
        least = known[calm]
        title = f"{facts.label(calm)} has the lowest S on {task.title}, {number(least.s, 2)}, over {least.decades:.1f} of 2 decades."
    top = 1 - ROW * (len(wrecked) + 1)
    everywhere = [p.multiple for s in found.values() for p in s.points]
    layout = {
        "xaxis": log_axis(everywhere, "multiple of each one's own best learning rate"),
        "yaxis": log_axis(seen, f"{task.metric} on validation data") | {"domain": [0, top - 0.05 if wrecked else 1]},
    }
    if wrecked:
        rows = len(wrecked)
        layout["yaxis2"] = {
            "domain": [top, 1],
            "range": [-0.8, rows - 0.2],
            "tickvals": [(rows - 1) / 2],
            "ticktext": ["diverged"],
            "showgrid": False,
            "fixedrange": True,
            "anchor": "x",
        }
    return View(
        title=title,
        data=lines + strip,
        layout=layout,
        head=("optimizer", "best learning rate", "S", "decades tried of 2", "within 1 % of best", "within 5 %", "diverges from"),
        rows=[
            (
                facts.label(e),
                f"{s.lr:.3g}",
                number(s.s, 2),
                number(s.decades, 2),
                _width(s.width_1, s.open_1),
                _width(s.width_5, s.open_5),
                f"{s.first_diverging:.3g} ×" if s.first_diverging else NONE,
            )
            for e, s in sorted(found.items(), key=lambda item: (math.isnan(item[1].s), item[1].s))
        ],
    )


def _width(decades: float, is_open: bool) -> str:
    return NONE if math.isnan(decades) else f"{'≥ ' if is_open else ''}{decades:.2f} decades"
