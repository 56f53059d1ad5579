"""Parameters and gradients: numbers at the kinks, and every way of lying in memory."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.complex64, torch.complex128)


def tame(shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> Tensor:
    """Gaussian numbers, with zeros and ties among them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.complex128 if dtype.is_complex else torch.float64)
    choice = torch.rand(shape, generator=generator)
    return torch.where(choice < 0.2, 0.0, torch.where(choice < 0.3, 0.5, x)).to(dtype)


def _gaps(x: Tensor) -> Tensor:
    wide = torch.full((*x.shape[:-1], 2 * x.shape[-1] + 3), 7.0, dtype=x.dtype)
    return wide[..., 1 : 2 * x.shape[-1] : 2].copy_(x)


def _offset(x: Tensor) -> Tensor:
    return torch.full((x.numel() + 1,), 7.0, dtype=x.dtype)[1:].view(x.shape).copy_(x)


#: from a contiguous 4-D tensor to an equal one that lies otherwise
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda x: x.clone(),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "transposed": lambda x: x.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0),
    "with gaps": _gaps,
    "offset": _offset,
    "a row of a matrix": lambda x: torch.stack([x, x + 1])[0],
}

#: the same for gradients, which need not be written to
GRADIENTS: dict[str, Callable[[Tensor], Tensor]] = {
    **LAYOUTS,
    "expanded": lambda x: x[:1, :1].clone().expand(x.shape),
    "negated view": lambda x: torch._neg_view(-x),
    "conjugated view": lambda x: x.conj_physical().conj() if x.is_complex() else x.clone(),
}


def params_like(tensors: list[Tensor]) -> list[Parameter]:
    return [Parameter(t.detach().clone()) for t in tensors]


def give(params: list[Parameter], seed: int) -> None:
    """New gradients."""
    for i, p in enumerate(params):
        p.grad = tame(tuple(p.shape), p.dtype, 1000 * seed + i)


def same_steps(a: torch.optim.Optimizer, b: torch.optim.Optimizer, params: list[Parameter], twins: list[Parameter], steps: int) -> None:
    """Step two optimizers by the same float64 gradients; assert that their parameters stay equal, as far as rounding goes."""
    for t in range(steps):
        give(params, t)
        for p, q in zip(params, twins, strict=True):
            q.grad = p.grad.clone()
        a.step()
        b.step()
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-12, atol=1e-13)


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors hold the same bits, whatever their layouts."""
    a, b = (t.detach().resolve_neg().resolve_conj() for t in (a, b))
    a, b = (torch.view_as_real(t) if t.is_complex() else t for t in (a, b))
    whole = {8: torch.int64, 4: torch.int32, 2: torch.int16, 1: torch.int8}[a.element_size()]
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.contiguous().view(whole), b.contiguous().view(whole))


def snapshot(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Everything that an optimizer holds, copied."""
    return deepcopy({"params": [list(g["params"]) for g in optimizer.param_groups], **optimizer.state_dict()})


def same(a: Any, b: Any) -> bool:
    """The same structure, the same bits."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and same_bits(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)
