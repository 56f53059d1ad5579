"""The page itself: sections in order, filled into the template."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from steepest.errors import RaceError
from steepest.files import whole
from steepest.race.record import Race
from steepest.race.report.charts import ALL, Chart
from steepest.race.report.facts import Curves, Facts
from steepest.race.report.html import details, markup_table, paragraph, section, select, table, text
from steepest.race.report.script import embedded, packed, page_data, plotly, runs_csv
from steepest.race.report.setup import setup
from steepest.race.report.swatches import swatch
from steepest.race.report.tables import overall_notes, overall_table, pairs_table, task_tables
from steepest.race.report.words import count
from steepest.race.statistics import audit

CHOICES = {"task": "Task", "measure": "Time", "quantity": "Curve", "axis": "Axis"}
SIGNS = {"kept": "✓", "partly": "◐", "not kept": "✗"}


def write(race: Race, path: str | Path, curves: Curves | None = None) -> None:
    """Write the report of a race.

    Args:
        race: the record, or several joined.
        path: where the page goes; it is replaced whole or not at all.
        curves: the curve of a run; without it the page says that there are no learning curves.
    """
    path, content = Path(path), html(race, curves)
    try:
        with whole(path) as partial:
            partial.write_text(content, encoding="utf-8")
    except OSError as error:
        raise RaceError(f"The report cannot be written to {path}: {error.strerror}. Choose another place with --out.") from error


def html(race: Race, curves: Curves | None = None) -> str:
    """The report of a race as HTML."""
    facts = Facts.of(race, curves)
    charts = {name: make(facts) for name, make in ALL.items()}
    sections = _sections(facts, charts)
    title = f"{count(len(race.entrants), 'optimizer')} on {count(len(race.tasks), 'task')}"
    if len(race.tasks) == 1:
        title = f"{count(len(race.entrants), 'optimizer')} on {facts.tasks[0].title}"
    return _template("page.html").substitute(
        title=text(title),
        style=_template("style.css").template.replace("/* dark */", _template("dark.css").template),
        verdict=_verdict(facts),
        contents="".join(f'<li><a href="#{name}">{text(heading)}</a></li>' for name, heading, _ in sections),
        legend=_legend(facts),
        sections="".join(section(*one) for one in sections),
        data=embedded(page_data(facts, charts)),
        runs=packed(runs_csv(race)),
        plotly=plotly(),
        script=_template("charts.js").template,
    )


def _template(name: str) -> Template:
    return Template(files("steepest.race.report").joinpath("template", name).read_text(encoding="utf-8"))


def _sections(facts: Facts, charts: Mapping[str, Chart]) -> list[tuple[str, str, str]]:
    """Anchor, heading, content."""
    notes = "".join(f"<li>{text(note)}</li>" for note in overall_notes(facts))
    result = overall_table(facts) + f'<ul class="note">{notes}</ul>'
    if len(facts.race.entrants) > 1:
        what = paragraph(
            "Mean relative difference in cost, the row against the column, negative: the row is better; p after Holm's correction. "
            "Bold: told apart. The others are ties."
        )
        result += details("Who can be told from whom", what + pairs_table(facts))
    drawn = [(name, chart.heading, _chart(name, chart)) for name, chart in charts.items()]
    return [
        ("table", "The table", result),
        ("tasks", "Task by task", task_tables(facts)),
        *drawn,
        ("audit", "Audit", _audit(facts)),
        ("setup", "How it was run", setup(facts) + _download()),
    ]


def _verdict(facts: Facts) -> str:
    v = facts.verdict
    limits = "".join(f"<li>{text(limit)}</li>" for limit in v.limits)
    runs = [count(len(facts.race.trials), "run"), count(len(facts.race.tasks), "task"), count(len(facts.race.entrants), "optimizer")]
    gone = sum(t.diverged_at is not None for t in facts.race.trials)
    runs += [f"{gone:,} diverged", f"baseline {facts.label(facts.race.baseline)}" if facts.race.baseline in facts.race.entrants else ""]
    chips = "".join(f"<li>{text(r)}</li>" for r in runs if r)
    return (
        f'<p class="verdict">{text(v.quality)} {text(v.speed)}</p><ul class="chips">{chips}</ul>'
        f'<h2 class="small">What limits this</h2><ul class="limits">{limits}</ul>'
    )


def _legend(facts: Facts) -> str:
    return "".join(
        f'<button type="button" class="chip" aria-pressed="false" data-entrant="{look.index}">'
        f"{swatch(look)}<span>{text(look.label)}</span></button>"
        for look in (facts.looks[e] for e in facts.order)
    )


def _chart(name: str, chart: Chart) -> str:
    if chart.empty:
        return paragraph(chart.empty, "empty")
    first = next(iter(chart.views.values()))
    choices = "".join(select(s, options, CHOICES[s]) for s, options in chart.selectors.items())
    data = table(first.head, first.rows, f"{chart.heading}: data")
    return (
        f'<figure data-chart="{name}"><h3 class="finding" id="{name}-title" aria-live="polite">{text(first.title)}</h3>'
        f"{f'<div class={chr(34)}choices{chr(34)}>{choices}</div>' if choices else ''}"
        f'<div class="chart" id="chart-{name}" role="img" aria-labelledby="{name}-title" aria-describedby="{name}-read"></div>'
        f'<figcaption id="{name}-read">{text(chart.read)}</figcaption>'
        f"{details('The same as a table', data, extra='class=data')}</figure>"
    )


def _audit(facts: Facts) -> str:
    found = audit(facts.race)
    counts = {status: sum(f.status == status for f in found) for status in SIGNS}
    said = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
    rows = [
        [
            f'<span class="number">{f.number}</span> {text(f.demand)}',
            f'<span class="status {f.status.replace(" ", "-")}"><span aria-hidden="true">{SIGNS[f.status]}</span> {f.status}</span>',
            text(f.how),
        ]
        for f in found
    ]
    intro = paragraph(
        f"The {len(found)} points that a reviewer demands of a comparison of optimizers, each checked on the record of this race: {said}."
    )
    return intro + markup_table(["demand", "", "how"], rows, "The audit", words=True)


def _download() -> str:
    return (
        '<p><button type="button" id="download" class="button">Download all runs as CSV</button> '
        '<span class="note">Every run, failed ones included; it is part of this file.</span></p>'
    )
