"""The parameter sets: one huge tensor, a large model, a model of many small tensors, a tiny one."""

import torch

Shapes = list[tuple[int, ...]]

SETS: dict[str, tuple[str, Shapes]] = {
    "A": ("one tensor of 50 M", [(50_000_000,)]),
    "B": (
        "161 tensors, 25 M: 107 vectors of 64-2048, 54 matrices of 460 000",
        [(64 + 1984 * i // 106,) for i in range(107)] + [(460, 1000)] * 54,
    ),
    "C": ("150 tensors, 1.6 M", [(10_667,)] * 150),
    "D": ("6 small tensors, 21 k", [(256, 64), (64,), (64, 64), (64,), (64, 10), (10,)]),
}


def make(name: str) -> list[torch.nn.Parameter]:
    """The parameters of a set, with gradients."""
    generator = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(s, generator=generator)) for s in SETS[name][1]]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator)
    return params


def elements(name: str) -> int:
    """How many numbers a set has."""
    return sum(torch.Size(s).numel() for s in SETS[name][1])
