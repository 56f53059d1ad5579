"""The parameters that a step moves: found, checked, sorted into tables, and watched from then on.

A `Roster` is made when the set of parameters with gradients, their state or their memory changes. Between
such changes a step only compares: that every tensor is the one it was, at the address where it was. A new
gradient must have the length, dtype and layout of the old one. Whatever compares unequal makes a new
roster, which looks at everything again. The comparisons are single `map`s over all tensors: they are most
of what a step costs beyond its kernel.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, is_
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from steepest.execute import cpu, host
from steepest.formats import Format
from steepest.plan import Plan
from steepest.torch import layout, on_device
from steepest.torch.on_device import DeviceCounts, Scaling
from steepest.tree import Leaf

_dtype = attrgetter("dtype")
_data_ptr, _numel, _stride, _is_contiguous, _is_neg = Tensor.data_ptr, Tensor.numel, Tensor.stride, Tensor.is_contiguous, Tensor.is_neg


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
    lr_at: Mapping[int, Leaf]  # which of them are the group's learning rate
    scheduled: bool

    @classmethod
    def of(cls, plan: Plan, leaves: Sequence[Leaf], is_lr: Callable[[Leaf], bool]) -> "GroupPlan":
        """`leaves` are the hyperparameters of the group's strategy that are read at every step."""
        scalars = tuple(getattr(leaf.own, leaf.field) for leaf in leaves)
        return cls(plan, scalars, {i: leaf for i, leaf in enumerate(leaves) if is_lr(leaf)}, any(map(callable, scalars)))

    def with_lr(self, lr: float) -> "GroupPlan":
        """The same with another learning rate, checked: what a scheduler asks for at every step."""
        scalars = list(self.scalars)
        for i, leaf in self.lr_at.items():
            scalars[i] = leaf.own._checked(leaf.field, lr)
        return self._replace(scalars=tuple(scalars))

    def row(self, count: int) -> tuple[float, ...]:
        """The hyperparameters at step `count`; schedules are asked for the number of steps already taken."""
        if not self.scheduled:
            return (*self.scalars, count)
        return (*(float(cast("Any", s)(count - 1)) if callable(s) else s for s in self.scalars), count)


class _Kind(NamedTuple):
    """What the members of one table have in common."""

    plan: Plan
    compute: Format
    device: torch.device | None  # of Triton's kernels; None: the CPU's
    formats: tuple[Format, ...]  # how each buffer is stored there; () if all have to be staged

    @classmethod
    def of(cls, m: Member, plan: Plan, keys: Mapping[str, str], by_triton: bool) -> "_Kind":
        compute = layout.compute_format(m.param)
        if not by_triton:
            return cls(plan, compute, None, ())
        return cls(plan, compute, m.param.device, layout.formats([m.param, m.grad, *(m.state[keys[s]] for s in plan.slots)]))

    def table(self, sizes: Sequence[int]) -> Any:
        """A `cpu.Table` or a `cuda.Table`."""
        if self.device is None:
            return cpu.Table(self.plan, self.compute, sizes)
        from steepest.execute import cuda

        formats = self.formats or (self.compute,) * len(self.plan.buffers)
        return cuda.Table(self.plan, self.compute, sizes, self.device, formats)


