"""`steepest.advise` on Keras models: what is seen, what is predicted of memory, and the code that is printed."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import steepest
import steepest.keras
from steepest.errors import GuideError
from steepest.guide.advise import candidates
from steepest.guide.model import inventory
from steepest.guide.model.memory import memory


def block(x: Any) -> Any:
    return layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))


def lm() -> Any:
    tokens = layers.Input((8,))
    return keras.Model(tokens, layers.Dense(50)(block(layers.Embedding(50, 16)(tokens))))


def vit() -> Any:
    image = layers.Input((16, 16, 3))
    patches = layers.Reshape((16, 16))(layers.Conv2D(16, 4, strides=4)(image))
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling1D()(block(patches))))


def resnet() -> Any:
    image = layers.Input((16, 16, 3))
    return keras.Model(image, layers.Dense(10)(layers.Flatten()(layers.BatchNormalization()(layers.Conv2D(16, 3, strides=4)(image)))))


def lstm() -> Any:
    return keras.Sequential([layers.Input((8, 3)), layers.LSTM(16), layers.Dense(2)])


def recommender() -> Any:
    user, item = layers.Input((1,)), layers.Input((1,))
    both = layers.Concatenate()([layers.Embedding(1000, 8)(user), layers.Embedding(500, 8)(item)])
    return keras.Model([user, item], layers.Dense(1)(layers.Flatten()(both)))


def mlp() -> Any:
    return keras.Sequential([layers.Input((4,)), layers.Dense(16), layers.Dense(1)])


@pytest.mark.parametrize(
    ("make", "family"),
    [
        (lm, "transformer-lm"),
        (vit, "vision-transformer"),
        (resnet, "cnn"),
        (lstm, "recurrent"),
        (recommender, "recommender"),
        (mlp, "mlp"),
    ],
)
def test_the_kind_of_model_is_seen(make: Callable[[], Any], family: str) -> None:
    advice = steepest.advise(make(), batch=64)
    assert advice.situation.family == family
    assert advice.situation.parameters in (make().count_params(), sum(int(np.prod(v.shape)) for v in make().trainable_weights))


@pytest.mark.parametrize("optimizer", [*steepest.optimizers(), "nadamw"])
def test_memory_is_what_keras_allocates(optimizer: str) -> None:
    model = resnet()
    strategy = candidates.strategy(optimizer, {})
    made = steepest.keras.Optimizer(strategy)
    made.build(model.trainable_variables)
    predicted = memory(inventory.of(model), strategy)
    weights = sum(v.numpy().nbytes if hasattr(v, "numpy") else v.value.nbytes for v in model.weights)
    state = sum(int(np.prod(v.shape)) * 4 for v in made.variables if v.shape)
    assert predicted.weights == pytest.approx(weights, rel=0.02)
    assert predicted.state == pytest.approx(state, rel=0.02, abs=8)


def test_a_model_that_is_not_built_is_refused() -> None:
    with pytest.raises(GuideError, match="is not built"):
        steepest.advise(keras.Sequential([layers.Dense(3)]))


def test_the_code_runs_and_is_the_strategy() -> None:
    for family in ("transformer-lm", "cnn", "recurrent"):
        for pick in steepest.advise(family=family, params="1M", steps=50).picks:
            made: dict[str, Any] = {}
            exec(compile(pick.code("keras"), "advised", "exec"), made)
            assert made["strategy"] == pick.strategy
            model = mlp()
            model.compile(optimizer=made["optimizer"], loss="mse")
            model.fit(np.ones((8, 4), "float32"), np.ones((8, 1), "float32"), verbose=0)
