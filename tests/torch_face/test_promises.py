"""What a step may never do: change a gradient, hold on to it, hide itself from autograd, warn, or fail halfway."""

import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import Parameter

from steepest import ClipByGlobalNorm, ScaleByLearningRate, Trace, chain
from steepest import torch as face
from steepest.errors import HyperparameterError, StateError, TensorError
from tests.torch_face.cases import ONE_OF_EACH, WITH_SUMS, Case, dtypes, over
from tests.torch_face.inputs import DTYPES, GRADIENTS, give, params_like, same, same_bits, snapshot, tame

ALL = [*ONE_OF_EACH, WITH_SUMS]


@over(ALL)
@dtypes(*DTYPES)
def test_gradients_stay_as_they_are(case: Case, dtype: torch.dtype) -> None:
    params = [Parameter(tame((2, 3, 5, 7), dtype, i)) for i in range(len(GRADIENTS))]
    optimizer = case.make(params)
    for t in range(3):
        grads = [lay(tame((2, 3, 5, 7), dtype, 10 * t + i)) for i, lay in enumerate(GRADIENTS.values())]
        for p, g in zip(params, grads, strict=True):
            p.grad = g
        before = [(g.clone(), g._version) for g in grads]
        optimizer.step()
        for p, g, (value, version) in zip(params, grads, before, strict=True):
            assert p.grad is g
            assert same_bits(g, value)
            assert g._version == version


@over(ALL)
@dtypes(torch.float32, torch.bfloat16)
def test_gradients_are_not_kept(case: Case, dtype: torch.dtype) -> None:
    """zero_grad(set_to_none=True) is there to free their memory, after the first step and any other."""
    params = [Parameter(torch.ones(7, dtype=dtype)), Parameter(torch.ones(3, 5, dtype=dtype).t())]
    optimizer = case.make(params)
    for t in range(4):
        give(params, t)
        seen = [weakref.ref(p.grad) for p in params]
        optimizer.step()
        optimizer.zero_grad(set_to_none=t != 2)
        assert all((ref() is None) == (t != 2) for ref in seen)


@over(ALL)
@dtypes(torch.float32, torch.bfloat16)
def test_autograd_sees_the_change(case: Case, dtype: torch.dtype) -> None:
    p = Parameter(torch.ones(5, dtype=dtype))
    optimizer = case.make([p])
    for t in range(3):
        give([p], t)
        loss = p.square().sum()  # saves p
        version = p._version
        optimizer.step()
        assert p._version > version
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


@over(ALL)
def test_views_of_a_parameter_see_the_change(case: Case) -> None:
    p = Parameter(torch.ones(5))
    optimizer = case.make([p])
    give([p], 0)
    view = p.detach()[1:4]
    optimizer.step()
    assert same_bits(view, p[1:4])


@over(ALL)
def test_changed_settings_do_not_warn(case: Case) -> None:
    params = [Parameter(torch.ones(5))]
    optimizer = case.make(params)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for t, lr in enumerate((0.1, 0.0, 1, torch.tensor(0.2), torch.tensor([0.3], requires_grad=True))):
            optimizer.param_groups[0]["lr"] = lr
            optimizer.param_groups[0]["weight_decay"] = t / 10
            give(params, t)
            optimizer.step()


# -- a failed step ----------------------------------------------------------------------------------


def sparse(params: list[Parameter], optimizer: Any) -> None:
    params[-1].grad = torch.sparse_coo_tensor(torch.tensor([[0]]), torch.ones(1, 3), (4, 3), check_invariants=True)


def other_shape(params: list[Parameter], optimizer: Any) -> None:
    params[-1].data = torch.ones(6, 2)


def impossible_lr(params: list[Parameter], optimizer: Any) -> None:
    optimizer.param_groups[-1]["lr"] = -1.0


def nan_lr(params: list[Parameter], optimizer: Any) -> None:
    optimizer.param_groups[-1]["lr"] = float("nan")


def lr_is_text(params: list[Parameter], optimizer: Any) -> None:
    optimizer.param_groups[-1]["lr"] = "0.1"


