"""Tensors that are stepped together: where they lie, how long they are, how they are cut into chunks."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from steepest.formats import Format
from steepest.plan import Plan

_T = TypeVar("_T", bound="Table")


class Table:
    """What every executor knows of the tensors of one plan and one precision.

    `pointers[i, j]` is the address of buffer `plan.buffers[j]` of tensor i. Whoever fills them in puts the
    owners of that memory in `owners`: an address is only good for as long as its owner lives.

    `chunks` has a row (tensor, start, length) for each chunk, those of tensor i from `first[i]` to
    `first[i + 1]`. A chunk is also the unit of summation: a sum never depends on who took which chunk.
    """

    def __init__(self, plan: Plan, compute: Format, sizes: Sequence[int], chunk: int) -> None:
        self.plan, self.compute = plan, compute
        self.sizes = np.array(sizes, dtype=np.int64)
        self.elements = int(self.sizes.sum())
        self.pointers = np.zeros((len(sizes), len(plan.buffers)), dtype=np.int64)
        self.owners: Any = None
        self.each_its_own = np.arange(len(sizes), dtype=np.int64)  # the row of each tensor where uniforms have one for each
        self.pieces = -(-self.sizes // chunk)
        self.first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.pieces)])
        tensor = np.repeat(np.arange(len(sizes)), self.pieces)
        start = (np.arange(len(tensor)) - self.first[tensor]) * chunk
        self.chunks = np.ascontiguousarray(np.stack([tensor, start, np.minimum(chunk, self.sizes[tensor] - start)], axis=1))

    def _part(self, new: _T, tensors: Sequence[int]) -> _T:
        """`new`, made for some of these tensors, pointing where they lie."""
        new.pointers[:] = self.pointers[tensors]
        new.owners = self
        return new
