"""Deliberately wrong rules and kernels. A check that lets one of them pass is no check."""

from collections.abc import Callable, Sequence
from typing import Any

import lion_pytorch
import numpy as np
import pytest
import torch

from steepest import (
    AddDecayedWeights,
    At,
    Lookahead,
    ScaleByAdam,
    ScaleByBelief,
    ScaleByLearningRate,
    ScaleByLion,
    ShrinkWeights,
    Step,
    Trace,
    Transform,
    Value,
    chain,
    sign,
    sqrt,
    where,
)
from steepest.codegen import llvm
from steepest.execute import cpu, jit
from steepest.torch import Optimizer
from tests.checks import Array, State, by_kernel, kernel_equals_rule
from tests.inputs import LENGTHS, hard, tame
from tests.torch_face.trajectory import same_trajectory

# -- wrong rules: each is the paper's with one slip, and must differ from it on the checks' inputs -----------


class NewMomentumInTheSign(ScaleByLion):
    def update(self, u: Value, at: At, mu: Value) -> Step:
        mu = self.b2 * mu + (1 - self.b2) * u
        return Step(sign(self.b1 * mu + (1 - self.b1) * u), mu=mu)


class SignOfZeroIsOne(ScaleByLion):
    def update(self, u: Value, at: At, mu: Value) -> Step:
        blend = self.b1 * mu + (1 - self.b1) * u
        return Step(where(blend >= 0, 1.0, -1.0), mu=self.b2 * mu + (1 - self.b2) * u)


class NoBiasCorrection(ScaleByAdam):
    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        mu = self.b1 * mu + (1 - self.b1) * u
        nu = self.b2 * nu + (1 - self.b2) * (u * u)
        return Step(mu / (sqrt(nu) + self.eps), mu=mu, nu=nu)


class CountFromZero(ScaleByAdam):
    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        return super().update(u, At(at.grad, at.param, at.count + 1), mu, nu)


class EpsInsideTheRoot(ScaleByAdam):
    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        mu = self.b1 * mu + (1 - self.b1) * u
        nu = self.b2 * nu + (1 - self.b2) * (u * u)
        return Step(mu / (1 - self.b1**at.count) / sqrt(nu / (1 - self.b2**at.count) + self.eps), mu=mu, nu=nu)


class EpsHat(ScaleByAdam):
    """Keras' Adam: eps before the bias correction."""

    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        mu = self.b1 * mu + (1 - self.b1) * u
        nu = self.b2 * nu + (1 - self.b2) * (u * u)
        c1, c2 = 1 - self.b1**at.count, 1 - self.b2**at.count
        return Step(sqrt(c2) / c1 * mu / (sqrt(nu) + self.eps), mu=mu, nu=nu)


class SurpriseFromTheOldMomentum(ScaleByBelief):
    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        nu = self.b2 * nu + (1 - self.b2) * ((u - mu) * (u - mu)) + self.eps
        mu = self.b1 * mu + (1 - self.b1) * u
        return Step(mu / (1 - self.b1**at.count) / (sqrt(nu / (1 - self.b2**at.count)) + self.eps), mu=mu, nu=nu)


class FirstStepDamped(Trace):
    def update(self, u: Value, at: At, trace: Value) -> Step:
        trace = self.momentum * trace + (1 - self.dampening) * u
        return Step(trace, trace=trace)


class NesterovWithTheOldBuffer(Trace):
    def update(self, u: Value, at: At, trace: Value) -> Step:
        new = self.momentum * trace + where(at.count == 1, 1.0, 1 - self.dampening) * u
        return Step(u + self.momentum * trace, trace=new)


class SyncAfterTheFirstStep(Lookahead):
    def update(self, u: Value, at: At, slow: Value, inner: Any) -> Step:
        return super().update(u, At(at.grad, at.param, at.count + self.k - 1, at.size), slow, inner)


class DecayAfterTheStep(Transform):
    lr: float
    weight_decay: float = 0.1

    def update(self, u: Value, at: At) -> Step:
        return Step(param=(at.param + u) * (1 - self.lr * self.weight_decay))


lr = ScaleByLearningRate(0.1)
WRONG_RULES: list[tuple[Transform, Transform]] = [
    (chain(ScaleByLion(), lr), chain(NewMomentumInTheSign(), lr)),
    (chain(ScaleByLion(), lr), chain(SignOfZeroIsOne(), lr)),
    (chain(ScaleByAdam(), lr), chain(NoBiasCorrection(), lr)),
    (chain(ScaleByAdam(), lr), chain(CountFromZero(), lr)),
    (chain(ScaleByAdam(), lr), chain(EpsInsideTheRoot(), lr)),
    (chain(ScaleByAdam(), lr), chain(EpsHat(), lr)),
    (chain(ScaleByBelief(), lr), chain(SurpriseFromTheOldMomentum(), lr)),
    (chain(Trace(dampening=0.5), lr), chain(FirstStepDamped(dampening=0.5), lr)),
    (chain(Trace(nesterov=True), lr), chain(NesterovWithTheOldBuffer(nesterov=True), lr)),
    (Lookahead(chain(ScaleByAdam(), lr), k=3), SyncAfterTheFirstStep(chain(ScaleByAdam(), lr), k=3)),
    (chain(ScaleByAdam(), lr, ShrinkWeights(0.1, 0.1)), chain(ScaleByAdam(), lr, DecayAfterTheStep(0.1, 0.1))),
    (chain(ScaleByAdam(), AddDecayedWeights(0.1), lr), chain(AddDecayedWeights(0.1), ScaleByAdam(), lr)),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG_RULES, ids=[repr(w)[:60] for _, w in WRONG_RULES])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wrong_rule_is_rejected(right: Transform, wrong: Transform, dtype: str) -> None:
    kernel_equals_rule(right, dtype, (67,), hard)
    with pytest.raises(AssertionError):
        kernel_equals_rule(right, dtype, (67,), hard, rule=wrong)


