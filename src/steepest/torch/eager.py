"""Steps outside the kernel: parameters on other devices, tensor subclasses, and steps that autograd must see."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from steepest.execute import eager
from steepest.torch.roster import Member
from steepest.transform import Transform
from steepest.tree import floats, hyperparameters, slots, structure


def step(work: Sequence[tuple[Member, Transform, bool, int]], key: Callable[[str], str], differentiable: bool) -> None:
    """Step each (member, strategy, maximize, count) by its rule. All results are there before one is stored."""
    together: dict[Any, list[tuple[Member, Transform, int]]] = {}
    for member, strategy, maximize, count in work:
        together.setdefault((structure(strategy), maximize), []).append((member, strategy, count))
    with torch.set_grad_enabled(differentiable):
        stores: list[tuple[Tensor, Tensor]] = []
        for (_, maximize), mine in together.items():
            new = eager.step(mine[0][1], [_leaf(m, s, count, key) for m, s, count in mine], maximize)
            for (m, s, _), values in zip(mine, new, strict=True):
                stores += [(m.state[key(name)], values[name]) for name in slots(s)]
                stores.append((m.param, values["param"]))
        for target, value in stores:
            target.copy_(torch.view_as_complex(value) if target.is_complex() else value)


def _leaf(m: Member, strategy: Transform, count: int, key: Callable[[str], str]) -> eager.Leaf:
    values = hyperparameters(strategy)
    return eager.Leaf(
        param=_computable(m.param),
        grad=_computable(m.grad),
        slots={name: _computable(m.state[key(name)]) for name in slots(strategy)},
        scalars={name: values[name](count - 1) if callable(values[name]) else values[name] for name in floats(strategy)},
        count=count,
    )


def _computable(t: Tensor) -> Tensor:
    """Real, and at least float32: one rounding at the store, none in between."""
    t = torch.view_as_real(t) if t.is_complex() else t
    return t.float() if t.dtype in (torch.float16, torch.bfloat16) else t
