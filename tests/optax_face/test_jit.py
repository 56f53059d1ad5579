"""Inside JAX's transformations: one trace, then none; jit, vmap, cond, scan, donation, shapes without numbers, gradients."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import steepest
from steepest import optax as face
from tests.optax_face.cases import DEFAULTS, ONE_OF_EACH, Case, over
from tests.optax_face.trajectory import QUICK, drawn, gradients, quick_jit, trajectory

PARAMS = {"w": np.linspace(-1, 1, 6).reshape(2, 3), "b": np.float64(0.5)}


def strategy() -> Any:
    """Sums over the model, a schedule, state of two transforms, slow weights."""
    inner = steepest.chain(
        steepest.ClipByGlobalNorm(0.5),
        steepest.ScaleByBelief(),
        steepest.Trace(0.5),
        steepest.ScaleByLearningRate(steepest.Cosine(0.1, 50, 5)),
    )
    return face.transform(steepest.Lookahead(inner, k=3))


MAKES: dict[str, Callable[[], Any]] = {
    **{str(case): case.ours for case in ONE_OF_EACH},
    "scheduled": lambda: face.adam(optax.cosine_decay_schedule(0.1, 20)),
    "lookahead": lambda: face.lookahead(face.adam(0.1), 3, 0.5, reset_state=True),
    "strategy": strategy,
}
each = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)


def arrays(dtype: Any = None) -> Any:
    return jax.tree.map(lambda x: jnp.asarray(x, dtype), PARAMS)


def same(got: Any, want: Any, rtol: float = 1e-12) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(want)
    jax.tree.map(lambda g, w: np.testing.assert_allclose(g, w, rtol=rtol, atol=1e-14), got, want)


STARTS: dict[str, Callable[[], Any]] = {
    "float64": arrays,
    "float32": lambda: arrays(jnp.float32),
    "bfloat16": lambda: arrays(jnp.bfloat16),
    "NumPy": lambda: PARAMS,
    "Python numbers": lambda: {"w": 1.0, "b": 0.5},  # weakly typed
    "weak arrays": lambda: {"w": jnp.asarray(1.0), "b": jnp.asarray(0.5)},
}


@pytest.mark.parametrize("start", STARTS)
@each
def test_one_trace(make: Callable[[], Any], start: str) -> None:
    """The state that `init` makes outside of `jit` has the types of the one that `update` returns, weak ones included.

    What `update` is given again is what it returned, so that all calls but the first are alike; the first is too where
    the parameters are arrays.
    """
    tx = make()
    traces = []

    @quick_jit
    def step(params: Any, state: Any, grads: Any) -> Any:
        traces.append(1)
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    params = STARTS[start]()
    grads = jax.tree.map(lambda p: 0.1 * jnp.ones_like(p), params)
    state = tx.init(params)
    assert not any(getattr(x, "weak_type", False) for x in jax.tree.leaves(state)), (
        "a weak type in the state becomes strong: a second trace"
    )
    params = jax.tree.map(jnp.asarray, params)
    params, after = step(params, state, grads)
    assert jax.tree.map(jax.typeof, after) == jax.tree.map(jax.typeof, state)
    for _ in range(3):
        params, after = step(params, after, grads)
    assert len(traces) <= (2 if start in ("Python numbers", "weak arrays") else 1), "apply_updates makes weak parameters strong, once"


@each
def test_jit_changes_nothing_but_the_rounding(make: Callable[[], Any]) -> None:
    tx, params = make(), arrays()
    eager, jitted = tx.init(params), quick_jit(tx.init)(params)
    same(jitted, eager)
    step = quick_jit(tx.update)
    for t in range(4):
        grads = jax.tree.map(lambda p, t=t: jnp.cos(p + t), params)
        want, eager = tx.update(grads, eager, params)
        got, jitted = step(grads, jitted, params)
        same((got, jitted), (want, eager), 1e-9)
        params = optax.apply_updates(params, want)


@each
def test_vmap(make: Callable[[], Any]) -> None:
    """Five models side by side are five models one after the other; each has its own sums and its own count."""
    tx = make()
    begin, noises = jax.tree.map(np.asarray, drawn(shapes=((5, 3, 2), (5,))))
    side_by_side = quick_jit(jax.vmap(lambda p, n: trajectory(tx, p, n), in_axes=(0, 1)))(begin, noises)
    by_itself = quick_jit(lambda p, n: trajectory(tx, p, n))
    for i in range(5):
        alone = by_itself([p[i] for p in begin], [n[:, i] for n in noises])
        same(jax.tree.map(lambda x, i=i: np.asarray(x)[i], side_by_side), alone, 1e-9)


@each
def test_cond(make: Callable[[], Any]) -> None:
    """Both branches must return the same types: what a step is, and what it is not."""
    tx, params = make(), arrays()

    @quick_jit
    def maybe(go: Any, state: Any) -> Any:
        def step() -> Any:
            return tx.update(params, state, params)

        def stay() -> Any:
            return jax.tree.map(jnp.zeros_like, params), state

        return jax.lax.cond(go, step, stay)

    state = tx.init(params)
    updates, same_state = maybe(False, state)
    same(same_state, state)
    assert not any(x.any() for x in jax.tree.leaves(updates))
    same(maybe(True, state), tx.update(params, state, params))


@each
def test_scan_is_a_loop(make: Callable[[], Any]) -> None:
    tx = make()
    begin, noises = drawn(shapes=((4,), ()))
    passed, state = quick_jit(lambda p, n: trajectory(tx, p, [x[:8] for x in n]))(begin, noises)
    params, looped, step = begin, tx.init(begin), quick_jit(tx.update)
    for t in range(8):
        updates, looped = step(gradients([n[t] for n in noises], params), looped, params)
        params = optax.apply_updates(params, updates)
    same(([p[-1] for p in passed], state), (params, looped), 1e-9)


@each
def test_donated_buffers(make: Callable[[], Any]) -> None:
    """No two leaves of state and parameters may be one buffer: XLA refuses to be given one twice."""
    tx, params = make(), arrays()

    def step(params: Any, state: Any) -> Any:
        updates, state = tx.update(params, state, params)
        return optax.apply_updates(params, updates), state

    want = step(params, tx.init(params))
    given = params, tx.init(params)
    got = jax.jit(step, donate_argnums=(0, 1), compiler_options=QUICK)(*given)
    assert all(x.is_deleted() for x in jax.tree.leaves(given))
    same(got, want)


@each
def test_eval_shape(make: Callable[[], Any]) -> None:
    tx, params = make(), arrays()
    shapes = jax.eval_shape(tx.init, params)
    updates, after = jax.eval_shape(tx.update, params, shapes, params)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), shapes) == jax.tree.map(lambda x: (x.shape, x.dtype), tx.init(params))
    assert jax.tree.map(lambda x: (x.shape, x.dtype), after) == jax.tree.map(lambda x: (x.shape, x.dtype), shapes)
    assert jax.tree.structure(updates) == jax.tree.structure(params)


@over(DEFAULTS)
def test_gradients_through_the_steps(case: Case) -> None:
    """Of a loss after three steps, with respect to the learning rate: finite, and optax's."""
    target = jnp.asarray([0.3, -0.7, 2.0])

    def after_training(make: Callable[[Any], Any], learning_rate: Any) -> Any:
        tx, params = make(learning_rate), jnp.asarray([1.0, -2.0, 0.5])
        state = tx.init(params)
        for _ in range(3):
            updates, state = tx.update(jax.grad(lambda p: ((p - target) ** 4).sum())(params), state, params)
            params = params + updates
        return ((params - target) ** 2).sum()

    got, want = (jax.grad(lambda lr, make=make: after_training(make, lr))(0.05) for make in (case.ours, case.reference))
    assert jnp.isfinite(got)
    assert got != 0
    np.testing.assert_allclose(got, want, rtol=1e-9)


def test_gradients_where_a_gradient_is_zero() -> None:
    """The root of zero has no derivative; eps_root gives it one, here as in optax."""

    def moved(make: Any, eps_root: float) -> Callable[[Any], Any]:
        return lambda g: (lambda tx: tx.update(g, tx.init(g), g)[0].sum())(make(0.1, eps_root=eps_root))

    g = jnp.asarray([0.0, 1.0])
    for make in (face.adam, optax.adam):
        assert jnp.isnan(jax.grad(moved(make, 0.0))(g)[0])
    got, want = (jax.grad(moved(make, 1e-6))(g) for make in (face.adam, optax.adam))
    np.testing.assert_allclose(got, want, rtol=1e-9)


def test_sharded_parameters() -> None:
    """A state made of sharded parameters is sharded as they are."""
    mesh = jax.make_mesh((1,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    params = jax.device_put(jnp.ones((4, 2)), sharding)
    tx = strategy()
    state = tx.init(params)
    assert state.mu.sharding == sharding
    assert state.slow.sharding == sharding
    updates, state = jax.jit(tx.update)(params, state, params)
    assert updates.sharding.is_equivalent_to(sharding, 2)
    assert state.mu.sharding.is_equivalent_to(sharding, 2)
