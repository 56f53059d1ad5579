"""Numbers at the kinks, beside optax: zeros, ties, changes of sign, denormals, huge, infinite and nan gradients."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax

from tests.optax_face.cases import DEFAULTS, NAN_AT_ONCE, ONE_OF_EACH, Case, dtypes, over
from tests.optax_face.trajectory import quick_jit

STEPS = 6


def hard(n: int, dtype: Any, seed: int) -> Any:
    """Half Gaussian numbers with ties, half kinks.

    The largest can be divided by 1 - b1, as Nesterov's Adam does: where a value overflows between two operations that
    XLA may exchange, it does so in one compiled program (ours or optax's) and not in the other.
    """
    info = jnp.finfo(dtype)
    tiny, largest = float(info.tiny), float(info.max)
    kinks = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        tiny,
        -tiny,
        tiny / 8,
        1e-20,
        -1e15,
        largest**0.5 / 4,
        largest**0.5 * 4,
        -largest / 32,
        np.inf,
        -np.inf,
        np.nan,
    ]
    generator = np.random.default_rng(seed)
    choice = generator.integers(0, 2 * len(kinks), n)
    tame = np.round(4 * generator.normal(size=n)) / 4
    return jnp.asarray(np.where(choice < len(kinks), np.array(kinks)[choice % len(kinks)], tame), dtype)


@over([*DEFAULTS, *ONE_OF_EACH, Case("rmsprop", {"eps_in_sqrt": False, "eps": 0.0}), Case("adam", {"eps": 0.0})])
@dtypes(jnp.float32, jnp.float64)
def test_kinks(case: Case, dtype: Any) -> None:
    """nan where optax has nan, inf where it has inf, and elsewhere the same numbers, as far as rounding goes."""
    ours, reference = case.ours(), case.reference()
    params = twins = jnp.concatenate([hard(400, dtype, 1), jnp.zeros(40, dtype)])
    state, kept = ours.init(params), reference.init(twins)
    step, other = quick_jit(ours.update), quick_jit(reference.update)
    rtol = {jnp.float32: 1e-4, jnp.float64: 1e-9}[dtype]
    for t in range(STEPS):
        grads = hard(params.size, dtype, t)
        got, state = step(grads, state, params)
        want, kept = other(grads, kept, twins)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-30)
        params, twins = optax.apply_updates(params, got), optax.apply_updates(twins, want)


@over([*DEFAULTS, *ONE_OF_EACH])
def test_ties_and_changes_of_sign(case: Case) -> None:
    """The same gradient again, its negative, and none: where means cancel exactly, and signs are those of zero."""
    ours, reference = case.ours(), case.reference()
    params = jnp.asarray([0.0, -0.0, 1.0, -2.0])
    state, kept = ours.init(params), reference.init(params)
    for sign in (0, 1, 1, -1, -1, 0, 0, 1):
        grads = sign * jnp.asarray([0.0, 1.0, 0.5, -3.0])
        got, state = ours.update(grads, state, params)
        want, kept = reference.update(grads, kept, params)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-300)


def test_where_optax_is_nan_at_once() -> None:
    """Centered, corrected and with eps outside the root, the first variance is rounding alone, and may be negative."""
    grads = jnp.asarray(np.random.default_rng(0).normal(size=1000))
    case = Case("rmsprop", NAN_AT_ONCE)
    for tx in (case.ours(), case.reference()):
        updates, _ = tx.update(grads, tx.init(grads), grads)
        assert jnp.isnan(updates).any()
