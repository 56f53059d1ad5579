"""The Triton executor: one launch per pass for all tensors on a device, on its current stream.

Tables of addresses, chunks and rows lie on the device and are sent again only when they have changed; uniforms
are sent every step, or, where they depend on a sum or on a step count that lives on the device, worked out
there. Nothing here waits for the device. A captured step replays: what it read from tables it reads again.

The one module beside the faces that imports a framework: kernels run on PyTorch's streams and memory.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from steepest.codegen import triton
from steepest.codegen.python import ARRAY, host_function
from steepest.errors import TensorError
from steepest.execute import host, source, tables
from steepest.expr import Expr
from steepest.formats import Format
from steepest.plan import Pass, Plan, Variant

BLOCK = 4096
"""Elements that a program takes: 16 for each of its 256 threads, four loads of 16 bytes in float32."""
WARPS = 8
LANES = 1024
"""Chunks that are added side by side in the second stage of a sum."""


@cache
def available() -> bool:
    """Whether Triton is there."""
    return find_spec("triton") is not None


def capturing(device: torch.device) -> bool:
    """Whether the current stream is being recorded into a CUDA graph."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


class Mirror:
    """An array of the host and its copy on a device, sent when it has changed.

    The bytes go through pinned memory that nobody writes to again, so that the copy needs no waiting for.
    PyTorch's allocator gives it to the next one only when the copy is done. A graph that is being captured
    will copy at every replay: it gets pinned memory of its own, which lives as long as the mirror.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._sent: NDArray[Any] | None = None
        self._tensor = torch.empty(0)
        self._for_graphs: Tensor | None = None

    def send(self, array: NDArray[Any]) -> Tensor:
        """The copy on the device, as it will be when the current stream gets there."""
        if self._sent is None or self._sent.shape != array.shape:
            self._tensor = torch.empty(array.shape, dtype=torch.from_numpy(array).dtype, device=self.device)
            if not capturing(self.device):
                self._for_graphs = torch.empty(array.shape, dtype=self._tensor.dtype, pin_memory=self.device.type == "cuda")
        elif np.array_equal(self._sent, array, equal_nan=array.dtype.kind == "f"):
            return self._tensor
        now = array.copy()
        staged = torch.from_numpy(now)
        if capturing(self.device):
            if self._for_graphs is None:
                raise TensorError("Before a step is captured in a CUDA graph, take one outside: it makes the tables that the graph reads.")
            staged = self._for_graphs.copy_(staged)
        elif self.device.type == "cuda":
            staged = staged.pin_memory()
        self._tensor.copy_(staged, non_blocking=True)
        self._sent = now
        return self._tensor

    def used_on(self, stream: Any) -> None:
        """Keep the allocator from giving the memory away while `stream` may read it."""
        self._tensor.record_stream(stream)


class Table(tables.Table):
    """Tensors on one device, of one precision, each buffer stored in one format."""

    def __init__(self, plan: Plan, compute: Format, sizes: Sequence[int], device: torch.device, formats: Sequence[Format]) -> None:
        super().__init__(plan, compute, sizes, BLOCK)
        self.block, self.device, self.formats = BLOCK, device, tuple(formats)
        self.mirrors: dict[object, Mirror] = {}
        self.partials: dict[Pass, Tensor] = {}
        self._fixed: dict[object, tuple[NDArray[Any], Tensor]] = {}
        self._aligned: dict[Pass, tuple[bytes, int]] = {}
        self._stream = torch.cuda.current_stream(device) if device.type == "cuda" else None

    def part(self, tensors: Sequence[int]) -> "Table":
        """A table of some of the tensors."""
        return self._part(Table(self.plan, self.compute, self.sizes[tensors].tolist(), self.device, self.formats), tensors)

    def send(self, key: object, array: NDArray[Any]) -> Tensor:
        """The array called `key` on the device."""
        found = self.mirrors.get(key)
        if found is None:
            found = self.mirrors[key] = Mirror(self.device)
        return found.send(array)

    def fixed(self, key: object, array: NDArray[Any]) -> Tensor:
        """As `send`, for an array that nobody writes to: the same object needs no comparing."""
        found = self._fixed.get(key)
        if found is None or found[0] is not array:
            found = self._fixed[key] = (array, self.send(key, array))
        return found[1]

    def on_device(self) -> AbstractContextManager[Any]:
        """Make the device current: Triton launches there."""
        if self._stream is None:
            return nullcontext()
        current = torch.cuda.current_stream(self.device)
        if current != self._stream:
            self._stream = current
            for mirror in self.mirrors.values():
                mirror.used_on(current)
            for partials in self.partials.values():
                partials.record_stream(current)
        return torch.cuda.device(self.device)

    def aligned(self, p: Pass) -> int:
        """16 if every array that the pass touches begins at a multiple of 16 bytes, else 1. One that does not makes all loads narrow."""
        now = self.pointers.tobytes()
        found = self._aligned.get(p)
        if found is None or found[0] != now:
            columns = [self.plan.buffers.index(b) for b in p.buffers]
            found = self._aligned[p] = (now, 1 if (self.pointers[:, columns] & 15).any() else 16)
        return found[1]


class OnDevice(NamedTuple):
    """The hyperparameters of a step where the host does not know them all: one number for each tensor, float64."""

    columns: Sequence[Tensor]  # in the order of plan.scalars, then count
    unscale: Tensor  # what gradients are multiplied by: one number
    skip: Tensor  # not 0: leave everything as it is: one number


class Work(NamedTuple):
    """One table to step: in which variant, with which hyperparameters.

    With `OnDevice` hyperparameters, `truth` is how the plan's tests must come out for this variant: a tensor for
    which they come out differently is left alone.
    """

    table: Table
    variant: Variant
    rows: host.Rows | OnDevice
    truth: tuple[bool, ...] = ()


def kernel_text(plan: Plan, p: Pass, compute: Format, formats: Sequence[Format]) -> str:
    """The Triton text of one pass."""
    return triton.kernel(p, list(zip(plan.buffers, formats, strict=True)), compute)


@cache
def _kernel(plan: Plan, p: Pass, compute: Format, formats: tuple[Format, ...]) -> Any:
    return source.kernel(kernel_text(plan, p, compute, formats), "steepest")


# -- uniforms -------------------------------------------------------------------------------------------


def _sign(x: Tensor) -> Tensor:
    return torch.where(x > 0, 1.0, torch.where(x < 0, -1.0, x))


def _of_numbers(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Any, Any], Tensor]:
    """One of the two operands may be a number."""

    def apply(a: Any, b: Any) -> Tensor:
        like = a if isinstance(a, Tensor) else b
        return function(*(x if isinstance(x, Tensor) else torch.full_like(like, x) for x in (a, b)))

    return apply


def _where(test: Tensor, a: Any, b: Any) -> Tensor:
    """Numbers are float64 here, whatever PyTorch's default is."""
    return torch.where(test, *(x if isinstance(x, Tensor) else torch.full_like(test, x, dtype=torch.float64) for x in (a, b)))


