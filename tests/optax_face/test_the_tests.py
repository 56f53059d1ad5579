"""Deliberately wrong transformations. If `same_trajectory` lets one of them pass, it is no test."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax
import pytest

import steepest
from steepest import At, Step, Value, chain, sqrt
from steepest import optax as face
from tests.optax_face.test_lookahead import on_plain_parameters
from tests.optax_face.trajectory import same_trajectory

SCHEDULE = optax.cosine_decay_schedule(0.02, 150)


class EpsInsideTheRoot(steepest.ScaleByAdam):
    """RMSProp's place for it, and 1e-16 so that it is not the size that tells."""

    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        step = super().update(u, at, mu, nu)
        c1, c2 = 1 - self.b1**at.count, 1 - self.b2**at.count
        return Step(step.slots["mu"] / c1 / sqrt(step.slots["nu"] / c2 + self.eps * self.eps), **step.slots)


class CountFromZero(steepest.ScaleByAdam):
    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        return super().update(u, At(at.grad, at.param, at.count + 1, at.size), mu, nu)


class MaximumBeforeCorrection(steepest.ScaleByAMSGrad):
    """PyTorch's AMSGrad under optax's name."""

    correct_first: bool = False


def by(*links: Any) -> Callable[[Any], Any]:
    return lambda lr: face.transform(chain(*links, steepest.ScaleByLearningRate(lr)))


def lr_in_the_buffer(lr: Any) -> Any:
    return face.transform(chain(steepest.ScaleByLearningRate(lr), steepest.Trace(0.9)))


def schedule_one_step_ahead(lr: Any) -> Any:
    return face.adam(lambda count: lr(count + 1))


def decay_before_the_rule(lr: Any) -> Any:
    return face.transform(chain(steepest.AddDecayedWeights(0.1), steepest.ScaleByAdam(), steepest.ScaleByLearningRate(lr)))


def sync_after_the_first_step(lr: Any) -> Any:
    right = face.lookahead(face.adam(lr), 5, 0.5)

    def init(params: Any) -> Any:
        state = right.init(params)
        return state._replace(sync=state.sync._replace(count=state.sync.count + 4))

    return optax.GradientTransformationExtraArgs(init, right.update)


def rounded_to_float32(lr: Any) -> Any:
    """A schedule that x64 does not reach: JAX divides an int32 in float32."""
    return face.adam(lambda count: lr(count) * (1 + count / 7) / (1 + count / jnp.asarray(7.0)))


WRONG: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "eps inside the root": (lambda lr: optax.adam(lr), lambda lr: face.adam(lr), by(EpsInsideTheRoot())),
    "count from zero": (lambda lr: optax.adam(lr), lambda lr: face.adam(lr), by(CountFromZero())),
    "lr inside the buffer": (lambda lr: optax.sgd(lr, 0.9), lambda lr: face.sgd(lr, 0.9), lr_in_the_buffer),
    "schedule one step ahead": (lambda lr: optax.adam(lr), lambda lr: face.adam(lr), schedule_one_step_ahead),
    "schedule in float32": (lambda lr: optax.adam(lr), lambda lr: face.adam(lr), rounded_to_float32),
    "coupled decay": (
        lambda lr: optax.adamw(lr, weight_decay=0.1),
        lambda lr: face.adamw(lr, weight_decay=0.1),
        decay_before_the_rule,
    ),
    "PyTorch's AMSGrad": (lambda lr: optax.amsgrad(lr), lambda lr: face.amsgrad(lr), by(MaximumBeforeCorrection())),
    "eps outside RMSProp's root": (
        lambda lr: optax.rmsprop(lr),
        lambda lr: face.rmsprop(lr),
        lambda lr: face.rmsprop(lr, eps_in_sqrt=False),
    ),
    "synchronised after the first step": (
        lambda lr: on_plain_parameters(optax.lookahead(optax.adam(lr), 5, 0.5)),
        lambda lr: face.lookahead(face.adam(lr), 5, 0.5),
        sync_after_the_first_step,
    ),
}


@pytest.mark.parametrize("slip", WRONG)
def test_a_wrong_transformation_is_rejected(slip: str) -> None:
    reference, right, wrong = WRONG[slip]
    same_trajectory(right, reference, SCHEDULE)
    with pytest.raises(AssertionError, match="apart, more than"):
        same_trajectory(wrong, reference, SCHEDULE)


def test_a_constant_learning_rate_would_have_hidden_it() -> None:
    """Why every row of the table is run with a schedule, too."""
    same_trajectory(lr_in_the_buffer, lambda lr: optax.sgd(lr, 0.9), 0.01)


def test_standing_still_is_no_agreement() -> None:
    with pytest.raises(AssertionError, match="hardly moved"):
        same_trajectory(face.adam, optax.adam, 0.0)
