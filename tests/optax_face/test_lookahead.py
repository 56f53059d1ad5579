"""Lookahead on plain parameters beside optax's on pairs: the same fast weights, the same slow ones."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import steepest
from steepest import optax as face
from tests.optax_face.test_trees import nested
from tests.optax_face.trajectory import drawn, quick_jit, same_trajectory, trajectory
from tests.parity import record


class Pair(NamedTuple):
    inner: Any
    slow: Any


def on_plain_parameters(pairs: Any) -> optax.GradientTransformation:
    """optax.lookahead, whose parameters are a pair, with the slow ones in the state."""

    def init(params: Any) -> Pair:
        return Pair(pairs.init(optax.LookaheadParams.init_synced(params)), params)

    def update(updates: Any, state: Pair, params: Any = None) -> Any:
        both = optax.LookaheadParams(params, state.slow)
        updates, inner = pairs.update(updates, state.inner, both)
        return updates.fast, Pair(inner, optax.apply_updates(state.slow, updates.slow))

    return optax.GradientTransformation(init, update)


INNER = {
    "sgd": lambda module, lr: module.sgd(lr, momentum=0.9),
    "adam": lambda module, lr: module.adam(lr),
    "adamw": lambda module, lr: module.adamw(lr, weight_decay=0.1),
    # with its eps of 1e-8 and no memory, 0.02 is too long a step for gradients near zero: rounding would grow
    "rmsprop": lambda module, lr: module.rmsprop(lr, momentum=0.5, eps=1e-4),
}


@pytest.mark.parametrize("reset", [False, True], ids=["kept", "reset"])
@pytest.mark.parametrize(("period", "size"), [(5, 0.5), (1, 0.8), (7, 1.0), (3, 0.1)])
@pytest.mark.parametrize("inner", INNER)
def test_same_as_optax(inner: str, period: int, size: float, reset: bool) -> None:
    """Around theirs, and around ours."""
    reference = lambda lr: on_plain_parameters(optax.lookahead(INNER[inner](optax, lr), period, size, reset))  # noqa: E731
    for module in (optax, face) if period == 5 else (face,):
        ours = lambda lr, module=module: face.lookahead(INNER[inner](module, lr), period, size, reset)  # noqa: E731
        apart = same_trajectory(ours, reference, 0.02)
        note = f"of {module.__name__}.{inner}, sync_period={period}, slow_step_size={size}, reset_state={reset}"
        record("optax", "lookahead", "optax.lookahead", apart, "float64", note)


def test_scheduled_on_a_nested_tree() -> None:
    schedule = optax.cosine_decay_schedule(0.02, 150)
    apart = same_trajectory(
        lambda _: face.lookahead(face.adamw(schedule), 6, 0.5),
        lambda _: on_plain_parameters(optax.lookahead(optax.adamw(schedule), 6, 0.5)),
        **nested(),
    )
    record("optax", "lookahead", "optax.lookahead", apart, "float64", "of adamw, by schedule, a nested tree")


def test_slow_weights_are_those_of_optax() -> None:
    """At every step, not at synchronisations alone; and there the two are one."""
    ours, theirs = face.lookahead(face.adam(0.1), 3, 0.5), on_plain_parameters(optax.lookahead(optax.adam(0.1), 3, 0.5))
    params = twins = {"a": jnp.asarray([1.0, -2.0]), "b": jnp.asarray(0.5)}
    state, kept = ours.init(params), theirs.init(twins)
    for t in range(1, 10):
        grads = jax.tree.map(jnp.cos, params)
        updates, state = ours.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        updates, kept = theirs.update(grads, kept, twins)
        twins = optax.apply_updates(twins, updates)
        jax.tree.map(lambda s, w: np.testing.assert_allclose(s, w, rtol=1e-12), state.sync.slow, kept.slow)
        assert state.sync.count == t
        if t % 3 == 0:
            jax.tree.map(lambda s, p: np.testing.assert_allclose(s, p, rtol=1e-15), state.sync.slow, params)


def test_same_as_our_strategy() -> None:
    """Around a chain, inside `transform`: one rule, two ways to write it."""
    inner = steepest.chain(steepest.ScaleByBelief(), steepest.ScaleByLearningRate(0.05))
    begin, noises = drawn()
    one, other = face.transform(steepest.Lookahead(inner, 4, 0.3)), face.lookahead(face.transform(inner), 4, 0.3)
    (a, in_one), (b, in_other) = (quick_jit(lambda p, n, tx=tx: trajectory(tx, p, n))(begin, noises) for tx in (one, other))
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12), a, b)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12), in_one.slow, in_other.sync.slow)
    assert optax.tree.get(in_other, "mu") is in_other.fast_state.mu


def test_reset_starts_anew() -> None:
    """By choosing, not by arithmetic: an infinite state does not outlive the reset, nor a schedule's count."""
    tx = face.lookahead(face.adam(0.1), 2, 0.5, reset_state=True)
    params = jnp.ones(2)
    state = tx.init(params)
    for grads in (jnp.asarray([jnp.inf, 1.0]), params):
        _, state = tx.update(grads, state, params)
    jax.tree.map(np.testing.assert_array_equal, state.fast_state, tx.init(params).fast_state)
    assert state.sync.count == 2


def test_any_state_may_be_reset() -> None:
    """Also one with keys and booleans, which optax's blending cannot multiply."""
    fast = optax.chain(optax.add_noise(0.1, 0.5, jax.random.key(0)), optax.apply_if_finite(face.adam(0.1), 2))
    tx = face.lookahead(fast, 2, 0.5, reset_state=True)
    params = jnp.ones(3)
    state = tx.init(params)
    for _ in range(2):
        _, state = jax.jit(tx.update)(params, state, params)
    assert state.fast_state[1].inner_state.count == 0
    assert not jnp.isnan(state.sync.slow).any()


def test_extra_arguments_reach_the_fast_optimizer() -> None:
    tx = face.lookahead(optax.polyak_sgd(), 2, 0.5)
    params = jnp.ones(3)
    updates, _ = tx.update(params, tx.init(params), params, value=jnp.asarray(1.0))
    assert updates.all()


def test_half_precision() -> None:
    """Slow weights have their parameters' dtype, updates their gradients'."""
    tx = face.lookahead(face.adam(0.1), 2, 0.5)
    params = {"a": jnp.ones(3, jnp.bfloat16), "b": jnp.ones(3, jnp.float32)}
    state = tx.init(params)
    for _ in range(2):
        updates, state = tx.update(params, state, params)
        assert jax.tree.map(jnp.result_type, updates) == jax.tree.map(jnp.result_type, params)
        assert jax.tree.map(jnp.result_type, state.sync.slow) == jax.tree.map(jnp.result_type, params)
