"""Races that lack something: the page says so instead of an empty chart. And names that try to be more than names."""

from dataclasses import replace

import pytest

from steepest.errors import RaceError
from steepest.race.record import Race
from steepest.race.report import html, write
from steepest.race.report.setup import commands
from tests.race.report.curves import curve
from tests.race.report.reading import Page
from tests.race.synthetic import Racer, race, task

TWO = [Racer("adamw"), Racer("other", quality=-0.1)]
HOSTILE = (
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "</script><b>%{x} &amp; $title",
    "' `${1}` \\",
)


def opened(record: Race, curves=curve) -> Page:
    page = Page(html(record, curves))
    for name, chart in page.charts.items():
        assert chart["views"], name
        assert all(view["figure"]["data"] and view["rows"] for view in chart["views"].values()), name
    drawn = {a["id"] for _, a in page.tags if (a.get("id") or "").startswith("chart-")}
    assert drawn == {f"chart-{name}" for name in page.charts}
    for name, text in page.sections.items():
        assert len(text) > 40, f"{name} is empty"
    return page


def test_one_entrant_alone():
    page = opened(race([Racer("adamw")], tasks=2, trials=4))
    assert "profile" not in page.charts
    assert "needs at least two" in page.sections["profile"]
    assert "somebody else in the race" in page.sections["speed"]


def test_one_task():
    page = opened(race(TWO, tasks=1, trials=4, studies=1))
    selects = [a for tag, a in page.tags if tag == "select" and a["data-selector"] == "task"]
    assert selects == []


def test_everything_diverged():
    page = opened(race([Racer("adamw", diverges=1.0), Racer("other", diverges=1.0)], tasks=2, trials=4, sensitivity=True))
    assert "Everybody diverged" in page.view("memory")["title"]
    assert page.view("targets", "0|steps")["title"].startswith("Nobody reaches")
    assert page.rows["All tasks together"][1][2] == "diverged"


def test_no_target():
    page = opened(race(TWO, tasks=[task(0, target=None, target_reason=""), task(1, target=None, target_reason="")], trials=4))
    for name in ("profile", "targets", "speed"):
        assert name not in page.charts
        assert "No task of this race has a target" in page.sections[name]
    assert page.rows["Task 0"][1][2] == "no target"


def test_a_target_on_one_task_only():
    page = opened(race(TWO, tasks=[task(0), task(1, target=None, target_reason="")], trials=4))
    assert {key.split("|")[0] for key in page.charts["targets"]["views"]} == {"0"}


def test_defaults_alone():
    page = opened(race(TWO, tasks=2, trials=0))
    for name, why in (("sensitivity", "nothing was tuned"), ("budget", "Nothing was tuned"), ("searched", "Nothing was tuned")):
        assert name not in page.charts
        assert why in page.sections[name]
    assert "finals" in page.charts


def test_no_sweep_uses_the_tuning_trials_and_says_so():
    assert "made no sweeps" in opened(race(TWO, tasks=2, trials=6)).sections["sensitivity"]


def test_no_curves():
    page = opened(race(TWO, tasks=2, trials=4), curves=None)
    assert "losses" not in page.charts
    assert "not at hand" in page.sections["losses"]


def test_curves_that_are_lost():
    def lost(trial):
        raise RaceError("The curves of race.db are missing: race.parquet should be beside it.")

    page = opened(race(TWO, tasks=2, trials=4), curves=lost)
    assert "race.parquet should be beside it" in page.sections["losses"]


def test_one_trial_and_one_seed():
    page = opened(race(TWO, tasks=1, trials=1, studies=1, seeds=1))
    assert "One trial for each search" in page.sections["budget"]
    assert "no sweep" in page.sections["sensitivity"]


def test_a_race_that_has_just_begun():
    record = race(TWO, tasks=2, trials=4)
    assert "not finished" not in opened(replace(record, trials=record.trials[:1])).sections["table"]
    page = opened(replace(record, trials=()))
    assert "No run for the result is finished yet." in page.sections["finals"]


def test_some_entrants_have_not_run_everywhere():
    record = race(TWO, tasks=2, trials=4)
    page = opened(replace(record, trials=tuple(t for t in record.trials if (t.task, t.optimizer) != ("task-1", "other"))))
    assert next(r for r in page.rows["Task 1"] if r[0] == "Other")[1] == "–"


