"""The page shows what the statistics say: the embedded data of each chart and the cells of each table, against them."""

import csv
import gzip
import io
import math
from base64 import b64decode
from statistics import median

import pytest

from steepest.race import statistics as stats
from steepest.race.report import html
from steepest.race.report.facts import Facts
from steepest.race.report.words import factor
from steepest.race.statistics.values import best, search
from tests.race.report.curves import curve
from tests.race.report.reading import Page
from tests.race.synthetic import Racer, race

RACERS = [
    Racer("adamw"),
    Racer("good", quality=-0.3, speed=1.4, state_bytes=4.0, step_ms=2.0),
    Racer("twin", quality=-0.3, speed=1.4),
    Racer("edgy", lr=9e-2),
    Racer("misser", quality=0.1, misses=1.0),
    Racer("brittle", diverges_above=3.0),
    Racer("wreck", diverges=1.0),
]


@pytest.fixture(scope="module")
def record():
    return race(RACERS, tasks=3, trials=8, sensitivity=True, defaults=True)


@pytest.fixture(scope="module")
def facts(record):
    return Facts.of(record)


@pytest.fixture(scope="module")
def page(record):
    return Page(html(record, curve))


def near(values, expected) -> bool:
    return [None if v is None else pytest.approx(v, rel=1e-3, abs=1e-9) for v in values] == list(expected)


def test_every_section_is_there_in_order_and_can_be_reached(page):
    expected = ["table", "tasks", "finals", "profile", "targets", "speed", "memory", "losses", "sensitivity", "budget", "searched"]
    assert list(page.sections) == [*expected, "audit", "setup"]
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    assert links == ["#main", "#main", *(f"#{s}" for s in page.sections)]
    assert list(page.charts) == expected[2:]


def test_the_verdict_and_its_limits(page, record):
    said = stats.verdict(record)
    text = html(record).replace("&nbsp;", " ").replace("&#x27;", "'")
    for sentence in (said.quality, said.speed, *said.limits):
        assert sentence in text


def test_the_table_has_everybody_with_ties_as_ties(page, facts):
    rows = page.rows["All tasks together"][1:]
    assert [r[0] for r in rows] == [s.title for s in facts.table]
    tied = [s for s in facts.table if s.tied_with_best]
    assert {s.name for s in tied} == {"good", "twin"}
    assert [r[1] for r in rows] == ["=1", "=1", "3", "4", "5", "6", "7"]
    for row, s in zip(rows, facts.table, strict=True):
        assert row[3].startswith(f"{s.score.middle:.2f}")
        assert row[5] == f"{s.costs.missed_final.count} of {s.costs.missed_final.of}"
        assert row[6] == f"{s.costs.diverged_final.count} of 45" + f"{s.costs.diverged_tuning.count} of 72"
    wreck = next(r for r in rows if r[0] == "Wreck")
    assert wreck[2] == "diverged"
    assert wreck[6] == "45 of 4572 of 72"
    assert next(r for r in rows if r[0] == "Edgy")[9].startswith("!")


def test_the_table_of_a_task(page, facts):
    rows = {r[0]: r for r in page.rows["Task 1"][1:]}
    for s in facts.table:
        result, steps = s.finals["task-1"], stats.time_interval(facts.times("steps")[s.name]["task-1"])
        row = rows[s.title]
        assert row[1].startswith(f"{result.middle:.3g}"[:5])
        assert row[2].startswith(f"{steps.middle:,.0f}" if math.isfinite(steps.middle) else "never")
        assert row[3].startswith("never") == math.isinf(steps.middle)
    assert rows["Misser"][4] == "15 of 15"
    chosen = [best(trials, facts.race.tasks["task-1"]).point["lr"] for trials in search(facts.race, "adamw", "task-1").values()]
    assert rows["Adamw"][8].removeprefix("! ") == f"{chosen[0]:.2g}" + ", ".join(f"{lr:.2g}" for lr in chosen[1:])
    assert "! high" in rows["Edgy"][8].replace("\xa0", " ")


