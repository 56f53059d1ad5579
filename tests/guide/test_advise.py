"""Advice as a whole: numbers, scaling, memory, refusals, data."""

import json
import math
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

import steepest
from steepest.errors import GuideError
from steepest.guide.advise import code
from steepest.guide.advise.advice import Advice
from steepest.guide.facts import fact
from tests.guide.test_profiles import PROFILES

LM: dict[str, Any] = {"family": "transformer-lm", "params": "124M", "batch": 256, "steps": 20_000, "tuning_budget": 10}


def start(name: str, **asked: Any) -> Any:
    advice = steepest.advise(**{**LM, **asked})
    return next(p.start for p in advice.picks if p.optimizer == name)


def lr(name: str, **asked: Any) -> float:
    return start(name, **asked).arguments["lr"]


# -- scaling ------------------------------------------------------------------------------------------


def test_adam_follows_the_root_of_the_batch() -> None:
    assert lr("adamw", batch=64) == pytest.approx(lr("adamw", batch=256) / 2, rel=0.05)
    assert lr("adamw", batch=1024) == pytest.approx(lr("adamw", batch=256) * 2, rel=0.05)


def test_a_longer_sequence_is_a_larger_batch() -> None:
    assert lr("adamw", sequence_length=2048) == lr("adamw", batch=1024)


def test_sgd_follows_the_batch() -> None:
    rates = [lr("nesterov", family="cnn", batch=b) for b in (64, 256, 1024)]
    assert rates == pytest.approx([0.025, 0.1, 0.4], rel=0.05)


def test_the_rules_are_not_trusted_without_end() -> None:
    assert lr("adamw", batch=100_000) == 4e-3
    assert lr("nesterov", family="cnn", batch=10**6) == 3.2


def test_lion_is_a_third_to_a_tenth_of_adamw() -> None:
    ours, theirs = start("lion"), start("adamw")
    assert 3 <= theirs.arguments["lr"] / ours.arguments["lr"] <= 10
    assert 3 <= ours.arguments["weight_decay"] / theirs.arguments["weight_decay"] <= 10
    assert ours.schedule.warmup == 3000, "a long warm-up: 15 % of the run"


def test_lion_falls_faster_with_size() -> None:
    small, large = {"params": "124M", "memory": "2TB"}, {"params": "500M", "memory": "2TB"}
    assert lr("lion", **large) / lr("lion", **small) < lr("adamw", **large) / lr("adamw", **small) < 1


def test_b2_remembers_the_same_tokens() -> None:
    """b2 .95 at a batch of 512 sequences becomes .9999 at 1: Marek et al. 2025."""
    long = {"steps": 2_000_000, "params": "10B", "memory": "10TB"}
    assert start("adamw", batch=512, **long).arguments["b2"] == 0.95
    assert start("adamw", batch=1, **long).arguments["b2"] == pytest.approx(0.9999, abs=1e-5)
    for batch in (16, 64, 256):
        b2 = start("adamw", batch=batch, **long).arguments["b2"]
        tokens = math.log(2) / -math.log(b2) * batch
        assert tokens == pytest.approx(math.log(2) / -math.log(0.95) * 512, rel=0.05)


def test_b2_is_remembered_for_less_than_the_run() -> None:
    b2 = start("adamw", batch=1, steps=1000).arguments["b2"]
    assert 2 / (1 - b2) <= 250


@pytest.mark.parametrize("steps", [1, 2, 5, 100, 10**6])
def test_any_length_has_a_schedule(steps: int) -> None:
    for p in steepest.advise(**{**LM, "steps": steps}).picks:
        assert 0 <= p.start.schedule.warmup < steps
        assert p.start.schedule.warmup <= max(steps / 4, 1)
        assert p.start.schedule.steps == steps


def test_budget_decides_what_is_tuned() -> None:
    axes = {n: [a.name for a in start("adamw", tuning_budget=n).axes] for n in (0, 1, 9, 10, 25)}
    assert axes == {
        0: [],
        1: ["lr"],
        9: ["lr"],
        10: ["lr", "b1", "weight_decay"],
        25: ["lr", "b1", "weight_decay", "eps", "warmup"],
    }
    wide, narrow = start("adamw", tuning_budget=9).axes[0], start("adamw", tuning_budget=2).axes[0]
    assert wide.low < narrow.low < lr("adamw") < narrow.high < wide.high
    for a in start("adamw", tuning_budget=25).axes:
        assert a.low < a.high