_TORCH_NAMES: dict[str, Any] = {
    "sqrt": torch.sqrt,
    "sign": _sign,
    "where": _where,
    "minimum": _of_numbers(torch.minimum),
    "maximum": _of_numbers(torch.maximum),
}


@cache
def _on_device(plan: Plan, variant: Variant, p: Pass) -> Callable[..., tuple[Tensor, ...]]:
    return host.compiled(host_function(p.uniforms, plan.scalars, variant.totals, ARRAY), _TORCH_NAMES)


@cache
def _tests_on_device(plan: Plan) -> Callable[..., tuple[Tensor, ...]]:
    return host.compiled(host_function(plan.tests, plan.scalars, (), ARRAY), _TORCH_NAMES)


def _uniforms(w: Work, p: Pass, totals: Mapping[Expr, Tensor]) -> tuple[Tensor, Tensor]:
    """The table of uniforms of a pass, as `codegen.triton` reads it, and for each tensor its row."""
    t = w.table
    if isinstance(w.rows, host.Rows):
        if not any(u.stage for u in p.uniforms):
            values, row_of = host.uniforms(t, w.variant, p, w.rows, {})
            table = np.empty((len(values), 2 + len(p.uniforms)))
            table[:, 0], table[:, 1] = 1, 0
            if p.uniforms:
                table[:, 2:] = values
            return t.send((p, "uniforms"), table), t.fixed((p, "rows"), row_of)
        columns = np.asarray(w.rows.values, dtype=np.float64)[w.rows.row_of].T
        ones = t.send("unscale and skip", np.array([1.0, 0.0]))
        rows = OnDevice(list(t.send("columns", columns)), ones[0], ones[1])
    else:
        rows = w.rows
    sizes = t.send("sizes", t.sizes.astype(np.float64))
    finished = [totals.get(total) for total in w.variant.totals]
    skip = rows.skip
    if isinstance(w.rows, OnDevice) and t.plan.tests:
        for test, wanted in zip(_tests_on_device(t.plan)(*rows.columns, sizes), w.truth, strict=True):
            skip = torch.where(test == wanted, skip, 1.0)
    values = _on_device(t.plan, w.variant, p)(*rows.columns, sizes, *finished)
    table = torch.stack([v.double().expand(len(t.sizes)) for v in (rows.unscale, skip, *values)], dim=1)
    return table, t.fixed("each its own row", t.each_its_own)


