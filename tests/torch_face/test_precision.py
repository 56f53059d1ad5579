"""Half precision, complex numbers, and the rule without its kernel (tensor subclasses)."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from tests.torch_face.cases import OF_TORCH, ONE_OF_EACH, WITH_SUMS, Case, dtypes, over
from tests.torch_face.inputs import give, params_like, same_bits, tame

SHAPES = ((7,), (16, 5), (), (0, 3), (1009,))
HALF = (torch.bfloat16, torch.float16)


class Wrapped(torch.Tensor):
    """A subclass, as quantisation and sharding make them: stepped by the rule itself, operation by operation."""


def plain(dtype: torch.dtype, i: int, shape: tuple[int, ...]) -> Parameter:
    return Parameter(tame(shape, dtype, i))


def wrapped(dtype: torch.dtype, i: int, shape: tuple[int, ...]) -> Any:
    return tame(shape, dtype, i).as_subclass(Wrapped).requires_grad_()


def same_or_one_unit(a: Tensor, b: Tensor) -> bool:
    """The kernel multiplies by reciprocals where the rule divides: two results either side of a tie may round apart."""
    up, down = torch.nextafter(b, torch.full_like(b, torch.inf)), torch.nextafter(b, torch.full_like(b, -torch.inf))
    return bool(((a == b) | (a == up) | (a == down)).all()) and bool((a == b).float().mean() > 0.98 if a.numel() > 50 else True)


@over([*ONE_OF_EACH, WITH_SUMS])
@dtypes(*HALF)
@pytest.mark.parametrize("made", [plain, wrapped])
def test_one_rounding_at_the_store(case: Case, dtype: torch.dtype, made: Callable[..., Any]) -> None:
    """From the same rounded numbers: a step in float32, then each result rounded once."""
    params = [made(dtype, i, s) for i, s in enumerate(SHAPES)]
    narrow = case.make(params)
    for t in range(5):
        wide = params_like([p.as_subclass(Tensor).float() for p in params])
        twin = case.make(wide)
        twin.load_state_dict(narrow.state_dict())
        for state in twin.state.values():
            state.update({k: v.as_subclass(Tensor).float() for k, v in state.items()})
        for i, (p, q) in enumerate(zip(params, wide, strict=True)):
            grad = tame(tuple(p.shape), dtype, 100 * t + i)
            p.grad = grad.as_subclass(type(p)) if made is wrapped else grad
            q.grad = grad.float()
        narrow.step()
        twin.step()
        for p, q in zip(params, wide, strict=True):
            pairs = [(p.detach(), q.detach()), *((v, twin.state[q][k]) for k, v in narrow.state[p].items() if k != "step")]
            for got, want in pairs:
                got, want = got.as_subclass(Tensor), want.to(dtype)
                assert got.dtype == dtype
                assert same_bits(got, want) if made is plain else same_or_one_unit(got, want)


@over([*ONE_OF_EACH, WITH_SUMS])
@dtypes(torch.float32, torch.float64, torch.complex128)
def test_subclasses_of_tensor(case: Case, dtype: torch.dtype) -> None:
    """Stepped eagerly beside plain parameters in the kernel; they stay what they are."""
    params = [plain(dtype, 0, (3, 4)), wrapped(dtype, 1, (5,)), wrapped(dtype, 2, (2, 3)), plain(dtype, 3, (17,))]
    twins = params_like([p.detach().as_subclass(Tensor) for p in params])
    a, b = case.make(params), case.make(twins)
    for t in range(4):
        give(twins, t)
        for p, q in zip(params, twins, strict=True):
            p.grad = q.grad.clone().as_subclass(type(p)) if type(p) is Wrapped else q.grad.clone()
        before = [type(p) for p in params]
        a.step()
        b.step()
        assert [type(p) for p in params] == before
        bound = 1e-5 if dtype == torch.float32 else 1e-12
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p.detach().as_subclass(Tensor), q.detach(), rtol=bound, atol=bound)
            assert a.state[p].keys() == b.state[q].keys()


@over(OF_TORCH)
@dtypes(torch.complex64, torch.complex128)
def test_complex_parameters_as_in_torch(case: Case, dtype: torch.dtype) -> None:
    """As pairs of real numbers, beside a real parameter."""
    params = [plain(dtype, 0, (3, 4)), plain(dtype, 1, ()), plain(dtype.to_real(), 2, (5,))]
    twins = params_like(params)
    ours, theirs = case.make(params), case.make_reference(twins)
    bound = 2e-5 if dtype == torch.complex64 else 1e-12
    for t in range(20):
        give(params, t)
        for p, q in zip(params, twins, strict=True):
            q.grad = p.grad.clone()
            if p.is_complex() and t % 3 == 1:
                p.grad = p.grad.conj().resolve_conj().conj()  # the same numbers, by a view that conjugates
        ours.step()
        theirs.step()
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p, q, rtol=bound, atol=bound)


@over(ONE_OF_EACH)
def test_float16_survives_what_float16_cannot_hold(case: Case) -> None:
    """A gradient of 300 has a square beyond float16, one of 1e-4 a square below it: in float32 neither is lost."""
    p = Parameter(torch.zeros(64, dtype=torch.float16))
    p.grad = torch.cat([torch.full((32,), 300.0), torch.full((32,), 1e-4)]).half()
    case.make([p]).step()
    assert torch.isfinite(p).all()
    assert (p < 0).all()


@over(ONE_OF_EACH)
@dtypes(*HALF)
def test_wide_gradients_of_narrow_parameters(case: Case, dtype: torch.dtype) -> None:
    """PyTorch allows a gradient in float32 for a parameter in bfloat16 (grad_dtype): it is used as it is."""
    p, q = plain(dtype, 0, (67,)), Parameter(tame((67,), dtype, 0).float())
    p.grad_dtype = torch.float32
    p.grad = tame((67,), torch.float32, 1)
    q.grad = p.grad.clone()
    case.make([p]).step()
    case.make([q]).step()
    assert same_bits(p, q.detach().to(dtype))
