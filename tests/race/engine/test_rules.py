"""The rules one by one: spaces, points, entrants, plan, schedule."""

import math
from collections import Counter
from itertools import pairwise, product

import pytest

from steepest import registry
from steepest.errors import HyperparameterError, RaceError, UnknownOptimizer
from steepest.race import entrants as who
from steepest.race import points, protocol, spaces
from steepest.race.protocol import Settings, looks, plan, rate_at
from steepest.race.spaces import Axis
from steepest.race.worker import choice

NINE = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "adabelief", "lookahead", "lion")


# -- spaces ---------------------------------------------------------------------------------------


def test_every_optimizer_has_two_and_a_half_decades_of_learning_rates_and_three_of_decay():
    for one in who.entrants(NINE, 12).values():
        axes = {a.name: a for a in one.space}
        assert list(axes) == ["lr", "weight_decay", "warmup"]
        assert math.log10(axes["lr"].high / axes["lr"].low) == pytest.approx(2.5, abs=0.01)
        assert math.log10(axes["weight_decay"].high / axes["weight_decay"].low) == pytest.approx(3, abs=0.01)
        assert (axes["lr"].log, axes["weight_decay"].log, axes["warmup"].log) == (True, True, False)
        assert one.name == "rmsprop" or axes["lr"].low < one.defaults["lr"] < axes["lr"].high


def test_the_space_follows_from_the_defaults_alone():
    lion, adamw, sgd, adam = (who.entrant(name, 12) for name in ("lion", "adamw", "sgd", "adam"))
    assert [a for a in adamw.space if a.name != "warmup"] == [Axis("lr", 0.000316, 0.1, True), Axis("weight_decay", 0.001, 1.0, True)]
    assert [a for a in lion.space if a.name != "warmup"] == [Axis("lr", 3.16e-05, 0.01, True), Axis("weight_decay", 0.01, 10.0, True)]
    assert sgd.space[1] == adam.space[1] == Axis("weight_decay", 1e-6, 1e-3, True)
    assert (lion.decay, adamw.decay, sgd.decay, adam.decay) == ("decoupled", "decoupled", "L2", "L2")


def test_eps_is_tuned_from_25_trials():
    assert "eps" not in {a.name for a in who.entrant("adam", 24).space}
    assert who.entrant("adam", 25).space[-1] == Axis("eps", 1e-10, 1e-4, True)
    assert "eps" not in {a.name for a in who.entrant("sgd", 25).space}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adamw:lr=0.1..0.001", "it is upside down or empty. Write --space adamw:lr=0.001..0.1"),
        ("adamw:lr=0.1..0.1", "upside down or empty"),
        ("adamw:lr=-1..1", "both ends must be above 0"),
        ("adamw:lr=0.1..inf", "must be finite"),
        ("adamw:warmup=0..1", "share of the run"),
        ("adamw:lr=few..many", "write NAME:AXIS=LOW..HIGH"),
        ("adamw", "write NAME:AXIS=LOW..HIGH"),
        ("lion:lr=0.1..1", "no lion is in the race; there are adamw"),
        ("adamw:momentum=0.1..1", "adamw has no axis momentum; it has lr, weight_decay, warmup"),
    ],
)
def test_a_space_that_cannot_be_is_refused(text, message):
    with pytest.raises(HyperparameterError, match=message.replace("(", r"\(")):
        who.entrants(("adamw",), 3, (text,))


def test_a_space_can_be_given():
    (one,) = who.entrants(("adamw",), 3, ("adamw:lr=1e-5..1",)).values()
    assert next(a for a in one.space if a.name == "lr") == Axis("lr", 1e-5, 1.0, True)


# -- points ---------------------------------------------------------------------------------------

SPACE = (Axis("lr", 1e-3, 1e-1, True), Axis("weight_decay", 1e-3, 1.0, True), Axis("warmup", 0.0, 0.25, False))


def test_points_are_the_same_on_every_machine():
    """Written down once; if these change, races of different versions no longer try the same points."""
    assert points.point(SPACE, "digits-mlp", 0, 0) == {"lr": 0.01862, "weight_decay": 0.4874, "warmup": 0.12}
    assert points.point(SPACE, "digits-mlp", 1, 5) == {"lr": 0.0774, "weight_decay": 0.182, "warmup": 0.2234}


