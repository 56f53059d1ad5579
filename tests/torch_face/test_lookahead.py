"""Lookahead around an optimizer that is there already."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch.nn import Parameter
from torch.optim import lr_scheduler as schedulers

import steepest
from steepest import torch as face
from steepest.errors import HyperparameterError, StateError
from tests.torch_face.cases import ONE_OF_EACH, Case, over, strategy
from tests.torch_face.inputs import give, params_like, same, same_bits, snapshot, tame
from tests.torch_face.references import PlainLookahead

INNER = [case for case in ONE_OF_EACH if not case.counts_together]


def run(optimizer: torch.optim.Optimizer, params: list[Parameter], first: int, last: int) -> None:
    for t in range(first, last):
        give(params, t)
        optimizer.step()


def pair(dtype: torch.dtype = torch.float64) -> tuple[list[Parameter], list[Parameter]]:
    params = [Parameter(tame(s, dtype, i)) for i, s in enumerate(((7,), (2, 3)))]
    return params, params_like(params)


@over(INNER)
@pytest.mark.parametrize(("k", "alpha"), [(5, 0.8), (1, 0.5), (3, 1.0), (2, 0.0)])
def test_wraps_every_optimizer(case: Case, k: int, alpha: float) -> None:
    params, twins = pair()
    ours = face.Lookahead(case.make(params), k, alpha)
    reference = PlainLookahead(case.make(twins), k, alpha)
    for t in range(12):
        run(ours, params, t, t + 1)
        run(reference, twins, t, t + 1)
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)
    for p, slow in zip(params, reference.slow, strict=True):
        torch.testing.assert_close(ours.state[p]["slow"], slow, rtol=1e-12, atol=1e-13)


def test_is_the_strategy() -> None:
    params, twins = pair()
    a = face.Lookahead(face.Optimizer(params, strategy()), 2, 0.5)
    b = face.Optimizer(twins, steepest.Lookahead(strategy(), 2, 0.5))
    assert a.strategy() == b.strategy()
    run(a, params, 0, 5)
    run(b, twins, 0, 5)
    assert all(map(same_bits, params, twins))


@over(INNER)
def test_groups_are_shared(case: Case) -> None:
    """A learning rate may be set on either of the two, also after a checkpoint has been loaded."""
    params, twins = pair()
    inner, other = case.make([{"params": [p]} for p in params]), case.make([{"params": [q]} for q in twins])
    a, b = face.Lookahead(inner, 2), face.Lookahead(other, 2)
    for t in range(6):
        inner.param_groups[1]["lr"] = 0.1 / (t + 1)
        b.param_groups[1]["lr"] = 0.1 / (t + 1)
        run(a, params, t, t + 1)
        run(b, twins, t, t + 1)
        assert all(map(same_bits, params, twins))
        a.load_state_dict(deepcopy(a.state_dict()))
    assert a.param_groups is inner.param_groups
    assert a.state is inner.state
    a = deepcopy(a)
    assert a.param_groups is a._inner.param_groups


@over(INNER)
@pytest.mark.parametrize("outer", [True, False], ids=["on the wrapper", "on the wrapped"])
@pytest.mark.parametrize("early", [True, False], ids=["before", "after"])
def test_schedulers(case: Case, outer: bool, early: bool) -> None:
    params, twins = pair()
    inner, other = case.make(params), case.make(twins)
    make = lambda o: schedulers.StepLR(o, 2, 0.5)  # noqa: E731
    first = make(inner) if early and not outer else None
    a, b = face.Lookahead(inner, 3), PlainLookahead(other, 3)
    scheduler, second = first or make(a if outer else inner), make(other)
    for t in range(8):
        run(a, params, t, t + 1)
        run(b, twins, t, t + 1)
        scheduler.step()
        second.step()
    for p, q in zip(params, twins, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)


@over(INNER)
def test_wrapping_in_the_middle_of_a_run(case: Case) -> None:
    """The slow weights start where the parameters are; the inner state goes on."""
    params, twins = pair()
    inner, other = case.make(params), case.make(twins)
    run(inner, params, 0, 4)
    run(other, twins, 0, 4)
    a, b = face.Lookahead(inner, 2, 0.5), PlainLookahead(other, 2, 0.5)
    run(a, params, 4, 9)
    run(b, twins, 4, 9)
    for p, q in zip(params, twins, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)


@over(INNER)
def test_a_group_that_comes_later(case: Case) -> None:
    """Added to the wrapper or to the wrapped."""
    for to_inner in (False, True):
        params, twins = pair()
        inner, other = case.make(params[:1]), case.make(twins)
        a, b = face.Lookahead(inner, 2), face.Lookahead(other, 2)
        (inner if to_inner else a).add_param_group({"params": params[1:]})
        run(a, params, 0, 5)
        run(b, twins, 0, 5)
        assert all(map(same_bits, params, twins))


@pytest.mark.parametrize(
    "settings",
    [{"k": 0}, {"k": -1}, {"k": 2.5}, {"k": True}, {"k": "5"}, {"alpha": -0.1}, {"alpha": 1.1}, {"alpha": float("nan")}, {"alpha": None}],
    ids=str,
)
def test_impossible_settings(settings: dict[str, Any]) -> None:
    inner = face.SGD([Parameter(torch.ones(3))])
    before = snapshot(inner)
    with pytest.raises(HyperparameterError):
        face.Lookahead(inner, **settings)
    assert same(before, snapshot(inner))


@pytest.mark.parametrize("wrong", [torch.optim.SGD, torch.optim.AdamW])
def test_others_are_not_wrapped(wrong: Any) -> None:
    with pytest.raises(HyperparameterError, match=rf"steepest\.torch\.{wrong.__name__}"):
        face.Lookahead(wrong([Parameter(torch.ones(3))]))


def test_not_around_itself() -> None:
    """Two would keep their k under one name; the strategies do nest."""
    inner = face.Lookahead(face.SGD([Parameter(torch.ones(3))]), 2)
    with pytest.raises(HyperparameterError, match=r"Lookahead\(Lookahead\("):
        face.Lookahead(inner, 3)


def test_checkpoints_hold_the_slow_weights() -> None:
    params, _ = pair()
    optimizer = face.Lookahead(face.SGD(params, 0.1), 3)
    run(optimizer, params, 0, 2)
    state = optimizer.state_dict()
    assert all(s.keys() == {"slow", "step"} for s in state["state"].values())
    assert state["param_groups"][0]["lookahead_k"] == 3
    with pytest.raises(StateError, match="lookahead_k"):
        face.Lookahead(face.SGD(params, 0.1)).load_state_dict(face.SGD(params, 0.1).state_dict())