def test_higher_is_better():
    facts = task(0, metric="accuracy", higher_is_better=True, target=0.95, guess=0.1)
    page = opened(race([*TWO, Racer("brittle", diverges_above=3.0)], tasks=[facts], trials=6, sensitivity=True))
    assert "≥ 0.95" in page.view("targets", "0|steps")["title"]
    assert "(higher is better)" in page.view("finals", "0")["figure"]["layout"]["xaxis"]["title"]["text"]
    assert page.view("finals", "0")["title"].startswith("Other has the best")


def test_the_baseline_is_not_in_the_race():
    assert "needs the baseline, nobody" in opened(race(TWO, tasks=2, trials=4, baseline="nobody")).sections["speed"]


def test_entrants_of_one_title_get_their_names():
    record = race([Racer("adamw (a)"), Racer("adamw (b)"), Racer("other")], tasks=2, trials=4)
    entrants = {n: replace(e, title="AdamW" if n.startswith("adamw") else "Other") for n, e in record.entrants.items()}
    page = opened(replace(record, entrants=entrants))
    assert {r[0] for r in page.rows["All tasks together"][1:]} == {"adamw (a)", "adamw (b)", "Other"}


@pytest.fixture(scope="module")
def hostile() -> Race:
    record = race([Racer(f"o{i}") for i in range(4)], tasks=4, trials=4, sensitivity=True)
    entrants = {n: replace(e, title=h, source=h, code=h) for (n, e), h in zip(record.entrants.items(), HOSTILE, strict=True)}
    tasks = {
        n: replace(t, title=h, description=h, metric=h, family=h, target_reason=h)
        for (n, t), h in zip(record.tasks.items(), HOSTILE, strict=True)
    }
    return replace(
        record,
        entrants=entrants,
        tasks=tasks,
        settings=record.settings | dict.fromkeys(HOSTILE, HOSTILE[0]),
        environment=[dict.fromkeys(("python", "processor", *HOSTILE), HOSTILE[1])],
        schedule=HOSTILE[2],
    )


def test_names_are_text_and_never_markup(hostile):
    page = opened(hostile)
    usual = opened(race([Racer(f"o{i}") for i in range(4)], tasks=4, trials=4, sensitivity=True))
    assert [t for t, _ in page.tags if t == "script"] == [t for t, _ in usual.tags if t == "script"]
    assert not [t for t, _ in page.tags if t in ("img", "b")]
    assert not [a for _, a in page.tags if any(k.startswith("on") for k in a)]
    assert {r[0] for r in page.rows["All tasks together"][1:]} == set(HOSTILE)


def test_plotly_is_given_no_markup(hostile):
    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for v in value.values():
                yield from texts(v)
        elif isinstance(value, list):
            for v in value:
                yield from texts(v)

    for chart in opened(hostile).charts.values():
        for view in chart["views"].values():
            assert not any("%{x} &" in trace.get("hovertemplate", "") for trace in view["figure"]["data"])
            for text in texts(view["figure"]):
                assert "<" not in text.replace("<extra></extra>", "").replace("<b>!</b>", ""), text


def test_nothing_in_the_page_points_outside():
    page = opened(race(TWO, tasks=1, trials=4))
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed"), tag
        for name in ("src", "href", "action", "srcset", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), attributes
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_plotly_is_embedded_once_and_packed(tmp_path):
    write(race(TWO, tasks=1, trials=2), tmp_path / "race.html")
    content = (tmp_path / "race.html").read_text(encoding="utf-8")
    assert content.count('id="plotly"') == 1
    assert len(content) < 2_300_000
    assert [p.name for p in tmp_path.iterdir()] == ["race.html"]


def test_a_place_where_nothing_can_be_written(tmp_path):
    with pytest.raises(RaceError, match="cannot be written"):
        write(race(TWO, tasks=1, trials=2), tmp_path / "no" / "race.html")


def test_the_command_that_repeats_a_race():
    settings = {
        "tasks": ["digits-mlp", "my task.py:make"],
        "optimizers": ["adamw", "lion", "torch.optim:NAdam"],
        "trials": 4,
        "studies": 1,
        "seeds": 3,
        "multiples": [],
        "target_seeds": 3,
        "spaces": ["adamw:lr=1e-4..1e-1"],
        "defaults": False,
    }
    record = replace(race(TWO, tasks=1, trials=2), settings=settings)
    assert commands(record)[0] == (
        "steepest race --preset quick --tasks digits-mlp --task 'my task.py:make' --optimizers adamw,lion --with torch.optim:NAdam "
        "--space adamw:lr=1e-4..1e-1 --trials 4 --studies 1 --seeds 3"
    )
    assert commands(replace(record, settings=settings | {"joined": [1, 2]})) == []
