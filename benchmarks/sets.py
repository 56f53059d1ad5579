"""The parameter sets: one huge tensor, a large model, a model of many small tensors, a tiny one, a language model."""

import torch

Shapes = list[tuple[int, ...]]

_BLOCK: Shapes = [(768,), (768,), (768, 2304), (2304,), (768, 768), (768,), (768,), (768,), (768, 3072), (3072,), (3072, 768), (768,)]

SETS: dict[str, tuple[str, Shapes]] = {
    "A": ("one tensor of 50 M", [(50_000_000,)]),
    "B": (
        "161 tensors, 25 M: 107 vectors of 64-2048, 54 matrices of 460 000",
        [(64 + 1984 * i // 106,) for i in range(107)] + [(460, 1000)] * 54,
    ),
    "C": ("150 tensors, 1.6 M", [(10_667,)] * 150),
    "D": ("6 small tensors, 21 k", [(256, 64), (64,), (64, 64), (64,), (64, 10), (10,)]),
    "E": ("GPT-2: 148 tensors, 124 M", [(50257, 768), (1024, 768), *_BLOCK * 12, (768,), (768,)]),
}


def make(name: str, device: str = "cpu") -> list[torch.nn.Parameter]:
    """The parameters of a set, with gradients."""
    generator = torch.Generator(device).manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(s, generator=generator, device=device)) for s in SETS[name][1]]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator, device=device)
    return params


def elements(name: str) -> int:
    """How many numbers a set has."""
    return sum(torch.Size(s).numel() for s in SETS[name][1])
