"""The charts of the report, without colours: the page gives every optimizer its colour, in light and dark.

Each trace says in its `meta` whose it is and what it is: `line`, `band`, `point` or `hollow`.
"""

import math
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Any

from steepest.race.extra import NeedsExtra
from steepest.race.protocol import final_accuracy
from steepest.race.record import Race, Run
from steepest.race.statistics import Standing

with NeedsExtra():
    import plotly.graph_objects as go

DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon", "hexagram")
#: Charts of errors are logarithmic; an error of none is drawn as if half an example were wrong.
HALF = 0.5


def all_figures(race: Race, found: Sequence[Standing]) -> dict[str, "go.Figure"]:
    """Every chart by the name that the page has for it."""
    figures = {
        "result": _result(race, found),
        "validation": _validation(race),
        "training": _training(race),
        "sensitivity": _sensitivity(race),
    }
    for figure in figures.values():
        figure.update_layout(template="none")
    return figures


def look(race: Race, optimizer: str) -> tuple[int, str, str]:
    """Which colour, dash and symbol an optimizer has: by its place among those that race."""
    i = list(race.entries).index(optimizer)
    return i, DASHES[i % len(DASHES)], SYMBOLS[i % len(SYMBOLS)]


def _result(race: Race, found: Sequence[Standing]) -> "go.Figure":
    """Test accuracy: every seed as a dot, the mean with its interval above it."""
    figure = go.Figure()
    for s in found:
        half = s.test_accuracy.half_width
        mean = 100 * s.test_accuracy.mean
        shown = 100 * half if math.isfinite(half) else 0.0
        text = f"{s.title}: {s.test_accuracy.mean:.1%}" + (f" ± {half:.1%}" if math.isfinite(half) else "")
        seeds = [f"{s.title}, seed {seed}: {a:.2%}" for seed, a in zip(race.evaluation_seeds, s.test_accuracies, strict=True)]
        figure.add_scatter(
            x=[100 * a for a in s.test_accuracies],
            y=[s.title] * len(seeds),
            mode="markers",
            marker={"size": 9, "symbol": "line-ns-open", "line": {"width": 1.5}},
            opacity=0.6,
            text=seeds,
            hoverinfo="text",
            meta=_meta(race, s.optimizer, "point"),
        )
        figure.add_scatter(
            x=[mean],
            y=[s.title],
            # Student's t does not know that no accuracy is above 100 % or below 0.
            error_x={"array": [min(shown, 100 - mean)], "arrayminus": [min(shown, mean)], "thickness": 2.5, "width": 0},
            mode="markers",
            marker={"size": 11, "symbol": look(race, s.optimizer)[2]},
            text=[text],
            hoverinfo="text",
            meta=_meta(race, s.optimizer, "point"),
        )
    figure.update_xaxes(title="test accuracy, %")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _validation(race: Race) -> "go.Figure":
    half = HALF / race.task.validation

    def error(run: Run) -> list[float]:
        values = [100 * max(1 - a, half) for a in run.validation_accuracy]
        return _lengthened(values, race, 100 * (1 - race.task.guess))

    figure = _curves(race, error, "%{y:.2f} %")
    # Every run starts at the error of guessing; drawing that far up would flatten everything that differs.
    highest = min(100 * (1 - race.task.guess), 50)
    lowest = 0.9 * min(min(error(run)) for run in race.runs if run.purpose == "evaluation")
    figure.update_yaxes(title="validation error, %", **_log_ticks(lowest, highest, (1, 2, 5)))
    figure.add_hline(100 * (1 - race.task.target), line={"width": 1, "dash": "dot"})
    return figure


def _training(race: Race) -> "go.Figure":
    figure = _curves(race, lambda run: _lengthened(run.train_loss, race, run.train_loss[0] if run.marks else math.nan), "%{y:.2g}")
    losses = [loss for run in race.runs if run.purpose == "evaluation" for loss in run.train_loss if loss > 0]
    digits = (1,) if max(losses) > 1000 * min(losses) else (1, 2, 5)
    figure.update_yaxes(title="training loss", **_log_ticks(min(losses), max(losses), digits), autorange=True)
    return figure


