"""What a chart is before it has colours: views to choose from, each with a figure and the same figures as a table.

A figure is plotly's JSON without colours. Each of its traces says in `meta` whose it is (`o`: the entrant's number; none:
nobody's) and what it is, and the page colours it accordingly, in the light and in the dark:

    line, mark   in the entrant's colour, with its dash and its marker
    hollow       the same with an empty marker: a run that diverged
    band         a filled area, pale
    heat, noise  cells of a heat map: coloured by value, grey

Plotly reads some HTML in texts. Whatever comes from a user goes through `plain` first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from steepest.race.extra import NeedsExtra
from steepest.race.report.looks import Look
from steepest.race.report.words import shorter

with NeedsExtra():
    import plotly.graph_objects as go

Trace = dict[str, Any]
Selector = Literal["task", "measure", "quantity", "axis"]
DECIMAL: dict[str, tuple[float, ...]] = {"coarse": (1,), "middle": (1, 3), "fine": (1, 2, 5), "finest": (1, 1.5, 2, 3, 4, 5, 7)}


@dataclass(frozen=True)
class View:
    """One choice of what a chart shows."""

    title: str
    """What is seen, in one sentence."""
    data: list[Trace]
    layout: dict[str, Any]
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    """The same as text."""

    def figure(self) -> dict[str, Any]:
        """As plotly's JSON; plotly refuses what it does not know."""
        return go.Figure(data=self.data, layout={**self.layout, "template": "none"}).to_plotly_json()


@dataclass(frozen=True)
class Chart:
    """One chart of the page."""

    heading: str
    read: str
    """How to read it."""
    selectors: dict[Selector, dict[str, str]] = field(default_factory=dict)
    """Selector → key → what the reader chooses. Which of them this chart listens to."""
    views: dict[str, View] = field(default_factory=dict)
    """Keys of its selectors, joined by `|` → view."""
    empty: str = ""
    """Why there is nothing to draw."""
    height: int = 420
    """In pixels, on a wide screen."""


def plain(text: str) -> str:
    """A text for plotly that means itself, tags and all."""
    return escape(text, quote=False)


def hovering(look: Look, said: str | Sequence[str]) -> dict[str, Any]:
    """What a pointer over a trace is told: a text for each point, or one with `%{x}` in it, which keeps the page small."""
    if isinstance(said, str):
        # A label with a template in it is none.
        return {"hovertemplate": f"{plain(look.label).replace('%', '&#37;')}{said}<extra></extra>"}
    return {"hovertext": [plain(h) for h in said], "hoverinfo": "text"}


def line(look: Look, x: Sequence[float], y: Sequence[float], hover: str | Sequence[str], *, width: float = 2, **more: Any) -> Trace:
    """An entrant's line: its dash, and a few of its markers on the way."""
    marker = {"symbol": look.symbol, "size": 8, "maxdisplayed": 12}
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": plain(look.label),
        "x": shorter(x),
        "y": shorter(y),
        "line": {"dash": look.dash, "width": width},
        "marker": marker,
        "meta": {"o": look.index, "part": "line"},
        **hovering(look, hover),
    } | more


def band(look: Look, x: Sequence[float], low: Sequence[float], high: Sequence[float], **more: Any) -> Trace:
    """The area between two curves; where one of them is not finite there is none."""
    known = [(a, b, c) for a, b, c in zip(x, low, high, strict=True) if math.isfinite(b) and math.isfinite(c)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(look.label),
        "x": shorter([a for a, _, _ in known] + [a for a, _, _ in reversed(known)]),
        "y": shorter([c for _, _, c in known] + [b for _, b, _ in reversed(known)]),
        "fill": "toself",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "meta": {"o": look.index, "part": "band"},
    } | more


def marks(
    look: Look, x: Sequence[float], y: Sequence[float], hover: str | Sequence[str], *, hollow: bool = False, size: float = 10
) -> Trace:
    """An entrant's markers; hollow ones for runs that diverged or never arrived."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(look.label),
        "x": shorter(x),
        "y": shorter(y),
        "marker": {"symbol": f"{look.symbol}-open" if hollow else look.symbol, "size": size, "line": {"width": 2 if hollow else 1}},
        "cliponaxis": False,
        "meta": {"o": look.index, "part": "hollow" if hollow else "mark"},
        **hovering(look, hover),
    }


def names_axis(labels: Sequence[str]) -> dict[str, Any]:
    """A vertical axis with one row an entrant, the first at the top."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": [plain(shortened(label)) for label in labels],
        "range": [len(labels) - 0.4, -0.6],
        "showgrid": True,
        "fixedrange": True,
    }


def shortened(label: str, most: int = 24) -> str:
    """A name that leaves room for the chart; hover and table have all of it."""
    return label if len(label) <= most else label[: most - 1] + "…"


def log_axis(values: Sequence[float], title: str) -> dict[str, Any]:
    """A logarithmic axis over positive values, with ticks where people expect them, written out.

    Linear, if there are values that have no logarithm.
    """
    finite = [v for v in values if math.isfinite(v)]
    if not finite or min(finite) <= 0:
        return {"title": {"text": plain(title)}, **({"range": padded(finite)} if finite else {})}
    low, high = math.log10(min(finite)), math.log10(max(finite))
    pad = max(0.05 * (high - low), 0.02)
    low, high = low - pad, high + pad
    width = high - low
    digits = DECIMAL["coarse" if width > 4 else "middle" if width > 2 else "fine" if width > 0.7 else "finest"]
    ticks = [d * 10.0**p for p in range(math.floor(low), math.ceil(high) + 1) for d in digits]
    ticks = [t for t in ticks if low <= math.log10(t) <= high]
    if len(ticks) < 3:  # less than half a decade: evenly spaced ones are as good
        return {"title": {"text": plain(title)}, "type": "log", "range": [low, high], "nticks": 6, "tickformat": "~g"}
    ticktext = [f"{t:.12g}" if 1e-4 <= t < 1e5 else f"{t:.0e}".replace("e-0", "e-").replace("e+0", "e") for t in ticks]
    return {"title": {"text": plain(title)}, "type": "log", "range": [low, high], "tickvals": ticks, "ticktext": ticktext}


def padded(values: Sequence[float]) -> list[float]:
    """A range with some air around the values."""
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return [low - pad, high + pad]