def test_what_is_tuned_already_is_followed() -> None:
    tuned = "adamw lr=3e-4 weight_decay=0.05"
    assert start("adamw", tuned=tuned).arguments["lr"] == 3e-4
    assert start("adamw", tuned=tuned).arguments["weight_decay"] == 0.05
    assert start("nadamw", tuned=tuned).arguments["lr"] == 3e-4
    assert start("lion", tuned=tuned).arguments == {**start("lion").arguments, "lr": 6e-5, "weight_decay": 0.25}
    back = start("adamw", tuned="lion lr=6e-5 weight_decay=0.25").arguments
    assert (back["lr"], back["weight_decay"]) == (pytest.approx(3e-4), pytest.approx(0.05))
    assert lr("nesterov", family="cnn", tuned=tuned) == lr("nesterov", family="cnn"), "SGD's rate does not follow from Adam's"


def test_lora_takes_ten_times_the_rate_of_full_fine_tuning() -> None:
    full, lora = ({"params": "110M", "batch": 32, way: True} for way in ("fine_tuning", "lora"))
    assert lr("adamw", **lora) / lr("adamw", **full) == pytest.approx(10, rel=0.2)


# -- memory -------------------------------------------------------------------------------------------


def test_memory_of_flags() -> None:
    m = steepest.advise(**LM).best.memory
    assert (m.weights, m.gradients) == (496_000_000, 496_000_000)
    assert m.state == pytest.approx(992_000_000, abs=8)


def test_bfloat16_halves_it() -> None:
    a, b = steepest.advise(**LM).best.memory, steepest.advise(**LM, dtype="bf16").best.memory
    assert b.total == pytest.approx(a.total / 2, abs=8)
    assert any("autocast" in n.says for n in steepest.advise(**LM, dtype="bf16").notes)


def test_who_does_not_fit_is_left_out_and_that_is_said() -> None:
    advice = steepest.advise(**{**LM, "params": "1B", "memory": "14GB"})
    assert [p.optimizer for p in advice.picks] == ["lion"]
    assert set(advice.left_out) >= {"adamw", "nadamw"}
    assert "needs 16 GB, 14 GB are there" in advice.left_out["adamw"]


def test_where_only_sgd_fits_sgd_is_the_answer() -> None:
    advice = steepest.advise(**{**LM, "params": "1B", "memory": "9GB"})
    assert [p.optimizer for p in advice.picks] == ["sgd"]
    assert str(advice)


# -- models -------------------------------------------------------------------------------------------


def test_a_model_of_torch_has_its_own_numbers() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 900, 10))
    advice = steepest.advise(model, family="cnn", batch=64)
    assert advice.situation.parameters == sum(p.numel() for p in model.parameters())
    assert advice.situation.batch_norm
    assert not steepest.advise(nn.Conv2d(3, 8, 3), batch=64).situation.batch_norm


