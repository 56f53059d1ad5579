"""compile and fit on digits: as good as Keras' own, and with its losses; callbacks, switches of compile, own loops."""

from typing import Any

import keras
import numpy as np
import pytest

import steepest
from steepest import keras as face
from tests.keras_face.cases import SOME, Case, over
from tests.keras_face.digits import compiled, digits, losses, same, state, weights
from tests.keras_face.trajectory import BACKEND

STRATEGY = steepest.chain(
    steepest.ClipByGlobalNorm(1.0), steepest.ScaleByBelief(eps=1e-8), steepest.Cautious(), steepest.ScaleByLearningRate(0.01)
)


@over(SOME)
def test_losses_are_those_of_keras(case: Case) -> None:
    """In float32, where the last digits differ: 45 steps later the losses still agree in four."""
    mine, theirs = compiled(case.ours()), compiled(case.stock())
    found = losses(mine, 3)
    np.testing.assert_allclose(found, losses(theirs, 3), rtol=1e-4)
    same(weights(mine), weights(theirs), 2e-3)
    assert found[-1] < 0.9 * found[0]


LEARNERS: dict[str, Any] = {
    "Lookahead": lambda: face.Lookahead(face.Adam(0.02)),
    "Optimizer": lambda: face.Optimizer(STRATEGY),
}
if BACKEND == "torch":
    LEARNERS |= {
        "Adam, our schedule": lambda: face.Adam(steepest.Cosine(0.02, steps=60, warmup=5)),
        "AdaBelief": lambda: face.AdaBelief(0.02, beta_2=0.95),
    }


@pytest.mark.parametrize("make", LEARNERS.values(), ids=LEARNERS)
def test_learns(make: Any) -> None:
    model = compiled(make())
    losses(model, 4)
    assert model.history.history["accuracy"][-1] > 0.85


def test_callbacks_that_set_the_learning_rate() -> None:
    def halved(epoch: int, now: float) -> float:
        return now / 2 if epoch else now

    run = []
    for make in (face.Adam, keras.optimizers.Adam, lambda rate: face.Lookahead(face.Adam(rate), 1, 1.0)):
        model = compiled(make(0.02))
        callbacks = [
            keras.callbacks.LearningRateScheduler(halved),
            keras.callbacks.ReduceLROnPlateau("loss", 0.1, patience=0, min_delta=10.0),
        ]
        found = losses(model, 3, callbacks=callbacks)
        run.append((found, float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))))
    for found, rate in run[1:]:
        np.testing.assert_allclose(run[0][0], found, rtol=1e-4)
        assert rate == pytest.approx(run[0][1], rel=1e-6)
    assert run[0][1] < 0.001  # both have worked


def test_eagerly() -> None:
    x, y = (a[:8] for a in digits())
    mine, theirs = compiled(face.Adam(0.01), run_eagerly=True), compiled(face.Adam(0.01))
    for _ in range(1 if BACKEND == "jax" else 2):  # where every operation is compiled for itself
        np.testing.assert_allclose(mine.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-5)


@pytest.mark.skipif(BACKEND == "torch", reason="torch.compile works (the rule is traced), but takes a minute")
def test_compiled_just_in_time() -> None:
    x, y = (a[:32] for a in digits())
    mine, theirs = compiled(face.Adam(0.01), jit_compile=True), compiled(face.Adam(0.01), jit_compile=False)
    for _ in range(2):
        np.testing.assert_allclose(mine.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-4)


def test_frozen_layers() -> None:
    """Freezing and compiling anew is Keras' way; the frozen layer stays, the rest goes on."""
    model = compiled(face.Adam(0.01))
    losses(model, 1)
    model.get_layer("hidden").trainable = False
    model.compile(face.Adam(0.01), model.loss)
    before = weights(model)
    losses(model, 1)
    after = weights(model)
    same(before[:2], after[:2])
    assert all((a != b).any() for a, b in zip(before[2:], after[2:], strict=True))
    assert len(model.optimizer.variables) == 2 + 2 * 2


def test_a_used_optimizer_is_refused_by_another_model() -> None:
    """With Keras' own words. (On JAX, `fit` does not ask, and steps the first model's variables: with Keras' classes too.)"""
    optimizer = face.Lookahead(face.Adam(0.01))
    mine, other = [keras.Variable([1.0])], [keras.Variable([1.0])]
    optimizer.apply([keras.ops.ones(1)], mine)
    before = state(optimizer)
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply([keras.ops.ones(1)], other)
    same(before, state(optimizer))
    assert keras.ops.convert_to_numpy(other[0].value) == 1


def one_step(model: Any, optimizer: Any, loss: Any, x: Any, y: Any) -> None:
    """A training loop by hand, as each backend's guide writes it."""
    if BACKEND == "torch":
        model.zero_grad()
        loss(y, model(x)).backward()
        import torch

        found = model.trainable_weights
        with torch.no_grad():
            optimizer.apply([v.value.grad for v in found], found)
    elif BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        optimizer.apply_gradients(zip(tape.gradient(value, model.trainable_weights), model.trainable_weights, strict=True))
    else:
        import jax

        def cost(trainable: Any) -> Any:
            outputs, _ = model.stateless_call(trainable, [], x, training=True)
            return loss(y, outputs)

        optimizer.build(model.trainable_variables)
        values = [v.value for v in model.trainable_variables]
        new, kept = jax.jit(optimizer.stateless_apply)([v.value for v in optimizer.variables], jax.grad(cost)(values), values)
        for v, value in zip([*model.trainable_variables, *optimizer.variables], [*new, *kept], strict=True):
            v.assign(value)


@pytest.mark.parametrize("make", [lambda: face.Adam(0.01), lambda: face.Lookahead(face.SGD(0.05, 0.9), 2)], ids=["Adam", "Lookahead"])
def test_loops_by_hand(make: Any) -> None:
    """The same weights as fit."""
    x, y = (a[:96] for a in digits())
    fitted, own = compiled(make()), compiled(make())
    fitted.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    optimizer, loss = make(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for i in range(0, 96, 32):
        one_step(own, optimizer, loss, keras.ops.convert_to_tensor(x[i : i + 32]), keras.ops.convert_to_tensor(y[i : i + 32]))
    same(weights(fitted), weights(own), 1e-5)
    same(state(fitted.optimizer), state(optimizer), 1e-5)
