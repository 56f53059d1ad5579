"""A state that does not fit is refused with the reason, and nothing is changed."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch

import steepest
import steepest.optax
import steepest.torch
from steepest.checkpoint import Held, TrainingState, counted
from steepest.errors import StateError, TensorError
from tests.checkpoint.runs import by_torch, start


def model_and_optimizer(make: Callable[..., Any] = steepest.torch.Adam) -> tuple[torch.nn.Module, Any]:
    model = torch.nn.Linear(3, 2)
    optimizer = make(model.parameters())
    model(torch.ones(4, 3)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def state_of(**shapes: tuple[int, ...]) -> TrainingState:
    strategy = steepest.adam(0.1)
    return TrainingState(
        (strategy,),
        {name: Held(0, 7, {"mu": np.ones(s, np.float32), "nu": np.ones(s, np.float32)}, "float32") for name, s in shapes.items()},
    )


@pytest.mark.parametrize(
    ("state", "how", "why"),
    [
        (state_of(weight=(2, 3)), {}, "no state for 'bias'.*rename="),
        (state_of(weight=(2, 3), bias=(2,), more=(1,)), {}, "state for 'more', which is not here"),
        (state_of(weight=(3, 2), bias=(2,)), {}, r"\(2, 3\).*\(3, 2\).*transposed: give rearrange"),
        (state_of(weight=(2, 4), bias=(2,)), {}, r"\(2, 3\).*\(2, 4\)"),
        (state_of(a=(2, 3)), {"rename": "order"}, "1 parameters, here there are 2"),
        (state_of(weight=(2, 3), bias=(2,)), {"rename": {"bias": "other"}}, r"no state for 'bias' \('other'\)"),
    ],
)
def test_names_and_shapes(state: TrainingState, how: dict[str, Any], why: str) -> None:
    model, optimizer = model_and_optimizer()
    before = deepcopy(optimizer.state_dict())
    with pytest.raises(StateError, match=why):
        steepest.torch.restore(optimizer, state, model, **how)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for i, entry in before["state"].items():
        assert all(torch.equal(after["state"][i][key], value) for key, value in entry.items())


@pytest.mark.parametrize("rename", [{"weight": "w", "bias": "b"}, lambda name: name[0], "order"])
def test_other_names(rename: Any) -> None:
    model, optimizer = model_and_optimizer()
    state = state_of(w=(3, 2), b=(2,))
    steepest.torch.restore(optimizer, state, model, rename=rename, rearrange=lambda _, a: a.T)
    assert optimizer.state[model.weight]["step"] == 7
    assert (optimizer.state[model.weight]["exp_avg"] == 1).all()
    assert optimizer.state[model.weight]["exp_avg"].shape == (2, 3)


def test_another_rule() -> None:
    model, optimizer = model_and_optimizer(lambda p: steepest.torch.SGD(p, momentum=0.9))
    with pytest.raises(StateError, match="keeps the state of ScaleByAdam, the other of Trace"):
        steepest.torch.restore(optimizer, state_of(weight=(2, 3), bias=(2,)), model)


def test_a_rule_before_the_learning_rate_and_after_it() -> None:
    strategy = steepest.chain(steepest.ScaleByLearningRate(0.1), steepest.ScaleByAdam())
    model, optimizer = model_and_optimizer(lambda p: steepest.torch.Optimizer(p, strategy))
    with pytest.raises(StateError, match="before the learning rate in one of them"):
        steepest.torch.restore(optimizer, state_of(weight=(2, 3), bias=(2,)), model)


def test_counts_that_differ_need_an_optimizer_that_counts_for_each() -> None:
    state = state_of(a=(2,), b=(2,))
    state = TrainingState(state.strategies, {**state.params, "b": Held(0, 3, state.params["b"].slots, "float32")})
    params = {"a": np.ones(2, np.float32), "b": np.ones(2, np.float32)}
    with pytest.raises(StateError, match=r"different numbers of steps \(3, 7\)"):
        steepest.optax.restore(steepest.optax.adam(0.1), state, params)
    with pytest.raises(StateError, match="has taken 7 steps"):
        counted(state, 3)


def test_groups_that_differ_have_no_one_strategy() -> None:
    p, q = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = steepest.torch.Adam([{"params": [p]}, {"params": [q], "lr": 0.5}])
    state = steepest.torch.export(optimizer)
    assert [held.group for held in state.params.values()] == [0, 1]
    with pytest.raises(StateError, match="2 parameter groups with different settings"):
        _ = state.strategy


def test_rescaled_with_each_groups_own_learning_rate() -> None:
    def make(params: Any) -> Any:
        inside = steepest.chain(steepest.ScaleByLearningRate(0.1), steepest.Trace(0.9))
        return steepest.torch.Optimizer([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], inside)

    _, state = by_torch(
        lambda p: steepest.torch.SGD([{"params": p[:1]}, {"params": p[1:], "lr": 0.5}], lr=0.1, momentum=0.9), start(), 0, 3
    )
    _, moved = by_torch(make, start(), 3, 3, counted(state, 3))
    for name, factor in (("kernel", -0.1), ("bias", -0.5), ("scale", -0.5)):
        np.testing.assert_allclose(moved.params[name].slots["trace"], factor * state.params[name].slots["trace"], rtol=1e-15)


def test_what_cannot_be_exported() -> None:
    p = torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(TensorError, match="complex64 cannot be exchanged"):
        steepest.torch.export(steepest.torch.SGD([p]))
    _, optimizer = model_and_optimizer()
    with pytest.raises(TensorError, match="not in the model"):
        steepest.torch.export(optimizer, torch.nn.Linear(1, 1))
    import optax

    params = {"w": np.ones(2, np.float32)}
    with pytest.raises(StateError, match=r"not one of steepest\.optax"):
        steepest.optax.export(optax.adam(0.1), optax.adam(0.1).init(params), params)
    ours = steepest.optax.adam(0.1)
    with pytest.raises(StateError, match="not one that this transformation made"):
        steepest.optax.export(ours, optax.adam(0.1).init(params), params)