# -- steps ----------------------------------------------------------------------------------------------


def step(work: Sequence[Work]) -> None:
    """Step every table, in place. Sums over the model run over all of them, whatever device they are on."""
    known: list[dict[Expr, Tensor]] = [{} for _ in work]
    stages = max((len(w.variant.passes) for w in work), default=0)
    for stage in range(stages):
        for w, totals in zip(work, known, strict=True):
            for p in w.variant.passes[stage : stage + 1]:
                with w.table.on_device():
                    _launch(w, p, totals)
        _share(stage, work, known)


def _launch(w: Work, p: Pass, totals: dict[Expr, Tensor]) -> None:
    """One pass over one table; what it sums, per tensor, goes into `totals`."""
    t = w.table
    n = len(t.chunks)
    if p.sums and p not in t.partials:
        t.partials[p] = torch.empty((n, len(p.sums)), dtype=torch.float64, device=t.device)
    partials = [t.partials[p]] if p.sums else []
    if n:
        uniforms, rows = _uniforms(w, p, totals)
        tables_ = (t.fixed("chunks", t.chunks), t.send("pointers", t.pointers), rows, uniforms, *partials)
        launch = _kernel(t.plan, p, t.compute, t.formats)[(n,)]
        launch(*tables_, BLOCK=t.block, ALIGN=t.aligned(p), num_warps=WARPS, enable_fp_fusion=False)
    if p.sums:
        sums = torch.empty((len(t.sizes), len(p.sums)), dtype=torch.float64, device=t.device)
        finish = source.kernel(triton.FINISH, "finish")[sums.shape]
        finish(*partials, t.fixed("first", t.first), sums, SUMS=len(p.sums), LANES=LANES, num_warps=WARPS)
        totals |= {total: sums[:, i] for i, total in enumerate(p.sums)}


def _share(stage: int, work: Sequence[Work], known: Sequence[dict[Expr, Tensor]]) -> None:
    """Sums over the model: every table's tensors added, then the tables in order, and the result given to all of them."""
    over_model: dict[int, Tensor] = {}
    mine = [(w, totals, p) for w, totals in zip(work, known, strict=True) for p in w.variant.passes[stage : stage + 1]]
    for _, totals, p in mine:
        for i, total in enumerate(p.sums):
            if total.data == "model":
                here = totals[total].sum()
                over_model[i] = over_model[i] + here.to(over_model[i].device, non_blocking=True) if i in over_model else here
    for w, totals, p in mine:
        for i, total in enumerate(p.sums):
            if total.data == "model":
                totals[total] = over_model[i].to(w.table.device, non_blocking=True)
