"""Curves along the runs for the result: the median over runs, all runs as a band, the learning-rate schedule below."""

import math
from collections.abc import Sequence
from statistics import median

from steepest.errors import RaceError
from steepest.race.record import Curve, TaskFacts, Trial
from steepest.race.report.charts.chart import Chart, Selector, Trace, View, band, line, log_axis
from steepest.race.report.facts import Facts
from steepest.race.report.looks import Look
from steepest.race.report.words import count, number
from steepest.race.statistics.values import final_purpose, of

QUANTITIES = {"validation": "validation metric", "train": "training loss"}
SHOWN = 60
"""Looks at the validation data in the chart; more are thinned out."""
LOWER = 0.22
"""The part of the height that the schedule has."""


def losses(facts: Facts) -> Chart:
    """Of all tasks, two quantities each."""
    heading = "Learning curves"
    read = (
        "At the hyperparameters that tuning chose. A line is the median over seeds and searches, its band "
        "reaches from the lowest run to the highest. "
        "Orders in mid-run mean nothing: learning rates that decay later look worse until the end. "
        "Below: the learning rate as a share of its peak."
    )
    if facts.curves is None:
        return Chart(heading, read, empty="The curves of this race were not at hand when this page was made.")
    views: dict[str, View] = {}
    try:
        found = {task.name: {e: _curves(facts, e, task.name) for e in facts.order} for task in facts.tasks}
    except RaceError as error:  # the record without its curves still makes a report
        return Chart(heading, read, empty=str(error))
    for task in facts.tasks:
        runs = found[task.name]
        if any(runs.values()):
            views |= {f"{facts.keys[task.name]}|{q}": _view(facts, task, q, runs) for q in QUANTITIES}
    if not views:
        return Chart(heading, read, empty="The race has kept no curves of its runs for the result.")
    selectors: dict[Selector, dict[str, str]] = {"task": {facts.keys[t.name]: t.title for t in facts.tasks}, "quantity": QUANTITIES}
    return Chart(heading, read, selectors, views, height=560)


def _curves(facts: Facts, entrant: str, task: str) -> list[tuple[Trial, Curve]]:
    assert facts.curves is not None
    found: list[tuple[Trial, Curve]] = []
    for trial in of(facts.race, final_purpose(facts.race), entrant, task):
        curve = facts.curves(trial)
        if len(curve.marks):
            found.append((trial, curve))
    return found


def _view(facts: Facts, task: TaskFacts, quantity: str, runs: dict[str, list[tuple[Trial, Curve]]]) -> View:
    bands: list[Trace] = []
    lines: list[Trace] = []
    below: list[Trace] = []
    seen: list[float] = []
    rows: list[tuple[str, ...]] = []
    worst = task.guess if quantity == "validation" else math.inf
    for e, curves in runs.items():
        if not curves:
            continue
        look = facts.looks[e]
        marks = _thinned(max((c.marks for _, c in curves), key=len))
        columns = [[_at(c, m, quantity, worst) for _, c in curves] for m in marks]
        middle, low, high = ([f(c) for c in columns] for f in (median, min, max))
        gone = sum(t.diverged_at is not None for t, _ in curves)
        bands.append(band(look, marks, low, high))
        lines.append(line(look, marks, middle, f", step %{{x:,}}: %{{y:.4g}}{_lost(gone, len(curves))}"))
        below.append(_schedule(look, curves[0][1], marks))
        # The first looks are far above the rest in every race; the axis shows what happens after them.
        seen += [v for v in (*middle[len(middle) // 8 :], *low[len(low) // 8 :]) if math.isfinite(v)]
        rows.append(
            (look.label, *(number(middle[round(q * (len(marks) - 1))], 4) for q in (0.25, 0.5, 0.75, 1)), f"{gone} of {len(curves)}")
        )
    name = f"{task.metric} on validation data" if quantity == "validation" else "training loss"
    shapes = [_target(task.target)] if quantity == "validation" and task.target is not None else []
    axis = log_axis(seen, name)
    return View(
        title=_title(task, quantity, rows),
        data=bands + lines + below,
        layout={
            "xaxis": {"title": {"text": f"step of {task.steps:,}"}, "anchor": "y2"},
            "yaxis": axis | {"domain": [LOWER + 0.09, 1]},
            "yaxis2": {"title": {"text": "rate / peak"}, "domain": [0, LOWER], "range": [0, 1.05], "tickvals": [0, 0.5, 1], "anchor": "x"},
            "shapes": shapes,
        },
        head=("optimizer", "a quarter in", "half-way", "three quarters in", "at the end", "diverged"),
        rows=rows,
    )


def _title(task: TaskFacts, quantity: str, rows: Sequence[tuple[str, ...]]) -> str:
    def value(row: tuple[str, ...]) -> float:
        try:
            return float(row[4].replace(",", ""))
        except ValueError:
            return math.nan

    known = [r for r in rows if not math.isnan(value(r))]
    if not known:
        return f"No run on {task.title} has a {QUANTITIES[quantity]} at its end."
    up = quantity == "validation" and task.higher_is_better
    best = max(known, key=value) if up else min(known, key=value)
    what = f"{task.metric} on validation data" if quantity == "validation" else "training loss"
    return f"{best[0]} has the {'highest' if up else 'lowest'} {what} at the end of {task.title}: {best[4]}."


def _thinned(marks: Sequence[int]) -> list[int]:
    every = max(1, math.ceil(len(marks) / SHOWN))
    return [*reversed(list(marks)[::-1][::every])]  # the last one stays


def _at(curve: Curve, mark: int, quantity: str, worst: float) -> float:
    """The value at a mark; what a run counts as after it ended early, or where it is not finite."""
    values = curve.validation if quantity == "validation" else curve.train_loss
    try:
        value = values[list(curve.marks).index(mark)]
    except (ValueError, IndexError):
        return worst
    return value if math.isfinite(value) else worst


def _schedule(look: Look, curve: Curve, marks: Sequence[int]) -> Trace:
    """Of the first run; the others differ from it in their peak and their warm-up."""
    peak = max(curve.lr, default=0.0) or 1.0
    at = dict(zip(curve.marks, curve.lr, strict=False))
    there = [m for m in marks if m in at]
    said = f", step %{{x:,}}: %{{y:.3g}} of its peak of {peak:.3g}"
    return line(look, there, [at[m] / peak for m in there], said, width=1.5, mode="lines", yaxis="y2")


def _target(target: float) -> dict[str, object]:
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": target, "y1": target, "line": {"width": 1.5, "dash": "dot"}}


def _lost(gone: int, runs: int) -> str:
    return f"; {gone} of {count(runs, 'run')} diverged" if gone else ""
