"""What a kernel may write to: which tensors can be stepped where they lie, and which need a copy.

A kernel sees a parameter, its gradient and its slots as flat memory. That is right where all of them are
dense and laid out alike, and on the CPU also of one dtype, float32 or float64. Everything else (bfloat16 on the
CPU, a gradient of other strides, a parameter that is a slice) is staged: copied to such memory, stepped there,
and copied back with one rounding.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from steepest.errors import TensorError
from steepest.formats import FORMATS, STORED, Format

_COMPUTED_IN = {
    torch.float64: FORMATS["float64"],
    torch.complex128: FORMATS["float64"],
    torch.float32: FORMATS["float32"],
    torch.complex64: FORMATS["float32"],
    torch.float16: FORMATS["float32"],
    torch.bfloat16: FORMATS["float32"],
}
_NATIVE = {torch.float64, torch.complex128, torch.float32, torch.complex64}
_STORED_IN = {**_COMPUTED_IN, torch.float16: STORED["float16"], torch.bfloat16: STORED["bfloat16"]}
_REAL = {"float32": torch.float32, "float64": torch.float64}


def compute_format(param: Tensor) -> Format:
    """The precision in which a parameter is stepped; an error if its dtype has none."""
    found = _COMPUTED_IN.get(param.dtype)
    if found is None:
        names = ", ".join(str(d).removeprefix("torch.") for d in _COMPUTED_IN)
        raise TensorError(f"A parameter has dtype {param.dtype}, which has no gradient descent; it can be one of {names}.")
    return found


def check(param: Tensor, grad: Tensor, optimizer: str) -> None:
    """Raise if this parameter cannot be stepped by this gradient."""
    if grad.layout is not torch.strided:
        raise TensorError(
            f"{optimizer}: a gradient of shape {tuple(param.shape)} is sparse ({grad.layout}), and every rule here reads all elements. "
            "Make it dense (torch.nn.Embedding(..., sparse=False)), or give this parameter to torch.optim.SparseAdam."
        )
    if param.layout is not torch.strided:
        raise TensorError(f"{optimizer}: a parameter has layout {param.layout}; only dense (strided) parameters can be stepped.")
    if param.shape != grad.shape:
        raise TensorError(f"{optimizer}: a parameter of shape {tuple(param.shape)} has a gradient of shape {tuple(grad.shape)}.")
    if param.device != grad.device:
        raise TensorError(f"{optimizer}: a parameter on {param.device} has its gradient on {grad.device}.")
    if param.is_complex() != grad.is_complex():
        raise TensorError(
            f"{optimizer}: a parameter of dtype {param.dtype} has a gradient of dtype {grad.dtype}: both must be real, or both complex."
        )
    if param.numel() and any(stride == 0 and size > 1 for stride, size in zip(param.stride(), param.shape, strict=True)):
        raise TensorError(
            f"{optimizer}: a parameter of shape {tuple(param.shape)} is an expanded view (strides {param.stride()}): "
            "several of its elements are one number, which a step would write several times. Optimize the tensor it was expanded from."
        )
    compute_format(param)


def dense(t: Tensor) -> bool:
    """Whether the elements fill one stretch of memory without gaps or overlaps, in whatever order."""
    if t.is_contiguous():
        return True
    expected = 1
    for stride, size in sorted(zip(t.stride(), t.shape, strict=True)):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


class Shape(NamedTuple):
    """What must still hold at the next step for an address to mean the same memory layout."""

    shape: torch.Size
    stride: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, t: Tensor) -> "Shape":
        return cls(t.shape, t.stride(), t.dtype)


def in_place(tensors: Sequence[Tensor]) -> bool:
    """Whether these tensors (a parameter, its gradient, its slots) can be stepped where they lie."""
    first = tensors[0]
    like = Shape.of(first)
    return (
        first.dtype in _NATIVE
        and dense(first)
        and all(Shape.of(t) == like and not t.is_conj() and not t.is_neg() and t.device.type == "cpu" for t in tensors)
    )


def formats(tensors: Sequence[Tensor]) -> tuple[Format, ...]:
    """How Triton's kernels find a parameter, its gradient and its slots: each as it is stored, or all staged."""
    first = tensors[0]
    if dense(first) and all(
        t.dtype in _STORED_IN
        and (t.shape, t.stride(), t.device, t.is_complex()) == (first.shape, first.stride(), first.device, first.is_complex())
        and not t.is_conj()
        and not t.is_neg()
        and (t.dtype in (torch.float64, torch.complex128)) == (first.dtype in (torch.float64, torch.complex128))
        for t in tensors
    ):
        return tuple(_STORED_IN[t.dtype] for t in tensors)
    return ()


def staged(t: Tensor, compute: Format, device: torch.device) -> Tensor:
    """A dense real copy in the precision of the computation."""
    t = t.detach().resolve_conj().resolve_neg()
    t = torch.view_as_real(t) if t.is_complex() else t
    return t.to(device, _REAL[compute.name], copy=True, memory_format=torch.contiguous_format)


def write_back(target: Tensor, copy: Tensor) -> None:
    """Store a staged copy, rounding once."""
    with torch.no_grad():
        target.copy_(torch.view_as_complex(copy) if target.is_complex() else copy)
