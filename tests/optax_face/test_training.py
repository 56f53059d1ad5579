"""Real training on digits, compiled: flax nnx and equinox, ours beside optax's."""

from typing import Any

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from sklearn.datasets import load_digits

from steepest import optax as face

STEPS, BATCH = 120, 128


def batches() -> tuple[Any, Any, Any, Any]:
    """The batches of all steps, and what is held back; NumPy's, which JAX need not compile anything to take apart."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels = images[order] / 16, labels[order]
    rows = np.random.default_rng(1).integers(0, 1400, (STEPS, BATCH))
    return images[rows], labels[rows], images[1400:], labels[1400:]


def loss_of(logits: Any, labels: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


class Net(nnx.Module):
    """Two layers, with a norm and dropout between them: parameters, and variables that are none."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(64, 32, rngs=rngs, param_dtype=jnp.float64, dtype=jnp.float64)
        self.norm = nnx.LayerNorm(32, rngs=rngs, param_dtype=jnp.float64, dtype=jnp.float64)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)
        self.out = nnx.Linear(32, 10, rngs=rngs, param_dtype=jnp.float64, dtype=jnp.float64)

    def __call__(self, x: Any) -> Any:
        return self.out(self.dropout(nnx.relu(self.norm(self.hidden(x)))))


def train_nnx(tx: Any) -> tuple[Any, float]:
    """The trained parameters, and the accuracy on what was held back."""
    images, labels, test, truth = batches()
    model = Net(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)

    @nnx.jit
    def step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
        loss, grads = nnx.value_and_grad(lambda m: loss_of(m(x), y))(model)
        optimizer.update(model, grads)
        return loss

    for x, y in zip(images, labels, strict=True):
        step(model, optimizer, x, y)
    model.eval()
    return jax.tree.leaves(nnx.state(model, nnx.Param)), float((model(test).argmax(-1) == truth).mean())


def train_equinox(tx: Any) -> tuple[Any, float]:
    """The same with equinox: its models hold functions beside arrays, which the filters leave out (as None)."""
    images, labels, test, truth = batches()
    model = equinox.nn.MLP(64, 10, 32, 1, key=jax.random.key(0), dtype=jnp.float64)
    state = tx.init(equinox.filter(model, equinox.is_inexact_array))

    @equinox.filter_jit
    def step(model: Any, state: Any, x: Any, y: Any) -> Any:
        grads = equinox.filter_grad(lambda m: loss_of(jax.vmap(m)(x), y))(model)
        updates, state = tx.update(grads, state, equinox.filter(model, equinox.is_inexact_array))
        return equinox.apply_updates(model, updates), state

    for x, y in zip(images, labels, strict=True):
        model, state = step(model, state, x, y)
    return jax.tree.leaves(equinox.filter(model, equinox.is_inexact_array)), float((jax.vmap(model)(test).argmax(-1) == truth).mean())


def recipe(module: Any) -> Any:
    """What people train with: clipping, AdamW that spares the biases, warm-up and cosine."""
    schedule = optax.warmup_cosine_decay_schedule(0.001, 0.02, 10, STEPS)
    mask = lambda params: jax.tree.map(lambda p: p.ndim > 1, params)  # noqa: E731
    return optax.chain(optax.clip_by_global_norm(1.0), module.adamw(schedule, weight_decay=0.01, mask=mask))


def nesterov(module: Any) -> Any:
    return module.sgd(0.1, momentum=0.9, nesterov=True)


@pytest.mark.parametrize(("train", "make"), [(train_nnx, recipe), (train_equinox, recipe), (train_equinox, nesterov)])
def test_ends_where_optax_ends(train: Any, make: Any) -> None:
    (ours, accuracy), (theirs, other) = train(make(face)), train(make(optax))
    for a, b in zip(ours, theirs, strict=True):
        assert np.linalg.norm(a - b) < 1e-10 * np.linalg.norm(b)
    assert accuracy == other
    assert accuracy > 0.9


def test_lookahead_on_a_model() -> None:
    """optax's cannot be given to nnx.Optimizer: its parameters are a pair."""
    _, accuracy = train_nnx(face.lookahead(face.adabelief(0.01), 6, 0.5))
    assert accuracy > 0.9
