"""Run two optimizers side by side and measure how far apart they come.

Both start from the same parameters. Gradients are noise from a fixed generator plus a little of the parameter
itself, so an optimizer that has drifted is also handed other gradients. The noise spans orders of magnitude,
and has zeros and ties in it; some elements never have a gradient at all.

`same_trajectory` is what tests call; give it a wrong optimizer, and it must raise.
"""

from collections.abc import Callable, Iterator
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ChainedScheduler, CosineAnnealingLR, LinearLR, LRScheduler

#: from two parameter groups, of which only the second sets hyperparameters of its own, to an optimizer
Make = Callable[[list[dict[str, Any]]], Optimizer]
Schedule = Callable[[Optimizer], LRScheduler]

STEPS = 200
SHAPES = ((), (7,), (16, 5), (33, 31), (1, 67), (0, 3))
IN_FIRST_GROUP = 3
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


def warmup_then_cosine(optimizer: Optimizer) -> LRScheduler:
    """What most people train with; it also moves the learning rate at every step."""
    return ChainedScheduler([LinearLR(optimizer, 0.2, total_iters=20), CosineAnnealingLR(optimizer, STEPS, eta_min=1e-4)], optimizer)


@cache
def noise(dtype: torch.dtype, seed: int) -> tuple[list[Tensor], list[Tensor]]:
    """The initial parameters, and for each of them its noise at all steps."""
    generator = torch.Generator().manual_seed(seed)
    size = sum(map(prod, SHAPES))
    uniform = torch.rand(size, generator=generator, dtype=torch.float64)
    scale = torch.where(uniform < 0.1, 0.0, 10 ** (4 * uniform - 4))  # from 1e-4 to 1
    start = torch.randn(size, generator=generator, dtype=torch.float64) * (scale > 0)
    normal = torch.randn(STEPS, size, generator=generator, dtype=torch.float64)
    steps = (4 * normal).round() / 4 * scale
    lengths = list(map(prod, SHAPES))
    return (
        [p.reshape(s) for p, s in zip(start.to(dtype).split(lengths), SHAPES, strict=True)],
        [n.reshape(STEPS, *s) for n, s in zip(steps.to(dtype).split(lengths, 1), SHAPES, strict=True)],
    )


def steps(make: Make, dtype: torch.dtype, schedule: Schedule | None = None, seed: int = 0) -> Iterator[tuple[list[Parameter], Optimizer]]:
    """The parameters and the optimizer after each of 200 steps."""
    start, noises = noise(dtype, seed)
    params = [Parameter(p.clone()) for p in start]
    optimizer = make([{"params": params[:IN_FIRST_GROUP]}, {"params": params[IN_FIRST_GROUP:]}])
    scheduler = schedule(optimizer) if schedule else None
    for taken in range(STEPS):
        for p, n in zip(params, noises, strict=True):
            p.grad = torch.add(n[taken], p.detach(), alpha=0.1)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        yield params, optimizer


def distance(got: Tensor, want: Tensor) -> float:
    """The norm of the difference; infinite where one is nan and the other not, or the kinds of tensor differ."""
    if got.shape != want.shape or got.dtype != want.dtype or not torch.equal(got.isnan(), want.isnan()):
        return float("inf")
    return float(torch.linalg.vector_norm((got - want).detach().nan_to_num(0), dtype=torch.float64))


def same_trajectory(
    ours: Make,
    reference: Make,
    dtype: torch.dtype,
    *,
    tolerance: float | None = None,
    schedule: Schedule | None = warmup_then_cosine,
    seed: int = 0,
) -> float:
    """Assert that the parameters agree along 200 steps (compared after each of the first ten, then every fifth).

    Returns the largest relative difference.

    Relative to the largest norm that the parameter has had: a single number may pass through zero.
    """
    bound = TOLERANCE[dtype] if tolerance is None else tolerance
    start, _ = noise(dtype, seed)
    sizes = [float(p.norm()) for p in start]
    worst, wanted = 0.0, start
    both = zip(steps(ours, dtype, schedule, seed), steps(reference, dtype, schedule, seed), strict=True)
    for count, ((got, _), (want, _)) in enumerate(both, 1):
        if count > 10 and count % 5:
            continue
        wanted = [w.detach() for w in want]
        for i, (g, w) in enumerate(zip(got, wanted, strict=True)):
            sizes[i] = max(sizes[i], float(w.norm()))
            apart = distance(g, w) / sizes[i] if sizes[i] else distance(g, w)
            assert apart < bound, f"after step {count} parameter {i} of shape {tuple(w.shape)} is {apart:.1e} away, more than {bound:.0e}"
            worst = max(worst, apart)
    for w, s in zip(wanted, start, strict=True):
        assert not w.numel() or (w - s).norm() > 0.02 * s.norm(), "the parameters have hardly moved: nothing was compared"
    return worst
