"""What cannot be is refused in Keras' words, and before anything has been made or changed."""

from typing import Any

import keras
import pytest

import steepest
from steepest import keras as face
from steepest.errors import HyperparameterError, SteepestError
from tests.keras_face.digits import same, state

CLASSES = ["SGD", "RMSprop", "Adam", "AdamW", "AdaBelief", "Lion"]

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("SGD", {"momentum": -0.1}, "Received: momentum=-0.1"),
    ("RMSprop", {"rho": -0.1}, "Received: rho=-0.1"),
    ("RMSprop", {"rho": 1.5}, "Received: rho=1.5"),
    ("RMSprop", {"momentum": -0.5}, "Received: momentum=-0.5"),
    ("RMSprop", {"epsilon": -1e-7}, "Received: epsilon=-1e-07"),
    *((name, {"beta_1": -0.1}, "Received: beta_1=-0.1") for name in ("Adam", "AdamW", "AdaBelief", "Lion")),
    *((name, {"beta_1": 1.0}, "Received: beta_1=1.0") for name in ("Adam", "AdamW", "AdaBelief", "Lion")),
    *((name, {"beta_2": 1.5}, "Received: beta_2=1.5") for name in ("Adam", "AdamW", "AdaBelief", "Lion")),
    *((name, {"beta_2": "0.9"}, "Received: beta_2='0.9'") for name in ("Adam", "AdamW", "AdaBelief", "Lion")),
    *((name, {"epsilon": -1.0}, "Received: epsilon=-1.0") for name in ("Adam", "AdamW", "AdaBelief")),
    ("AdaBelief", {"amsgrad": True}, "rectify=False"),
    ("AdamW", {"weight_decay": None}, "Received: weight_decay=None"),
]

OF_THE_BASE: list[tuple[dict[str, Any], str]] = [
    ({"learning_rate": -0.1}, "Received: learning_rate=-0.1"),
    ({"learning_rate": float("nan")}, "Received: learning_rate=nan"),
    ({"learning_rate": "0.1"}, "Received instead: learning_rate=0.1"),
    ({"weight_decay": -0.1}, "Received: weight_decay=-0.1"),
    ({"clipnorm": 1.0, "clipvalue": 1.0}, "Received: clipnorm=1.0, clipvalue=1.0"),
    ({"clipnorm": 1.0, "global_clipnorm": 2.0}, "Received: clipnorm=1.0"),
    ({"gradient_accumulation_steps": 1}, "Received: gradient_accumulation_steps=1"),
    ({"use_ema": True, "ema_momentum": 1.5}, "Received: ema_momentum=1.5"),
    ({"use_ema": True, "ema_overwrite_frequency": 0.5}, "Received: ema_overwrite_frequency=0.5"),
    ({"betas": (0.9, 0.999)}, r"not recognized: \{'betas'"),
]


@pytest.mark.parametrize(("name", "settings", "words"), WRONG, ids=str)
def test_own_arguments(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        getattr(face, name)(**settings)
    assert isinstance(raised.value, SteepestError)
    assert name in str(raised.value)


@pytest.mark.parametrize(("settings", "words"), OF_THE_BASE, ids=str)
@pytest.mark.parametrize("name", CLASSES)
def test_arguments_of_the_base(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(face, name)(**settings)
    with pytest.raises(ValueError, match=words):
        face.Optimizer(steepest.chain(steepest.ScaleByLearningRate(0.1)), **settings)


def test_an_argument_made_wrong_later() -> None:
    optimizer, variable = face.Adam(0.01), keras.Variable([1.0])
    optimizer.apply([keras.ops.ones(1)], [variable])
    before = state(optimizer)
    optimizer.beta_1 = -0.1
    with pytest.raises(HyperparameterError, match=r"Received: beta_1=-0\.1"):
        optimizer.apply([keras.ops.ones(1)], [variable])
    same(before, state(optimizer))
    optimizer.beta_1 = 0.9
    optimizer.apply([keras.ops.ones(1)], [variable])


@pytest.mark.parametrize(
    ("wrong", "settings", "words"),
    [
        ("nadam", {}, "wraps an optimizer of steepest.keras"),
        (keras.optimizers.Ftrl, {}, "wraps an optimizer of steepest.keras"),
        (0.1, {}, "wraps an optimizer of steepest.keras"),
        (face.Adam, {}, "wraps an optimizer of steepest.keras"),
        ("adam", {"sync_period": 0}, "Received: sync_period=0"),
        ("adam", {"sync_period": 2.5}, r"Received: sync_period=2\.5"),
        ("adam", {"slow_step_size": -0.1}, "Received: slow_step_size=-0.1"),
        ("adam", {"slow_step_size": 1.1}, r"Received: slow_step_size=1\.1"),
        ("adam", {"k": 5}, "not recognized"),
    ],
    ids=str,
)
def test_lookahead(wrong: Any, settings: dict[str, Any], words: str) -> None:
    made = wrong() if wrong is keras.optimizers.Ftrl else wrong
    with pytest.raises(ValueError, match=words):
        face.Lookahead(made, **settings)


@pytest.mark.parametrize(
    "make", [face.Adam, keras.optimizers.Adam, lambda: face.Lookahead(face.Adam())], ids=["ours", "Keras'", "Lookahead"]
)
def test_lookahead_around_a_used_one(make: Any) -> None:
    used = make()
    used.build([keras.Variable([1.0])])
    with pytest.raises(HyperparameterError, match=r"not been used|built already"):
        face.Lookahead(used)


def test_strategies() -> None:
    for wrong in ("adam", face.Adam(), steepest.adamw, None):
        with pytest.raises(HyperparameterError, match="Received: strategy="):
            face.Optimizer(wrong)
    two = steepest.chain(steepest.ShrinkWeights(0.5, 0.1), steepest.ScaleByLearningRate(0.1))
    with pytest.raises(HyperparameterError, match="2 different learning rates"):
        face.Optimizer(two)
    face.Optimizer(two, learning_rate=0.1)


def test_gradients() -> None:
    variable = keras.Variable([1.0, 2.0])
    optimizer = face.Adam()
    with pytest.raises(ValueError, match="must already be built"):
        optimizer.apply([keras.ops.ones(2)])
    with pytest.raises(ValueError, match="No gradients provided"):
        optimizer.apply([None], [variable])
    before = state(optimizer)
    with pytest.raises(ValueError, match="shape"):
        optimizer.apply([keras.ops.ones(3)], [variable])
    same(before, state(optimizer))
    optimizer.apply([], [variable])
    same(before, state(optimizer))


def test_a_schedule_cannot_be_overwritten() -> None:
    """As in Keras, for ours too."""
    for rate in (keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), steepest.Cosine(0.1, steps=10)):
        with pytest.raises(TypeError, match="not settable"):
            face.Adam(rate).learning_rate = 0.1
