"""Numbers at the kinks, beside the reference: zeros, ties, denormals, huge, infinite and nan gradients."""

import torch
from torch import Tensor
from torch.nn import Parameter

from tests.torch_face.cases import OF_AUTHORS, OF_TORCH, Case, dtypes, over
from tests.torch_face.inputs import params_like, tame

STEPS = 6


def hard(n: int, dtype: torch.dtype, seed: int) -> Tensor:
    """Half Gaussian numbers, half kinks. The largest finite one can be squared.

    Beyond that the references do not agree with each other: PyTorch multiplies (1 - b2) * g before it squares, and so
    stays finite up to gradients of 6e20 in float32, where our rules reach infinity at 2e19.
    """
    info = torch.finfo(dtype)
    largest = info.max**0.5 / 4
    kinks = torch.tensor(
        [0.0, -0.0, 1.0, -1.0, 0.5, info.tiny, -info.tiny, info.tiny / 8, 1e-20, -1e15, largest, float("inf"), -float("inf"), float("nan")],
        dtype=dtype,
    )
    generator = torch.Generator().manual_seed(seed)
    choice = torch.randint(0, 2 * len(kinks), (n,), generator=generator)
    return torch.where(choice < len(kinks), kinks[choice % len(kinks)], tame((n,), dtype, seed))


@over([*OF_TORCH, *OF_AUTHORS])
@dtypes(torch.float32, torch.float64)
def test_kinks(case: Case, dtype: torch.dtype) -> None:
    """nan where nan is due, inf where inf is due, and elsewhere the same numbers, as far as rounding goes."""
    params = [Parameter(hard(500, dtype, 1)), Parameter(tame((70,), dtype, 2)), Parameter(torch.zeros(33, dtype=dtype))]
    twins = params_like(params)
    ours, reference = case.make(params), case.make_reference(twins)
    rtol, atol = {torch.float32: (1e-5, 1e-6), torch.float64: (1e-11, 1e-12)}[dtype]
    for t in range(STEPS):
        for i, (p, q) in enumerate(zip(params, twins, strict=True)):
            p.grad = hard(p.numel(), dtype, 10 * t + i)
            if case.hides_nan:
                p.grad.nan_to_num_(0.0, 1e15, -1e15)
            q.grad = p.grad.clone()
        ours.step()
        reference.step()
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p, q, rtol=rtol, atol=atol, equal_nan=True)


@over([c for c in OF_AUTHORS if c.hides_nan])
def test_where_we_show_a_nan(case: Case) -> None:
    """The one documented difference from the reference: it makes no step there, and says nothing."""
    p, q = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    p.grad, q.grad = torch.tensor([1.0, float("nan"), -1.0]), torch.tensor([1.0, float("nan"), -1.0])
    case.make([p]).step()
    case.make_reference([q]).step()
    assert p.isnan().tolist() == [False, True, False]
    assert torch.equal(p[::2], q[::2])
    assert not q.isnan().any()


@over(OF_TORCH)
def test_a_weight_of_minus_infinity_stays(case: Case) -> None:
    """As in a mask. Without decay, PyTorch does not multiply the weight by 0, which would be nan."""
    p = Parameter(torch.tensor([-float("inf"), 1.0]))
    optimizer = case.make([p], weight_decay=0.0)
    for _ in range(3):
        p.grad = torch.tensor([0.0, 0.5])
        optimizer.step()
    assert p[0] == -float("inf")
    assert torch.isfinite(p[1])
    assert p[1] != 1
