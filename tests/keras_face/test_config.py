"""Optimizers as data: get_config and from_config, Keras' serialization, clones, pickles."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import steepest
from steepest import keras as face
from steepest.errors import HyperparameterError
from tests.keras_face.digits import compiled, digits, state
from tests.keras_face.trajectory import trajectory

OPTIONS = {
    "weight_decay": 0.2,
    "clipnorm": 1.5,
    "use_ema": True,
    "ema_momentum": 0.9,
    "ema_overwrite_frequency": 10,
    "loss_scale_factor": 2.0,
    "name": "mine",
}
STRATEGY = steepest.Lookahead(
    steepest.chain(steepest.ClipByGlobalNorm(2.0), steepest.ScaleByAdam(b1=0.8), steepest.ScaleByLearningRate(0.02)), k=3
)

MAKE: dict[str, Callable[[], Any]] = {
    "SGD": lambda: face.SGD(0.02, 0.9, True, **OPTIONS),
    "RMSprop": lambda: face.RMSprop(0.02, 0.95, 0.5, 1e-5, True, **OPTIONS),
    "Adam": lambda: face.Adam(0.02, 0.8, 0.99, 1e-5, True, **OPTIONS),
    "AdamW": lambda: face.AdamW(0.02, beta_1=0.8, beta_2=0.99, epsilon=1e-5, amsgrad=True, **OPTIONS),
    "AdaBelief": lambda: face.AdaBelief(0.02, 0.8, 0.99, 1e-12, rectify=False, amsgrad=True, **OPTIONS),
    "Lion": lambda: face.Lion(0.02, 0.8, 0.9, gradient_accumulation_steps=3, **OPTIONS),
    "Lookahead": lambda: face.Lookahead(face.RMSprop(0.02, 0.95, 0.5, **OPTIONS), 4, 0.3, name="outer"),
    "Optimizer": lambda: face.Optimizer(STRATEGY, **OPTIONS),
    "with our schedule": lambda: face.Adam(steepest.Cosine(0.02, steps=90, warmup=5, floor=0.1)),
    "strategy with our schedule": lambda: face.Optimizer(steepest.adamw(steepest.Linear(0.02, steps=90))),
    "with Keras' schedule": lambda: face.Lookahead(face.Adam(keras.optimizers.schedules.CosineDecay(0.02, 90))),
}

every = pytest.mark.parametrize("name", MAKE)


def same_steps(a: Any, b: Any) -> None:
    """The same three steps, state and all."""
    generator = np.random.default_rng(0)
    mine, theirs = ([keras.Variable(np.linspace(-1, 1, 5, dtype="float32"))] for _ in range(2))
    for _ in range(3):
        grad = generator.normal(size=5).astype("float32")
        a.apply([keras.ops.convert_to_tensor(grad)], mine)
        b.apply([keras.ops.convert_to_tensor(grad)], theirs)
    for x, y in zip(
        [np.array(keras.ops.convert_to_numpy(mine[0].value)), *state(a)],
        [np.array(keras.ops.convert_to_numpy(theirs[0].value)), *state(b)],
        strict=True,
    ):
        np.testing.assert_array_equal(x, y)


@every
def test_from_config(name: str) -> None:
    made = MAKE[name]()
    again = type(made).from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert again.strategy == made.strategy


@every
def test_through_json(name: str) -> None:
    made = MAKE[name]()
    data = json.loads(json.dumps(keras.optimizers.serialize(made)))
    assert data["registered_name"] == f"steepest>{type(made).__name__}"
    again = keras.optimizers.deserialize(data)
    assert type(again) is type(made)
    same_steps(made, again)
    assert keras.optimizers.get(data).get_config() == made.get_config()


@every
def test_pickle(name: str) -> None:
    """Keras pickles what an optimizer is, not its state; so do we."""
    made = MAKE[name]()
    again = pickle.loads(pickle.dumps(made))
    assert again.get_config() == made.get_config()


def test_defaults_are_those_of_keras() -> None:
    for name in ("SGD", "RMSprop", "Adam", "AdamW", "Lion"):
        assert getattr(face, name)(name="x").get_config() == getattr(keras.optimizers, name)(name="x").get_config()


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW", "Lion"])
def test_keras_configuration_makes_ours(name: str) -> None:
    """And ours Keras'."""
    stock, ours = getattr(keras.optimizers, name), getattr(face, name)
    given = stock(0.5, name="x").get_config()
    assert ours.from_config(given).get_config() == given
    assert stock.from_config(ours(0.5, name="x").get_config()).get_config() == given


def test_what_was_changed_is_written() -> None:
    """As it is now, not as it was given."""
    optimizer = face.Adam(0.01)
    optimizer.beta_1 = 0.5
    optimizer.learning_rate = 0.25
    config = optimizer.get_config()
    assert (config["beta_1"], config["learning_rate"]) == (0.5, 0.25)
    wrapper = face.Lookahead(face.Adam(0.01))
    wrapper.learning_rate = 0.25
    wrapper.weight_decay = 0.5
    again = face.Lookahead.from_config(wrapper.get_config())
    assert float(keras.ops.convert_to_numpy(again.learning_rate)) == 0.25
    assert again.weight_decay == 0.5


def test_a_schedule_set_later_is_written() -> None:
    wrapper = face.Lookahead(face.Adam(0.01))
    wrapper.learning_rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    again = face.Lookahead.from_config(wrapper.get_config())
    assert again.get_config() == wrapper.get_config()
    assert isinstance(again._learning_rate, keras.optimizers.schedules.ExponentialDecay)


def test_functions_cannot_be_written() -> None:
    with pytest.raises(HyperparameterError, match="is a function, which a configuration cannot hold"):
        face.Adam(lambda step: 0.1 / (1 + step)).get_config()
    with pytest.raises(HyperparameterError, match="is a function, which a configuration cannot hold"):
        face.Optimizer(steepest.chain(steepest.ScaleByAdam(), steepest.ScaleByLearningRate(lambda t: 0.1))).get_config()


def test_clones() -> None:
    model = compiled(face.Lookahead(face.Adam(0.01)))
    x, y = (a[:32] for a in digits())
    model.train_on_batch(x, y)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    clone.compile(keras.optimizers.deserialize(keras.optimizers.serialize(model.optimizer)), model.loss)
    assert clone.optimizer.get_config() == model.optimizer.get_config()
    clone.train_on_batch(x, y)
    by_config = type(model).from_config(model.get_config())
    by_config.compile_from_config(model.get_compile_config())
    assert by_config.optimizer.get_config() == model.optimizer.get_config()


def test_a_function_of_the_step_is_a_schedule() -> None:
    """Keras' callables take no argument; with one argument it is the number of steps taken, as in a Keras schedule."""

    def ours(_: Any) -> Any:
        return face.SGD(lambda step: 0.01 / (1 + 0.1 * keras.ops.cast(step, keras.config.floatx())))

    def stock(_: Any) -> Any:
        return keras.optimizers.SGD(keras.optimizers.schedules.InverseTimeDecay(0.01, 1, 0.1))

    for got, want in zip(trajectory(ours), trajectory(stock), strict=True):
        for a, b in zip(got.values, want.values, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-9)
