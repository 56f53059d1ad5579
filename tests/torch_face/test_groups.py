"""Parameter groups: hyperparameters of their own, names, tensors for numbers, schedulers, groups that come later."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import Parameter
from torch.optim import lr_scheduler as schedulers

from steepest import torch as face
from tests.torch_face.cases import ONE_OF_EACH, Case, over
from tests.torch_face.inputs import give, params_like, same_bits, tame

WITH_REFERENCE = [case for case in ONE_OF_EACH if case.reference and not case.counts_together]


def pair(shapes: list[tuple[int, ...]], dtype: torch.dtype = torch.float64) -> tuple[list[Parameter], list[Parameter]]:
    params = [Parameter(tame(s, dtype, i)) for i, s in enumerate(shapes)]
    return params, params_like(params)


def give_both(params: list[Parameter], twins: list[Parameter], seed: int) -> None:
    give(params, seed)
    for p, q in zip(params, twins, strict=True):
        q.grad = p.grad.clone()


def close(params: list[Parameter], twins: list[Parameter]) -> None:
    for p, q in zip(params, twins, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)


@over(WITH_REFERENCE)
def test_a_group_that_comes_later(case: Case) -> None:
    params, twins = pair([(3,), (4, 5), (7,)])
    ours, reference = case.make(params[:1]), case.make_reference(twins[:1])
    for t in range(12):
        if t in (3, 7):
            i = 1 if t == 3 else 2
            ours.add_param_group({"params": params[i], **case.second})
            reference.add_param_group({"params": twins[i], **case.second})
        give_both(params, twins, t)
        ours.step()
        reference.step()
        close(params, twins)
    assert len(ours.param_groups) == 3


@over(WITH_REFERENCE)
def test_named_parameters(case: Case) -> None:
    ours, theirs = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    a, b = case.make(ours.named_parameters()), case.make_reference(theirs.named_parameters())
    for t in range(3):
        give_both(list(ours.parameters()), list(theirs.parameters()), t)
        a.step()
        b.step()
    assert a.param_groups[0]["param_names"] == b.param_groups[0]["param_names"] == ["weight", "bias"]
    assert a.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    torch.testing.assert_close(ours.weight, theirs.weight)
    a.load_state_dict(case.make(torch.nn.Linear(3, 2).parameters()).state_dict())
    assert a.param_groups[0]["param_names"] == ["weight", "bias"]


@over(ONE_OF_EACH)
def test_wrong_groups_change_nothing(case: Case) -> None:
    p, q = Parameter(torch.ones(3)), Parameter(torch.ones(2))
    optimizer = case.make([p])
    for group, error in ([{"params": [p]}, ValueError], [{"params": ["q"]}, TypeError], [[q], TypeError], [{"params": {q}}, TypeError]):
        with pytest.raises(error):
            optimizer.add_param_group(group)
    assert [g["params"] for g in optimizer.param_groups] == [[p]]


@over(ONE_OF_EACH)
def test_keys_of_the_user_stay(case: Case) -> None:
    """A name, a mask: what a user keeps in a group is none of our business."""
    p = Parameter(torch.ones(3))
    optimizer = case.make([{"params": [p], "name": "head", "mask": torch.ones(3)}])
    for t in range(3):
        optimizer.param_groups[0]["note"] = torch.ones(t + 2)
        give([p], t)
        optimizer.step()
    assert optimizer.param_groups[0]["name"] == "head"
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.param_groups[0]["note"].shape == (4,)


@over(ONE_OF_EACH)
def test_groups_without_parameters_or_gradients(case: Case) -> None:
    params, (twin,) = pair([(3,), (4,)])[0], pair([(3,)])[0]
    a, b = case.make([{"params": []}, {"params": params[:1]}, {"params": params[1:]}]), case.make([{"params": [twin]}])
    for t in range(3):
        give_both(params[:1], [twin], t)
        a.step()
        b.step()
    assert same_bits(params[0], twin)
    assert params[1] not in a.state


CHANGES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "momentum comes": (
        "SGD",
        [{}, {"momentum": 0.9, "dampening": 0.5}, {"nesterov": True, "dampening": 0.0}, {"momentum": 0.5, "nesterov": False}],
    ),
    "momentum goes and comes": ("SGD", [{"momentum": 0.9, "dampening": 0.5}, {"momentum": 0.0}, {"momentum": 0.8}]),
    "decay": ("SGD", [{"weight_decay": 0.0}, {"weight_decay": 0.1}, {"weight_decay": 0.0, "maximize": True}]),
    "RMSprop": (
        "RMSprop",
        [{"momentum": 0.9, "centered": True}, {"alpha": 0.5, "eps": 0.1}, {"momentum": 0.0}, {"centered": False, "maximize": True}],
    ),
    "Adam": (
        "Adam",
        [
            {"amsgrad": True},
            {"betas": (0.5, 0.75)},
            {"amsgrad": False, "weight_decay": 0.1},
            {"decoupled_weight_decay": True},
            {"eps": 0.1},
        ],
    ),
    "AdamW": ("AdamW", [{"lr": 0.1}, {"weight_decay": 0.5}, {"maximize": True}, {"lr": 0}]),
}


@pytest.mark.parametrize(("name", "changes"), CHANGES.values(), ids=CHANGES)
def test_settings_changed_on_the_way(name: str, changes: list[dict[str, Any]]) -> None:
    params, twins = pair([(3,), (4, 5)])
    ours, theirs = getattr(face, name)(params, 0.01), getattr(torch.optim, name)(twins, 0.01)
    for t, change in enumerate(changes):
        ours.param_groups[0].update(change)
        theirs.param_groups[0].update(change)
        for s in range(3):
            give_both(params, twins, 3 * t + s)
            ours.step()
            theirs.step()
            close(params, twins)


# -- tensors in place of numbers --------------------------------------------------------------------


@over(ONE_OF_EACH)
@pytest.mark.parametrize(
    "of",
    [lambda x: torch.tensor(x), lambda x: torch.tensor([x]), lambda x: torch.tensor(x, dtype=torch.float64)],
    ids=["0-dim", "1-dim", "float64"],
)
def test_tensor_lr(case: Case, of: Callable[[float], torch.Tensor]) -> None:
    """Read anew at every step, also when it was changed in place; never replaced."""
    (p,), (q,) = pair([(3, 5)], torch.float32)
    lr = of(0.25)
    a, b = case.make([{"params": [p], "lr": lr}]), case.make([{"params": [q], "lr": 0.25}])
    for t, value in enumerate((0.25, 0.5, 0.125)):
        lr.fill_(value)
        b.param_groups[0]["lr"] = value
        give_both([p], [q], t)
        a.step()
        b.step()
        assert a.param_groups[0]["lr"] is lr
        assert same_bits(p, q)


@pytest.mark.parametrize("cls", [face.Adam, face.AdamW, face.Lion, face.AdaBelief])
def test_tensor_betas(cls: Any) -> None:
    (p,), (q,) = pair([(3, 5)], torch.float64)
    b1, b2 = torch.tensor(0.5), torch.tensor([0.75])
    a, b = cls([p], betas=(b1, b2)), cls([q], betas=(0.5, 0.75))
    for t, (one, two) in enumerate(((0.5, 0.75), (0.25, 0.75), (0.25, 0.875))):
        b1.fill_(one)
        b2.fill_(two)
        b.param_groups[0]["betas"] = (one, two)
        give_both([p], [q], t)
        a.step()
        b.step()
        assert same_bits(p, q)


# -- schedulers -----------------------------------------------------------------------------------------

SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "LambdaLR": lambda o: schedulers.LambdaLR(o, lambda t: 1 / (t + 1)),
    "StepLR": lambda o: schedulers.StepLR(o, 3, 0.5),
    "cosine": lambda o: schedulers.CosineAnnealingLR(o, 10),
    "cosine with restarts": lambda o: schedulers.CosineAnnealingWarmRestarts(o, 3),
    "sequential": lambda o: schedulers.SequentialLR(o, [schedulers.ConstantLR(o, 0.1, 3), schedulers.ExponentialLR(o, 0.9)], [3]),
    "one cycle": lambda o: schedulers.OneCycleLR(o, 0.1, total_steps=20, cycle_momentum="momentum" in o.defaults or "betas" in o.defaults),
    "cyclic": lambda o: schedulers.CyclicLR(o, 0.01, 0.1, step_size_up=3, cycle_momentum=False),
}


@over(WITH_REFERENCE)
@pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=SCHEDULERS)
@pytest.mark.parametrize("tensor", [False, True], ids=["number", "tensor"])
def test_schedulers_of_torch(case: Case, scheduler: Callable[[Any], Any], tensor: bool) -> None:
    """The scheduler gets one of ours as it gets one of PyTorch's: the same rates, the same steps."""
    params, twins = pair([(3,), (4, 5)])
    lr = {"lr": torch.tensor(case.settings["lr"], dtype=torch.float64)} if tensor else {}
    ours = case.make([{"params": [p]} for p in params], **lr)
    reference = case.make_reference([{"params": [q]} for q in twins])
    first, second = scheduler(ours), scheduler(reference)
    for t in range(12):
        give_both(params, twins, t)
        ours.step()
        reference.step()
        first.step()
        second.step()
        for g, h in zip(ours.param_groups, reference.param_groups, strict=True):
            assert float(g["lr"]) == pytest.approx(h["lr"], rel=1e-12)
        close(params, twins)


@over(ONE_OF_EACH)
def test_reduce_on_plateau(case: Case) -> None:
    p = Parameter(torch.ones(3))
    optimizer = case.make([p])
    scheduler = schedulers.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    before = optimizer.param_groups[0]["lr"]
    for _ in range(3):
        give([p], 0)
        optimizer.step()
        scheduler.step(1.0)
    assert optimizer.param_groups[0]["lr"] == before / 4


@over(ONE_OF_EACH)
def test_grad_scaler(case: Case) -> None:
    """Scaled and unscaled again, and skipped where something overflowed."""
    (p,), (q,) = pair([(3, 5)], torch.float32)
    a, b = case.make([p]), case.make([q])
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for t in range(4):
        x = tame((3, 5), torch.float32, t)
        for optimizer in (a, b):
            optimizer.zero_grad()
        scaler.scale((p * x).sum()).backward()
        (q * x).sum().backward()
        if t == 2:
            p.grad[0, 0] = float("inf")
        scaler.step(a)
        scaler.update()
        if t != 2:
            b.step()
        assert same_bits(p, q)
    assert scaler.get_scale() == 2.0**9
