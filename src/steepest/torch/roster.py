"""The parameters that a step moves: found, checked, sorted into tables, and checked again at every step.

A `Roster` is made when the set of parameters with gradients, their state or their layout changes. Between
such changes a step only compares: lists of addresses, lengths, dtypes and contiguity, each made by one
`map` over all tensors. Whatever compares unequal makes a new roster, which looks at everything again.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter, is_
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from steepest.execute import cpu, host
from steepest.plan import Plan
from steepest.torch import layout

_dtype = attrgetter("dtype")
_data_ptr, _numel, _is_contiguous, _is_neg = Tensor.data_ptr, Tensor.numel, Tensor.is_contiguous, Tensor.is_neg


class Member(NamedTuple):
    """One parameter that is stepped."""

    param: Tensor
    grad: Tensor
    group: int
    state: dict[str, Any]  # the optimizer's own dictionary for this parameter


class GroupPlan(NamedTuple):
    """How one parameter group is stepped now."""

    plan: Plan
    scalars: tuple[Any, ...]  # in the order of plan.scalars; numbers and schedules

    def row(self, count: int) -> tuple[float, ...]:
        """The hyperparameters at step `count`; schedules are asked for the number of steps already taken."""
        return (*(float(s(count - 1)) if callable(s) else s for s in self.scalars), count)


class _Bucket:
    """Members of one plan and one precision, with a pointer table."""

    def __init__(self, plan: Plan, compute: cpu.Format, members: Sequence[Member], indices: list[int], keys: Mapping[str, str]) -> None:
        self.plan, self.compute, self.indices = plan, compute, indices
        self.groups = [members[i].group for i in indices]
        self.params = [members[i].param for i in indices]
        self.states = [members[i].state for i in indices]
        self.keys = [keys[s] for s in plan.slots]
        tensors = [[m.param, m.grad, *(m.state[k] for k in self.keys)] for m in (members[i] for i in indices)]
        self.staged = [i for i, row in enumerate(tensors) if not layout.in_place(row)]
        staged = set(self.staged)
        # Contiguous tensors are compared by length and dtype; the others by shape and strides as well.
        self.strided = [(i, layout.Shape.of(row[0])) for i, row in enumerate(tensors) if i not in staged and not (row[0].is_contiguous() and not row[0].is_complex())]
        self.loose = staged | {i for i, _ in self.strided}
        self.sizes = [row[0].numel() * (2 if row[0].is_complex() else 1) for row in tensors]
        self.table = cpu.Table(plan, compute, self.sizes)
        self.addresses: list[list[int]] = [[] for _ in plan.buffers]
        self.remembered = [self._shape_of(column) for column in zip(*tensors, strict=True)]

    def _shape_of(self, column: Sequence[Tensor]) -> tuple[list[int], list[torch.dtype], list[bool], list[bool]]:
        return list(map(_numel, column)), list(map(_dtype, column)), list(map(_is_contiguous, column)), list(map(_is_neg, column))

    def columns(self, grads: Sequence[Tensor]) -> list[list[Tensor]] | None:
        """The tensors of every buffer now; None if something other than an address has changed."""
        mine = grads if len(grads) == len(self.indices) else [grads[i] for i in self.indices]
        try:
            columns = [self.params, list(mine), *([s[k] for s in self.states] for k in self.keys)]
            if any(self._shape_of(c) != r for c, r in zip(columns, self.remembered, strict=True)):
                return None
        except (KeyError, TypeError, RuntimeError, NotImplementedError):
            return None  # state taken away, or a sparse gradient: a new roster says so properly
        for i, like in self.strided:
            if any(layout.Shape.of(c[i]) != like or c[i].is_conj() for c in columns):
                return None
        return columns

    def point(self, columns: list[list[Tensor]]) -> list[list[Tensor]]:
        """Write the addresses of all buffers into the table; staged members get copies, which are returned."""
        copies = [[layout.staged(c[i], self.compute) for c in columns] for i in self.staged]
        for j, column in enumerate(columns):
            if copies:
                column = list(column)
                for i, row in zip(self.staged, copies, strict=True):
                    column[i] = row[j]
            addresses = list(map(_data_ptr, column))
            if addresses != self.addresses[j]:
                if j == 0 and any(not p.is_cpu for p in self.params):
                    raise _Moved
                self.table.pointers[:, j] = addresses
                self.addresses[j] = addresses
        self.table.owners = (columns, copies)
        return copies

    def write_back(self, columns: list[list[Tensor]], copies: list[list[Tensor]]) -> None:
        for i, row in zip(self.staged, copies, strict=True):
            for j, buffer in enumerate(self.plan.buffers):
                if buffer != "grad":
                    layout.write_back(columns[j][i], row[j])


class _Moved(Exception):
    """A parameter is on another device now."""


class Roster:
    """All members of a step, on the CPU, in buckets."""

    def __init__(self, members: Sequence[Member], plans: Sequence[GroupPlan], keys: Mapping[str, str], counts: Sequence[int]) -> None:
        self.members = list(members)
        self.params = [m.param for m in members]
        self.plans = [p.plan for p in plans]
        self.counts = Counts(counts)
        sorted_: dict[tuple[Plan, str], list[int]] = {}
        for i, m in enumerate(members):
            sorted_.setdefault((plans[m.group].plan, layout.compute_format(m.param).name), []).append(i)
        self.buckets = [
            _Bucket(plan, layout.compute_format(self.params[at[0]]), members, at, keys) for (plan, _), at in sorted_.items()
        ]
        self._parts: dict[object, tuple[cpu.Table, list[int]]] = {}

    def holds(self, params: Sequence[Tensor], plans: Sequence[GroupPlan]) -> bool:
        """Whether these are still the parameters and plans that this roster was made for."""
        return (
            len(params) == len(self.params)
            and all(map(is_, params, self.params))
            and len(plans) == len(self.plans)
            and all(a.plan is b for a, b in zip(plans, self.plans, strict=True))
        )

    def step(self, grads: Sequence[Tensor], plans: Sequence[GroupPlan], threads: int) -> bool:
        """Step all members. False, with nothing done, if the roster no longer fits what is there."""
        gathered = [b.columns(grads) for b in self.buckets]
        if any(c is None for c in gathered):
            return False
        ready = [(b, c) for b, c in zip(self.buckets, gathered, strict=True) if c is not None]
        try:
            copies = [b.point(c) for b, c in ready]
        except _Moved:
            return False
        work = [w for b, _ in ready for w in self._work(b, plans)]
        cpu.step(work, threads)
        self.counts.advance()
        for (b, columns), copied in zip(ready, copies, strict=True):
            b.write_back(columns, copied)
            for j, buffer in enumerate(b.plan.buffers):
                if buffer != "grad":
                    torch.autograd.graph.increment_version(columns[j])
        return True

    def _work(self, b: _Bucket, plans: Sequence[GroupPlan]) -> list[cpu.Work]:
        """The bucket's table with its rows of hyperparameters, one row for each group and step count in it."""
        counts = self.counts.after(b.indices if len(self.buckets) > 1 else None)
        rows: dict[tuple[int, int], int] = {}
        row_of = [rows.setdefault(key, len(rows)) for key in zip(b.groups, counts, strict=True)]
        values = [plans[group].row(count) for group, count in rows]
        truths = [host.truth(b.plan, v) for v in values]
        if len(set(truths)) == 1:
            return [cpu.Work(b.table, b.plan.variants[truths[0]], host.Rows(values, np.array(row_of, dtype=np.int64)))]
        # Members at different counts may be in different variants: each variant steps its own part of the table.
        work: list[cpu.Work] = []
        for truth in dict.fromkeys(truths):
            at = [i for i, r in enumerate(row_of) if truths[r] == truth]
            part = cpu.Table(b.plan, b.compute, [b.sizes[i] for i in at])
            part.pointers[:] = b.table.pointers[at]
            part.owners = b.table
            work.append(cpu.Work(part, b.plan.variants[truth], host.Rows(values, np.array([row_of[i] for i in at], dtype=np.int64))))
        return work


class Counts:
    """How many steps each member has taken: one tensor, of which every `state["step"]` is an element.

    Advancing all of them is one operation, and what a user reads in `state["step"]`, or writes into it in
    place, is what the next step goes by.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self.tensor = torch.tensor(counts, dtype=torch.float32)
        self._array = self.tensor.numpy()
        self.views = list(self.tensor.unbind())

    def after(self, indices: list[int] | None) -> list[int]:
        """The counts that the step now beginning will have."""
        array = self._array if indices is None else self._array[indices]
        return (array + 1).astype(np.int64).tolist()

    def advance(self) -> None:
        self._array += 1