def test_the_sequence_is_scipys():
    from scipy.stats import qmc

    theirs = qmc.Halton(4, scramble=False).random(64)
    ours = [[points._mirrored(n, base) for base in points.BASES.values()] for n in range(64)]
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_other_studies_and_tasks_have_other_points_and_all_optimizers_the_same():
    shares = {(t, s): tuple(points.point(SPACE, t, s, n)["lr"] for n in range(8)) for t in ("a", "b") for s in (0, 1)}
    assert len(set(shares.values())) == 4
    double = tuple(spaces.Axis(a.name, 2 * a.low, 2 * a.high, a.log) for a in SPACE)
    for n in range(8):
        assert points.point(double, "a", 0, n)["lr"] == pytest.approx(2 * points.point(SPACE, "a", 0, n)["lr"], rel=1e-3)
        assert points.point(SPACE[:1], "a", 0, n)["lr"] == points.point(SPACE, "a", 0, n)["lr"]


def test_points_fill_the_space_evenly():
    for study in range(5):
        shares = [math.log10(points.point(SPACE, "a", study, n)["lr"] / 1e-3) / 2 for n in range(16)]
        # A shift moves Halton's 16 points along the circle: one in each sixteenth of it.
        assert Counter(int(16 * ((s - min(shares)) % 1 + 1e-3)) for s in shares) == dict.fromkeys(range(16), 1)


# -- entrants -------------------------------------------------------------------------------------


def test_patterns_and_outsiders():
    assert who.specs("ada*,lion,ada*") == ("adam", "adamw", "adabelief", "lion")
    assert who.specs("lion", ["torch.optim:NAdam"]) == ("lion", "torch.optim:NAdam")


@pytest.mark.parametrize(
    ("spec", "name", "decay", "axes"),
    [
        ("torch.optim:NAdam", "NAdam", "L2", {"lr", "weight_decay", "warmup"}),
        ("nadamw=torch.optim:NAdam(decoupled_weight_decay=True)", "nadamw", "decoupled", {"lr", "weight_decay", "warmup"}),
        ("torch.optim:AdamW", "AdamW", "decoupled", {"lr", "weight_decay", "warmup"}),
        ("torch.optim:Rprop", "Rprop", None, {"lr", "warmup"}),
        ("pytorch_optimizer:SOAP", "SOAP", "decoupled", {"lr", "weight_decay", "warmup"}),
        ("again=adamw", "again", "decoupled", {"lr", "weight_decay", "warmup"}),
        ("adam(b2=0.95)", "adam", "L2", {"lr", "weight_decay", "warmup"}),
    ],
)
def test_outsiders_are_read_off_their_signatures(spec, name, decay, axes):
    import torch

    (one,) = who.entrants((spec,), 3).values()
    assert (one.name, one.decay, {a.name for a in one.space}) == (name, decay, axes)
    made = one.make([torch.nn.Parameter(torch.ones(2, 2))], {"lr": 0.125, "weight_decay": 0.25, "warmup": 0.1} if decay else {"lr": 0.125})
    assert made.param_groups[0]["lr"] == 0.125
    assert not decay or made.param_groups[0]["weight_decay"] == 0.25
    assert one.code.endswith(")")
    if "b2" in spec:
        assert made.param_groups[0]["b2"] == 0.95
        assert "b2=0.95" in one.code


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (("adm",), "Did you mean 'adam'"),
        (("adam(b3=1)",), "adam takes no argument b3; it takes lr, b1"),
        (("adam(0.1)",), "arguments need names"),
        (("adam(",), "names no optimizer"),
        (("torch.optim:NAdamm",), "torch.optim has no NAdamm"),
        (("no_such_package:Adam",), "cannot be imported"),
        (("torch.optim:NAdam(momentum=1)",), "NAdam takes no argument momentum"),
        (("torch.nn:Linear",), "has no number as its default lr"),
        (("adamw", "adamw=lion"), "Two entrants are called adamw"),
    ],
)
def test_an_entrant_that_cannot_be_is_refused(specs, message):
    with pytest.raises((RaceError, UnknownOptimizer), match=message.replace("(", r"\(")):
        who.entrants(specs, 3)