def test_finals_show_every_run_and_keep_the_diverged_ones(page, facts):
    marks, hollow = page.traces("finals", "0", part="mark"), page.traces("finals", "0", part="hollow")
    for name, look in facts.looks.items():
        runs = [t for t in facts.race.trials if (t.task, t.optimizer, t.purpose) == ("task-0", name, "evaluation")]
        fine = [t.test for t in runs if t.diverged_at is None]
        if name == "wreck":
            assert look.index not in marks
            assert "15 of 15 diverged" in hollow[look.index][0]["hovertext"][0]
        else:
            ticks, middle = marks[look.index]
            assert near(sorted(ticks["x"]), sorted(fine))
            assert near(middle["x"], [facts.table[facts.order.index(name)].finals["task-0"].middle])


@pytest.mark.parametrize("measure", ["steps", "seconds"])
def test_profiles_and_bands(page, facts, measure):
    found = stats.profiles(facts.times(measure))
    lines, bands = (page.traces("profile", measure, part=part) for part in ("line", "band"))
    assert len(lines) == len(RACERS)
    for name, look in facts.looks.items():
        [line], [band] = lines[look.index], bands[look.index]
        assert near(line["y"], found[name].share)
        assert min(band["y"]) == pytest.approx(min(found[name].low), abs=1e-3)
        assert max(band["y"]) == pytest.approx(max(found[name].high), abs=1e-3)


def test_times_to_target_with_a_column_for_never(page, facts):
    for task in facts.tasks:
        for measure in stats.MEASURES:
            key = f"{facts.keys[task.name]}|{measure}"
            times = stats.times_to_target(facts.times(measure))
            traces = page.traces("targets", key, part="mark") | page.traces("targets", key, part="hollow")
            for name, look in facts.looks.items():
                first = traces[look.index][0]
                time = times[name][task.name]
                if math.isfinite(time):
                    assert near(first["x"], [time])
                    assert "xaxis" not in first
                else:
                    assert first["xaxis"] == "x2"
            assert page.view("targets", key)["figure"]["layout"]["xaxis2"]["ticktext"] == ["never"]


def test_speed_ups_are_grey_where_they_are_noise(page, facts):
    cells = stats.speedups(facts.times("steps"), "adamw")
    [heat], [noise] = (page.traces("speed", "steps", part=part)[-1] for part in ("heat", "noise"))
    order = [e for e in facts.order if e != "adamw"]
    for i, e in enumerate(order):
        for j, task in enumerate(facts.tasks, 1):
            s = cells[e][task.name]
            assert (heat["z"][i][j] is None) == (s.noise or s.outcome == "neither")
            assert (noise["z"][i][j] is None) == (not s.noise and s.outcome != "neither")
            text = heat["text"][i][j] or noise["text"][i][j]
            assert text == ("never" if s.outcome == "only the baseline" else factor(s.factor))
    assert any(noise["z"][i][j] is not None for i in range(len(order)) for j in range(1, 4))
    assert heat["text"][order.index("misser")][1] == "never"


def test_memory_against_quality(page, facts):
    marks = page.traces("memory", part="mark") | page.traces("memory", part="hollow")
    for s in facts.table:
        [mark] = marks[facts.looks[s.name].index]
        assert mark["x"] == [s.costs.state_bytes_per_parameter]
        if not s.failed:
            assert near(mark["y"], [100 * s.excess])
    assert marks[facts.looks["wreck"].index][0]["yaxis"] == "y2"


def test_curves_are_medians_with_all_runs_in_their_band(page, facts):
    lines, bands = page.traces("losses", "2|validation", part="line"), page.traces("losses", "2|validation", part="band")
    runs = [curve(t) for t in facts.race.trials if (t.task, t.optimizer, t.purpose) == ("task-2", "good", "evaluation")]
    line, schedule = lines[facts.looks["good"].index]
    assert near(line["y"], [median(c.validation[i] for c in runs) for i in range(20)])
    assert line["x"] == list(runs[0].marks)
    [band] = bands[facts.looks["good"].index]
    assert band["y"][0] == pytest.approx(max(c.validation[0] for c in runs), rel=1e-3)
    assert band["y"][-1] == pytest.approx(min(c.validation[0] for c in runs), rel=1e-3)
    assert schedule["yaxis"] == "y2"
    assert near(schedule["y"], [r / max(runs[0].lr) for r in runs[0].lr])
    # Who diverged counts as guessing from there on.
    assert lines[facts.looks["wreck"].index][0]["y"][-1] == 0.9


