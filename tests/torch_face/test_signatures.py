"""Names, order and defaults of the arguments; what is refused, and that nothing is stored then."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import adabelief_pytorch
import lion_pytorch
import pytest
import torch
from torch.nn import Parameter

from steepest import At, ScaleByAdam, ScaleByLearningRate, Step, Trace, Transform, Value, adamw, chain
from steepest import torch as face
from steepest.errors import HyperparameterError
from steepest.transform import Within
from tests.torch_face.cases import ONE_OF_EACH, Case, over, strategy
from tests.torch_face.inputs import same, snapshot


def arguments(f: Callable[..., Any], *kinds: Any) -> list[tuple[str, Any]]:
    return [(p.name, p.default) for p in list(inspect.signature(f).parameters.values())[1:] if p.kind in kinds]


POSITIONAL, BY_NAME = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_arguments_of_torch(name: str) -> None:
    ours, theirs = getattr(face, name), getattr(torch.optim, name)
    assert arguments(ours, POSITIONAL) == arguments(theirs, POSITIONAL)
    assert sorted(arguments(ours, BY_NAME)) == sorted(arguments(theirs, BY_NAME))
    assert inspect.signature(ours).parameters["params"].kind == inspect.signature(theirs).parameters["params"].kind


@pytest.mark.parametrize(
    ("ours", "theirs"), [(face.Lion, lion_pytorch.Lion), (face.AdaBelief, adabelief_pytorch.AdaBelief)], ids=["Lion", "AdaBelief"]
)
def test_arguments_of_authors(ours: Any, theirs: Any) -> None:
    """Ours may lack some of theirs, but no position means something else."""
    mine, reference = arguments(ours, POSITIONAL), arguments(theirs, POSITIONAL)
    assert mine == reference[: len(mine)]
    by_name = dict(arguments(ours, BY_NAME))
    assert all(default == by_name[name] for name, default in reference if name in by_name)


@over(ONE_OF_EACH)
def test_is_a_torch_optimizer(case: Case) -> None:
    optimizer = case.make([Parameter(torch.ones(3))])
    assert isinstance(optimizer, torch.optim.Optimizer)
    assert "lr: " in repr(optimizer)


IMPOSSIBLE = [
    {"lr": -1e-3},
    {"lr": float("nan")},
    {"lr": float("inf")},
    {"lr": "fast"},
    {"lr": None},
    {"lr": torch.tensor([0.1, 0.2])},
    {"lr": torch.tensor(-0.1)},
    {"lr": lambda t: 0.1},
    {"weight_decay": -0.1},
    {"weight_decay": float("nan")},
    {"betas": (1.0, 0.9)},
    {"betas": (0.9, -0.1)},
    {"betas": (0.9,)},
    {"betas": (0.9, 0.99, 0.999)},
    {"betas": 0.9},
    {"betas": None},
    {"betas": ("0.9", "0.99")},
    {"eps": -1e-8},
    {"alpha": 1.0},
    {"alpha": -0.5},
    {"momentum": -0.9},
    {"nesterov": True},
    {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
    {"rectify": True, "amsgrad": True},
]
REFUSED = [
    pytest.param(cls, settings, id=f"{cls.__name__}-{'-'.join(f'{k}={v}'.partition(' at 0x')[0] for k, v in settings.items())}")
    for cls in (face.SGD, face.RMSprop, face.Adam, face.AdamW, face.Lion, face.AdaBelief)
    for settings in IMPOSSIBLE
    if settings.keys() <= inspect.signature(cls).parameters.keys()
]


@pytest.mark.parametrize(("cls", "settings"), REFUSED)
def test_impossible_settings_are_refused(cls: Any, settings: dict[str, Any]) -> None:
    """In the constructor, before it looks at the parameters; in a group; at the next step."""
    p, q = Parameter(torch.ones(3)), Parameter(torch.ones(2))
    with pytest.raises(HyperparameterError):
        cls(None, **settings)
    with pytest.raises(HyperparameterError):
        cls([{"params": [p], **settings}])
    optimizer = cls([p])
    before = snapshot(optimizer)
    with pytest.raises(HyperparameterError):
        optimizer.add_param_group({"params": [q], **settings})
    assert same(before, snapshot(optimizer))
    optimizer.param_groups[0].update(settings)
    p.grad = torch.ones(3)
    with pytest.raises(HyperparameterError):
        optimizer.step()
    assert torch.equal(p, torch.ones(3))
    assert not optimizer.state


@pytest.mark.parametrize("settings", [{"lr": -1}, {"b1": 1.5}, {"lr": torch.ones(2)}, {"eps": "small"}], ids=str)
def test_impossible_settings_of_a_strategy(settings: dict[str, Any]) -> None:
    optimizer = face.Optimizer([Parameter(torch.ones(3))], adamw())
    before = snapshot(optimizer)
    with pytest.raises(HyperparameterError):
        optimizer.add_param_group({"params": [Parameter(torch.ones(2))], **settings})
    assert same(before, snapshot(optimizer))


class ScaleByHalf(Transform):
    """A learning rate with bounds of its own."""

    lr: Annotated[float, Within(0, 0.5, low_included=False)]

    def update(self, u: Value, at: At) -> Step:
        return Step(-self.lr * u)


@pytest.mark.parametrize("lr", [0.5, 0.0, 1.0, -0.1, float("inf"), float("nan"), True, "0.1"])
def test_a_changed_lr_is_checked_by_the_strategy(lr: Any) -> None:
    p = Parameter(torch.ones(3))
    optimizer = face.Optimizer([p], ScaleByHalf(0.25))
    p.grad = torch.ones(3)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = lr
    for _ in range(2):
        with pytest.raises(HyperparameterError):
            optimizer.step()
    assert torch.equal(p, torch.full((3,), 0.75))


@pytest.mark.parametrize(
    "wrong", ["adamw", "sgd", adamw, ScaleByAdam, None, 0.1, torch.optim.AdamW], ids=lambda x: getattr(x, "__name__", repr(x))
)
def test_a_strategy_is_a_transform(wrong: Any) -> None:
    with pytest.raises(HyperparameterError, match="strategy is a chain of transforms"):
        face.Optimizer([Parameter(torch.ones(3))], wrong)


def test_a_single_transform_is_a_strategy() -> None:
    p = Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    face.Optimizer([p], ScaleByLearningRate(0.25)).step()
    assert torch.equal(p, torch.full((3,), 0.75))


@pytest.mark.parametrize(
    "params",
    [[], Parameter(torch.ones(2)), [{"params": {Parameter(torch.ones(2))}}], [1.0], None],
    ids=["empty", "tensor", "set", "number", "None"],
)
def test_parameters_that_are_none(params: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        torch.optim.SGD(params)
    with pytest.raises((TypeError, ValueError)):
        face.SGD(params)


@pytest.mark.parametrize("flags", [{"foreach": True}, {"foreach": False}, {"fused": True}, {"capturable": True}], ids=str)
@pytest.mark.parametrize("cls", [face.SGD, face.RMSprop, face.Adam, face.AdamW])
def test_flags_that_choose_implementations(cls: Any, flags: dict[str, Any]) -> None:
    """Accepted where torch has them, kept in the groups, without effect."""
    if not flags.keys() <= inspect.signature(cls).parameters.keys():
        with pytest.raises(TypeError):
            cls([Parameter(torch.ones(3))], **flags)
        return
    p, q = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    a, b = cls([p], **flags), cls([q])
    for _ in range(3):
        p.grad, q.grad = torch.ones(3), torch.ones(3)
        a.step()
        b.step()
        a.zero_grad(set_to_none=False)
    assert flags.items() <= a.param_groups[0].items()
    assert torch.equal(p, q)


def test_strategies_by_name() -> None:
    """Hyperparameters of a group go by the names in the strategy; the second of a name has a number."""
    p, q = Parameter(torch.ones(3)), Parameter(torch.ones(3))
    twice = chain(Trace(0.9), Trace(0.5), ScaleByLearningRate(0.1))
    optimizer = face.Optimizer([{"params": [p]}, {"params": [q], "momentum": 0.8, "momentum_2": 0.3, "lr": 0.2}], twice)
    assert optimizer.strategy() == optimizer.strategy(0) == twice
    assert optimizer.strategy(1) == chain(Trace(0.8), Trace(0.3), ScaleByLearningRate(0.2))
    optimizer.param_groups[1]["lr"] = torch.tensor(0.5)
    optimizer.param_groups[1]["nesterov_2"] = True
    assert optimizer.strategy(1) == chain(Trace(0.8), Trace(0.3, nesterov=True), ScaleByLearningRate(0.5))
    assert face.Optimizer([p], strategy()).strategy() == strategy()
    with pytest.raises(IndexError):
        optimizer.strategy(2)
