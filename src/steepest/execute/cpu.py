"""The CPU executor: one call of a compiled kernel per pass, for all tensors of all groups together."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steepest.codegen import llvm
from steepest.execute import host, jit, threads
from steepest.expr import Expr
from steepest.formats import FORMATS, Format
from steepest.plan import Pass, Plan, Variant

CHUNK = 1 << 17
"""Elements that a thread takes at a time. Also the unit of summation: a sum never depends on the threads."""


class Table:
    """Tensors that are stepped together: where they lie, how long they are, how they are cut into chunks.

    `pointers[i, j]` is the address of buffer `plan.buffers[j]` of tensor i. Whoever fills them in puts the
    owners of that memory in `owners`: an address is only good for as long as its owner lives.
    """

    def __init__(self, plan: Plan, compute: Format, sizes: Sequence[int]) -> None:
        self.plan, self.compute = plan, compute
        self.sizes = np.array(sizes, dtype=np.int64)
        self.elements = int(self.sizes.sum())
        self.pointers = np.zeros((len(sizes), len(plan.buffers)), dtype=np.int64)
        self.owners: Any = None
        pieces = -(-self.sizes // CHUNK)
        tensor = np.repeat(np.arange(len(sizes)), pieces)
        first = np.cumsum(pieces) - pieces
        start = (np.arange(len(tensor)) - first[tensor]) * CHUNK
        self.chunks = np.ascontiguousarray(np.stack([tensor, start, np.minimum(CHUNK, self.sizes[tensor] - start)], axis=1))
        self._filled = pieces > 0
        self._first = first[self._filled]
        self._jobs: dict[Pass, _Job] = {}

    def job(self, p: Pass) -> "_Job":
        """What the worker of pass `p` is handed; made once, since nothing in it moves but the uniforms."""
        found = self._jobs.get(p)
        if found is None:
            found = self._jobs[p] = _Job(self, p)
        return found

    def part(self, tensors: Sequence[int]) -> "Table":
        """A table of some of the tensors."""
        new = Table(self.plan, self.compute, self.sizes[tensors].tolist())
        new.pointers[:] = self.pointers[tensors]
        new.owners = self
        return new

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


class _Job:
    """The memory that a worker reads and writes beside the tensors, laid out as `codegen.llvm.JOB` says."""

    def __init__(self, table: Table, p: Pass) -> None:
        self.table, self.p = table, p
        self.worker = _kernel(table.plan, p, table.compute)
        self.traffic = table.elements * table.compute.bytes * (len(p.loads) + len(p.stores))
        self.partials = np.empty((len(table.chunks), len(p.sums)))
        self.fields = np.array(
            [0, len(table.chunks), _address(table.chunks), _address(table.pointers), 0, 0, _address(self.partials)], dtype=np.int64
        )
        self.address = _address(self.fields)
        self.rows: NDArray[np.int64] | None = None
        self.uniforms = np.empty((0, 0))

    def run(self, w: Work, totals: Mapping[Expr, Any], n_threads: int) -> None:
        values, rows = host.uniforms(self.table.plan, w.variant, self.p, w.rows, self.table.sizes, totals)
        if rows is not self.rows or len(values) != len(self.uniforms):
            self.rows, self.uniforms = rows, np.empty((len(values), len(self.p.uniforms)))
            self.fields[4:6] = _address(rows), _address(self.uniforms)
        if self.p.uniforms:
            self.uniforms[:] = values
        self.fields[0] = 0
        threads.run(self.worker, self.address, n_threads, self.traffic)


def _address(array: NDArray[Any]) -> int:
    return array.__array_interface__["data"][0]


@cache
def kernel_text(plan: Plan, p: Pass, compute: Format) -> str:
    """The LLVM text of one pass."""
    return llvm.kernel(p, [(b, compute) for b in plan.buffers], compute)


@cache
def _kernel(plan: Plan, p: Pass, compute: Format) -> int:
    return jit.address(kernel_text(plan, p, compute))


def step(work: Sequence[Work], n_threads: int) -> None:
    """Step every table, in place. Sums over the model run over all of them."""
    known: list[dict[Expr, Any]] = [{} for _ in work]
    for stage in range(max([len(w.variant.passes) for w in work], default=0)):
        if stage:
            _finish(stage - 1, work, known)
        for i, w in enumerate(work):
            if stage < len(w.variant.passes):
                w.table.job(w.variant.passes[stage]).run(w, known[i], n_threads)


def _finish(stage: int, work: Sequence[Work], known: Sequence[dict[Expr, Any]]) -> None:
    """Add up what the chunks of a stage gave: an array with one sum per tensor, or one sum over all tables."""
    over_model: dict[int, float] = {}
    for w, totals in zip(work, known, strict=True):
        for p in w.variant.passes[stage : stage + 1]:
            for i, total in enumerate(p.sums):
                totals[total] = w.table.sum_of_chunks(w.table.job(p).partials[:, i])
                if total.data == "model":
                    over_model[i] = over_model.get(i, 0.0) + float(totals[total].sum())
    for w, totals in zip(work, known, strict=True):
        for p in w.variant.passes[stage : stage + 1]:
            totals |= {total: over_model[i] for i, total in enumerate(p.sums) if total.data == "model"}


def formats(dtype: str) -> Format | None:
    """The format of a dtype that kernels compute in, by name; None for the others."""
    return FORMATS.get(dtype)
