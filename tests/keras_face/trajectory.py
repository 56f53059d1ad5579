"""Run two Keras optimizers side by side and measure how far apart they come, variables and state.

Both start from the same variables. Gradients are noise from a fixed generator plus a little of the variable itself,
so an optimizer that has drifted is also handed other gradients. The noise spans orders of magnitude, and has zeros
and ties in it; some elements never have a gradient at all.

The steps run as each backend's users run them: eagerly on PyTorch, in a `tf.function` on TensorFlow, in one compiled
`lax.scan` of `stateless_apply` on JAX; or eagerly everywhere.

`same_trajectory` is what tests call; give it a wrong optimizer, and it must raise.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from math import prod
from typing import Any, NamedTuple

import keras
import numpy as np

Array = np.ndarray[Any, Any]
#: from the variables to an optimizer that has not been built
Make = Callable[[list[Any]], Any]
#: after that many steps: what is done to the optimizer
Changes = Mapping[int, Callable[[Any], None]]

BACKEND = keras.backend.backend()
#: ops.cast of a Python float goes through float32 on TensorFlow: more digits than float32's are not Keras' there
DTYPE = "float32" if BACKEND == "tensorflow" else "float64"
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
STEPS = 200
#: after these steps the two are compared
COMPARED = [t for t in range(1, STEPS + 1) if t <= 10 or t % 5 == 0]
SHAPES = {"bias": (), "kernel": (33, 31)}
if BACKEND == "torch":  # elsewhere every variable is compiled for itself, which takes most of the time; `test_kinks.py` has more
    SHAPES |= {"scale": (7,), "nothing": (0, 3)}


class Snapshot(NamedTuple):
    """The variables, and all of the optimizer's by position, after a step."""

    values: list[Array]
    state: list[Array]


@cache
def noise(seed: int = 0) -> tuple[list[Array], list[Array]]:
    """The initial variables, and for each of them its noise at all steps, along a first axis."""
    generator = np.random.default_rng(seed)
    size = sum(map(prod, SHAPES.values()))
    uniform = generator.uniform(size=size)
    uniform[0] = 0.5  # the scalar does have gradients
    scale = np.where(uniform < 0.1, 0.0, 10 ** (4 * uniform - 4))  # from 1e-4 to 1
    start = generator.normal(size=size) * (scale > 0)
    steps = np.round(4 * generator.normal(size=(STEPS, size))) / 4 * scale
    cuts = np.cumsum(list(map(prod, SHAPES.values())))[:-1]
    return (
        [p.reshape(s) for p, s in zip(np.split(start, cuts), SHAPES.values(), strict=True)],
        [n.reshape(STEPS, *s) for n, s in zip(np.split(steps, cuts, 1), SHAPES.values(), strict=True)],
    )


@contextmanager
def floatx(dtype: str) -> Iterator[None]:
    """The dtype of Keras' learning-rate variable and schedules."""
    before = keras.config.floatx()
    keras.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def variables(dtype: str = DTYPE, start: list[Array] | None = None) -> list[Any]:
    """The variables that are stepped, named as layers name theirs."""
    given = noise()[0] if start is None else start
    names = [*SHAPES, *(f"v{i}" for i in range(len(given)))]
    return [keras.Variable(tensor(p, dtype), dtype=dtype, name=n) for p, n in zip(given, names, strict=False)]


def tensor(array: Array, dtype: str) -> Any:
    """An array as a tensor that lies as the backend's own do: NumPy's empty arrays have strides of 0."""
    return keras.ops.reshape(keras.ops.convert_to_tensor(array.astype(dtype).ravel()), array.shape)


def trajectory(make: Make, dtype: str = DTYPE, *, changes: Changes | None = None, eager: bool = False, seed: int = 0) -> list[Snapshot]:
    """What is compared, of 200 steps."""
    start, noises = noise(seed)
    with floatx(dtype):
        mine = variables(dtype, start)
        optimizer = make(mine)
        optimizer.build(mine)
        passed: list[Snapshot] = []
        begin = 0
        for end in [*sorted(changes or {}), STEPS]:
            part = [n[begin:end].astype(dtype) for n in noises]
            wanted = [t - begin for t in COMPARED if begin < t <= end]
            passed += _RUN["eager" if eager else BACKEND](optimizer, mine, part, end - begin, wanted)
            if changes and end in changes:
                changes[end](optimizer)
            begin = end
    return passed


def _snapshot(optimizer: Any, mine: list[Any]) -> Snapshot:
    to_numpy = keras.ops.convert_to_numpy
    return Snapshot([np.array(to_numpy(v.value)) for v in mine], [np.array(to_numpy(v.value)) for v in optimizer.variables])


