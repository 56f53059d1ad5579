"""A run that moves from one framework to the next goes on as if it had not moved."""

import dataclasses
from typing import Any

import pytest

import steepest
import steepest.optax
import steepest.torch
from steepest import AddDecayedWeights, ClipByGlobalNorm, Cosine, Lookahead, ScaleByBelief, ScaleByLearningRate, Trace, chain
from steepest.checkpoint import convert, counted
from steepest.conventions import keras, optax, torch
from steepest.errors import StateError
from steepest.registry import optimizers, registration
from tests.checkpoint.runs import apart, by_optax, by_rule, by_torch, start

STRATEGIES = [
    *(pytest.param(strategy, id=name) for n in optimizers() for name, strategy in registration(n).variants()),
    pytest.param(
        Lookahead(
            chain(
                ClipByGlobalNorm(1.0),
                ScaleByBelief(rectify=True),
                AddDecayedWeights(0.1),
                Trace(0.5),
                Trace(0.3),
                ScaleByLearningRate(Cosine(0.05, 60)),
            ),
            k=4,
        ),
        id="a strategy of one's own",
    ),
]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_from_torch_to_optax_and_back(strategy: steepest.Transform) -> None:
    straight, _ = by_rule(strategy, start(), 0, 30)
    params, state = by_torch(lambda p: steepest.torch.Optimizer(p, strategy), start(), 0, 10)
    assert state.strategy == strategy
    params, state = by_optax(steepest.optax.transform(state.strategy), params, 10, 20, state)
    params, _ = by_torch(lambda p: steepest.torch.Optimizer(p, state.strategy), params, 20, 30, state)
    assert apart(params, straight) < 1e-12


def test_before_the_first_step() -> None:
    strategy = steepest.lookahead(0.1, k=3)
    _, state = by_torch(lambda p: steepest.torch.Optimizer(p, strategy), start(), 0, 0)
    params, _ = by_optax(steepest.optax.transform(strategy), start(), 0, 10, state)
    assert apart(params, by_rule(strategy, start(), 0, 10)[0]) < 1e-12


#: the same mathematics at a constant learning rate, said by three frameworks
ALIKE: dict[str, dict[str, Any]] = {
    "sgd": {"torch": torch.sgd(0.05, 0.9), "keras": keras.sgd(0.05, 0.9), "optax": optax.sgd(0.05, 0.9)},
    "nesterov": {
        "torch": torch.sgd(0.05, 0.9, nesterov=True),
        "keras": keras.sgd(0.05, 0.9, nesterov=True),
        "optax": optax.sgd(0.05, 0.9, nesterov=True),
    },
    "rmsprop": {
        "keras": keras.rmsprop(0.01, 0.9, 1e-3, momentum=0.9),
        "optax": optax.rmsprop(0.01, 0.9, 1e-3, momentum=0.9),
    },
    "adam": {"torch": torch.adam(0.01, 0.9, 0.99, 1e-8), "optax": optax.adam(0.01, 0.9, 0.99, 1e-8)},
    "adamw": {
        "torch": torch.adam(0.01, 0.9, 0.99, 1e-8, 0.1, decoupled=True),
        "optax": optax.adamw(0.01, 0.9, 0.99, 1e-8, weight_decay=0.1),
    },
    "adabelief": {
        "torch": torch.adabelief(0.01, 0.9, 0.99, 1e-8, rectify=True),
        "keras": keras.adabelief(0.01, 0.9, 0.99, 1e-8, rectify=True),
    },
    "lion": {
        "torch": torch.lion(0.01, 0.9, 0.99),
        "keras": keras.lion(0.01, 0.9, 0.99),
        "optax": optax.lion(0.01, 0.9, 0.99),
    },
}


