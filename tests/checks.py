"""The checks themselves, so that `test_the_tests.py` can hold them against what they must reject.

Tolerances of `kernel_equals_rule`, with eps the machine epsilon of the dtype:

    state     2 eps of the value, before or after. The rule's own operations in the same order and precision: the
              bits agree, unless a sum or a division by a uniform stands before them
    param     2 eps of the parameter and 4 eps of the step. Divisions by a uniform are multiplications by its
              reciprocal in the kernel: Adam has two of them, 1 eps each, and a root and a quotient after them.
              Slots that start as a copy of the parameter move with it: the scale is that of all of them

In float64 the same holds with 1e-12 in place of 2 eps. Sums are in float64 in both, but in another order: a
relative 1e-13.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.execute import cpu, eager, host
from steepest.formats import FORMATS
from steepest.plan import plan
from steepest.transform import Transform
from steepest.tree import floats, hyperparameters

Array = NDArray[np.floating]
State = dict[str, list[Array]]


def scalars(strategy: Transform, count: int) -> dict[str, float]:
    """The hyperparameters that are read every step, schedules evaluated."""
    values = hyperparameters(strategy)
    return {n: values[n](count - 1) if callable(values[n]) else values[n] for n in floats(strategy)}


def initial(strategy: Transform, params: Sequence[Array]) -> State:
    """The state of a strategy before the first step, with the parameters in it."""
    slots = {n: [p.copy() if s.init == "param" else np.zeros_like(p) for p in params] for n, s in plan(strategy).slots.items()}
    return {"param": [p.copy() for p in params], **slots}


def by_kernel(strategy: Transform, state: State, grads: Sequence[Array], count: int, *, maximize: bool = False, threads: int = 2) -> State:
    """One step by the compiled kernel, on copies."""
    p = plan(strategy, maximize)
    new = {n: [a.copy() for a in arrays] for n, arrays in state.items()}
    table = cpu.Table(p, FORMATS[str(grads[0].dtype)], [g.size for g in grads])
    columns = {**new, "grad": [g.copy() for g in grads]}
    for j, buffer in enumerate(p.buffers):
        table.pointers[:, j] = [a.ctypes.data for a in columns[buffer]]
    table.owners = columns
    row = (*scalars(strategy, count).values(), count)
    rows = host.Rows([row], np.zeros(len(grads), dtype=np.int64))
    cpu.step([cpu.Work(table, p.variants[host.truth(p, row)], rows)], threads)
    for given, still in zip(grads, columns["grad"], strict=True):
        np.testing.assert_array_equal(given, still, err_msg="the kernel changed a gradient")
    return new


def by_rule(strategy: Transform, state: State, grads: Sequence[Array], count: int, *, maximize: bool = False) -> State:
    """One step by the rule itself, called with arrays."""
    names = list(plan(strategy).slots)
    leaves = [
        eager.Leaf(state["param"][i], grads[i], {n: state[n][i] for n in names}, scalars(strategy, count), count) for i in range(len(grads))
    ]
    with np.errstate(all="ignore"):
        results = eager.step(strategy, leaves, maximize)
    return {n: [np.asarray(r[n]) for r in results] for n in state}


def _scale(want: State, before: State, names: Sequence[str], i: int) -> NDArray[np.float64]:
    """The size of the numbers that the rule worked with."""
    parts = []
    for n in names:
        w, b = want[n][i].astype(np.float64), before[n][i].astype(np.float64)
        parts.append(np.maximum(np.abs(w), np.abs(b)) + (2 * np.abs(w - b) if len(names) > 1 or n == "param" else 0))
    return np.sum(parts, axis=0)


def assert_close(
    got: State, want: State, before: State, like_param: Sequence[str] = ("param",), rounded: Callable[[Array], Array] | None = None
) -> None:
    """Within the tolerances above; nan where nan is due. `rounded` is the one rounding of a store in fewer bits."""
    for name, arrays in want.items():
        for i, (g, w, b) in enumerate(zip(got[name], arrays, before[name], strict=True)):
            assert g.dtype == b.dtype
            info = np.finfo(b.dtype)
            with np.errstate(all="ignore"):
                scale = _scale(want, before, like_param if name in like_param else [name], i)
                bound = np.maximum((1e-12 if b.dtype == np.float64 else 2 * float(info.eps)) * scale, info.smallest_subnormal)
                near = np.abs(g.astype(np.float64) - w) <= bound
                if rounded is not None:
                    w, near = rounded(w), (rounded(w - bound) <= g) & (g <= rounded(w + bound))
                same = (g == w) | (np.isnan(g) & np.isnan(w)) | near
            assert same.all(), f"{name}: {(~same).sum()} of {same.size} differ: {g[~same][:3]} for {w[~same][:3]}, before {b[~same][:3]}"


def kernel_equals_rule(
    strategy: Transform,
    dtype: str,
    lengths: Sequence[int],
    make: Callable[[int, str, int], Array],
    *,
    steps: Sequence[int] = (1, 2, 3, 5, 6, 10),
    maximize: bool = False,
    kernel: Callable[..., State] = by_kernel,
    rule: Transform | None = None,
) -> None:
    """Step both from the same state, again and again; `kernel` and `rule` can be replaced by wrong ones."""
    state = initial(strategy, [make(n, dtype, 0) for n in lengths])
    like_param = ["param", *(n for n, s in plan(strategy).slots.items() if s.init == "param")]
    for seed, count in enumerate(steps, 1):
        grads = [make(n, dtype, seed) for n in lengths]
        got = kernel(strategy, state, grads, count, maximize=maximize)
        want = by_rule(rule or strategy, state, grads, count, maximize=maximize)
        assert_close(got, want, state, like_param)
        state = got


def same_state(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """The same bits."""
    return all(x.tobytes() == y.tobytes() for n in a for x, y in zip(a[n], b[n], strict=True))
