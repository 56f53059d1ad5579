"""The tables of the guide: that every row can be used, and rests on facts that exist and are about it."""

import pytest

import steepest
from steepest.guide.advise import candidates, choosing, tables
from steepest.guide.advise.advising import advise
from steepest.guide.advise.circumstances import CIRCUMSTANCES
from steepest.guide.facts import FAMILIES, fact, facts
from steepest.race.tasks import TASKS

#: What a fact about something wider is about, by the candidate that a row may cite it for.
KIN = {
    "sgd": {"momentum", "nesterov", "toy functions"},
    "momentum": {"sgd", "nesterov"},
    "nesterov": {"momentum", "sgd", "adam"},
    "adamw": {"adam", "adamw-ema", "muon", "nadamw"},
    "nadamw": {"adam", "adamw", "muon", "rmsprop"},
    "adam": {"adamw", "weight decay"},
    "rmsprop": set(),
    "lion": {"choose"},
    "lookahead": {"memory"},
    "adabelief": {"adam"},
}
#: Topics on which a fact speaks for or against whoever is chosen.
WIDE = {"memory", "comparing", "defaults", "tuning", "batch size", "b2", "precision", "warm-up", "schedule"}


def test_every_family_has_a_row_and_three_candidates() -> None:
    assert set(tables.families()) == set(FAMILIES)
    for family in FAMILIES:
        assert len([c for c in tables.choices() if c.family == family and c.merit > 0]) >= 3, family


def test_candidates_are_what_steepest_has() -> None:
    assert set(candidates.names()) <= {*steepest.optimizers(), "nadamw"}
    assert {c.optimizer for c in tables.choices()} <= set(candidates.names())
    assert not {o.name for o in tables.outsiders()} & set(candidates.names())
    for name in candidates.names():
        assert candidates.strategy(name, {}), name
        assert set(tables.candidates()[name].arguments or {}) <= set(candidates.defaults(name))


@pytest.mark.parametrize("row", tables.choices(), ids=lambda r: f"{r.family}-{r.optimizer}")
def test_a_choice_rests_on_facts_about_it(row: tables.Choice) -> None:
    assert row.in_favour
    assert row.against
    for name in (*row.in_favour, *row.against):
        one = fact(name)
        mine = {row.optimizer} | KIN.get(row.optimizer, set[str]()) | WIDE
        by_rivals = name in row.against and not {*one.about} <= {row.optimizer}
        assert set(one.about) & mine or by_rivals, f"{name} is about {one.about}"
        assert not (one.stance == "against" and {row.optimizer} == set(one.about) and name in row.in_favour), f"{name} speaks against it"
        assert not (one.stance == "for" and {row.optimizer} == set(one.about) and name in row.against), f"{name} speaks for it"
        # A fact of other families alone would never be shown; fine-tuning and LoRA may have any kind of model beneath.
        assert not one.families or row.family in one.families or row.family in ("fine-tuning", "lora"), f"{name} is about {one.families}"


def test_choices_name_each_candidate_of_a_family_once() -> None:
    named = [(c.family, c.optimizer) for c in tables.choices()]
    assert len(named) == len(set(named))


def test_adjustments_are_of_circumstances_that_exist() -> None:
    names = {c.name for c in CIRCUMSTANCES}
    for a in tables.adjustments():
        assert a.when in names
        assert set(a.families) <= set(FAMILIES)
        assert set(a.optimizers) <= set(candidates.names())
        assert a.facts
        assert all(map(fact, a.facts))
    for o in tables.outsiders():
        assert set(o.when) <= names
        assert set(o.families) <= set(FAMILIES)
        assert o.peer or o.note
        assert all(map(fact, (*o.in_favour, *o.against)))
    used = {a.when for a in tables.adjustments()} | {w for o in tables.outsiders() for w in o.when}
    assert names - used <= {"short run"}, "a circumstance that changes nothing"


def test_rows_of_families_and_tuning_name_facts_and_tasks_that_exist() -> None:
    for row in tables.families().values():
        assert all(map(fact, row.facts))
        assert set(row.tasks) <= set(TASKS)
    for t in tables.tunings():
        assert all(map(fact, t.facts))
    for c in tables.candidates().values():
        assert all(map(fact, c.facts))
        low, high = c.tune
        assert low < 1 < high


def test_every_optimizer_with_its_evidence_is_used_or_speaks_of_how_to_tune() -> None:
    """Facts that no row names are for the documentation; but each registered optimizer of a choice has one of its own."""
    named = {f for c in tables.choices() for f in (*c.in_favour, *c.against)}
    assert named <= {f.id for f in facts()}


def test_a_wrong_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(steepest.errors.GuideError, match="unknown merits"):
        tables._made(tables.Choice, "choices.toml", {"family": "cnn", "merits": 3})
    with pytest.raises(steepest.errors.GuideError, match="missing"):
        tables._made(tables.Choice, "choices.toml", {"family": "cnn"})


def test_ranking_says_what_moved_it() -> None:
    advice = advise(family="transformer-lm", params="1B", batch=16, tuning_budget=0)
    lion = next(
        r for r in choosing.ranked(advice.situation, [c for c in CIRCUMSTANCES if c.name in ("small batch",)]) if r.optimizer == "lion"
    )
    assert [c.name for c in lion.because] == ["small batch"]
    assert "lion-needs-large-batch" in lion.against
