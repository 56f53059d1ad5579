"""`steepest.torch.Optimizer` with a strategy: schedules, clipping across groups, dtypes and layouts."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

import steepest
from steepest import (
    AddDecayedWeights,
    ClipByGlobalNorm,
    Cosine,
    Linear,
    ScaleByAdam,
    ScaleByLearningRate,
    Trace,
    Transform,
    adabelief,
    adam,
    adamw,
    chain,
    lion,
    momentum,
    nesterov,
    rmsprop,
    sgd,
)
from steepest import torch as face
from tests.torch_face.inputs import LAYOUTS, give, params_like, same_bits, same_steps, tame


@pytest.mark.parametrize(
    "schedule",
    [Cosine(0.1, 20, warmup=3), Linear(0.1, 10, floor=0.1), lambda taken: 0.1 / (taken + 1)],
    ids=["cosine", "linear", "function"],
)
def test_a_schedule_is_a_learning_rate_that_changes(schedule: Any) -> None:
    """Asked for the number of steps taken before this one, by each parameter for itself."""
    params = [Parameter(tame((5,), torch.float64, i)) for i in range(2)]
    twins = params_like(params)
    a = face.Optimizer(params, chain(ScaleByAdam(), ScaleByLearningRate(schedule)))
    b = face.Optimizer([{"params": [q]} for q in twins], chain(ScaleByAdam(), ScaleByLearningRate(0.0)))
    taken = [0, 0]
    for t in range(25):
        give(params, t)
        params[1].grad = params[1].grad if t % 2 else None
        for i, (p, q) in enumerate(zip(params, twins, strict=True)):
            q.grad = p.grad
            b.param_groups[i]["lr"] = float(schedule(taken[i]))
            taken[i] += p.grad is not None
        a.step()
        b.step()
        assert all(map(same_bits, params, twins))


def test_a_schedule_in_one_group() -> None:
    p, q = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    optimizer = face.Optimizer([{"params": [p]}, {"params": [q], "lr": Linear(0.5, 2)}], ScaleByLearningRate(0.25))
    for _ in range(3):
        p.grad, q.grad = torch.ones(3), torch.ones(3)
        optimizer.step()
    assert torch.equal(p, torch.full((3,), 0.25))
    assert torch.equal(q, torch.full((3,), 0.25))  # 1 - 0.5 - 0.25 - 0


EQUAL = [
    (sgd(0.1, weight_decay=0.1), lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.1)),
    (momentum(0.1), lambda p: torch.optim.SGD(p, 0.1, 0.9)),
    (nesterov(0.1), lambda p: torch.optim.SGD(p, 0.1, 0.9, nesterov=True)),
    (rmsprop(0.01, momentum=0.9, centered=True), lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.9, centered=True)),
    (adam(0.01, weight_decay=0.1, amsgrad=True), lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1, amsgrad=True)),
    (adamw(0.01, weight_decay=0.1), lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1)),
    (lion(0.01, weight_decay=0.1), lambda p: face.Lion(p, 0.01, weight_decay=0.1)),
    (adabelief(0.01, weight_decay=0.1), lambda p: face.AdaBelief(p, 0.01, weight_decay=0.1)),
    (steepest.lookahead(0.01, k=2), lambda p: face.Lookahead(face.Adam(p, 0.01), 2)),
]


@pytest.mark.parametrize(("strategy", "make"), EQUAL, ids=[repr(s)[:60] for s, _ in EQUAL])
def test_registered_optimizers_are_the_classes(strategy: Transform, make: Any) -> None:
    """In exact arithmetic; what a decoupled decay rounds otherwise is far below 1e-12 in float64."""
    params = [Parameter(tame((5, 7), torch.float64, i)) for i in range(2)]
    twins = params_like(params)
    a, b = face.Optimizer(params, strategy), make(twins)
    same_steps(a, b, params, twins, 20)


# -- clipping -------------------------------------------------------------------------------------------


def mixed() -> list[Parameter]:
    """Three dtypes, every layout, an empty one and a single number."""
    layouts = list(LAYOUTS.values())
    dtypes = (torch.float32, torch.float64, torch.bfloat16, torch.float32, torch.complex64, torch.bfloat16)
    shaped = [Parameter(lay(tame((2, 3, 5, 7), d, i))) for i, (lay, d) in enumerate(zip(layouts, dtypes, strict=True))]
    return [*shaped, Parameter(torch.ones(0, 3)), Parameter(torch.tensor(0.5)), Parameter(tame((70_000,), torch.float32, 9))]


def clipped(grads: list[Tensor], max_norm: float) -> list[Tensor]:
    """The formula of the paper: g * min(1, max_norm / norm), the norm over all of them, in float64."""
    norm = torch.stack([torch.linalg.vector_norm(g.to(torch.complex128 if g.is_complex() else torch.float64)) for g in grads]).norm()
    return [
        (
            g.to(torch.complex64 if g.dtype == torch.complex64 else torch.promote_types(g.dtype, torch.float32))
            * min(1.0, max_norm / norm.item())
        )
        for g in grads
    ]


@pytest.mark.parametrize("max_norm", [0.5, 30.0, 1e6], ids=["always", "sometimes", "never"])
@pytest.mark.parametrize("grouped", [False, True], ids=["one group", "groups"])
def test_clipping_is_over_everything(max_norm: float, grouped: bool) -> None:
    """Across groups with settings of their own, dtypes and layouts: as clipping all gradients first and stepping then."""
    params = mixed()
    twins = [Parameter(p.detach().clone()) if p.dtype != torch.bfloat16 else Parameter(p.detach().float()) for p in params]
    strategy = chain(ClipByGlobalNorm(max_norm), Trace(0.5), AddDecayedWeights(0.1), ScaleByLearningRate(0.1))

    def groups(ps: list[Parameter]) -> list[Any]:
        return (
            [{"params": ps[:4], "lr": 0.05}, {"params": ps[4:6], "nesterov": True}, {"params": ps[6:], "weight_decay": 0.0}]
            if grouped
            else ps
        )

    a = face.Optimizer(groups(params), strategy)
    b = face.Optimizer(groups(twins), chain(ClipByGlobalNorm(1e30), *list(strategy)[1:]))
    for t in range(4):
        give(params, t)
        if t == 2:
            params[1].grad = None
        there = [(p, q) for p, q in zip(params, twins, strict=True) if p.grad is not None]
        if t == 2:
            twins[1].grad = None
        for (_, q), g in zip(there, clipped([p.grad for p, _ in there], max_norm), strict=True):
            q.grad = g
        a.step()
        b.step()
        for p, q in zip(params, twins, strict=True):
            bound = {torch.bfloat16: 2e-2, torch.float64: 1e-11}.get(p.dtype, 1e-6)
            torch.testing.assert_close(p.detach().to(q.dtype), q.detach(), rtol=bound, atol=bound)


def test_clipping_as_torch_does_it_by_hand() -> None:
    """Beside torch.nn.utils.clip_grad_norm_, whose divisor has a 1e-6 more."""
    params = [Parameter(tame(s, torch.float64, i)) for i, s in enumerate(((7,), (3, 4)))]
    twins = params_like(params)
    a = face.Optimizer(params, chain(ClipByGlobalNorm(0.1), Trace(0.9), ScaleByLearningRate(0.1)))
    b = torch.optim.SGD(twins, 0.1, 0.9)
    for t in range(5):
        give(params, t)
        for p, q in zip(params, twins, strict=True):
            q.grad = p.grad.clone()
        torch.nn.utils.clip_grad_norm_(twins, 0.1)
        a.step()
        b.step()
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_clipping_of_frozen_parameters() -> None:
    """A parameter without gradient does not count; nor does one of another optimizer."""
    p, q = Parameter(torch.zeros(1)), Parameter(torch.zeros(1))
    optimizer = face.Optimizer([p, q], chain(ClipByGlobalNorm(1.0), ScaleByLearningRate(1.0)))
    p.grad = torch.tensor([3.0])
    optimizer.step()
    assert p == -1
    q.grad = torch.tensor([4.0])
    optimizer.step()
    assert torch.allclose(torch.cat([p, q]), torch.tensor([-1.6, -0.8]))