def _eagerly(optimizer: Any, mine: list[Any], noises: list[Array], steps: int, wanted: list[int]) -> list[Snapshot]:
    passed = []
    for t in range(steps):
        given = [tensor(n[t], n.dtype) for n in noises]
        optimizer.apply([g + 0.1 * keras.ops.stop_gradient(v.value) for g, v in zip(given, mine, strict=True)], mine)
        if t + 1 in wanted:
            passed.append(_snapshot(optimizer, mine))
    return passed


def _in_tf_function(optimizer: Any, mine: list[Any], noises: list[Array], steps: int, wanted: list[int]) -> list[Snapshot]:
    import tensorflow as tf

    @tf.function
    def step(now: list[Any]) -> None:
        optimizer.apply([n + 0.1 * v.value for n, v in zip(now, mine, strict=True)], mine)

    passed = []
    for t in range(steps):
        step([tf.constant(n[t]) for n in noises])
        if t + 1 in wanted:
            passed.append(_snapshot(optimizer, mine))
    return passed


def _in_scan(optimizer: Any, mine: list[Any], noises: list[Array], steps: int, wanted: list[int]) -> list[Snapshot]:
    import jax

    def step(carry: Any, now: list[Any]) -> Any:
        values, state = carry
        values, state = optimizer.stateless_apply(state, [n + 0.1 * v for n, v in zip(now, values, strict=True)], values)
        return (values, state), (values, state)

    begin = [v.value for v in mine], [v.value for v in optimizer.variables]
    end, (values, state) = jax.jit(lambda carry, xs: jax.lax.scan(step, carry, xs))(begin, noises)
    for v, new in zip([*mine, *optimizer.variables], [*end[0], *end[1]], strict=True):
        v.assign(new)
    values, state = [np.asarray(v) for v in values], [np.asarray(s) for s in state]
    return [Snapshot([v[t - 1] for v in values], [s[t - 1] for s in state]) for t in wanted]


_RUN: Mapping[str, Callable[..., list[Snapshot]]] = {
    "eager": _eagerly,
    "torch": _eagerly,
    "tensorflow": _in_tf_function,
    "jax": _in_scan,
}


def distance(got: Array, want: Array) -> float:
    """The norm of the difference; infinite where one is nan and the other not, or the kinds of array differ."""
    if got.shape != want.shape or got.dtype != want.dtype or not np.array_equal(np.isnan(got), np.isnan(want)):
        return float("inf")
    difference = np.nan_to_num(got.astype(np.float64)) - np.nan_to_num(want.astype(np.float64))
    return float(np.linalg.norm(difference.ravel()))


def compare(got: list[Snapshot], want: list[Snapshot], tolerance: float, *, state: bool = True, start: list[Array] | None = None) -> float:
    """Assert that two trajectories agree, and return their largest relative difference.

    Relative to the largest norm that the variable has had: a single number may pass through zero.
    """
    begin = noise()[0] if start is None else start
    assert len(got) == len(want)
    kinds = ("values", "state") if state else ("values",)
    worst = 0.0
    for kind in kinds:
        sizes: list[float] = [float(np.linalg.norm(p.ravel())) for p in begin] if kind == "values" else []
        for t, g, w in zip(COMPARED, got, want, strict=False):
            mine, theirs = getattr(g, kind), getattr(w, kind)
            assert len(mine) == len(theirs), f"{len(mine)} {kind} where the reference has {len(theirs)}"
            sizes = sizes or [0.0] * len(theirs)
            for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
                sizes[i] = max(sizes[i], float(np.linalg.norm(np.nan_to_num(b.astype(np.float64)).ravel())))
                apart = distance(a, b) / (sizes[i] or 1.0)
                where = f"{kind}[{i}] of shape {b.shape}"
                assert apart < tolerance, f"after step {t} {where} is {apart:.1e} away, more than {tolerance:.0e}"
                worst = max(worst, apart)
    for w, s in zip(want[-1].values, begin, strict=True):
        moved = np.linalg.norm((w - s).ravel()) > 0.02 * np.linalg.norm(s.ravel())
        assert not w.size or moved, "the variables have hardly moved: nothing was compared"
    return worst


def same_trajectory(
    ours: Make,
    stock: Make,
    dtype: str = DTYPE,
    *,
    tolerance: float | None = None,
    changes: Changes | None = None,
    eager: bool = False,
    seed: int = 0,
) -> float:
    """Assert that variables and state agree along 200 steps; the largest relative difference."""
    both = [trajectory(make, dtype, changes=changes, eager=eager, seed=seed) for make in (ours, stock)]
    return compare(*both, TOLERANCE[dtype] if tolerance is None else tolerance, start=noise(seed)[0])
