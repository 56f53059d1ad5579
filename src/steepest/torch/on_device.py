"""Steps by Triton's kernels: on several devices, inside a captured graph, under a GradScaler.

Usually the host knows the step count and sends the numbers of a step. It does not where a step may be skipped
without its knowledge (`found_inf`) or happen without it (a replayed graph: `capturable=True`): there the counts
are on the device, and everything that follows from them is worked out there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from steepest.errors import TensorError
from steepest.execute import cpu

if TYPE_CHECKING:
    from steepest.torch.roster import Bucket, GroupPlan, Roster


class Scaling(NamedTuple):
    """What a GradScaler says of this step, in one-element tensors on a device."""

    grad_scale: Tensor | None  # gradients are this many times too large; None if they have been divided already
    found_inf: Tensor | None  # not 0: leave everything as it is


class DeviceCounts:
    """How many steps each member has taken, one tensor on each device; every `state["step"]` is an element."""

    def __init__(self, params: Sequence[Tensor], counts: Sequence[Tensor | int]) -> None:
        self.params = list(params)
        self.views: list[Tensor] = [torch.empty(0)] * len(params)
        self.tensors: dict[torch.device, Tensor] = {}
        self._place: list[int] = [0] * len(params)
        for device in dict.fromkeys(p.device for p in params):
            mine = [i for i, p in enumerate(params) if p.device == device]
            start = [torch.as_tensor(counts[i], dtype=torch.float32).detach().reshape(()).to(device) for i in mine]
            self.tensors[device] = torch.stack(start)
            for place, (i, view) in enumerate(zip(mine, self.tensors[device].unbind(), strict=True)):
                self._place[i], self.views[i] = place, view

    def of(self, b: "Bucket") -> Tensor:
        """The counts of a bucket's members, in their order."""
        assert b.device is not None
        places = np.array([self._place[i] for i in b.indices], dtype=np.int64)
        return self.tensors[b.device][b.table.send("places", places)]

    def advance(self, scaling: Scaling | None) -> None:
        """One more, for all that were not left alone."""
        for device, tensor in self.tensors.items():
            if scaling is None or scaling.found_inf is None:
                tensor += 1
            else:
                tensor += (scaling.found_inf.to(device, non_blocking=True).reshape(()) == 0).float()


def step(roster: "Roster", plans: Sequence["GroupPlan"], threads: int, scaling: Scaling | None) -> None:
    """Step all members of a roster of which some, or all, are on a GPU."""
    from steepest.execute import cuda

    counts = roster.counts
    if isinstance(counts, DeviceCounts):
        cuda.step([w for b in roster.buckets for w in _work(b, plans, counts, scaling)])
        counts.advance(scaling)
        return
    if any(b.device is not None and cuda.capturing(b.device) for b in roster.buckets):
        raise TensorError("A CUDA graph is being captured: it would replay this very step count. Make the optimizer with capturable=True.")
    here = [w for b in roster.buckets if b.device is None for w in roster.work(b, plans, cpu.Work)]
    there = [w for b in roster.buckets if b.device is not None for w in roster.work(b, plans, cuda.Work)]
    cuda.step(there)  # first: it goes on while the CPU steps its own
    cpu.step(here, threads)
    counts.advance()


def _work(b: "Bucket", plans: Sequence["GroupPlan"], counts: DeviceCounts, scaling: Scaling | None) -> list[Any]:
    """A bucket's table in every variant: which one a tensor takes is known on the device alone."""
    from steepest.execute import cuda

    count = counts.of(b).double()
    one, zero = b.table.send("unscale and skip", np.array([1.0, 0.0])).unbind()
    if scaling is not None:
        if scaling.grad_scale is not None:
            one = 1.0 / _number(scaling.grad_scale, b)
        if scaling.found_inf is not None:
            zero = (_number(scaling.found_inf, b) != 0).double()
    rows = cuda.OnDevice([*_columns(b, plans, count), count + 1], one, zero)
    return [cuda.Work(b.table, variant, rows, truth) for truth, variant in b.plan.variants.items()]


def _number(t: Tensor, b: "Bucket") -> Tensor:
    return t.detach().to(b.device, torch.float64, non_blocking=True).reshape(())


def _columns(b: "Bucket", plans: Sequence["GroupPlan"], count: Tensor) -> list[Tensor]:
    """Every hyperparameter as one number for each member. Tensors among them stay on the device."""
    groups = [plans[g] for g in b.groups]
    if any(g.scheduled for g in groups):
        # The only wait for the device: a function on the host is asked about a count that is not there.
        taken = count.tolist()
        rows = [groups[g].row(int(c) + 1)[:-1] for g, c in zip(b.row_of, taken, strict=True)]
    else:
        of_group = [[0.0 if isinstance(v, Tensor) else float(v) for v in g.scalars] for g in groups]
        rows = [of_group[g] for g in b.row_of]
    columns = list(b.table.send("scalars", np.ascontiguousarray(np.array(rows, dtype=np.float64).T)))
    for i, group in enumerate(groups):
        for j, value in enumerate(group.scalars):
            if isinstance(value, Tensor):
                mine = b.table.send(("in group", i), b.row_of == i)
                columns[j] = torch.where(mine, _number(value, b), columns[j])
    return columns