def _curves(race: Race, value: Callable[[Run], list[float]], shown: str) -> "go.Figure":
    """The median over the seeds as a line, all seeds as a band."""
    figure = go.Figure()
    marks = max((run.marks for run in race.runs), key=len)
    for o, entry in race.entries.items():
        columns = list(zip(*(value(run) for run in race.of(o, "evaluation")), strict=True))
        low, high = [min(c) for c in columns], [max(c) for c in columns]
        figure.add_scatter(
            x=[*marks, *reversed(marks)],
            y=_round([*high, *reversed(low)]),
            fill="toself",
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            meta=_meta(race, o, "band"),
        )
        figure.add_scatter(
            x=marks,
            y=_round([median(c) for c in columns]),
            mode="lines",
            line={"width": 2, "dash": look(race, o)[1]},
            name=entry.title,
            hovertemplate=f"{entry.title} {shown}<extra></extra>",
            meta=_meta(race, o, "line"),
        )
    figure.update_xaxes(title="steps", range=[0, race.task.steps])
    figure.update_layout(hovermode="x unified")
    return figure


def _sensitivity(race: Race) -> "go.Figure":
    """Validation error at the end against the learning rate; hollow where runs diverged."""
    figure = go.Figure()
    guess, half = race.task.guess, HALF / race.task.validation
    for o, entry in race.entries.items():
        symbol = look(race, o)[2]
        trials = {lr: [run for run in race.of(o, "tuning") if run.lr == lr] for lr in entry.grid}
        errors = {lr: 100 * max(1 - fmean(final_accuracy(run, guess) for run in runs), half) for lr, runs in trials.items()}
        diverged = {lr: sum(run.diverged_at is not None for run in runs) for lr, runs in trials.items()}
        notes = [f"{entry.title}, lr {lr:g}: {errors[lr]:.1f} % wrong" + _diverged(diverged[lr], len(trials[lr])) for lr in entry.grid]
        figure.add_scatter(
            x=entry.grid,
            y=_round(list(errors.values())),
            mode="lines+markers",
            line={"width": 2, "dash": look(race, o)[1]},
            marker={
                "size": [13 if lr == entry.lr else 8 for lr in entry.grid],
                "symbol": [f"{symbol}-open" if diverged[lr] else symbol for lr in entry.grid],
                "line": {"width": 2},
            },
            text=notes,
            hoverinfo="text",
            name=entry.title,
            meta=_meta(race, o, "line"),
        )
    rates = [lr for entry in race.entries.values() for lr in entry.grid]
    figure.update_xaxes(title="learning rate", **_log_ticks(min(rates) / 1.3, max(rates) * 1.3, (1, 3)))
    figure.update_yaxes(title="validation error at the end, %", **_log_ticks(100 * half, 100, (1, 2, 5)), autorange=True)
    return figure


def _log_ticks(low: float, high: float, digits: Sequence[int]) -> dict[str, Any]:
    """A logarithmic axis with ticks at `digits` times powers of ten, written out."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in digits]
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks], "range": [math.log10(low), math.log10(high)]}


def _diverged(count: int, of: int) -> str:
    return f"; {count} of {of} diverged" if count else ""


def _meta(race: Race, optimizer: str, part: str) -> dict[str, Any]:
    return {"optimizer": optimizer, "colour": look(race, optimizer)[0], "part": part}


def _lengthened(values: Sequence[float], race: Race, rest: float) -> list[float]:
    """A curve to the last mark: a run that diverged goes on as if it guessed."""
    marks = len(max((run.marks for run in race.runs), key=len))
    return [*values, *[rest] * (marks - len(values))]


def _round(values: Sequence[float]) -> list[float]:
    """Four digits: more than a chart can show, a third of the page's data."""
    return [float(f"{v:.4g}") for v in values]
