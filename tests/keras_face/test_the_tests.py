"""Deliberately wrong optimizers. `same_trajectory` must reject each of them."""

from typing import Any

import keras
import pytest

from steepest import At, ScaleByAdam, ScaleByLearningRate, Step, Trace, Value, chain
from steepest import keras as face
from tests.keras_face.cases import Case
from tests.keras_face.references import plain_lookahead
from tests.keras_face.test_references import slow_weights
from tests.keras_face.trajectory import DTYPE, TOLERANCE, compare, same_trajectory, trajectory

MOMENTUM = Case("SGD", {"momentum": 0.9}, changes={50: lambda o: setattr(o, "learning_rate", 0.03)})
ADAM = Case("Adam")


class CountFromZero(ScaleByAdam):
    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        return super().update(u, At(at.grad, at.param, at.count + 1, at.size), mu, nu)


def wrong_adam(scale: Any) -> Any:
    class Wrong(face.Adam):
        convention = staticmethod(
            lambda lr, b1, b2, eps, amsgrad: chain(scale(b1, b2, eps, eps_hat=scale is CountFromZero), ScaleByLearningRate(lr))
        )

    return lambda _: Wrong(0.01)


class RateOutsideTheBuffer(face.SGD):
    """PyTorch's momentum: the same while the learning rate stays."""

    convention = staticmethod(lambda lr, momentum, nesterov: chain(Trace(momentum, nesterov=nesterov), ScaleByLearningRate(lr)))


class StaleRate(face.SGD):
    """The learning rate of the first step for ever."""

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        super()._backend_update_step(grads, trainable_variables, 0.01)


class SlowAfterTheFirstStep(face.Lookahead):
    """Slow weights that start where the first step ends."""

    def _begin_copies(self) -> None:
        first = keras.ops.equal(self.iterations, 1)
        for variable, slot in zip(self._trainable_variables, self._slots["slow"], strict=True):
            slot.assign(keras.ops.where(first, keras.ops.convert_to_tensor(variable), keras.ops.convert_to_tensor(slot)))


def test_epsilon_is_hat() -> None:
    with pytest.raises(AssertionError, match="away"):
        same_trajectory(wrong_adam(ScaleByAdam), ADAM.stock)


def test_the_count() -> None:
    with pytest.raises(AssertionError, match="away"):
        same_trajectory(wrong_adam(CountFromZero), ADAM.stock)


@pytest.mark.parametrize("wrong", [RateOutsideTheBuffer, StaleRate])
def test_the_learning_rate(wrong: Any) -> None:
    with pytest.raises(AssertionError, match=r"after step (55|[1-9]) "):
        same_trajectory(lambda _: wrong(0.01, 0.9), MOMENTUM.stock, changes=MOMENTUM.changes)


def test_the_slow_weights() -> None:
    want = plain_lookahead(lambda _: keras.optimizers.SGD(0.01), 6, 0.5)
    with pytest.raises(AssertionError, match="away"):
        compare(slow_weights(trajectory(lambda _: SlowAfterTheFirstStep(face.SGD(0.01)))), want, TOLERANCE[DTYPE])


def test_the_state() -> None:
    """Variables alone would not tell: another order of the same state."""

    class Reversed(face.Adam):
        slot_names = ({"mu": "momentum"}, {"nu": "velocity"})

    with pytest.raises(AssertionError, match="state"):
        same_trajectory(lambda _: Reversed(0.01), ADAM.stock)
