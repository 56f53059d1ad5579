"""Memory against quality: what an optimizer keeps for each parameter, and how far it ends behind the best."""

import math

from steepest.race.report.charts.chart import Chart, Trace, View, log_axis, marks, plain, shortened
from steepest.race.report.facts import Facts
from steepest.race.report.words import number, percent, times
from steepest.race.statistics import Standing

TOP = 1.12
"""Where those stand that diverged in most runs: above the others, at no height."""


def memory(facts: Facts) -> Chart:
    """Over all tasks."""
    heading = "Memory against quality"
    read = (
        "To the left: less optimizer state for each parameter (float32 Adam keeps 8 bytes). Down: closer to the best result of each task. "
        "Larger marks take longer for a step. Hollow marks in the strip at the top diverged in most runs, at no particular height."
    )
    there = [s for s in facts.table if s.tasks and math.isfinite(s.excess) and math.isfinite(s.costs.state_bytes_per_parameter)]
    if not there:
        return Chart(heading, read, empty="No run for the result is finished yet.")
    return Chart(heading, read, views={"": _view(facts, there)}, height=460)


def _view(facts: Facts, there: list[Standing]) -> View:
    fine = [s for s in there if not s.failed]
    data: list[Trace] = []
    excess = [100 * s.excess for s in fine]
    wide = len(excess) > 1 and min(excess) > 0 and max(excess) / min(excess) > 20
    goal = "mean distance to the best of each task, %"
    axis = log_axis(excess, goal) if wide else {"title": {"text": goal}, "rangemode": "tozero"}
    for s in there:
        look = facts.looks[s.name]
        size = 9 + 7 * min(max(math.log2(s.step_ratio), -0.5), 3) if s.step_ratio > 0 else 10.0
        said = f"{look.label}: {number(s.costs.state_bytes_per_parameter)} bytes of state per parameter, "
        said += "diverged in most runs" if s.failed else f"{percent(s.excess)} behind the best of each task"
        said += f", a step takes {times(s.step_ratio)} that of the baseline"
        at = 0.5 if s.failed else 100 * s.excess
        mark = marks(look, [s.costs.state_bytes_per_parameter], [at], [said], hollow=s.failed, size=max(size, 7) + 3)
        mark |= {"mode": "markers+text", "text": [plain(shortened(look.label, 18))], "textposition": _side(s, fine)}
        data.append(mark | ({"yaxis": "y2"} if s.failed else {}))
    failed = len(fine) < len(there)
    layout = {
        "xaxis": {"title": {"text": "bytes of state per parameter"}, "range": _reach([s.costs.state_bytes_per_parameter for s in there])},
        "yaxis": axis | {"domain": [0, 0.84 if failed else 1]},
    }
    if failed:
        layout["yaxis2"] = {"domain": [0.9, 1], "range": [0, 1], "tickvals": [0.5], "ticktext": ["diverged"], "showgrid": False, "anchor": "x"}
    lean = min(fine or there, key=lambda s: s.costs.state_bytes_per_parameter)
    first = (fine or there)[0]
    title = f"{first.title} ends closest to the best with {number(first.costs.state_bytes_per_parameter)} bytes of state per parameter"
    title += f"; the leanest, {lean.title}, keeps {number(lean.costs.state_bytes_per_parameter)}." if lean is not first else "."
    return View(
        title=title if fine else "Everybody diverged in most runs.",
        data=data,
        layout=layout,
        head=("optimizer", "bytes of state per parameter", "distance to the best", "time of a step, baseline = 1"),
        rows=[
            (s.title, number(s.costs.state_bytes_per_parameter), "diverged" if s.failed else percent(s.excess), times(s.step_ratio))
            for s in there
        ],
    )


def _reach(bytes_: list[float]) -> list[float]:
    """From zero, with room on the right for names."""
    return [-0.04 * max(*bytes_, 8.0), 1.22 * max(*bytes_, 8.0)]


def _side(s: Standing, fine: list[Standing]) -> str:
    """Names of entrants with the same memory go to the right and to the left in turn, by height."""
    column = sorted(
        (o for o in fine if abs(o.costs.state_bytes_per_parameter - s.costs.state_bytes_per_parameter) < 0.5), key=lambda o: o.excess
    )
    return "middle left" if s in column and column.index(s) % 2 and s.costs.state_bytes_per_parameter > 3 else "middle right"