def test_sensitivity_keeps_diverged_learning_rates_visible(page, facts):
    lines, hollow = page.traces("sensitivity", "1", part="line"), page.traces("sensitivity", "1", part="hollow")
    for name, look in facts.looks.items():
        s = stats.sensitivity(facts.race, name, "task-1")
        [line] = lines[look.index]
        good = [p for p in s.points if p.diverged * 2 <= p.trials]
        assert near(line["x"], [p.multiple for p in good])
        assert near(line["y"], [p.metric for p in good])
        bad = [p.multiple for p in s.points if p.diverged]
        assert near(hollow[look.index][0]["x"], bad) if bad else look.index not in hollow
        row = next(r for r in page.view("sensitivity", "1")["rows"] if r[0] == look.label)
        assert row[2].startswith("–" if math.isnan(s.s) else f"{s.s:.2g}"[:4])
    top = facts.looks["brittle"].index
    assert hollow[top][0]["marker"]["symbol"].endswith("-open")
    assert hollow[top][0]["yaxis"] == "y2"


def test_budget_curves_with_the_defaults_at_nothing(page, facts):
    lines, marks = page.traces("budget", "0", part="line"), page.traces("budget", "0", part="mark")
    for name, look in facts.looks.items():
        found = stats.race_budget(facts.race, name, "task-0")
        assert lines[look.index][0]["x"] == [b.k for b in found]
        assert near(lines[look.index][0]["y"], [b.mean for b in found])
        assert marks[look.index][0]["x"] == [0]
        assert near(marks[look.index][0]["y"], [stats.defaults_metric(facts.race, name, "task-0")])


def test_all_trials_are_there_and_edges_flagged(page, facts):
    key = "0|0"  # the first task's learning rates
    dots, hollow = page.traces("searched", key, part="mark"), page.traces("searched", key, part="hollow")
    for name, look in facts.looks.items():
        trials = [t for t in facts.race.trials if (t.task, t.optimizer, t.purpose) == ("task-0", name, "tuning")]
        shown = [x for trace in (*dots.get(look.index, [])[:-1], *hollow.get(look.index, [])) for x in trace["x"]]
        assert near(sorted(shown), sorted(t.point["lr"] for t in trials))
    ring = dots[facts.looks["edgy"].index][-1]
    assert "<b>!</b>" in ring["text"]
    flagged = {e.entrant for e in stats.all_edges(facts.race) if (e.task, e.axis) == ("task-0", "lr")}
    said = {r[0]: r[3] for r in page.view("searched", key)["rows"]}
    assert {label for label, edge in said.items() if edge != "inside"} == {facts.label(e) for e in flagged}


def test_the_audit_has_all_points(page, record):
    rows = page.rows["The audit"][1:]
    found = stats.audit(record)
    assert [(r[0], r[1][2:], r[2]) for r in rows] == [(f"{f.number} {f.demand}", f.status, f.how) for f in found]
    assert len(rows) == 20


def test_each_chart_has_a_title_a_reading_and_its_figures_as_a_table(page):
    for name, chart in page.charts.items():
        for view in chart["views"].values():
            assert view["title"].endswith(".")
            assert view["rows"]
            assert all(len(row) == len(view["head"]) for row in view["rows"])
        first = next(iter(chart["views"].values()))
        heading = next(h for h in page.rows if h.endswith(": data") and page.rows[h][0] == list(first["head"]))
        assert page.rows[heading][1:] == [list(map(str, r)) for r in first["rows"]]
        assert any(a.get("id") == f"{name}-read" for _, a in page.tags)


def test_every_run_can_be_taken_along(page, record):
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(b64decode(page.scripts["runs"])).decode())))
    assert len(rows) == len(record.trials)
    assert [float(r["validation"]) for r in rows] == [t.validation for t in record.trials]
    assert {r["purpose"] for r in rows} == {"tuning", "evaluation", "sensitivity", "defaults"}


def test_colour_is_never_the_only_sign(facts):
    looks = list(facts.looks.values())
    assert len({look.symbol for look in looks}) == len(looks)
    many = Facts.of(race([Racer(f"o{i}") for i in range(16)], tasks=1, trials=0, seeds=1)).looks.values()
    assert len({look.symbol for look in many}) == 16
    assert len({(look.colour, look.dash) for look in many}) == 16
    assert facts.looks["adamw"].colour == 0
