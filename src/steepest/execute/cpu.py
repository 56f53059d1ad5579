"""The CPU executor: one call of a compiled kernel per pass, for all tensors of all groups together."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steepest.codegen import llvm
from steepest.execute import host, jit, tables, threads
from steepest.expr import Expr
from steepest.formats import Format
from steepest.plan import Pass, Plan, Variant

CHUNK = 1 << 17
"""Elements that a thread takes at a time. Also the unit of summation: a sum never depends on the threads."""


class Table(tables.Table):
    """Tensors that are stepped together, with what the workers of each pass are handed."""

    def __init__(self, plan: Plan, compute: Format, sizes: Sequence[int]) -> None:
        super().__init__(plan, compute, sizes, CHUNK)
        self._jobs: dict[Pass, _Job] = {}

    def job(self, p: Pass) -> "_Job":
        """What the worker of pass `p` is handed; made once, since nothing in it moves but the uniforms."""
        found = self._jobs.get(p)
        if found is None:
            found = self._jobs[p] = _Job(self, p)
        return found

    def part(self, tensors: Sequence[int]) -> "Table":
        """A table of some of the tensors."""
        return self._part(Table(self.plan, self.compute, self.sizes[tensors].tolist()), tensors)

    def sum_of_chunks(self, partials: NDArray[np.float64]) -> NDArray[np.float64]:
        """One sum per tensor, its chunks added in order; 0 for an empty tensor."""
        sums = np.zeros(len(self.sizes))
        if len(partials):
            filled = self.pieces > 0
            sums[filled] = np.add.reduceat(partials, self.first[:-1][filled])
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
        values, rows = host.uniforms(self.table, w.variant, self.p, w.rows, totals)
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