class Bucket:
    """The members of one kind, and their table."""

    def __init__(self, kind: _Kind, members: Sequence[Member], indices: list[int], keys: Mapping[str, str]) -> None:
        self.plan, self.compute, self.device, self.indices = kind.plan, kind.compute, kind.device, indices
        mine = [members[i] for i in indices]
        self.states = [m.state for m in mine]
        self.keys = [keys[s] for s in kind.plan.slots]
        #: one list for each of plan.buffers: the tensors, which the table's addresses are the addresses of
        self.tensors: list[list[Tensor]] = [
            [m.param for m in mine],
            [m.grad for m in mine],
            *([s[k] for s in self.states] for k in self.keys),
        ]
        rows = list(zip(*self.tensors, strict=True))
        self.staged = [i for i, row in enumerate(rows) if not (layout.in_place(row) if kind.device is None else kind.formats)]
        # A new gradient is compared by length, dtype and contiguity; where that says too little, by its shape.
        self.unusual = [
            (i, layout.Shape.of(row[1]), row[1].is_conj())
            for i, row in enumerate(rows)
            if i in self.staged or row[1].is_complex() or not row[1].is_contiguous()
        ]
        params, grads, *slots = self.tensors
        #: what stays from step to step: all parameters, then all of the first slot, and so on
        self.slots = [t for column in slots for t in column]
        self.kept = params + self.slots
        self.kept_addresses = list(map(_data_ptr, self.kept))
        self.grad_addresses = list(map(_data_ptr, grads))
        self.strides, self.sizes = list(map(_stride, params)), list(map(_numel, params))
        self.dtypes, self.contiguous, self.negative = list(map(_dtype, grads)), list(map(_is_contiguous, grads)), list(map(_is_neg, grads))
        self.table = kind.table([row[0].numel() * (2 if row[0].is_complex() else 1) for row in rows])
        for j, column in enumerate(self.tensors):
            self.table.pointers[:, j] = list(map(_data_ptr, column))
        self.table.owners = self.tensors
        #: for members that are all at the same count: the groups, and for each member the place of its group
        self.groups = sorted({m.group for m in mine})
        self.row_of = np.array([self.groups.index(m.group) for m in mine], dtype=np.int64)

    def unchanged(self, grads: list[Tensor]) -> bool:
        """Whether the table is right for the tensors that are there now; takes new gradients in."""
        params = self.tensors[0]
        try:
            if (
                list(map(_numel, grads)) != self.sizes
                or list(map(_dtype, grads)) != self.dtypes
                or list(map(_is_contiguous, grads)) != self.contiguous
                or list(map(_is_neg, grads)) != self.negative
                or (self.unusual and self._unusual_differ(grads))
                or not all(map(is_, [s[k] for k in self.keys for s in self.states], self.slots))
                or list(map(_data_ptr, self.kept)) != self.kept_addresses
                or list(map(_stride, params)) != self.strides  # p.data = p.data.t() leaves the address as it was
                or list(map(_numel, params)) != self.sizes
            ):
                return False
            now = list(map(_data_ptr, grads))
        except (KeyError, RuntimeError, NotImplementedError):
            return False  # state was taken away, or a gradient is sparse: a new roster says so properly
        if now != self.grad_addresses:
            self.grad_addresses = now
            self.table.pointers[:, 1] = now
        self.tensors[1] = grads
        return True

    def _unusual_differ(self, grads: Sequence[Tensor]) -> bool:
        return any(layout.Shape.of(grads[i]) != like or grads[i].is_conj() != conjugated for i, like, conjugated in self.unusual)

    def stage(self) -> list[list[Tensor]]:
        """Copies for the members that cannot be stepped where they lie, with their addresses in the table."""
        copies = [[layout.staged(column[i], self.compute, self.tensors[0][i].device) for column in self.tensors] for i in self.staged]
        for i, row in zip(self.staged, copies, strict=True):
            self.table.pointers[i] = list(map(_data_ptr, row))
        return copies

    def write_back(self, copies: list[list[Tensor]]) -> None:
        for i, row in zip(self.staged, copies, strict=True):
            for j, copy in enumerate(row):
                if j != 1:
                    layout.write_back(self.tensors[j][i], copy)

    def finish(self) -> None:
        """Tell autograd that parameters and state have changed in place; let the gradients go, for zero_grad to free."""
        self.tensors[1] = []
        torch.autograd.graph.increment_version(self.kept)


