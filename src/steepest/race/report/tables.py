"""The tables of the result: over all tasks, on each task, and of all pairs of entrants."""

import math
from collections.abc import Callable

from steepest.race.record import TaskFacts, Trial
from steepest.race.report.facts import Facts
from steepest.race.report.html import markup_table, select, text
from steepest.race.report.swatches import swatch
from steepest.race.report.words import NONE, factor, number, percent, rate, times
from steepest.race.statistics import Interval, Standing, costs, edges, time_interval
from steepest.race.statistics.comparing import between
from steepest.race.statistics.values import best, final_purpose, of, search

FLAG = '<abbr class="flag" title="the best value lies at an edge of its range">!</abbr>'


def overall_table(facts: Facts) -> str:
    """One row an entrant, over all tasks."""
    head = (
        "optimizer",
        "place",
        "behind the best",
        "score",
        "speed-up in steps",
        "missed",
        "diverged",
        "state, bytes per parameter",
        "time of a step",
        "untuned",
    )
    rows = [_overall(facts, s) for s in facts.table]
    group = sum(s.tied_with_best for s in facts.table)
    classes = ["tie" if s.tied_with_best and group > 1 else "winner" if s.winner else "failed" if s.failed else "" for s in facts.table]
    return markup_table(head, rows, "All tasks together", classes=classes)


def _overall(facts: Facts, s: Standing) -> list[str]:
    o, c = s.speedup, s.costs
    group = sum(other.tied_with_best for other in facts.table)
    speed = "baseline" if s.name == facts.race.baseline else NONE
    if o is not None and o.both:
        speed = two_lines(o.factor, factor, extra=f"on {o.both} of {o.tasks}" if o.both < o.tasks else "")
    missed = rate(c.missed_final) if facts.has_targets else NONE
    lr = sum(edge.axis == "lr" for edge in s.edges)
    flags = NONE if not facts.tuned else "none"
    if s.edges:
        flags = f'{FLAG} {len(s.edges)} {"axis" if len(s.edges) == 1 else "axes"}<span class="range">{lr} of lr</span>'
    return [
        name_cell(facts, s.name),
        f'<abbr title="cannot be told from the first">={s.place}</abbr>' if s.tied_with_best and group > 1 else str(s.place),
        NONE if math.isnan(s.excess) else "diverged" if s.failed else text(percent(s.excess)),
        two_lines(s.score, lambda v: f"{v:.2f}") if facts.has_targets else NONE,
        speed,
        text(missed),
        _both(rate(c.diverged_tuning), rate(c.diverged_final)),
        number(c.state_bytes_per_parameter),
        text(times(s.step_ratio)),
        flags,
    ]


def overall_notes(facts: Facts) -> list[str]:
    """What the columns mean."""
    group = sum(s.tied_with_best for s in facts.table)
    notes = [
        "small figures: 95 % intervals; behind the best: how much higher the cost is than that of the best "
        "entrant of each task, the mean over tasks",
        "missed, diverged: of the runs for the result; below it, of the runs for tuning",
        "time of a step: optimizer.step() alone, as a multiple of the baseline's; milliseconds stand in the table of each task",
    ]
    if group > 1:
        first = facts.table[0].title
        notes.insert(0, f"=1: {first} and {group - 1} that this race cannot tell from it; their order is no result")
    if any(s.edges for s in facts.table):
        notes.append("!: the best value of a hyperparameter lies at an edge of its range on some task; a better one may lie outside")
    if facts.has_targets:
        notes.append("score: the area below the performance profile, 1 is fastest everywhere; speed-up: geometric mean over the baseline")
    return notes


def task_tables(facts: Facts) -> str:
    """One table a task, of which the page shows the chosen one."""
    chooser = select("task", {facts.keys[t.name]: t.title for t in facts.tasks}, "Task")
    return chooser + "".join(f'<div data-panel="task" data-key="{facts.keys[t.name]}">{_task_table(facts, t)}</div>' for t in facts.tasks)


def _task_table(facts: Facts, task: TaskFacts) -> str:
    goal = f"{'≥' if task.higher_is_better else '≤'} {number(task.target)}" if task.target is not None else ""
    head = (
        "optimizer",
        text(task.metric),
        f"steps to {text(goal)}" if goal else "steps to target",
        f"seconds to {text(goal)}" if goal else "seconds to target",
        "missed",
        "diverged",
        "ms a step",
        "state, bytes per parameter",
        "learning rate, by search",
    )
    return markup_table(head, [_task_row(facts, s, task) for s in facts.table], task.title)


def _task_row(facts: Facts, s: Standing, task: TaskFacts) -> list[str]:
    bill = costs(facts.race, s.name, task.name)
    steps = took = "no target"
    if task.target is not None:
        steps = two_lines(time_interval(facts.times("steps")[s.name][task.name]))
        took = two_lines(time_interval(facts.times("seconds")[s.name][task.name]))
    return [
        name_cell(facts, s.name),
        two_lines(s.finals[task.name]) if task.name in s.finals else NONE,
        steps,
        took,
        text(rate(bill.missed_final)),
        _both(rate(bill.diverged_tuning), rate(bill.diverged_final)),
        number(bill.step_ms.middle),
        number(bill.state_bytes_per_parameter),
        _rates(facts, s.name, task),
    ]


def _rates(facts: Facts, entrant: str, task: TaskFacts) -> str:
    """What tuning chose in each search, or the default."""
    tried = search(facts.race, entrant, task.name)
    chosen: list[Trial] = [best(trials, task) for trials in tried.values()]
    if not chosen:
        chosen = of(facts.race, final_purpose(facts.race), entrant, task.name)[:1]
    first, *others = [f"{t.point['lr']:.2g}" for t in chosen if "lr" in t.point] or [NONE]
    flags = "".join(f"{FLAG}&nbsp;{edge.end} " for edge in edges(facts.race, entrant, task.name) if edge.axis == "lr")
    return flags + text(first) + (f'<span class="range">{text(", ".join(others))}</span>' if others else "")


def pairs_table(facts: Facts) -> str:
    """Who can be told from whom: the row against the column."""
    order = facts.order
    rows: list[list[str]] = []
    for a in order:
        cells = [name_cell(facts, a)]
        for b in order:
            if a == b:
                cells.append('<span class="self">·</span>')
                continue
            c = between(facts.comparisons, a, b)
            said = text(f"{percent(c.difference.middle)}, p = {number(c.adjusted, 2)}")
            cells.append(f"<strong>{said}</strong>" if c.told_apart else f'<span class="quiet">{said}</span>')
        rows.append(cells)
    return markup_table(["row against column", *(text(facts.label(e)) for e in order)], rows, "All pairs")


def name_cell(facts: Facts, entrant: str) -> str:
    """Its picture and its label."""
    return f'<span class="who">{swatch(facts.looks[entrant])}{text(facts.label(entrant))}</span>'


def two_lines(i: Interval, said: Callable[[float], str] = number, extra: str = "") -> str:
    """A value with its interval below it, small, if that is known and says anything."""
    below = [extra] if extra else []
    if (
        i.known
        and i.low < i.high
        and not (i.low <= 0 and math.isinf(i.high))
        and not math.isnan(i.middle)
        and (math.isfinite(i.low) or math.isfinite(i.high))
    ):
        below.insert(0, f"{said(i.low)} to {said(i.high)}")
    return text(said(i.middle)) + "".join(f'<span class="range">{text(b)}</span>' for b in below)


def _both(tuning: str, final: str) -> str:
    return text(final) if tuning == NONE else f'{text(final)}<span class="range">{text(tuning)}</span>'
