"""Gradients that are not there, of embeddings, or of a few variables only."""

import warnings
from typing import Any

import keras
import numpy as np
import pytest

from steepest import keras as face
from tests.keras_face.cases import ONE_OF_EACH, Case, over
from tests.keras_face.digits import same, state
from tests.keras_face.trajectory import BACKEND


def array(variable: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(variable.value))


def steps_with_gaps(optimizer: Any) -> list[Any]:
    """A variable without gradient stands still, state and all, and goes on with the common count."""
    mine = [keras.Variable(v, dtype="float32") for v in ([1.0, -2.0], [[3.0]], 0.5)]
    optimizer.build(mine)
    passed = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gradients do not exist")  # Keras says so
        for t in range(12):
            grads: list[Any] = [
                None if i and t % (i + 2) == i else keras.ops.full(v.shape, 0.1 * t - 0.3 * i, dtype="float32") for i, v in enumerate(mine)
            ]
            optimizer.apply(grads, mine)
            passed += [*map(array, mine), *state(optimizer)]
    return passed


@over(ONE_OF_EACH)
def test_variables_without_gradient(case: Case) -> None:
    accumulated = {"gradient_accumulation_steps": 2} if case.rule == "AdamW" and BACKEND != "jax" else {}  # eager `cond` compiles
    given = case.with_settings(accumulated)
    same(steps_with_gaps(given.ours()), steps_with_gaps(given.stock()), 2e-5)


def test_lookahead_with_gaps() -> None:
    """The slow weights of a variable without gradient wait for it; nothing is lost."""
    mine = [keras.Variable([1.0]), keras.Variable([1.0])]
    optimizer = face.Lookahead(face.SGD(1.0), 2, 0.5)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([keras.ops.ones(1), None], mine)
    optimizer.apply([keras.ops.ones(1)] * 2, mine)
    assert [v.item() for v in map(array, mine)] == [0.0, 0.5]


def embedding_run(optimizer: Any) -> tuple[list[float], list[Any], list[Any]]:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((5,), dtype="int32"), keras.layers.Embedding(11, 3), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile(optimizer, "mse")
    words = np.random.default_rng(0).integers(0, 4, size=(16, 5))  # repeated, and most words never seen
    words[:, 1] = words[:, 0]
    target = words.sum(1, keepdims=True).astype("float32")
    found = [float(model.train_on_batch(words, target)) for _ in range(4)]
    return found, model.get_weights(), state(optimizer)


@over([c for c in ONE_OF_EACH if BACKEND == "torch" or c.rule == "SGD"])
def test_embeddings(case: Case) -> None:
    """On TensorFlow the gradient is rows and indices, the same row more than once: see below for the other rules."""
    for mine, theirs in zip(embedding_run(case.ours()), embedding_run(case.stock()), strict=True):
        same(mine, theirs, 2e-5)


def rows(at: list[int]) -> Any:
    import tensorflow as tf

    return tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]), tf.constant(at), tf.constant([6, 2]))


def sparse_run(optimizer: Any, gradient: Any) -> list[Any]:
    table = keras.Variable(np.arange(12, dtype="float32").reshape(6, 2))
    for _ in range(3):
        optimizer.apply([gradient], [table])
    return [array(table), *state(optimizer)]


only_on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="IndexedSlices are TensorFlow's")


@only_on_tensorflow
@over(ONE_OF_EACH)
@pytest.mark.parametrize("option", [{}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipvalue": 0.5}, {"use_ema": True}], ids=str)
def test_rows_and_indices(case: Case, option: dict[str, Any]) -> None:
    given = case.with_settings(option)
    same(sparse_run(given.ours(), rows([4, 1, 3])), sparse_run(given.stock(), rows([4, 1, 3])), 2e-5)


@only_on_tensorflow
@over(ONE_OF_EACH)
def test_repeated_rows_add_up(case: Case) -> None:
    """A word that is twice in a batch has the sum of its gradients, as in the dense gradient of every other backend.

    Differs from Keras on TensorFlow, which squares each of them: its RMSprop and Adam see other gradients there.
    """
    dense = keras.ops.convert_to_tensor(np.array([[0, 0], [3, -1], [0, 0], [0, 0], [1.5, 2.5], [0, 0]], "float32"))
    ours = sparse_run(case.ours(), rows([4, 1, 4]))
    same(ours, sparse_run(case.ours(), dense), 1e-6)
    same(ours, sparse_run(case.stock(), dense), 2e-5)
    if case.rule in ("RMSprop", "Adam", "AdamW"):
        with pytest.raises(AssertionError):
            same(ours, sparse_run(case.stock(), rows([4, 1, 4])), 2e-5)


def test_constraints() -> None:
    """Applied after the step, by Keras."""

    def run(optimizer: Any) -> list[Any]:
        layer = keras.layers.Dense(2, kernel_constraint=keras.constraints.NonNeg(), kernel_initializer="ones", use_bias=False)
        layer.build((None, 3))
        for _ in range(3):
            optimizer.apply([keras.ops.convert_to_tensor(np.full((3, 2), 5.0, "float32"))], layer.trainable_variables)
        return [array(layer.kernel), *state(optimizer)]

    same(run(face.SGD(0.1, momentum=0.5)), run(keras.optimizers.SGD(0.1, momentum=0.5)), 1e-6)


def test_variables_that_gradients_overwrite() -> None:
    """Keras' float8 training replaces some variables by their gradients: they have no state."""

    def run(optimizer: Any) -> list[Any]:
        mine = [keras.Variable([1.0, 2.0]), keras.Variable([3.0])]
        mine[1].overwrite_with_gradient = True
        for t in range(3):
            optimizer.apply([keras.ops.ones(2), keras.ops.full((1,), float(t), dtype="float32")], mine)
        return [*map(array, mine), *state(optimizer)]

    same(run(face.Adam(0.1, use_ema=True)), run(keras.optimizers.Adam(0.1, use_ema=True)), 2e-5)
    run(face.Lookahead(face.Adam(0.1), 2))