@pytest.mark.parametrize(("rule", "here", "there"), [(r, a, b) for r, said in ALIKE.items() for a in said for b in said if a != b])
def test_converted_and_gone_on(rule: str, here: str, there: str) -> None:
    """Where the conventions mean the same at a constant learning rate, the converted run is the run."""
    straight, _ = by_rule(ALIKE[rule][here], start(), 0, 20)
    params, state = by_rule(ALIKE[rule][here], start(), 0, 10)
    converted = convert(dataclasses.replace(state, face=here), there)
    assert converted.state.strategy == ALIKE[rule][there]
    params, _ = by_rule(converted.state.strategy, params, 10, 20, converted.state)
    assert apart(params, straight) < 1e-12


def test_without_the_factor_the_run_would_not_go_on() -> None:
    """What the test above would see if the buffer were carried over as it is."""
    straight, _ = by_rule(ALIKE["sgd"]["torch"], start(), 0, 20)
    params, state = by_rule(ALIKE["sgd"]["torch"], start(), 0, 10)
    params, _ = by_rule(ALIKE["sgd"]["keras"], params, 10, 20, state)
    assert apart(params, straight) > 0.1


def test_into_the_other_ones_own_class() -> None:
    params, state = by_torch(lambda p: steepest.torch.SGD(p, lr=0.05, momentum=0.9), start(), 0, 10)
    with pytest.raises(StateError, match=r"does not say how many steps.*counted\(state, count\)"):
        by_optax(steepest.optax.sgd(0.05, 0.9), params, 10, 20, state)
    params, state = by_optax(steepest.optax.sgd(0.05, 0.9), params, 10, 20, counted(state, 10))
    params, _ = by_torch(lambda p: steepest.torch.SGD(p, lr=0.05, momentum=0.9), params, 20, 30, state)
    assert apart(params, by_rule(torch.sgd(0.05, 0.9), start(), 0, 30)[0]) < 1e-12


@pytest.mark.parametrize(
    ("face", "strategy", "to", "why"),
    [
        ("torch", torch.adam(0.1, 0.9, 0.99, 1e-8, 0.01), "keras", "no L2 weight decay"),
        ("torch", torch.sgd(0.1, 0.9, 0.5), "optax", "no dampening"),
        ("torch", torch.adabelief(0.1, 0.9, 0.99, 1e-8, rectify=True), "optax", "no rectify"),
        ("torch", torch.adam(0.1, 0.9, 0.99, 1e-8, amsgrad=True), "optax", "a maximum of corrected means"),
        ("optax", optax.amsgrad(0.1, 0.9, 0.99, 1e-8), "keras", "a maximum of corrected means"),
        ("optax", optax.adam(0.1, 0.9, 0.99, 1e-8, nesterov=True), "torch", "no nesterov"),
        ("torch", torch.sgd(0.0, 0.9), "keras", "it is 0"),
        ("torch", steepest.lookahead(0.1), "keras", "a wrapper"),
        ("torch", chain(steepest.Cautious(), ScaleByLearningRate(0.1)), "keras", "a strategy of its own"),
        ("torch", chain(Trace(0.9)), "keras", "no learning rate"),
        ("torch", torch.sgd(0.1), "mxnet", "no framework 'mxnet'"),
    ],
)
def test_what_cannot_be_converted_says_why(face: str, strategy: steepest.Transform, to: str, why: str) -> None:
    _, state = by_rule(strategy, start(), 0, 3)
    with pytest.raises(StateError, match=why):
        convert(dataclasses.replace(state, face=face), to)


def test_differences_in_eps_are_told() -> None:
    _, state = by_rule(torch.adam(0.1, 0.9, 0.99, 1e-8, 0.1, decoupled=True), start(), 0, 3)
    converted = convert(dataclasses.replace(state, face="torch"), "keras")
    assert converted.call == "steepest.keras.AdamW(learning_rate=0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-08, weight_decay=0.1)"
    assert len(converted.notes) == 1
    assert "before Adam's bias correction" in converted.notes[0]
    assert converted.state.options == {"weight_decay": 0.1}
    back = convert(converted.state, "torch")
    assert back.call == "steepest.torch.AdamW(lr=0.1, betas=(0.9, 0.99), eps=1e-08, weight_decay=0.1)"
