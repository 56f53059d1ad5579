"""Run two optax transformations side by side and measure how far apart they come.

Both start from the same parameters. Gradients are noise from a fixed generator plus a little of the parameter
itself, so a transformation that has drifted is also handed other gradients. The noise spans orders of magnitude and
has zeros and ties in it; some elements never have a gradient at all. All 200 steps are one compiled `lax.scan`.

`same_trajectory` is what tests call; give it a wrong transformation, and it must raise.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

STEPS = 200
#: one leaf, since XLA compiles each by itself; `test_trees.py` has the trees
SHAPES: tuple[tuple[int, ...], ...] = ((33, 31),)
TOLERANCE = 1e-12

#: a fifth of the time to compile, the same arithmetic; tests about `jit` itself compile as users do
QUICK = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}

Array = np.ndarray[Any, Any]
#: from the learning rate to a transformation
Make = Callable[[Any], Any]


@cache
def _drawn(shapes: tuple[tuple[int, ...], ...], seed: int) -> tuple[list[Array], list[Array]]:
    generator = np.random.default_rng(seed)
    start, noise = [], []
    for shape in shapes:
        uniform = generator.uniform(0.15 if shape == () else 0, 1, shape)
        scale = np.where(uniform < 0.1, 0.0, 10 ** (4 * uniform - 4))  # from 1e-4 to 1
        start.append(generator.normal(size=shape) * (scale > 0))
        noise.append(np.round(4 * generator.normal(size=(STEPS, *shape))) / 4 * scale)
    return start, noise


def quick_jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.jit` for what is compiled to be run once."""
    return jax.jit(function, compiler_options=QUICK)


def drawn(dtype: Any = jnp.float64, shapes: tuple[tuple[int, ...], ...] = SHAPES, seed: int = 0) -> tuple[list[Any], list[Any]]:
    """The initial parameters, and for each of them its noise at all steps, along a first axis."""
    start, noise = _drawn(shapes, seed)
    return [jnp.asarray(p, dtype) for p in start], [jnp.asarray(n, dtype) for n in noise]


def gradients(noise: Any, params: Any) -> Any:
    """The gradients of one step: the noise of that step and a little of the parameters."""
    return jax.tree.map(lambda n, p: (n + 0.1 * p).astype(p.dtype), noise, params)


def trajectory(transformation: Any, params: Any, noises: Any) -> tuple[Any, Any]:
    """The parameters after every step, with a first axis for the steps, and the last state. May be traced."""
    tx = optax.with_extra_args_support(transformation)

    def step(carry: Any, noise: Any) -> Any:
        params, state = carry
        updates, state = tx.update(gradients(noise, params), state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    (_, state), passed = jax.lax.scan(step, (params, tx.init(params)), noises)
    return passed, state


def distance(got: Any, want: Any, begin: Any) -> float:
    """The largest distance, over all steps and leaves, relative to the largest norm that the leaf has had.

    A single number may pass through zero, a leaf's norm does not. Infinite where one is nan and the other not.
    """
    assert jax.tree.structure(got) == jax.tree.structure(want)
    worst = 0.0
    for g, w, b in zip(*map(jax.tree.leaves, (got, want, begin)), strict=True):
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        g, w, b = (np.asarray(x, np.float64) for x in (g, w, b))
        if not w.size:
            continue
        if not np.array_equal(np.isnan(g), np.isnan(w)):
            return float("inf")
        axes = tuple(range(1, w.ndim))
        norms, apart = (np.sqrt(np.nansum(x * x, axes)) for x in (w, g - w))
        size = max(float(np.linalg.norm(b)), float(norms.max()))
        worst = max(worst, float(apart.max()) / size if size else float(apart.max()))
    return worst


def same_trajectory(
    ours: Make,
    reference: Make,
    learning_rate: Any = 0.01,
    *,
    begin: Any = None,
    noises: Any = None,
    tolerance: float = TOLERANCE,
    traced: bool = False,
) -> float:
    """Assert that the parameters agree after each of 200 steps; returns the largest relative difference.

    `ours` and `reference` make the transformation of the learning rate. With `traced`, `jit` hides its value from them,
    and `learning_rate` is a list of such values, each for one run of what is compiled once.
    """
    if begin is None:
        begin, noises = drawn()
    worst = 0.0
    for got, want in zip(*(_runs(make, learning_rate, begin, noises, traced) for make in (ours, reference)), strict=True):
        for w, b in zip(jax.tree.leaves(want), jax.tree.leaves(begin), strict=True):
            moved, from_where = (float(np.linalg.norm(np.asarray(x, np.float64))) for x in (w[-1] - b, b))
            assert not b.size or moved > 0.02 * from_where, "the parameters have hardly moved: nothing was compared"
        apart = distance(got, want, begin)
        assert apart < tolerance, f"the trajectories come {apart:.1e} apart, more than {tolerance:.0e}"
        worst = max(worst, apart)
    return worst


def _runs(make: Make, learning_rate: Any, begin: Any, noises: Any, traced: bool) -> list[Any]:
    if traced:
        run = quick_jit(lambda given, p, n: trajectory(make(given), p, n)[0])
        return [run(given, begin, noises) for given in learning_rate]
    tx = make(learning_rate)
    return [quick_jit(lambda p, n: trajectory(tx, p, n)[0])(begin, noises)]
