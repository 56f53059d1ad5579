"""A small real task: scikit-learn's 8 x 8 handwritten digits, and a network for them."""

from functools import cache
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

BATCH = 128


@cache
def digits() -> tuple[Any, Any]:
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype("float32"), labels.astype("int32")


def network(*, dtype: Any = None, seed: int = 0) -> Any:
    """The same weights for the same seed."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(24, "relu", name="hidden", dtype=dtype),
            keras.layers.Dense(10, name="logits", dtype=dtype),
        ]
    )


def compiled(optimizer: Any, *, seed: int = 0, dtype: Any = None, **more: Any) -> Any:
    model = network(seed=seed, dtype=dtype)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], **more)
    return model


def losses(model: Any, epochs: int = 2, **more: Any) -> list[float]:
    """The loss of every epoch, on batches that are always the same."""
    x, y = digits()
    return model.fit(x, y, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0, **more).history["loss"]


def weights(model: Any) -> list[Any]:
    return [np.array(w) for w in model.get_weights()]


def state(optimizer: Any) -> list[Any]:
    """All of an optimizer's variables, as NumPy has them."""
    return [np.array(keras.ops.convert_to_numpy(v.value)) for v in optimizer.variables]


def same(a: list[Any], b: list[Any], tolerance: float = 0.0) -> None:
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(np.asarray(x, "float64"), np.asarray(y, "float64"), rtol=tolerance, atol=tolerance)
