"""Memory against quality: what an optimizer keeps for each parameter, and how far it ends behind the best."""

import math
from collections import Counter
from typing import Any

from steepest.race.report.charts.chart import Chart, Trace, View, log_axis, marks, plain, shortened
from steepest.race.report.facts import Facts
from steepest.race.report.words import number, percent, times
from steepest.race.statistics import Standing

HEIGHT = 480
STEP = 17
"""Pixels between two names."""


def memory(facts: Facts) -> Chart:
    """Over all tasks."""
    heading = "Memory against quality"
    read = (
        "To the left: less optimizer state for each parameter (Adam keeps 8 bytes in float32). Down: closer to "
        "the best result of each task. "
        "Larger marks take longer for a step. Hollow marks in the strip at the top diverged in most runs, at no particular height. "
        "On a small screen names are written where they are brought forward."
    )
    there = [s for s in facts.table if s.tasks and math.isfinite(s.excess) and math.isfinite(s.costs.state_bytes_per_parameter)]
    if not there:
        return Chart(heading, read, empty="No run for the result is finished yet.")
    return Chart(heading, read, views={"": _view(facts, there)}, height=HEIGHT)


def _view(facts: Facts, there: list[Standing]) -> View:
    fine = [s for s in there if not s.failed]
    excess = [100 * s.excess for s in fine]
    goal = "mean distance to the best of each task, %"
    if len(excess) > 1 and min(excess) > 0 and max(excess) / min(excess) > 20:
        axis = log_axis(excess, goal)
    else:
        axis = {"title": {"text": goal}, "range": [-0.05 * max([*excess, 1.0]), 1.08 * max([*excess, 1.0])]}
    failed = len(fine) < len(there)
    top = 0.84 if failed else 1.0
    widest = max([8.0, *(s.costs.state_bytes_per_parameter for s in there)])
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "bytes of state per parameter"}, "range": [-0.04 * widest, 1.22 * widest]},
        "yaxis": axis | {"domain": [0, top]},
        "annotations": _names(facts, fine, axis, top) + [_name(facts, s, 0.5, "right", 0, "y2") for s in there if s.failed],
    }
    if failed:
        layout["yaxis2"] = {
            "domain": [0.9, 1],
            "range": [0, 1],
            "tickvals": [0.5],
            "ticktext": ["diverged"],
            "showgrid": False,
            "anchor": "x",
        }
    lean = min(fine or there, key=lambda s: s.costs.state_bytes_per_parameter)
    first = (fine or there)[0]
    title = f"{first.title} ends closest to the best with {number(first.costs.state_bytes_per_parameter)} bytes of state per parameter"
    title += f"; the leanest, {lean.title}, keeps {number(lean.costs.state_bytes_per_parameter)}." if lean is not first else "."
    return View(
        title=title if fine else "Everybody diverged in most runs.",
        data=[_mark(facts, s) for s in there],
        layout=layout,
        head=("optimizer", "bytes of state per parameter", "distance to the best", "time of a step, baseline = 1"),
        rows=[
            (s.title, number(s.costs.state_bytes_per_parameter), "diverged" if s.failed else percent(s.excess), times(s.step_ratio))
            for s in there
        ],
    )


def _mark(facts: Facts, s: Standing) -> Trace:
    look, bytes_ = facts.looks[s.name], s.costs.state_bytes_per_parameter
    size = 11 + 5 * min(max(math.log2(s.step_ratio), -1), 3) if s.step_ratio > 0 else 11.0
    said = f"{look.label}: {number(bytes_)} bytes of state per parameter, "
    said += "diverged in most runs" if s.failed else f"{percent(s.excess)} behind the best of each task"
    said += f", a step takes {times(s.step_ratio)} that of the baseline"
    mark = marks(look, [bytes_], [0.5 if s.failed else 100 * s.excess], [said], hollow=s.failed, size=size)
    return mark | ({"yaxis": "y2"} if s.failed else {})


def _names(facts: Facts, fine: list[Standing], axis: dict[str, Any], top: float) -> list[dict[str, Any]]:
    """Names beside their marks: in a column of equal memory to the right and to the left in turn, pushed apart where they would meet."""
    log, (low, high) = axis.get("type") == "log", axis["range"]
    # Pixels up from the bottom; the rest of the height is for the axis and its title.
    pixels = {s.name: ((math.log10(100 * s.excess) if log else 100 * s.excess) - low) / (high - low) * top * (HEIGHT - 90) for s in fine}
    placed: dict[tuple[int, str], float] = {}
    made: list[dict[str, Any]] = []
    seen: Counter[int] = Counter()
    for s in sorted(fine, key=lambda s: s.excess):
        column = round(s.costs.state_bytes_per_parameter)
        side = "left" if seen[column] % 2 and column > 3 else "right"
        seen[column] += 1
        at = max(pixels[s.name], placed.get((column, side), -math.inf) + STEP)
        placed[column, side] = at
        height = math.log10(100 * s.excess) if log else 100 * s.excess
        made.append(_name(facts, s, height, side, at - pixels[s.name], "y"))
    return made


def _name(facts: Facts, s: Standing, y: float, side: str, up: float, axis: str) -> dict[str, Any]:
    look = facts.looks[s.name]
    return {
        "x": s.costs.state_bytes_per_parameter,
        "y": y,
        "yref": axis,
        "text": plain(shortened(look.label, 18)),
        "name": f"o{look.index}",  # whose it is: annotations have no `meta`
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1,
        "standoff": 8,
        "ax": 16 if side == "right" else -16,
        "ay": -round(up),
        "xanchor": "left" if side == "right" else "right",
    }
