"""float32, bfloat16, float16: dtypes of updates and state are optax's; the arithmetic in between is in float32 at least.

optax computes in the dtype it is given: `0.9 * mu` of a bfloat16 `mu` is rounded to 8 bits, and so is 0.9. Ours widens
first and rounds once, at the end. So the two differ in half precision, by less than either differs from float64.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.optax_face.cases import DEFAULTS, ONE_OF_EACH, Case, dtypes, over
from tests.optax_face.trajectory import distance, drawn, quick_jit, same_trajectory, trajectory

HALVES = (jnp.bfloat16, jnp.float16)


def slots(state: Any) -> dict[str, Any]:
    """The slots that a state has, by optax's names, as one array each."""
    found = {name: optax.tree.get(state, name, None) for name in ("mu", "nu", "nu_max", "trace")}
    return {name: jax.tree.leaves(value)[0] for name, value in found.items() if value is not None}


def run(make: Any, begin: Any, noises: Any) -> Any:
    tx = make(0.01)
    return quick_jit(lambda p, n: trajectory(tx, p, n)[0])(begin, noises)


def widened(tree: Any) -> Any:
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), tree)


@over(ONE_OF_EACH)
def test_float32(case: Case) -> None:
    """With x64 off, as most people have it."""
    with jax.enable_x64(False):
        begin, noises = drawn(jnp.float32)
        same_trajectory(case.ours, case.reference, begin=begin, noises=noises, tolerance=1e-6)


@over(ONE_OF_EACH)
def test_half_precision(case: Case) -> None:
    """As near to optax as optax is to float64, or so; not farther from float64 than optax."""
    for dtype in HALVES if case.rule in ("sgd", "adam", "lion") else HALVES[:1]:
        begin, noises = drawn(dtype)
        exact = run(case.reference, widened(begin), widened(noises))
        ours, theirs = run(case.ours, begin, noises), run(case.reference, begin, noises)
        off, their_off = (distance(widened(x), exact, widened(begin)) for x in (ours, theirs))
        assert off < 0.1
        assert off < 1.1 * their_off
        assert distance(ours, theirs, begin) < 1.5 * their_off


@over(Case(rule) for rule in ("adam", "rmsprop", "adamw", "amsgrad"))
def test_float16_and_gradients_of_zero(case: Case) -> None:
    """One of the places where we differ: float16 has no 1e-8, so that optax divides zero by zero."""
    p = jnp.ones(3, jnp.float16)
    got, want = (tx.update(0 * p, tx.init(p), p)[0] for tx in (case.ours(), case.reference()))
    assert jnp.isfinite(got).all()
    assert jnp.isnan(want).all()


KEPT: list[tuple[str, str | None]] = [
    ("sgd", "accumulator_dtype"),
    ("rmsprop", None),
    ("adam", "mu_dtype"),
    ("nadam", "mu_dtype"),
    ("adamw", "mu_dtype"),
    ("amsgrad", "mu_dtype"),
    ("adabelief", None),
    ("lion", "mu_dtype"),
]


@pytest.mark.parametrize(("rule", "option"), KEPT)
def test_dtypes_are_those_of_optax(rule: str, option: str | None) -> None:
    """Of updates, of every slot at the start, and after a step."""
    settings = {"momentum": 0.9} if rule in ("sgd", "rmsprop") else {}
    for dtype in (jnp.float32, *HALVES):
        for kept in (None, jnp.float32, jnp.bfloat16, "bfloat16") if option else (None,):
            case = Case(rule, {**settings, **({option: kept} if option else {})})
            p = jnp.ones((2, 3), dtype)
            results = []
            for tx in (case.ours(), case.reference()):
                state = tx.init(p)
                updates, after = tx.update(p, state, p)
                results.append((updates.dtype, *({n: s.dtype for n, s in slots(s).items()} for s in (state, after))))
            ours, theirs = results
            assert ours[1:] == theirs[1:], f"{case} on {dtype.__name__}"
            assert ours[0] == dtype


@over(ONE_OF_EACH)
@dtypes(*HALVES)
def test_gradients_in_half_precision_for_parameters_in_float32(case: Case, dtype: Any) -> None:
    """The update has its gradient's dtype, the state its parameter's. (optax's follows from promotion, rule by rule.)"""
    tx, p = case.ours(), jnp.ones(5, jnp.float32)
    state = tx.init(p)
    updates, after = tx.update(p.astype(dtype), state, p)
    assert updates.dtype == dtype
    assert jax.tree.map(jnp.result_type, after) == jax.tree.map(jnp.result_type, state), "or the second call traces again"
    wide, _ = tx.update(p, state, p)
    np.testing.assert_allclose(widened(updates), wide, rtol=float(jnp.finfo(dtype).eps))
    assert optax.apply_updates(p, updates).dtype == p.dtype


@over(DEFAULTS)
def test_one_rounding(case: Case) -> None:
    """A bfloat16 step is the float32 step of the same numbers, rounded: its update and each of its slots."""
    tx, generator = case.ours(), np.random.default_rng(0)
    p, g = (jnp.asarray(generator.normal(size=100), jnp.bfloat16) for _ in range(2))
    state = tx.init(p)
    _, state = tx.update(g, state, p)
    up = jax.tree.map(lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x, (p, g, state))
    narrow, wide = tx.update(g, state, p), tx.update(up[1], up[2], up[0])
    jax.tree.map(lambda n, w: np.testing.assert_array_equal(n, w.astype(n.dtype)), narrow, wide)
