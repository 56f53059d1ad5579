"""Triton's kernels against the rules: by the interpreter in the tests, on a real device in `make gpu`."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from steepest.execute import cuda, host
from steepest.formats import FORMATS, STORED
from steepest.plan import plan
from steepest.transform import Transform
from tests.checks import Array, State, assert_close, by_rule, initial, scalars

TORCH = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "float16": torch.float16}


def rounded(array: Array, stored: str) -> Array:
    """The nearest numbers that a format can hold, in the dtype that kernels compute in."""
    if stored in FORMATS:
        return array.astype(stored)
    with np.errstate(all="ignore"):
        return torch.from_numpy(np.asarray(array, dtype=np.float32)).to(TORCH[stored]).float().numpy()


def by_triton(
    strategy: Transform,
    state: State,
    grads: Sequence[Array],
    count: int,
    *,
    maximize: bool = False,
    stored: str = "float32",
    device: str = "cpu",
) -> State:
    """One step by the printed Triton kernels, on copies in the format `stored`. On the CPU the interpreter runs them."""
    p = plan(strategy, maximize)
    columns = {n: [torch.tensor(a).to(device, TORCH[stored]) for a in arrays] for n, arrays in {**state, "grad": grads}.items()}
    compute = FORMATS["float64" if stored == "float64" else "float32"]
    table = cuda.Table(
        p,
        compute,
        [g.size for g in grads],
        torch.device(device, 0) if device == "cuda" else torch.device(device),
        [STORED[stored]] * len(p.buffers),
    )
    for j, buffer in enumerate(p.buffers):
        table.pointers[:, j] = [t.data_ptr() for t in columns[buffer]]
    table.owners = columns
    row = (*scalars(strategy, count).values(), count)
    rows = host.Rows([row], np.zeros(len(grads), dtype=np.int64))
    cuda.step([cuda.Work(table, p.variants[host.truth(p, row)], rows)])
    for given, still in zip(grads, columns["grad"], strict=True):
        np.testing.assert_array_equal(given, still.to("cpu", TORCH[compute.name]).numpy(), err_msg="the kernel changed a gradient")
    return {n: [t.to("cpu", TORCH[compute.name]).numpy() for t in columns[n]] for n in state}


def triton_equals_rule(
    strategy: Transform,
    stored: str,
    lengths: Sequence[int],
    make: Callable[[int, str, int], Array],
    *,
    steps: Sequence[int] = (1, 2, 5, 6),
    maximize: bool = False,
    kernel: Callable[..., State] = by_triton,
    rule: Transform | None = None,
) -> None:
    """As `checks.kernel_equals_rule`: step both from the same state, again and again.

    What is stored in fewer bits is one rounding of a number within the tolerances: not less than the lowest of
    these numbers rounded, nor more than the highest.
    """
    compute = "float64" if stored == "float64" else "float32"
    state = initial(strategy, [rounded(make(n, compute, 0), stored) for n in lengths])
    like_param = ["param", *(n for n, s in plan(strategy).slots.items() if s.init == "param")]
    for seed, count in enumerate(steps, 1):
        grads = [rounded(make(n, compute, seed), stored) for n in lengths]
        got = kernel(strategy, state, grads, count, maximize=maximize, stored=stored)
        want = by_rule(rule or strategy, state, grads, count, maximize=maximize)
        assert_close(got, want, state, like_param, lambda x: rounded(x, stored))
        state = got
