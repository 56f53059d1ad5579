"""pickle and deepcopy in the middle of a run: the copy goes on with the same bits, and the original notices nothing."""

import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from typing import Any

import pytest
import torch
from torch.nn import Parameter

from steepest import Cosine, ScaleByLearningRate, Trace, chain
from steepest import torch as face
from tests.torch_face.cases import ONE_OF_EACH, WITH_SUMS, Case, over
from tests.torch_face.inputs import give, same, same_bits, snapshot, tame

COPIES: dict[str, Callable[[Any], Any]] = {"pickle": lambda x: pickle.loads(pickle.dumps(x)), "deepcopy": deepcopy}
copies = pytest.mark.parametrize("copy_of", COPIES.values(), ids=COPIES)

SCHEDULED = Case(
    "Optimizer with a schedule", lambda params: face.Optimizer(params, chain(Trace(), ScaleByLearningRate(Cosine(0.1, 20, 3)))), None
)
ALL = [*ONE_OF_EACH, WITH_SUMS, SCHEDULED]


def params_of(optimizer: torch.optim.Optimizer) -> list[Parameter]:
    return [p for g in optimizer.param_groups for p in g["params"]]


def run(optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    for t in range(first, last):
        give(params_of(optimizer), t)
        optimizer.step()


@over(ALL)
@copies
@pytest.mark.parametrize("taken", [0, 3])
def test_a_copy_goes_on(case: Case, copy_of: Callable[[Any], Any], taken: int) -> None:
    params = [Parameter(tame(s, torch.float32, i)) for i, s in enumerate(((7,), (2, 3), (4, 5)))]
    optimizer = case.make([{"params": params[:1]}, {"params": params[1:]}])
    run(optimizer, 0, taken)
    other = copy_of(optimizer)
    assert type(other) is type(optimizer)
    before = snapshot(optimizer)
    assert same({**before, "params": None}, {**snapshot(other), "params": None})
    run(other, taken, taken + 4)
    assert same(before, snapshot(optimizer))
    run(optimizer, taken, taken + 4)
    assert all(map(same_bits, params, params_of(other)))
    assert same(optimizer.state_dict(), other.state_dict())
    assert repr(optimizer) == repr(other)
    other.load_state_dict(optimizer.state_dict())
    other.add_param_group({"params": [Parameter(torch.ones(3))]})
    run(other, 0, 1)


@over(ALL)
@copies
def test_a_model_and_its_optimizer_together(case: Case, copy_of: Callable[[Any], Any]) -> None:
    """Copied in one go, the copy's optimizer steps the copy's model."""
    model = torch.nn.Linear(3, 2)
    optimizer = case.make(model.parameters())
    run(optimizer, 0, 2)
    other, other_optimizer = copy_of((model, optimizer))
    assert params_of(other_optimizer)[0] is other.weight
    run(optimizer, 2, 4)
    run(other_optimizer, 2, 4)
    assert same_bits(model.weight, other.weight)


@over(ALL)
def test_a_shallow_copy_shares(case: Case) -> None:
    """As with torch.optim: the same groups, the same state."""
    p = Parameter(torch.ones(3))
    optimizer = case.make([p])
    run(optimizer, 0, 2)
    other = copy(optimizer)
    assert other.param_groups is optimizer.param_groups
    run(other, 2, 4)
    run(optimizer, 4, 5)
    q = Parameter(torch.ones(3))
    alone = case.make([q])
    run(alone, 0, 5)
    assert same_bits(p, q)
