"""AdaBelief and Lookahead, which Keras does not have, beside the authors' code and plain words."""

from typing import Any

import keras
import pytest
import torch

import steepest.torch
from steepest import keras as face
from tests.keras_face.references import authors_adabelief, by_torch, plain_lookahead
from tests.keras_face.trajectory import BACKEND, DTYPE, TOLERANCE, Snapshot, compare, trajectory
from tests.parity import record

BELIEFS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.1, "epsilon": 1e-8},
    {"rectify": False},
    {"rectify": False, "weight_decay": 0.1, "beta_1": 0.8, "beta_2": 0.99},
    {"rectify": False, "amsgrad": True, "epsilon": 1e-8},
]


@pytest.mark.parametrize("settings", BELIEFS, ids=str)
def test_adabelief(settings: dict[str, Any]) -> None:
    def reference(params: Any) -> torch.optim.Optimizer:
        theirs = {"rectify": True, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-14, **settings}
        betas = theirs.pop("beta_1"), theirs.pop("beta_2")
        return authors_adabelief(params, lr=0.01, betas=betas, eps=theirs.pop("epsilon"), weight_decouple=True, **theirs)

    got = trajectory(lambda _: face.AdaBelief(0.01, **settings))
    apart = compare(got, by_torch(reference), TOLERANCE[DTYPE], state=False)
    said = ", ".join(f"{k}={v}" for k, v in settings.items())
    record(f"keras-{BACKEND}", "AdaBelief", "adabelief_pytorch.AdaBelief", apart, DTYPE, said)


LOOKAHEADS: list[tuple[str, dict[str, Any], int, float]] = [
    ("SGD", {"momentum": 0.9}, 6, 0.5),
    ("Adam", {}, 5, 0.8),
    ("Adam", {"weight_decay": 0.3, "global_clipnorm": 0.5}, 1, 0.3),
]


def slow_weights(passed: list[Snapshot]) -> list[Snapshot]:
    """With the slow weights alone for the state: they are the last that is made."""
    return [Snapshot(values, state[-len(values) :]) for values, state in passed]


@pytest.mark.parametrize(("rule", "settings", "k", "alpha"), LOOKAHEADS, ids=str)
def test_lookahead(rule: str, settings: dict[str, Any], k: int, alpha: float) -> None:
    """Around Keras' own class; ours wraps ours."""
    got = trajectory(lambda _: face.Lookahead(getattr(face, rule)(0.01, **settings), k, alpha))
    want = plain_lookahead(lambda _: getattr(keras.optimizers, rule)(0.01, **settings), k, alpha)
    apart = compare(slow_weights(got), want, TOLERANCE[DTYPE])
    said = ", ".join([*(f"{a}={b}" for a, b in settings.items()), f"sync_period={k}, slow_step_size={alpha}"])
    record(f"keras-{BACKEND}", f"Lookahead({rule})", "Algorithm 1 around keras.optimizers", apart, DTYPE, said)


def test_lookahead_of_the_torch_face() -> None:
    """The same k steps there: RMSprop written as a strategy, since the two frameworks' classes differ."""
    inner = steepest.chain(steepest.ScaleByRms(0.9, 1e-4), steepest.Trace(0.5), steepest.ScaleByLearningRate(0.005))
    got = trajectory(lambda _: face.Lookahead(face.Optimizer(inner), 3, 0.5))
    want = by_torch(lambda params: steepest.torch.Lookahead(steepest.torch.Optimizer(params, inner), 3, 0.5))
    apart = compare(got, want, TOLERANCE[DTYPE], state=False)
    record(f"keras-{BACKEND}", "Lookahead", "steepest.torch.Lookahead", apart, DTYPE, "RMSprop with momentum, sync_period=3")


def test_slow_weights_start_before_the_first_step() -> None:
    """Not after it, as in torch_optimizer, nor when the optimizer is built: weights may be loaded in between."""
    variable = keras.Variable([1.0, 2.0])
    optimizer = face.Lookahead(face.SGD(1.0), sync_period=2, slow_step_size=0.5)
    optimizer.build([variable])
    variable.assign([5.0, 6.0])
    for _ in range(2):
        optimizer.apply([keras.ops.ones(2)], [variable])
    assert keras.ops.convert_to_numpy(variable.value).tolist() == [4.0, 5.0]


def test_one_learning_rate() -> None:
    """Of the wrapper and the wrapped: set it here or there."""
    inner = face.Adam(0.01)
    optimizer = face.Lookahead(inner)
    inner.learning_rate = 0.5
    assert float(keras.ops.convert_to_numpy(optimizer.learning_rate)) == 0.5
    optimizer.learning_rate = 0.25
    assert float(keras.ops.convert_to_numpy(inner.learning_rate)) == 0.25
