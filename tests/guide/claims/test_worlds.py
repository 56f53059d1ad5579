"""Every claim in a world where it is true, in one where it is false, and in many where nothing but chance is at work."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from steepest.guide.claims.catalogue import CLAIMS, Claim
from steepest.guide.claims.judging import judge
from steepest.guide.claims.record import Record
from tests.guide.claims.worlds import TASKS, World, record

NEUTRAL = World()
BEST = {
    f"{name} on {task}": 0.7 for name, task in zip(("adam", "lion", "sgd", "rmsprop", "momentum", "nesterov"), TASKS["course"], strict=True)
}
TRUE: Mapping[str, World] = {
    "adam-fast-early": World(error={"momentum": 1.3}),
    "adam-easy-to-tune": World(width={"adam": 4.0}),
    "adam-overfits": World(rise={"adam": 0.7}),
    "adam-overfits-more": World(rise={"adam": 0.7}),
    "adamw-beats-l2": World(error={"adam": 1.1}),
    "adamw-beats-plain": World(error={"plain": 1.1}),
    "adabelief-steadier": World(rest={"adam": 2.0}),
    "lookahead-late": World(rest={"adam": 2.0}),
    "lookahead-early": World(error={"adam": 1.05}),
    "sgd-slow": World(error={"sgd": 1.3}),
    "sgd-unstable": World(width={"sgd": 0.5}),
    "momentum-faster": World(error={"sgd": 1.3}),
    "momentum-escapes": World(error={"sgd": 3.0}),
    "nesterov-better": World(error={"momentum": 1.1}),
    "rmsprop-recurrent": World(error={"momentum": 1.3}),
    "rmsprop-recurrent-adam": World(error={"adam": 1.1}),
    "lion-unclipped": World(suffix={"clipped": 1.05}),
    "lion-unclipped-spikes": World(suffix={"clipped": 1.05}),
    "lion-memory": World(state={"lion": 4.0}),
    "lion-time": World(step={"lion": 0.5}),
    "wrong-rate-ruins": World(width=dict.fromkeys(("rmsprop", "adam", "lion"), 1.0)),
    "no-best": World(error=BEST),
}
FALSE: Mapping[str, World] = {
    "adam-fast-early": World(error={"adam": 1.1}),
    "adam-easy-to-tune": World(width={"momentum": 4.0}),
    "adam-overfits": NEUTRAL,
    "adam-overfits-more": World(rise={"momentum": 0.7}),
    "adamw-beats-l2": World(error={"adamw": 1.1}),
    "adamw-beats-plain": World(error={"adamw": 1.1}),
    "adabelief-steadier": World(rest={"adabelief": 2.0}),
    "lookahead-late": World(rest={"lookahead": 2.0}),
    "lookahead-early": World(error={"lookahead": 1.2}),
    "sgd-slow": NEUTRAL,
    "sgd-unstable": World(width={"adam": 0.5}),
    "momentum-faster": World(error={"momentum": 1.1}),
    "momentum-escapes": NEUTRAL,
    "nesterov-better": World(error={"nesterov": 1.1}),
    "rmsprop-recurrent": World(error={"rmsprop": 1.1}),
    "rmsprop-recurrent-adam": World(error={"rmsprop": 1.2}),
    "lion-unclipped": World(suffix={"clipped": 0.8}),
    "lion-unclipped-spikes": World(suffix={"spiked-clipped": 0.5}),
    "lion-memory": World(state={"adamw": 4.0}),
    "lion-time": NEUTRAL,
    "wrong-rate-ruins": World(width=dict.fromkeys(("rmsprop", "adam", "lion"), 3.0)),
    "no-best": World(error={"lion": 0.7}),
}
NOISY = World(noise=0.15, luck=0.25)

IDS = [claim.id for claim in CLAIMS]


def records(claim: Claim, world: World, seed: int = 0) -> list[Record]:
    return [record(name, world, seed) for name in claim.experiments]


def test_every_claim_has_its_worlds() -> None:
    assert list(TRUE) == IDS
    assert list(FALSE) == IDS
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_true(claim: Claim) -> None:
    v = judge(claim, records(claim, TRUE[claim.id]))
    assert v.verdict == "supported", v


@pytest.mark.parametrize("claim", CLAIMS, ids=IDS)
def test_false(claim: Claim) -> None:
    v = judge(claim, records(claim, FALSE[claim.id]))
    assert v.verdict == "contradicted", v


@pytest.mark.parametrize(
    "claim", [c for c in CLAIMS if c.side == "at least" and c.experiments[0] in ("course", "sprint")], ids=lambda c: c.id
)
def test_chance_alone_supports_nothing(claim: Claim) -> None:
    """Where no optimizer differs from another no claim of a difference is supported, or once by bad luck."""
    wrong = sum(judge(claim, records(claim, NOISY, seed)).verdict == "supported" for seed in range(8))
    assert wrong <= 1


def test_two_records_are_judged_as_one() -> None:
    claim = next(c for c in CLAIMS if c.id == "nesterov-better")
    own, larger = record("course", TRUE[claim.id]), record("course", FALSE[claim.id])
    v = judge(claim, [own, larger])
    assert v.verdict == "undecided"
    assert v.by_task.supported
    assert v.by_task.contradicted
    assert v.data.count("from a record of") == 2
    assert abs(v.estimate) < 1.0


def test_a_record_without_the_optimizers_decides_nothing() -> None:
    claim = next(c for c in CLAIMS if c.id == "nesterov-better")
    lacking = record("course", TRUE[claim.id])
    runs = [r for r in lacking.runs if r.optimizer != "nesterov"]
    assert judge(claim, [type(lacking)(lacking.tasks, runs, lacking.settings)]).verdict == "undecided"


def test_a_sweep_around_the_best_rate_counts_before_the_trials_of_the_search() -> None:
    """As in the standard race. The trials say that Adam's rates are narrower than Momentum's, the sweep that they are wider."""
    trials, sweep = (record("rates", World(width={name: 6.0})) for name in ("momentum", "adam"))
    swept = [replace(r, purpose="sensitivity") for r in sweep.runs if r.purpose == "tuning" and r.study == 0]
    claim = next(c for c in CLAIMS if c.id == "adam-easy-to-tune")
    assert judge(claim, [trials]).verdict == "contradicted"
    assert judge(claim, [replace(trials, runs=[*trials.runs, *swept])]).verdict == "supported"


def test_a_task_on_which_nobody_has_learned_anything_is_left_out() -> None:
    claim = next(c for c in CLAIMS if c.id == "sgd-slow")
    sprint = record("sprint", TRUE[claim.id])
    lost = [replace(r, validation=1.0, test=r.test and 1.0) if r.task == "molecules-gnn-sprint" else r for r in sprint.runs]
    v = judge(claim, [replace(sprint, runs=lost)])
    assert v.verdict == "supported"
    assert "molecules" not in v.data


def test_of_too_few_tasks_nothing_is_decided() -> None:
    claim = next(c for c in CLAIMS if c.id == "nesterov-better")
    course = record("course", TRUE[claim.id])
    two = {name: facts for name, facts in course.tasks.items() if name in ("mnist-mlp", "digits-cnn")}
    assert judge(claim, [replace(course, tasks=two)]).verdict == "undecided"


def test_one_search_cannot_say_whether_one_optimizer_is_best_everywhere() -> None:
    claim = next(c for c in CLAIMS if c.id == "no-best")
    course = record("course", TRUE[claim.id])
    v = judge(claim, [replace(course, runs=[r for r in course.runs if r.study == 0])])
    assert v.verdict == "undecided"