# -- the same against other people's implementations, over 200 steps ------------------------------------------

ADAM, ADAMW, SGD = torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD
REFERENCES: list[tuple[Callable[..., Any], Transform, Transform]] = [
    (lambda p: ADAM(p, lr=0.1), chain(ScaleByAdam(), lr), chain(NoBiasCorrection(), lr)),
    (lambda p: ADAM(p, lr=0.1), chain(ScaleByAdam(), lr), chain(CountFromZero(), lr)),
    (lambda p: ADAM(p, lr=0.1), chain(ScaleByAdam(), lr), chain(EpsInsideTheRoot(), lr)),
    (lambda p: ADAM(p, lr=0.1), chain(ScaleByAdam(), lr), chain(EpsHat(), lr)),
    (
        lambda p: ADAMW(p, lr=0.1, weight_decay=0.1),
        chain(ScaleByAdam(), lr, ShrinkWeights(0.1, 0.1)),
        chain(ScaleByAdam(), lr, DecayAfterTheStep(0.1, 0.1)),
    ),
    (
        lambda p: ADAMW(p, lr=0.1, weight_decay=0.1),
        chain(ScaleByAdam(), lr, ShrinkWeights(0.1, 0.1)),
        chain(AddDecayedWeights(0.1), ScaleByAdam(), lr),
    ),
    (lambda p: SGD(p, lr=0.1, momentum=0.9, dampening=0.5), chain(Trace(0.9, 0.5), lr), chain(FirstStepDamped(0.9, 0.5), lr)),
    (
        lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        chain(Trace(0.9, nesterov=True), lr),
        chain(NesterovWithTheOldBuffer(0.9, nesterov=True), lr),
    ),
    (lambda p: lion_pytorch.Lion(p, lr=0.1), chain(ScaleByLion(), lr), chain(NewMomentumInTheSign(), lr)),
]


@pytest.mark.parametrize(("reference", "right", "wrong"), REFERENCES, ids=[repr(w)[:60] for _, _, w in REFERENCES])
def test_a_wrong_trajectory_is_rejected(reference: Callable[..., Any], right: Transform, wrong: Transform) -> None:
    same_trajectory(lambda p: Optimizer(p, right), reference, torch.float64, schedule=None)
    with pytest.raises(AssertionError):
        same_trajectory(lambda p: Optimizer(p, wrong), reference, torch.float64, schedule=None)


# -- wrong kernels: the text of the right one with one slip ----------------------------------------------


def _with_text(change: Callable[[str], str]) -> Callable[..., State]:
    def kernel(strategy: Transform, state: State, grads: Sequence[Array], count: int, **settings: Any) -> State:
        patch = pytest.MonkeyPatch()
        printed = llvm.kernel
        with patch.context() as m:
            m.setattr(
                cpu,
                "_kernel",
                lambda plan, p, compute: jit.address(_changed(printed(p, [(b, compute) for b in plan.buffers], compute), change)),
            )
            return by_kernel(strategy, state, grads, count, **settings)

    return kernel


def _changed(text: str, change: Callable[[str], str]) -> str:
    new = change(text)
    assert new != text, "the slip is nowhere in this kernel"
    return new


WRONG_KERNELS = {
    "no tail": lambda t: t.replace("br i1 %any, label %tail, label %finish", "br i1 false, label %tail, label %finish"),
    "no full vectors": lambda t: t.replace("%whole = and i64 %length, -16", "%whole = and i64 0, -16"),
    "tail one short": lambda t: t.replace(
        "%left = sub i64 %length, %whole", "%left.0 = sub i64 %length, %whole\n  %left = sub i64 %left.0, 1"
    ),
    "tail from the start": lambda t: t.replace(
        ".t = getelementptr float, ptr %p.param, i64 %whole", ".t = getelementptr float, ptr %p.param, i64 0"
    ),
    "minus for plus": lambda t: t.replace(" = fadd <16 x float>", " = fsub <16 x float>", 1),
    "a comparison turned round": lambda t: t.replace("fcmp ogt", "fcmp oge", 1),
    "reassociated and approximate": lambda t: t.replace(" = fmul <16 x float>", " = fmul fast <16 x float>").replace(
        " = fsub <16 x float>", " = fadd fast <16 x float>"
    ),
}


@pytest.mark.parametrize("slip", WRONG_KERNELS)
def test_a_wrong_kernel_is_rejected(slip: str) -> None:
    strategy = chain(ScaleByLion(), AddDecayedWeights(0.1), ScaleByLearningRate(0.1))
    with pytest.raises(AssertionError):
        kernel_equals_rule(strategy, "float32", LENGTHS, hard, kernel=_with_text(WRONG_KERNELS[slip]))


def test_seven_gaussian_numbers_would_have_let_a_wrong_lion_through() -> None:
    """Why the inputs are what they are."""

    def gaussian(length: int, dtype: str, seed: int) -> Array:
        return np.random.default_rng(seed).standard_normal(length).astype(dtype)

    right, wrong = chain(ScaleByLion(), lr), chain(SignOfZeroIsOne(), lr)
    kernel_equals_rule(right, "float32", (7,), gaussian, rule=wrong)
    with pytest.raises(AssertionError):
        kernel_equals_rule(right, "float32", (67,), tame, rule=wrong)
