"""`race.html`: one file with everything in it, that works without a network."""

import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from steepest.race.extra import NeedsExtra
from steepest.race.figures import DASHES, all_figures, look
from steepest.race.record import Race
from steepest.race.statistics import Standing

with NeedsExtra():
    from plotly.io import to_json
    from plotly.offline import get_plotlyjs

COLUMNS = ("optimizer", "test accuracy", "steps to target", "ms/step", "bytes/param", "lr")
COLOURS = 9
"""How many colours report.html has; more optimizers share them, with other dashes."""


def write(race: Race, found: Sequence[Standing], path: Path) -> None:
    """Write the report of a race."""
    path.write_text(page(race, found), encoding="utf-8")


def page(race: Race, found: Sequence[Standing]) -> str:
    """The report of a race as HTML."""
    charts = ",".join(f'"{name}": {to_json(figure)}' for name, figure in all_figures(race, found).items())
    task = race.task
    words = {
        "title": f"{_count(len(found))} on {task.title}",
        "task": task.description,
        "verdict": verdict(found),
        "run_count": f"{len(race.runs):,}",
        "pace": pace(found, race),
        "optimizers": _count(len(found)),
        "trials": max(len(entry.grid) for entry in race.entries.values()),
        "tuning_seeds": _listed(race.tuning_seeds),
        "evaluation_seeds": _listed(race.evaluation_seeds),
        "n_tuning": len(race.tuning_seeds),
        "n_seeds": len(race.evaluation_seeds),
        "train": f"{task.train:,}",
        "validation": f"{task.validation:,}",
        "test": f"{task.test:,}",
        "batch": task.batch,
        "steps": task.steps,
        "every": task.every,
        "schedule": race.schedule,
        "parameters": f"{task.parameters:,}",
        "target": f"{100 * task.target:g} %",
        "target_reason": task.target_reason,
        "guess": f"{100 * task.guess:g} %",
        "one_example": f"{100 / task.test:.2g} %",
        "duration": duration(race.seconds),
        "started": race.started.replace("T", " ").removesuffix("+00:00") + " UTC",
    }
    blocks = {
        "chips": _chips(race),
        "table": _table(race, found),
        "legend": "<br>".join(escape(note) for note in legend(found, race)),
        "strategies": _strategies(race),
        "environment": "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in race.environment.items()),
        "plotly": get_plotlyjs(),
        "figures": "{" + charts.replace("</", "<\\/") + "}",
    }
    template = Template(files("steepest.race").joinpath("report.html").read_text(encoding="utf-8"))
    unbroken = {name: escape(str(word)).replace(" %", "&nbsp;%") for name, word in words.items()}
    return template.substitute(unbroken | blocks)


def verdict(found: Sequence[Standing]) -> str:
    """What the figures allow to say about who is first, and no more."""
    first, others = found[0], found[1:]
    start = f"{first.title} has the best mean test accuracy, {100 * first.test_accuracy.mean:.1f} %"
    if not others:
        return f"{start}: it raced alone."
    if len(first.test_accuracies) == 1:
        return f"{start}, of one seed each: too few to say whether it is better."
    tied = [s.title for s in others if s.tied]
    if not tied:
        return f"{start}, and this race can tell it from all others."
    if len(tied) == len(others):
        return f"{start}, but this race cannot tell it from any of the others."
    return f"{start}, but this race cannot tell it from {_and(tied)}."


def pace(found: Sequence[Standing], race: Race) -> str:
    """Who needed the fewest steps to the target, in the median."""
    target = f"{100 * race.task.target:g} % validation accuracy"
    fewest = min(s.steps_to_target for s in found)
    if not math.isfinite(fewest):
        return f"None reached {target} in half of its runs."
    fastest = _and([s.title for s in found if s.steps_to_target == fewest])
    return f"{fastest} reached {target} in the fewest steps: {fewest:g} in the median."


def rows(found: Sequence[Standing], race: Race) -> list[list[str]]:
    """The table, as text, one entry for each of COLUMNS."""
    seeds = len(race.evaluation_seeds)
    return [
        [
            s.title,
            f"{'≈ ' if s in found[1:] and s.tied and seeds > 1 else ''}{100 * s.test_accuracy.mean:.1f} ± {_half_width(s)}",
            _steps(s, seeds),
            f"{s.milliseconds_per_step:.3f}",
            f"{s.state_bytes_per_parameter:.4g}",
            f"{'! ' if s.edge else ''}{s.lr:g}",
        ]
        for s in found
    ]


def legend(found: Sequence[Standing], race: Race) -> list[str]:
    """What the table's columns and signs mean, as far as they are there."""
    seeds = len(race.evaluation_seeds)
    mean = f"mean ± 95 % interval over {seeds} seeds (Student's t)" if seeds > 1 else "one seed, no interval"
    notes = [f"test accuracy in %: {mean}"]
    if seeds > 1 and any(s.tied for s in found[1:]):
        notes.append("≈ this race cannot tell it from the first: their intervals overlap")
    notes.append(f"steps to {100 * race.task.target:g} % validation accuracy: median over the seeds, a miss counts as never")
    notes.append("ms/step: of optimizer.step() alone; bytes/param: optimizer state for each parameter")
    if any(s.edge for s in found):
        notes.append("! the best learning rate lies at an end of its grid: a better one may lie outside")
    for what, count in (("tuning", sum(s.diverged_in_tuning for s in found)), ("evaluation", sum(s.diverged_in_evaluation for s in found))):
        if count:
            notes.append(f"{count} {'run' if count == 1 else 'runs'} diverged in {what} and counted as guessing")
    return notes


def duration(seconds: float) -> str:
    """As people say it: `2 min 5 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _half_width(s: Standing) -> str:
    half = s.test_accuracy.half_width
    return f"{100 * half:.1f}" if math.isfinite(half) else "?"


def _steps(s: Standing, seeds: int) -> str:
    missed = f" ({s.reached} of {seeds})" if s.reached < seeds else ""
    return (f"{s.steps_to_target:g}" if math.isfinite(s.steps_to_target) else "never") + missed


def _count(n: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
    return f"{words[n] if n < len(words) else n} optimizer{'s' * (n != 1)}"


def _listed(seeds: Sequence[int]) -> str:
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _table(race: Race, found: Sequence[Standing]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in COLUMNS)
    body = ""
    for s, (name, *cells) in zip(found, rows(found, race), strict=True):
        dot = f'<span class="dot" style="background:var(--o{look(race, s.optimizer)[0] % COLOURS})"></span>'
        body += f'<tr><th scope="row">{dot}{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _chips(race: Race) -> str:
    strokes: dict[str, str] = dict(zip(DASHES, ("none", "7 3", "2 3", "7 3 2 3"), strict=True))
    chips = ""
    for name, entry in race.entries.items():
        colour, dash, _ = look(race, name)
        stroke = f'stroke="var(--o{colour % COLOURS})" stroke-width="3" stroke-dasharray="{strokes[dash]}"'
        picture = f'<svg aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" {stroke}/></svg>'
        chips += f'<button type="button" aria-pressed="false" data-optimizer="{escape(name)}">{picture}{escape(entry.title)}</button>'
    return chips


def _strategies(race: Race) -> str:
    rows = ""
    for entry in race.entries.values():
        tried = ", ".join(f"{lr:g}" for lr in entry.grid)
        cells = escape(entry.title), f"<code>{escape(entry.strategy)}</code>", tried, escape(entry.paper)
        rows += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    return rows
