"""Models saved with their optimizer's state, ours and Keras' own, and gone on with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import steepest
from steepest import keras as face
from tests.keras_face.cases import SOME, Case, over
from tests.keras_face.digits import compiled, digits, same, state, weights
from tests.keras_face.trajectory import BACKEND

CHAIN = steepest.chain(steepest.ScaleByBelief(eps=1e-8), steepest.Trace(0.5), steepest.ScaleByLearningRate(steepest.Linear(0.02, steps=50)))

OURS: dict[str, Callable[[], Any]] = {
    "AdaBelief": lambda: face.AdaBelief(0.01, use_ema=True),
    "Lookahead": lambda: face.Lookahead(face.AdamW(0.01, weight_decay=0.1, gradient_accumulation_steps=2), 3),
    "Optimizer": lambda: face.Optimizer(CHAIN),
}

OPTIONS = {"use_ema": True, "weight_decay": 0.01}


def train(model: Any, first: int, last: int) -> list[float]:
    """The losses of these batches."""
    x, y = digits()
    return [float(model.train_on_batch(x[32 * t : 32 * t + 32], y[32 * t : 32 * t + 32])[0]) for t in range(first, last)]


@pytest.mark.parametrize("name", OURS)
def test_a_resumed_run_is_an_uninterrupted_one(name: str, tmp_path: Path) -> None:
    model = compiled(OURS[name]())
    train(model, 0, 4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is type(model.optimizer)
    assert loaded.optimizer.strategy == model.optimizer.strategy
    same(state(model.optimizer), state(loaded.optimizer))
    assert train(model, 4, 8) == train(loaded, 4, 8)
    same(weights(model), weights(loaded))


def swapped(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to tell `load_model`, so that Keras' checkpoint goes on with ours, and ours with Keras'."""
    return {name: getattr(face, name)}, {f"steepest>{name}": getattr(keras.optimizers, name)}


@over(SOME)
def test_stock_in_ours_on_stock_in_again(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a run that never left Keras' own class. What is registered goes before `custom_objects`, so where
    steepest.keras is imported, `keras.saving.get_custom_objects()` is what has to change."""
    to_ours, to_stock = swapped(case.rule)
    stayed = compiled(case.with_settings(OPTIONS).stock())
    train(stayed, 0, 2)
    stayed.save(tmp_path / "stock.keras")
    if BACKEND == "torch":
        ours = keras.models.load_model(tmp_path / "stock.keras", custom_objects=to_ours)
    else:  # Keras finds its own classes first there: weights and state of the file, into a model of ours
        ours = compiled(case.with_settings(OPTIONS).ours(), seed=1)
        ours.optimizer.build(ours.trainable_variables)
        ours.load_weights(tmp_path / "stock.keras")
    assert type(ours.optimizer) is getattr(face, case.rule)
    assert ours.optimizer.built
    same(state(stayed.optimizer), state(ours.optimizer))
    np.testing.assert_allclose(train(ours, 2, 4), train(stayed, 2, 4), rtol=1e-5)
    ours.save(tmp_path / "ours.keras")
    monkeypatch.delitem(keras.saving.get_custom_objects(), f"steepest>{case.rule}")  # as where steepest is not imported
    stock = keras.models.load_model(tmp_path / "ours.keras", custom_objects=to_stock)
    assert not isinstance(stock.optimizer, face.Optimizer)
    same(state(ours.optimizer), state(stock.optimizer))
    np.testing.assert_allclose(train(stock, 4, 6), train(stayed, 4, 6), rtol=1e-4)


def test_weights_alone(tmp_path: Path) -> None:
    """`load_weights` brings the optimizer's state as well, where it was saved."""
    model, other = compiled(face.Adam(0.01)), compiled(face.Adam(0.01), seed=1)
    train(model, 0, 3)
    train(other, 0, 1)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    same(state(model.optimizer), state(other.optimizer))
    assert train(model, 3, 5) == train(other, 3, 5)


def test_get_and_set_weights() -> None:
    """By position, as in Keras."""
    a, b, variable = face.Adam(0.01), face.Adam(0.01), keras.Variable([1.0, 2.0])
    a.build([variable])
    b.build([variable])
    a.apply([keras.ops.ones(2)], [variable])
    store: dict[str, Any] = {}
    a.save_own_variables(store)
    b.load_own_variables(store)
    same(state(a), state(b))
    b.set_weights([w * 0 for w in state(a)])
    assert not any(w.any() for w in state(b))


@pytest.mark.parametrize("wrong", ["more", "fewer", "other shapes"])
def test_a_wrong_checkpoint_changes_nothing(wrong: str) -> None:
    """Another count: Keras warns and skips. Other shapes: it raises; ours has then looked at all of them first."""
    optimizer, other = face.Adam(0.01), face.Adam(0.5, amsgrad=wrong == "more")
    mine = [keras.Variable([1.0, 2.0]), keras.Variable([3.0, 4.0])]
    theirs = {"more": mine, "fewer": mine[:1], "other shapes": [keras.Variable([1.0, 2.0]), keras.Variable([1.0])]}[wrong]
    optimizer.build(mine)
    optimizer.apply([keras.ops.ones(2)] * 2, mine)
    other.build(theirs)
    store: dict[str, Any] = {}
    other.save_own_variables(store)
    before = state(optimizer)
    if wrong == "other shapes":
        with pytest.raises(ValueError, match="shape"):
            optimizer.load_own_variables(store)
    else:
        with pytest.warns(UserWarning, match="Skipping variable loading"):
            optimizer.load_own_variables(store)
    same(before, state(optimizer))