def eight_bits(params: list[Parameter], optimizer: Any) -> None:
    params[-1].grad = None
    params[-1].data = torch.ones(4, 3).to(torch.float8_e4m3fn)
    params[-1].grad = torch.ones(4, 3).to(torch.float8_e4m3fn)


def state_of_another_shape(params: list[Parameter], optimizer: Any) -> None:
    state = optimizer.state[params[-1]]
    key = next(
        k for k in (*state, "momentum_buffer", "square_avg", "exp_avg", "mu") if k != "step" and k in (*optimizer.state_keys.values(), "mu")
    )
    state[key] = torch.ones(5)


WRONG = {
    sparse: TensorError,
    other_shape: TensorError,
    impossible_lr: HyperparameterError,
    nan_lr: HyperparameterError,
    lr_is_text: HyperparameterError,
    eight_bits: TensorError,
    state_of_another_shape: StateError,
}


@over(ALL)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.__name__)
@pytest.mark.parametrize("taken", [0, 2])
def test_a_failed_step_changes_nothing(case: Case, wrong: Callable[..., None], taken: int) -> None:
    params = [Parameter(tame(s, torch.float32, 0)) for s in ((7,), (2, 3), (4, 3))]
    optimizer = case.make([{"params": params[:1]}, {"params": params[1:]}])
    for t in range(taken):
        give(params, t)
        optimizer.step()
    give(params, 5)
    wrong(params, optimizer)
    before = snapshot(optimizer)
    for _ in range(2):
        with pytest.raises(WRONG[wrong]):
            optimizer.step()
        assert same(before, snapshot(optimizer))


def test_a_sparse_gradient_names_what_to_use() -> None:
    embedding = torch.nn.Embedding(4, 3, sparse=True)
    embedding(torch.tensor([1, 1, 2])).sum().backward()
    with pytest.raises(TensorError, match=r"sparse=False.*SparseAdam"):
        face.AdamW(embedding.parameters()).step()


@pytest.mark.parametrize("taken", [0, 3])
@pytest.mark.parametrize("before_it", [[], [Trace()], [ClipByGlobalNorm(1.0)]], ids=["no state", "state", "sum"])
def test_a_schedule_that_fails_changes_nothing(taken: int, before_it: list[Any]) -> None:
    def schedule(t: int) -> float:
        if t == taken:
            raise KeyError("no lr for this step")
        return 0.1

    params = [Parameter(torch.ones(5)), Parameter(torch.ones(3, dtype=torch.bfloat16))]
    optimizer = face.Optimizer(params, chain(*before_it, ScaleByLearningRate(schedule)))
    for t in range(taken):
        give(params, t)
        optimizer.step()
    give(params, 9)
    before = snapshot(optimizer)
    with pytest.raises(KeyError, match="no lr"):
        optimizer.step()
    assert same(before, snapshot(optimizer))


def test_an_expanded_parameter_is_an_error() -> None:
    p = Parameter(torch.ones(1).expand(5))
    p.grad = torch.ones(5)
    with pytest.raises(TensorError, match="expanded"):
        face.SGD([p]).step()


# -- gradients that are not there ---------------------------------------------------------------------


@over(ALL)
def test_without_gradients_nothing_happens(case: Case) -> None:
    optimizer = case.make([Parameter(torch.ones(5))])
    before = snapshot(optimizer)
    assert optimizer.step() is None
    assert optimizer.step(lambda: 3.0) == 3.0
    assert same(before, snapshot(optimizer))


@over([c for c in ONE_OF_EACH if c.reference and not c.counts_together])
def test_gradients_that_come_and_go(case: Case) -> None:
    """Every parameter counts its own steps."""
    shapes = ((7,), (2, 3), (), (33,))
    params = [Parameter(tame(s, torch.float64, i)) for i, s in enumerate(shapes)]
    twins = params_like(params)
    ours, reference = case.make(params), case.make_reference(twins)
    for t in range(24):
        for i, (p, q) in enumerate(zip(params, twins, strict=True)):
            there = (t + 1) % (i + 1) == 0 or t > 20
            p.grad = tame(tuple(p.shape), p.dtype, 10 * t + i) if there else None
            q.grad = None if p.grad is None else p.grad.clone()
        ours.step()
        reference.step()
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)