class Roster:
    """All members of a step by kernels, in buckets."""

    def __init__(
        self,
        members: Sequence[Member],
        plans: Sequence[GroupPlan],
        keys: Mapping[str, str],
        counts: "Counts | DeviceCounts",
        by_triton: Sequence[bool],
    ) -> None:
        self.params = [m.param for m in members]
        self.states = [m.state for m in members]
        self.plans = [p.plan for p in plans]
        self.counts = counts
        kinds: dict[_Kind, list[int]] = {}
        for i, (m, device) in enumerate(zip(members, by_triton, strict=True)):
            kinds.setdefault(_Kind.of(m, plans[m.group].plan, keys, device), []).append(i)
        self.buckets = [Bucket(kind, members, at, keys) for kind, at in kinds.items()]
        self.any_triton = any(by_triton)

    def holds(self, params: Sequence[Tensor], states: Sequence[Any], plans: Sequence[GroupPlan], count_key: str | None) -> bool:
        """Whether these are still the parameters, state dictionaries and plans that this roster was made for."""
        return (
            len(params) == len(self.params)
            and all(map(is_, params, self.params))
            and len(states) == len(self.states)
            and all(map(is_, states, self.states))
            and [p.plan for p in plans] == self.plans
            and (count_key is None or all(map(is_, [s.get(count_key) for s in self.states], self.counts.views)))
        )

    def step(self, grads: list[Tensor], plans: Sequence[GroupPlan], threads: int, scaling: Scaling | None = None) -> bool:
        """Step all members. False, with nothing done, if the roster no longer fits what is there."""
        only = len(self.buckets) == 1
        for b in self.buckets:
            if not b.unchanged(grads if only else [grads[i] for i in b.indices]):
                return False
        copies = [b.stage() if b.staged else [] for b in self.buckets]
        if self.any_triton:
            on_device.step(self, plans, threads, scaling)
        else:
            assert isinstance(self.counts, Counts)
            cpu.step([w for b in self.buckets for w in self.work(b, plans, cpu.Work)], threads)
            self.counts.advance()
        for b, copied in zip(self.buckets, copies, strict=True):
            if copied:
                b.write_back(copied)
            b.finish()
        return True

    def captured(self) -> bool:
        """Whether the step that was just taken is part of a CUDA graph."""
        from steepest.execute import cuda

        return any(b.device is not None and cuda.capturing(b.device) for b in self.buckets)

    def work(self, b: Bucket, plans: Sequence[GroupPlan], make: Callable[..., Any]) -> list[Any]:
        """The bucket's table with its hyperparameters: one row for each group and step count in it."""
        assert isinstance(self.counts, Counts)
        same = self.counts.same
        if same is not None:
            values, row_of = [plans[g].row(same + 1) for g in b.groups], b.row_of
        else:
            pairs, row_of = np.unique(
                np.stack([np.array(b.groups)[b.row_of], self.counts.array[b.indices] + 1]), axis=1, return_inverse=True
            )
            values, row_of = [plans[int(g)].row(int(c)) for g, c in pairs.T], row_of.reshape(-1).astype(np.int64)
        truths: list[tuple[bool, ...]] = [host.truth(b.plan, v) for v in values] if b.plan.tests else [()]
        if truths.count(truths[0]) == len(truths):
            return [make(b.table, b.plan.variants[truths[0]], host.Rows(values, row_of))]
        # Members at different counts may be in different variants: each variant steps its own part of the table.
        work: list[Any] = []
        for truth in dict.fromkeys(truths):
            at = [i for i, r in enumerate(row_of) if truths[r] == truth]
            part = b.table.part(at)
            work.append(make(part, b.plan.variants[truth], host.Rows(values, row_of[at])))
        return work


class Counts:
    """How many steps each member has taken: one tensor, of which every `state["step"]` is an element.

    Advancing all of them is one operation, and what a user reads in `state["step"]`, or writes into it in
    place, is what the next step goes by.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self.tensor = torch.tensor(counts, dtype=torch.float32)
        self.array = self.tensor.numpy()
        self.views = list(self.tensor.unbind())
        self._look()

    def _look(self) -> None:
        self._seen = self.array.tobytes()
        self._same = int(self.array[0]) if (self.array == self.array[0]).all() else None

    @property
    def same(self) -> int | None:
        """The count of all members, if it is the same."""
        if self.array.tobytes() != self._seen:  # somebody wrote into a state["step"]
            self._look()
        return self._same

    def advance(self) -> None:
        self.array += 1
        self._seen = self.array.tobytes()
        self._same = None if self._same is None else self._same + 1
