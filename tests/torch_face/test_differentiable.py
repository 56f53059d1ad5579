"""differentiable=True: autograd sees through several steps, to the initial parameters, the gradients and tensor hyperparameters."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from steepest import AddDecayedWeights, ClipByGlobalNorm, ScaleByBelief, ScaleByLearningRate, ScaleByTrustRatio, Trace, chain
from steepest import torch as face
from steepest.errors import SteepestError
from tests.torch_face.cases import ONE_OF_EACH, Case, over
from tests.torch_face.inputs import give, params_like, same, same_steps, snapshot, tame

STEPS = 4


def unrolled(make: Callable[[list[Tensor]], torch.optim.Optimizer], start: list[Tensor]) -> tuple[Tensor, ...]:
    """Train on a small problem, by gradients that depend on the parameters."""
    params = [p.clone() for p in start]
    optimizer = make(params)
    for t in range(STEPS):
        seen = [p.clone() for p in params]  # autograd keeps what the loss has read, and the step writes over it
        loss = sum(((p * (t + 1) - i).sin() + 0.3 * p.square()).sum() for i, p in enumerate(seen))
        for p, g in zip(params, torch.autograd.grad(loss, seen, create_graph=True), strict=True):
            p.grad = g
        optimizer.step()
    return tuple(params)


def start() -> list[Tensor]:
    return [torch.linspace(-1, 1.3, 5, dtype=torch.float64, requires_grad=True), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)]


def gradients(make: Callable[..., Any], settings: Mapping[str, Any]) -> list[Tensor]:
    """Of the sum of squares of the final parameters, w.r.t. the initial ones and the settings."""
    leaves = start()[:1]
    end = unrolled(lambda params: make(params, differentiable=True, **settings), leaves)
    tensors = [t for v in settings.values() for t in (v if isinstance(v, tuple) else (v,)) if isinstance(t, Tensor)]
    return [*end, *torch.autograd.grad(sum(p.square().sum() for p in end), [*leaves, *tensors])]


def number(x: float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


#: Where torch.optim's own gradients are right. It cannot go back through AMSGrad, through centered RMSprop or to
#: RMSprop's lr, and SGD forgets where its first momentum came from. Its Adam corrects biases in float32.
TORCH_CAN: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "SGD": ("SGD", lambda: {"lr": 0.1}),
    "SGD, weight decay": ("SGD", lambda: {"lr": 0.1, "weight_decay": 0.1}),
    "SGD, maximize": ("SGD", lambda: {"lr": 0.1, "maximize": True}),
    "SGD, tensor lr": ("SGD", lambda: {"lr": number(0.1), "weight_decay": 0.1}),
    "SGD, tensor lr and decay": ("SGD", lambda: {"lr": number(0.1), "weight_decay": number(0.1)}),
    "RMSprop": ("RMSprop", lambda: {"lr": 0.05, "weight_decay": 0.1}),
    "RMSprop, momentum": ("RMSprop", lambda: {"lr": 0.05, "momentum": 0.9, "alpha": 0.9}),
    "Adam": ("Adam", lambda: {"lr": 0.05, "weight_decay": 0.1}),
    "Adam, tensor lr": ("Adam", lambda: {"lr": number(0.05)}),
    "Adam, tensor lr and decay": ("Adam", lambda: {"lr": number(0.05), "weight_decay": number(0.1)}),
    "Adam, tensor betas": ("Adam", lambda: {"lr": number(0.05), "betas": (number(0.8), number(0.9))}),
    "AdamW": ("AdamW", lambda: {"lr": 0.05, "weight_decay": 0.1}),
    "AdamW, maximize": ("AdamW", lambda: {"lr": 0.05, "maximize": True}),
    "AdamW, tensor lr": ("AdamW", lambda: {"lr": number(0.05)}),
    "AdamW, lr of shape (1,)": ("AdamW", lambda: {"lr": torch.tensor([0.05], dtype=torch.float64, requires_grad=True)}),
    "AdamW, tensor lr and decay": ("AdamW", lambda: {"lr": number(0.05), "weight_decay": number(0.1)}),
}


@pytest.mark.parametrize(("name", "settings"), TORCH_CAN.values(), ids=TORCH_CAN)
def test_gradients_are_torchs(name: str, settings: Callable[[], dict[str, Any]]) -> None:
    ours, theirs = gradients(getattr(face, name), settings()), gradients(getattr(torch.optim, name), settings())
    bound = 1e-4 if "betas" in getattr(face, name)([torch.ones(1)]).defaults else 1e-12
    for g, w in zip(ours, theirs, strict=True):
        torch.testing.assert_close(g, w, rtol=bound, atol=bound)


@over(ONE_OF_EACH)
@pytest.mark.parametrize("maximize", [False, True])
def test_gradcheck(case: Case, maximize: bool) -> None:
    """Against finite differences, for what torch.optim cannot do too. (A sign, as Lion's, has the gradient 0.)"""

    def end(*leaves: Tensor) -> tuple[Tensor, ...]:
        return unrolled(lambda params: case.make(params, differentiable=True, maximize=maximize), list(leaves))

    assert torch.autograd.gradcheck(end, start())


@pytest.mark.parametrize("cls", [face.SGD, face.RMSprop, face.Adam, face.AdamW, face.AdaBelief, face.Lion])
@pytest.mark.parametrize("shape", [(), (1,)], ids=["0-dim", "1-dim"])
def test_gradcheck_of_settings(cls: Any, shape: tuple[int, ...]) -> None:
    leaves = [t.detach() for t in start()]

    def end(lr: Tensor, weight_decay: Tensor) -> tuple[Tensor, ...]:
        return unrolled(
            lambda params: cls(params, lr=lr, weight_decay=weight_decay, differentiable=True), [t.clone().requires_grad_() for t in leaves]
        )

    assert torch.autograd.gradcheck(end, tuple(torch.full(shape, x, dtype=torch.float64, requires_grad=True) for x in (0.05, 0.1)))


def test_gradcheck_of_complex_parameters() -> None:
    def end(z: Tensor) -> Tensor:
        w = z.clone()
        optimizer = face.AdamW([w], 0.05, differentiable=True)
        for t in range(STEPS):
            seen = w.clone()
            (w.grad,) = torch.autograd.grad((seen * (t + 1)).sin().abs().sum(), seen, create_graph=True)
            optimizer.step()
        return w

    assert torch.autograd.gradcheck(end, (torch.tensor([0.3 + 0.4j, -0.5 + 0.1j], requires_grad=True, dtype=torch.complex128),))


def test_gradcheck_of_a_strategy() -> None:
    """Sums over one parameter and over all, hyperparameters by name."""
    clipped = chain(
        ClipByGlobalNorm(0.5), ScaleByBelief(eps=1e-6), Trace(0.5), AddDecayedWeights(0.1), ScaleByTrustRatio(), ScaleByLearningRate(0.1)
    )

    def end(lr: Tensor, momentum: Tensor, max_norm: Tensor, *leaves: Tensor) -> tuple[Tensor, ...]:
        def make(params: list[Tensor]) -> torch.optim.Optimizer:
            return face.Optimizer([{"params": params, "lr": lr, "momentum": momentum, "max_norm": max_norm}], clipped, differentiable=True)

        return unrolled(make, list(leaves))

    assert torch.autograd.gradcheck(end, (number(0.1), number(0.5), number(0.4), *start()))


@over(ONE_OF_EACH)
def test_the_same_steps(case: Case) -> None:
    """The rule, eagerly, takes the steps of the kernel."""
    shapes = ((7,), (2, 3), (), (0, 3))
    params = [Parameter(tame(s, torch.float64, i)) for i, s in enumerate(shapes)]
    a, b = case.make(params), case.make([q.detach().requires_grad_().clone() for q in params_like(params)], differentiable=True)
    twins = [q for g in b.param_groups for q in g["params"]]
    same_steps(a, b, params, twins, 6)
    assert a.state_dict()["state"].keys() == b.state_dict()["state"].keys()


@over(ONE_OF_EACH)
def test_leaves_are_refused_whole(case: Case) -> None:
    """Autograd cannot record a change of a leaf: an error, as with torch.optim, before anything is changed."""
    leaf, other = Parameter(torch.ones(3)), Parameter(torch.ones(2))
    optimizer = case.make([{"params": [other], "differentiable": False}, {"params": [leaf]}], differentiable=True)
    give([leaf, other], 0)
    before = snapshot(optimizer)
    with pytest.raises((SteepestError, RuntimeError), match="leaf"):
        optimizer.step()
    assert same(before, snapshot(optimizer))
