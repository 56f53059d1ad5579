"""All tuning trials along each axis of the search spaces, with a flag where the best ones lie at an edge."""

from collections.abc import Sequence

from steepest.race.record import TaskFacts, Trial
from steepest.race.report.charts.chart import Chart, Selector, Trace, View, log_axis, marks, padded, plain
from steepest.race.report.facts import Facts
from steepest.race.report.words import capital, count, number
from steepest.race.statistics import Edge, edges
from steepest.race.statistics.values import best, search

NAMES = {"lr": "learning rate", "weight_decay": "weight decay", "warmup": "warm-up, share of the run", "eps": "epsilon"}


def searched(facts: Facts) -> Chart:
    """Of all tasks, one view an axis."""
    heading = "All tuning trials"
    read = (
        "Every trial of every search, diverged ones as hollow marks at what guessing scores. Ringed: the best of "
        "each search, which was chosen. "
        "A ! says that most of an optimizer's best points lie in the outer tenth of its range at the same end: "
        "a better one may lie outside, and there the optimizer is untuned."
    )
    axes = list(dict.fromkeys(a.name for e in facts.race.entrants.values() for a in e.space))
    if not facts.tuned or not axes:
        return Chart(heading, read, empty="Nothing was tuned in this race: everybody ran with its defaults.")
    selectors: dict[Selector, dict[str, str]] = {
        "task": {facts.keys[t.name]: t.title for t in facts.tasks},
        "axis": {str(i): NAMES.get(a, a) for i, a in enumerate(axes)},
    }
    views: dict[str, View] = {}
    for t in facts.tasks:
        trials = {e: search(facts.race, e, t.name) for e in facts.order}
        flagged = [edge for e in facts.order for edge in edges(facts.race, e, t.name)]
        if any(trials.values()):
            views |= {f"{facts.keys[t.name]}|{i}": _view(facts, t, a, trials, flagged) for i, a in enumerate(axes)}
    return Chart(heading, read, selectors, views, height=460)


def _view(facts: Facts, task: TaskFacts, axis: str, trials: dict[str, dict[int, list[Trial]]], flagged: Sequence[Edge]) -> View:
    data: list[Trace] = []
    seen_x: list[float] = []
    seen_y: list[float] = []
    here = [edge for edge in flagged if edge.axis == axis]
    rows: list[tuple[str, ...]] = []
    log = any(a.log for e in facts.race.entrants.values() for a in e.space if a.name == axis)
    for e, studies in trials.items():
        look = facts.looks[e]
        own = [t for some in studies.values() for t in some if axis in t.point]
        space = next((a for a in facts.race.entrants[e].space if a.name == axis), None)
        if not own or space is None:
            continue
        seen_x += [t.point[axis] for t in own]
        seen_y += [t.validation for t in own]
        for hollow in (False, True):
            some = [t for t in own if (t.diverged_at is not None) == hollow]
            if some:
                dots = marks(look, [t.point[axis] for t in some], [t.validation for t in some], _hover(hollow), hollow=hollow, size=8)
                data.append(dots | {"customdata": [[t.study + 1, t.number + 1] for t in some]})
        chosen = [best(some, task) for some in studies.values()]
        edge = next((one for one in here if one.entrant == e), None)
        said = [_said(look.label, t) + ", chosen" + ("; at the edge" if edge else "") for t in chosen]
        ring = marks(look, [t.point[axis] for t in chosen], [t.validation for t in chosen], said, size=17)
        ring["marker"] |= {"symbol": "circle-open", "line": {"width": 2}}
        data.append(ring)
        if edge:
            x = max(t.point[axis] for t in chosen) if edge.end == "high" else min(t.point[axis] for t in chosen)
            y = next(t.validation for t in chosen if t.point[axis] == x)
            ring |= {"mode": "markers+text", "text": ["<b>!</b>" if t.point[axis] == x and t.validation == y else "" for t in chosen]}
            ring["textposition"] = "middle right" if edge.end == "low" else "middle left"
        rows.append(
            (
                look.label,
                f"{space.low:.3g} to {space.high:.3g}" + (", log" if space.log else ""),
                ", ".join(f"{t.point[axis]:.3g}" for t in chosen),
                f"! {edge.end} end, {edge.studies} of {edge.of} searches" if edge else "inside",
            )
        )
    name = NAMES.get(axis, axis)
    title = f"{capital(task.title)}: {count(len(here), 'optimizer')} found the best {name.split(',')[0]} at an edge of the range"
    title += f": {', '.join(facts.label(edge.entrant) for edge in here)}." if here else "."
    x_axis = log_axis(seen_x, name) if log else {"title": {"text": plain(name)}, **({"range": padded(seen_x)} if seen_x else {})}
    return View(
        title=title if here else f"{capital(task.title)}: no best {name.split(',')[0]} lies at an edge of its range.",
        data=data,
        layout={"xaxis": x_axis, "yaxis": log_axis(seen_y, f"{task.metric} on validation data")},
        head=("optimizer", "range", "chosen, by search", "edge"),
        rows=rows,
    )


def _hover(diverged: bool) -> str:
    return ", search %{customdata[0]}, trial %{customdata[1]}: " + ("diverged" if diverged else "%{y:.4g}") + " at %{x:.3g}"


def _said(label: str, t: Trial) -> str:
    point = ", ".join(f"{NAMES.get(k, k).split(',')[0]} {v:.3g}" for k, v in t.point.items())
    end = f"diverged at step {t.diverged_at:,}" if t.diverged_at is not None else number(t.validation, 4)
    return f"{label}, search {t.study + 1}, trial {t.number + 1}: {end} ({point})"
