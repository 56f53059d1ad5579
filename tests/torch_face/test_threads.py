"""The same bits with any number of threads, and no compiling for a number that has changed."""

from collections.abc import Iterator

import pytest
import torch
from torch.nn import Parameter

from steepest import Cosine, Lookahead, ScaleByAdam, ScaleByLearningRate, ScaleByTrustRatio, chain, plan
from steepest import torch as face
from steepest.execute import jit
from tests.torch_face.cases import OF_TORCH, ONE_OF_EACH, WITH_SUMS, Case, dtypes, over, strategy
from tests.torch_face.inputs import give, same, snapshot, tame

LAMB = Case(
    "Optimizer with sums over each",
    lambda params: face.Optimizer(params, chain(ScaleByAdam(), ScaleByTrustRatio(), ScaleByLearningRate(0.1))),
    None,
)


def made() -> tuple[int, int]:
    """How many kernels have been compiled, and how many strategies traced."""
    return len(jit.compiled), len(plan._plans)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@over([*ONE_OF_EACH, WITH_SUMS, LAMB])
@dtypes(torch.float32, torch.float64, torch.bfloat16)
def test_same_bits_with_any_number_of_threads(case: Case, dtype: torch.dtype) -> None:
    """Long enough that threads are woken, with a length that ends in the middle of a chunk."""
    ends = []
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        params = [Parameter(tame((n,), dtype, n)) for n in (120_001, 3, 70_000, 0, 1)]
        optimizer = case.make(params)
        for t in range(3):
            give(params, t)
            optimizer.step()
        ends.append({**snapshot(optimizer), "threads": None})
    assert same(ends[0], ends[1])
    assert same(ends[0], ends[2])


@over(OF_TORCH)
def test_numbers_compile_nothing(case: Case) -> None:
    """lr, betas, eps, decay, momentum: other numbers, as arguments, as tensors, from a scheduler, in a group, in a new optimizer."""
    params = [Parameter(tame((n,), torch.float32, n)) for n in (5, 17)]

    def steps(optimizer: torch.optim.Optimizer) -> None:
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5)
        for t in range(3):
            give(params, t)
            optimizer.step()
            scheduler.step()
            for group in optimizer.param_groups:
                for key, value in group.items():
                    if isinstance(value, float) and value:
                        group[key] = value * 0.9 if t else torch.tensor(value)
                if "betas" in group:
                    group["betas"] = (0.5 + t / 10, 0.75)

    steps(case.make(params))
    before = made()
    steps(case.make(params, lr=0.5))
    steps(case.make([{"params": params[:1], "lr": 0.3}, {"params": params[1:], "lr": 0.1}, {"params": []}]))
    assert made() == before


def test_schedules_compile_nothing() -> None:
    p = Parameter(torch.ones(5))
    numbers = [0.1, 0.2, Cosine(0.1, 10), lambda t: 0.1 / (t + 1)]
    before = None
    for i, lr in enumerate(numbers):
        optimizer = face.Optimizer([p], Lookahead(strategy(lr, weight_decay=i / 10), k=2))
        for t in range(4):
            give([p], t)
            optimizer.step()
        before = before or made()
    assert made() == before


def test_other_parameters_compile_nothing() -> None:
    """Other lengths, layouts, groups, optimizers, half precision: all the same kernel."""
    before = None
    for dtype in (torch.float32, torch.bfloat16, torch.complex64):
        for shape in ((5,), (3, 4), (), (0,), (1000,)):
            params = [Parameter(tame(shape, dtype, 0)), Parameter(tame((2, 3), dtype, 1).t())]
            optimizer = face.AdamW([{"params": [p]} for p in params])
            for t in range(2):
                give(params, t)
                optimizer.step()
            before = before or made()
    assert made() == before
