"""The CPU executor: one call of a compiled kernel per pass, for all tensors of all groups together."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steepest.codegen import llvm
from steepest.execute import host, jit, threads
from steepest.expr import Expr
from steepest.formats import FORMATS, Format
from steepest.plan import Pass, Plan, Variant

CHUNK = 1 << 15
"""Elements that a thread takes at a time. Also the unit of summation: a sum never depends on the threads."""


class Table:
    """Tensors that are stepped together: where they lie, how long they are, how they are cut into chunks.

    `pointers[i, j]` is the address of buffer `plan.buffers[j]` of tensor i. Whoever fills them in puts the
    owners of that memory in `owners`: an address is only good for as long as its owner lives.
    """

    def __init__(self, plan: Plan, compute: Format, sizes: Sequence[int]) -> None:
        self.plan, self.compute = plan, compute
        self.sizes = np.array(sizes, dtype=np.int64)
        self.pointers = np.zeros((len(sizes), len(plan.buffers)), dtype=np.int64)
        self.owners: Any = None
        pieces = -(-self.sizes // CHUNK)
        tensor = np.repeat(np.arange(len(sizes)), pieces)
        first = np.cumsum(pieces) - pieces
        start = (np.arange(len(tensor)) - first[tensor]) * CHUNK
        self.chunks = np.ascontiguousarray(np.stack([tensor, start, np.minimum(CHUNK, self.sizes[tensor] - start)], axis=1))
        self._filled = pieces > 0
        self._first = first[self._filled]

    @property
    def elements(self) -> int:
        return int(self.sizes.sum())

    def sum_of_chunks(self, partials: NDArray[np.float64]) -> NDArray[np.float64]:
        """One sum per tensor, its chunks added in order; 0 for an empty tensor."""
        sums = np.zeros(len(self.sizes))
        if len(partials):
            sums[self._filled] = np.add.reduceat(partials, self._first)
        return sums


class Work(NamedTuple):
    """One table to step: in which variant, with which hyperparameters."""

    table: Table
    variant: Variant
    rows: host.Rows


@cache
def kernel_text(plan: Plan, p: Pass, compute: Format) -> str:
    """The LLVM text of one pass."""
    return llvm.kernel(p, [(b, compute) for b in plan.buffers], compute)


@cache
def _kernel(plan: Plan, p: Pass, compute: Format) -> int:
    return jit.address(kernel_text(plan, p, compute))


def step(work: Sequence[Work], n_threads: int) -> None:
    """Step every table, in place. Sums over the model run over all of them."""
    totals: list[dict[Expr, Any]] = [{} for _ in work]
    for stage in range(max((len(w.variant.passes) for w in work), default=0)):
        over_model: dict[int, float] = {}
        for w, known in zip(work, totals, strict=True):
            if stage < len(w.variant.passes):
                sums = _sweep(w, w.variant.passes[stage], known, n_threads)
                for i, (total, per_tensor) in enumerate(sums.items()):
                    known[total] = per_tensor
                    if total.data == "model":
                        over_model[i] = over_model.get(i, 0.0) + float(per_tensor.sum())
        for w, known in zip(work, totals, strict=True):
            if stage < len(w.variant.passes):
                known.update({t: over_model[i] for i, t in enumerate(w.variant.passes[stage].sums) if t.data == "model"})


def _sweep(w: Work, p: Pass, known: dict[Expr, Any], n_threads: int) -> dict[Expr, NDArray[np.float64]]:
    """Run one pass over one table; its sums, one per tensor."""
    table, plan = w.table, w.table.plan
    uniforms, rows = host.uniforms(plan, w.variant, p, w.rows, table.sizes, known)
    partials = np.empty((len(table.chunks), len(p.sums)))
    job = np.array(
        [0, len(table.chunks), *(a.ctypes.data for a in (table.chunks, table.pointers, rows, uniforms, partials))], dtype=np.int64
    )
    traffic = table.elements * table.compute.bytes * (len(p.loads) + len(p.stores))
    threads.run(_kernel(plan, p, table.compute), job.ctypes.data, n_threads, traffic)
    return {total: table.sum_of_chunks(partials[:, i]) for i, total in enumerate(p.sums)}


def formats(dtype: str) -> Format | None:
    """The format of a dtype that kernels compute in, by name; None for the others."""
    return FORMATS.get(dtype)
