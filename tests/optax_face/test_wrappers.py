"""Inside optax's own wrappers and chains: ours in the place of theirs gives the same parameters."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import steepest
from steepest import optax as face
from tests.optax_face.cases import DEFAULTS, Case, over
from tests.optax_face.test_trees import nested
from tests.optax_face.trajectory import same_trajectory, trajectory

ADAMW = Case("adamw", {"weight_decay": 0.1})
SCHEDULE = optax.cosine_decay_schedule(0.02, 150)
#: of the tree in `test_trees`: the vectors and scalars are biases, so to speak
LABELS = {"head": "biases", "body": "weights", "empty": "weights"}


def of_biases(params: Any) -> Any:
    return jax.tree.map(lambda p: p.ndim > 1, params)


#: from a case's function (ours, or optax's) to the wrapped transformation
WRAPPED: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "masked": lambda make: optax.masked(make(0.01), of_biases),
    "partition": lambda make: optax.partition({"weights": make(0.01), "biases": make(0.03, weight_decay=0.0)}, LABELS),
    "beside optax's": lambda make: optax.partition({"weights": make(SCHEDULE), "biases": optax.sgd(0.01)}, LABELS),
    "MultiSteps": lambda make: optax.MultiSteps(make(SCHEDULE), 4).gradient_transformation(),
    "apply_if_finite": lambda make: optax.apply_if_finite(make(0.01), 3),
    "chain": lambda make: optax.chain(optax.clip_by_global_norm(0.5), make(0.01), optax.ema(0.5)),
    "named_chain": lambda make: optax.named_chain(("clip", optax.clip(0.1)), ("step", make(SCHEDULE))),
    "flatten": lambda make: optax.flatten(make(0.01)),
    "apply_every": lambda make: optax.chain(make(0.01), optax.apply_every(3)),
    "skip_large": lambda make: optax.conditionally_transform(make(0.01), lambda step, **_: step % 2 == 0),
}


@pytest.mark.parametrize("wrap", WRAPPED)
def test_wrapped(wrap: str) -> None:
    same_trajectory(lambda _: WRAPPED[wrap](ADAMW.ours), lambda _: WRAPPED[wrap](ADAMW.reference), **nested())


def test_frozen() -> None:
    """What is masked away has no state, and no update."""
    tx = optax.partition({"train": face.adam(0.1), "freeze": optax.set_to_zero()}, {"w": "train", "b": "freeze"})
    params = {"w": jnp.ones(3), "b": jnp.ones(2)}
    state = tx.init(params)
    updates, _ = jax.jit(tx.update)(params, state, params)
    assert updates["w"].all()
    assert not updates["b"].any()
    assert [x.shape for x in jax.tree.leaves(state)] == [(), (3,), (3,)]


def test_apply_if_finite_skips() -> None:
    tx, params = optax.apply_if_finite(face.adam(0.1), 5), jnp.ones(3)
    state = tx.init(params)
    step = jax.jit(tx.update)
    _, before = step(params, state, params)
    updates, after = step(params.at[0].set(jnp.nan), before, params)
    assert not updates.any()
    jax.tree.map(np.testing.assert_array_equal, after.inner_state, before.inner_state)
    assert after.total_notfinite == 1


# -- inject_hyperparams ---------------------------------------------------------------------------------------


@over(DEFAULTS)
@pytest.mark.parametrize("learning_rate", [0.01, SCHEDULE], ids=["float", "schedule"])
def test_inject_hyperparams(case: Case, learning_rate: Any) -> None:
    """Every number in the state, inside `jit` unknown; the names that optax finds in our signatures are its own."""

    def injected(function: Callable[..., Any]) -> Any:
        return lambda lr: optax.inject_hyperparams(function, static_args=("mask",) if case.rule in ("adamw", "nadamw", "lion") else ())(lr)

    same_trajectory(injected(case.function), injected(case.reference_function), learning_rate)
    ours, theirs = (injected(f)(learning_rate).init(jnp.ones(2)) for f in (case.function, case.reference_function))
    assert ours.hyperparams.keys() == theirs.hyperparams.keys()
    assert ours.hyperparams["learning_rate"] == theirs.hyperparams["learning_rate"]


def test_a_hyperparameter_is_read_and_set() -> None:
    tx = optax.inject_hyperparams(face.adamw)(learning_rate=SCHEDULE, weight_decay=0.1)
    params = jnp.ones(3)
    state = tx.init(params)
    step = jax.jit(tx.update)
    for t in range(3):
        _, state = step(params, state, params)
        np.testing.assert_allclose(state.hyperparams["learning_rate"], SCHEDULE(t), rtol=1e-12)
    plain, _ = step(params, state, params)
    state.hyperparams["weight_decay"] = jnp.zeros([])  # of a strong type, as it was
    without, _ = step(params, state, params)
    np.testing.assert_allclose(without - plain, SCHEDULE(3) * 0.1 * params, rtol=1e-9)
    assert step._cache_size() == 1


def test_static_arguments() -> None:
    """Those that are no numbers: a dtype, a function."""
    make = optax.inject_hyperparams(face.adamw, static_args=("mask", "mu_dtype"))
    tx = make(0.1, mu_dtype=jnp.bfloat16, mask=of_biases, weight_decay=0.5)
    params = {"w": jnp.ones((2, 2)), "b": jnp.ones(2)}
    updates, state = jax.jit(tx.update)(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    assert optax.tree.get(state, "mu")["w"].dtype == jnp.bfloat16
    np.testing.assert_allclose(updates["w"], -0.05)
    np.testing.assert_array_equal(updates["b"], 0.0)


@pytest.mark.parametrize("hyperparam_dtype", [None, jnp.float32, jnp.bfloat16])
def test_hyperparameters_in_half_precision(hyperparam_dtype: Any) -> None:
    """bfloat16 parameters make bfloat16 hyperparameters: b2=0.999 is 1.0 there. optax has the same numbers."""
    updates = []
    for function in (face.sgd, optax.sgd):
        tx = optax.inject_hyperparams(function, hyperparam_dtype=hyperparam_dtype)(0.1, momentum=0.9)
        params = jnp.ones(3, jnp.bfloat16)
        state = tx.init(params)
        _, state = tx.update(params, state, params)
        update, state = jax.jit(tx.update)(params, state, params)
        assert update.dtype == (jnp.bfloat16 if function is face.sgd or hyperparam_dtype is not jnp.float32 else jnp.float32)
        updates.append(update.astype(jnp.float32))
    np.testing.assert_allclose(*updates, rtol=float(jnp.finfo(jnp.bfloat16).eps))


def test_a_strategy_by_a_factory() -> None:
    """A function of one's own, for the numbers that one wants to see."""

    def make(learning_rate: optax.ScalarOrSchedule, eps: float = 1e-8, k: int = 5) -> Any:
        inner = steepest.chain(steepest.ScaleByBelief(eps=eps), steepest.ScaleByLearningRate(learning_rate))
        return face.transform(steepest.Lookahead(inner, k=k))

    tx = optax.inject_hyperparams(make, static_args="k")(SCHEDULE, k=2)
    passed, state = jax.jit(lambda p, n: trajectory(tx, p, n))(jnp.ones(3), jnp.ones((6, 3)))
    want, _ = jax.jit(lambda p, n: trajectory(make(SCHEDULE, k=2), p, n))(jnp.ones(3), jnp.ones((6, 3)))
    np.testing.assert_allclose(passed, want, rtol=1e-12)
    assert set(state.hyperparams) == {"learning_rate", "eps"}


def test_extra_arguments_are_let_through() -> None:
    """Some transformations want the loss; ours do not mind."""
    tx = optax.chain(face.adam(0.1), optax.contrib.reduce_on_plateau(patience=1))
    params = jnp.ones(2)
    updates, _ = jax.jit(tx.update)(params, tx.init(params), params, value=jnp.asarray(1.0))
    assert updates.shape == (2,)
    assert isinstance(face.adam(0.1), optax.GradientTransformationExtraArgs)


def test_complex_parameters_by_optaxs_wrapper() -> None:
    """As our error for complex gradients advises."""
    params = jnp.asarray([1 + 2j, -0.5j])
    for case in (Case("adam"), Case("sgd", {"momentum": 0.9})):
        got, want = (
            optax.contrib.split_real_and_imaginary(tx).update(params, optax.contrib.split_real_and_imaginary(tx).init(params), params)[0]
            for tx in (case.ours(), case.reference())
        )
        np.testing.assert_allclose(got, want, rtol=1e-12)
