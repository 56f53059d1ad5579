"""Steps outside the kernel: parameters on other devices, tensor subclasses, and steps that autograd must see."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from steepest.execute import eager
from steepest.torch.roster import Member
from steepest.transform import Transform
from steepest.tree import floats, hyperparameters, slots, structure

_COMPUTES_NOTHING = getattr(Tensor, "__torch_dispatch__", None)


class Work(NamedTuple):
    """One member, and how it is stepped."""

    member: Member
    strategy: Transform
    maximize: bool
    taken: int
    differentiable: bool


class Store(NamedTuple):
    """What a step puts where; autograd records it where it is asked to."""

    target: Tensor
    value: Tensor
    differentiable: bool


def results(work: Sequence[Work], key: Callable[[str], str]) -> list[Store]:
    """Step each member by its rule; nothing is stored yet."""
    together: dict[Any, list[Work]] = {}
    for w in work:
        together.setdefault((structure(w.strategy), w.maximize), []).append(w)
    stores: list[Store] = []
    with torch.set_grad_enabled(any(w.differentiable for w in work)):
        for (_, maximize), mine in together.items():
            new = eager.step(mine[0].strategy, [_leaf(w, key) for w in mine], maximize)
            for w, values in zip(mine, new, strict=True):
                targets = {name: w.member.state[key(name)] for name in slots(w.strategy)} | {"param": w.member.param}
                stores += [Store(target, values[name], w.differentiable) for name, target in targets.items()]
    return stores


def store(stores: Sequence[Store]) -> None:
    """Put all results where they belong."""
    for target, value, differentiable in stores:
        with torch.set_grad_enabled(differentiable):
            target.copy_(torch.view_as_complex(value) if target.is_complex() else value)


def _leaf(w: Work, key: Callable[[str], str]) -> eager.Leaf:
    values, state = hyperparameters(w.strategy), w.member.state
    return eager.Leaf(
        param=_computable(w.member.param, w.differentiable),
        grad=_computable(w.member.grad, w.differentiable),
        slots={name: _computable(state[key(name)], w.differentiable) for name in slots(w.strategy)},
        scalars={name: values[name](w.taken) if callable(values[name]) else values[name] for name in floats(w.strategy)},
        count=w.taken + 1,
    )


def _computable(t: Tensor, differentiable: bool) -> Tensor:
    """Real, and at least float32: one rounding at the store, none in between."""
    if getattr(type(t), "__torch_dispatch__", None) is _COMPUTES_NOTHING:
        t = t.as_subclass(Tensor)  # a subclass in name only; one that computes by itself stays what it is
    t = t.clone() if differentiable else t  # autograd needs what the step has read, and the store writes over it
    t = torch.view_as_real(t.resolve_conj()) if t.is_complex() else t
    return t.float() if t.dtype in (torch.float16, torch.bfloat16) else t