def test_optimizers_without_a_default_learning_rate_are_refused(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))

    @registry.optimizer(title="No rate", paper="none")
    def no_rate(lr=None):
        """Not one for a race."""

    with pytest.raises(HyperparameterError, match="no_rate cannot race"):
        who.entrant("no_rate", 3)


# -- plan -----------------------------------------------------------------------------------------

SETTINGS = Settings(("a", "b"), ("adamw", "lion", "sgd"), trials=4, studies=3, seeds=5, multiples=(0.1, 1, 10), target_seeds=7)
PLAN = plan(SETTINGS, {"a": False, "b": True}, ["adamw", "lion", "sgd"])


def test_the_plan_is_complete_equal_and_fixed():
    assert len(PLAN) == len(set(PLAN)) == 2 * 3 * (3 * (4 + 5) + 3) + 7
    assert len(set(Counter(j.optimizer for j in PLAN if j.purpose != "target").values())) == 1
    assert plan(SETTINGS, {"a": False, "b": True}, ["adamw", "lion", "sgd"]) == PLAN
    assert {j.optimizer for j in PLAN if j.purpose == "target"} == {"adamw"}


def test_seed_ranges_never_meet():
    biggest = Settings(("a",), ("adamw",), trials=1000, studies=1000, seeds=1000)
    ends = {}
    for purpose, first in product(("tuning", "evaluation", "sensitivity", "target"), (0, 999)):
        start = {"tuning": protocol.TUNING_SEED, "evaluation": protocol.EVALUATION_SEED}.get(
            purpose, protocol.SENSITIVITY_SEED if purpose == "sensitivity" else protocol.TARGET_SEED
        )
        ends.setdefault(purpose, set()).update({start + 1000 * first, start + 1000 * first + 999})
    spans = sorted((min(e), max(e)) for e in ends.values())
    assert all(a[1] < b[0] for a, b in pairwise(spans))
    assert biggest.trials == 1000
    for wrong in ({"trials": 0}, {"trials": 1001}, {"studies": -1}, {"seeds": 1001}):
        with pytest.raises(RaceError, match=r"give 1 to 1000"):
            Settings(("a",), ("adamw",), **{"trials": 3} | wrong)


def test_blocks_hold_every_optimizer_once_in_random_order():
    blocks = [PLAN[i : i + 3] for i in range(0, 2 * 3 * 3 * 4, 3)]
    assert all({j.optimizer for j in block} == {"adamw", "lion", "sgd"} and len({j.seed for j in block}) == 1 for block in blocks)
    assert len({tuple(j.optimizer for j in block) for block in blocks}) > 3
    assert len({(b[0].task, b[0].study) for b in blocks[:8]}) > 2, "blocks of a task are not all in a row"


def test_phases_come_in_order():
    order = [j.purpose for j in PLAN]
    assert [p for i, p in enumerate(order) if i == 0 or order[i - 1] != p] == ["tuning", "target", "evaluation", "sensitivity"]


@pytest.mark.parametrize(("steps", "warmup"), list(product((1, 2, 3, 50, 400), (0.0, 0.05, 0.25, 0.9))))
def test_the_schedule_rises_then_falls_to_one_per_cent(steps, warmup):
    rates = [rate_at(step, steps, warmup) for step in range(1, steps + 1)]
    peak = rates.index(max(rates))
    assert rates[-1] == pytest.approx(0.01)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert min(rates) > 0
    assert max(rates) <= 1
    if steps >= 50:
        assert max(rates) == pytest.approx(1.0, abs=0.01)


def test_looks_are_even_and_the_last_is_at_the_end():
    assert looks(100, 4) == [25, 50, 75, 100]
    assert looks(7, 3) == [2, 5, 7]
    assert looks(3, 10) == [1, 2, 3]


def test_the_best_point_is_chosen_and_the_first_of_equals():
    def of(*values):
        return [{"validation": v} for v in values]

    assert choice(of(3, 1, 2), False) == 1
    assert choice(of(3, 1, 2), True) == 0
    assert choice(of(3, 1, 1), False) == 1
    assert choice(of(2, 2), True) == 0