def test_the_advised_strategy_trains_that_model() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
    best = steepest.advise(model, batch=32, steps=200).best
    from steepest.torch import Optimizer

    optimizer, x = Optimizer(model.parameters(), best.strategy), torch.randn(32, 4)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = (model(x) - x.prod(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_a_tree_of_shapes_and_one_of_arrays_are_the_same_model() -> None:
    shapes = {"dense_0": {"kernel": (784, 128), "bias": (128,)}, "dense_1": {"kernel": (128, 10), "bias": (10,)}}
    arrays = jax.tree.map(jnp.zeros, shapes, is_leaf=lambda x: isinstance(x, tuple))
    numpy = jax.tree.map(lambda s: np.zeros(s, np.float32), shapes, is_leaf=lambda x: isinstance(x, tuple))
    found = [steepest.advise(tree, batch=128) for tree in (shapes, arrays, numpy)]
    assert {a.situation.parameters for a in found} == {784 * 128 + 128 + 1280 + 10}
    assert len({str(a) for a in found}) == 1
    assert found[0].situation.family == "mlp"


# -- code ---------------------------------------------------------------------------------------------


def run(text: str, **given: Any) -> dict[str, Any]:
    namespace = dict(given)
    exec(compile(text, "advised", "exec"), namespace)
    return namespace


CODE = [PROFILES[i].asked for i in (0, 1, 7, 9, 12, 14, 19, 25, 29, 31)]
PICKS = [
    pytest.param(pick, id=f"{advice.situation.family}-{pick.optimizer}")
    for advice in (steepest.advise(**{**asked, "steps": 50}) for asked in CODE)
    for pick in advice.picks
]


@pytest.mark.parametrize("pick", PICKS)
def test_code_for_torch_runs_and_is_the_strategy(pick: Any) -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.Linear(5, 1))
    model[0].weight.requires_grad_(False)
    made = run(pick.code("torch"), model=model)
    assert made["strategy"] == pick.strategy
    before = [p.detach().clone() for p in model.parameters()]
    x = torch.randn(4, 3)
    for _ in range(3):
        model(x).square().mean().backward()
        made["optimizer"].step()
        made["optimizer"].zero_grad()
    moved = [not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
    assert moved[0] is False
    assert all(moved[1:])
    grouped = {g["weight_decay"] for g in made["optimizer"].param_groups if "weight_decay" in g}
    assert grouped == ({0.0, pick.start.arguments["weight_decay"]} if pick.start.arguments.get("weight_decay") else grouped)


@pytest.mark.parametrize("pick", PICKS)
def test_code_for_optax_runs_and_is_the_strategy(pick: Any) -> None:
    params = {"kernel": jnp.ones((3, 2)), "bias": jnp.zeros(2)}
    made = run(pick.code("optax"), params=params)
    assert made["strategy"] == pick.strategy
    updates, _ = made["optimizer"].update(jax.tree.map(jnp.ones_like, params), made["state"], params)
    assert all(bool(jnp.isfinite(u).all()) for u in jax.tree.leaves(updates))


def test_code_for_another_framework_is_refused() -> None:
    with pytest.raises(GuideError, match="code for torch, keras, optax"):
        steepest.advise(**LM).best.code("caffe")


def test_the_code_that_is_printed_is_the_code() -> None:
    advice = steepest.advise(**LM)
    for framework in code.FRAMEWORKS:
        printed = {line.strip() for line in str(advice).splitlines()}
        assert {line.strip() for line in advice.best.code(framework).splitlines() if line} <= printed | {""}


# -- what is printed ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lm() -> Advice:
    return steepest.advise(**LM, memory="24GB")


def test_the_first_five_lines_say_what_to_do(lm: Advice) -> None:
    first = "\n".join(str(lm).splitlines()[:5])
    for said in ("AdamW", "lr 0.001", "weight decay 0.1", "warm-up 1,000", "1.98 GB of 24 GB", "lr 0.0001 to 0.01", "NAdamW, Lion", "Muon"):
        assert said in first


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_every_page_is_narrow_and_short(profile: Any) -> None:
    advice = steepest.advise(**profile.asked)
    lines = str(advice).splitlines()
    prose = [line for line in lines if not line.startswith("    steepest race") and "--with" not in line]
    assert max(map(len, prose)) <= 100
    assert len(lines) <= 95
    assert not re.search(r"\bNone\b|\bnan\b(?! losses)| $", "\n".join(prose), re.M)


def test_conflicts_are_shown(lm: Advice) -> None:
    pairs = {frozenset((a.id, b.id)) for a, b in lm.conflicts}
    assert frozenset(("matrix-methods-lead", "ademamix-best-epfl")) in pairs
    assert "[A] matrix-methods-lead against [C] ademamix-best-epfl" in str(lm)
    assert len(pairs) == len(lm.conflicts)


def test_thin_evidence_is_said() -> None:
    assert "thin" in str(steepest.advise(family="mlp", params=1000))
    assert not any(p.thin for p in steepest.advise(**LM).picks)


def test_as_data_is_json_with_every_fact_that_is_named(lm: Advice) -> None:
    data = json.loads(json.dumps(lm.as_data()))
    named = {i for p in data["short_list"] for i in (*p["for"], *p["against"], *p["tune_facts"])}
    named |= {i for p in data["short_list"] for n in p["scaling"] for i in n["facts"]} | {i for pair in data["conflicts"] for i in pair}
    assert named <= set(data["facts"])
    assert data["facts"]["lion-parity"]["source"]["url"].startswith("https://arxiv.org")
    assert data["short_list"][0]["hyperparameters"]["lr"] == 0.001
    assert data["short_list"][0]["fits"] is True
    assert steepest.advise(**LM).as_data()["short_list"][0]["fits"] is None
    from steepest.config import from_config

    assert from_config(data["short_list"][0]["strategy"]) == lm.best.strategy
    for i in data["facts"]:
        assert fact(i).id == i


# -- what cannot be -------------------------------------------------------------------------------------

IMPOSSIBLE = [
    ({"params": "12Q"}, "params='12Q': this is no number. Write params='124M'."),
    ({"params": "-5"}, "it must be 1 or more"),
    ({"params": "0"}, "it must be 1 or more"),
    ({"params": ""}, "this is no number"),
    ({"params": True}, "this is no number"),
    ({"params": "1.5"}, "it must be a whole number"),
    ({"params": "nan"}, "this is no number"),
    ({"params": "1e999"}, "must be 1 or more"),
    ({"family": "zebra"}, "family='zebra': there is no such family"),
    ({"family": "transfomer-lm"}, "Did you mean transformer-lm"),
    ({"family": None}, "Which kind of model is it? Write family='cnn'"),
    ({"params": None}, "How many parameters has the model?"),
    ({"steps": 0}, "steps=0: it must be 1 or more. Write steps='20000'."),
    ({"steps": 2.5}, "it must be a whole number"),
    ({"batch": -4}, "batch=-4: it must be 1 or more"),
    ({"tuning_budget": -1}, "it must be 0 or more"),
    ({"sequence_length": 0}, "it must be 1 or more"),
    ({"memory": "100MB"}, "does not hold the weights alone: 124,000,000 of float32 take 496 MB"),
    ({"memory": "600MB"}, "holds the weights (496 MB) but not their gradients (496 MB)"),
    ({"memory": "24 apples"}, "this is no amount of memory"),
    ({"memory": 0}, "it must be more than nothing"),
    ({"memory": -3}, "it must be more than nothing"),
    ({"memory": "12"}, "this is no amount of memory"),
    ({"dtype": "int4"}, "weights are float32"),
    ({"trainable": "1B"}, "more weights cannot be trained than there are"),
    ({"tuned": "muon lr=1"}, "there is no muon"),
    ({"tuned": "adamw"}, "it needs an lr above 0"),
    ({"tuned": "adamw lr=0"}, "it needs an lr above 0"),
    ({"tuned": "adamw lr=x"}, "'lr=x' is neither"),
    ({"tuned": "adamw lr=1e-3 weight_decay=-1"}, "weight_decay of 0 or more"),
    ({"tuned": ""}, "there is no optimizer"),
]


@pytest.mark.parametrize(("change", "said"), IMPOSSIBLE, ids=lambda x: str(x)[:40])
def test_what_cannot_be_is_refused_with_what_to_write(change: dict[str, Any], said: str) -> None:
    asked = {**LM, **change}
    with pytest.raises(GuideError, match=re.escape(said)):
        steepest.advise(**asked)


def test_a_model_and_flags_that_contradict_it_are_refused() -> None:
    model = nn.Linear(10, 10)
    with pytest.raises(GuideError, match=r"params='124M' and the model contradict each other: it has 110"):
        steepest.advise(model, params="124M")
    assert steepest.advise(model, params=110)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (nn.Linear, "The class Linear is no model"),
        ("resnet50", "is no model that is known here"),
        (nn.ReLU(), "has no weights"),
        (nn.LazyLinear(3), "call it once on a batch"),
        ({}, "is no model"),
        ({"a": (-1, 2)}, "a length cannot be negative"),
        (nn.Identity(), "has no weights"),
        (3, "is no model"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_is_no_model_is_refused(model: Any, said: str) -> None:
    with pytest.raises(GuideError, match=said):
        steepest.advise(model)


def test_a_frozen_model_is_refused() -> None:
    with pytest.raises(GuideError, match="no trainable weights"):
        steepest.advise(nn.Linear(3, 3).requires_grad_(False))


def test_sparse_embeddings_are_warned_of() -> None:
    model = nn.Sequential(nn.EmbeddingBag(1000, 8, sparse=True), nn.Linear(8, 1))
    advice = steepest.advise(model)
    assert advice.situation.family == "recommender"
    assert any("sparse=False" in n.says for n in advice.notes)


def test_a_sequence_length_where_there_is_none_is_said() -> None:
    assert "plays no part" in str(steepest.advise(family="cnn", params="1M", sequence_length=128))


def test_docstring_examples_run() -> None:
    import doctest

    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder().find(steepest.advise, "advise", globs={"advise": steepest.advise}):
        runner.run(example)
    assert runner.tries
    assert not runner.failures
