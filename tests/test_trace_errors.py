"""What a rule must not do, and what it is told."""

import math

import numpy as np
import pytest

from steepest import At, ScaleByLearningRate, Slot, Step, Transform, Value, chain, norm, sqrt
from steepest.errors import TraceError
from steepest.plan import plan


class Guarded(Transform):
    limit: float = 1.0

    def update(self, u: Value, at: At) -> Step:
        if norm(u) > self.limit:
            return Step(u / norm(u))
        return Step(u)


class Chained(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return Step(u * (0 < u < 1))


class WithMath(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return Step(u * math.sqrt(self.limit))


class WithNumPy(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return Step(np.sqrt(u))


class WithArray(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return Step(u + np.ones(3))


class WithMethod(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return Step(u / u.norm())  # type: ignore[attr-defined]


class WithIndex(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return Step(u[0])  # type: ignore[index]


class NoStep(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return u  # type: ignore[return-value]


class Forgetful(Transform):
    mu = Slot()

    def update(self, u: Value, at: At, mu: Value) -> Step:
        return Step(u + mu)


class TooMuch(Transform):
    mu = Slot()

    def update(self, u: Value, at: At, mu: Value) -> Step:
        return Step(u, mu=mu, nu=u)


class Both(Transform):
    def update(self, u: Value, at: At) -> Step:
        return Step(u, param=at.param)


class SameForAll(Transform):
    mu = Slot()

    def update(self, u: Value, at: At, mu: Value) -> Step:
        return Step(u, mu=at.count)


class Cubed(Guarded):
    def update(self, u: Value, at: At) -> Step:
        return Step(u**3)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Guarded(), "A traced value has no truth value"),
        (Chained(), "A traced value has no truth value"),
        (WithMath(), "Use the functions of steepest.ops"),
        (WithNumPy(), "NumPy's sqrt does not know traced values"),
        (WithArray(), "got numpy.ndarray"),
        (WithMethod(), "has no attribute 'norm'"),
        (WithIndex(), "has no parts to pick"),
        (NoStep(), "NoStep.update returned Expr: return Step"),
        (Forgetful(), "without mu"),
        (TooMuch(), "with unknown nu"),
        (Both(), "give one of the two"),
        (SameForAll(), "the new mu is count, the same for every element"),
        (Cubed(), "Powers 2, -1 and 0.5"),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Transform) else "",
)
def test_says_what_is_wrong(rule: Transform, says: str) -> None:
    with pytest.raises(TraceError, match=says):
        plan(chain(rule, ScaleByLearningRate(0.1)))


def test_points_at_the_line_of_the_rule() -> None:
    with pytest.raises(TraceError) as caught:
        plan(Guarded())
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("Guarded.update, test_trace_errors.py:")
    assert lines[1] == "    if norm(u) > self.limit:"
    assert "where(test, a, b)" in lines[3]
    assert "NumPy arrays" in lines[4]


def test_numpy_scalars_are_numbers() -> None:
    class Scaled(Transform):
        def update(self, u: Value, at: At) -> Step:
            return Step(np.float64(0.5) * u + u * np.float32(0.25))

    class Plain(Transform):
        def update(self, u: Value, at: At) -> Step:
            return Step(0.5 * u + u * 0.25)

    assert plan(Scaled()).ordinary().outputs["param"] is plan(Plain()).ordinary().outputs["param"]


def test_the_same_rule_steps_through_with_real_numbers() -> None:
    step = Guarded(limit=1.0).update(np.array([3.0, 4.0]), At(grad=None, param=None))
    np.testing.assert_allclose(step.u, [0.6, 0.8])
    assert sqrt(4.0) == 2.0
    assert math.isnan(sqrt(-1.0))


def test_fields_must_have_a_meaning() -> None:
    with pytest.raises(TraceError, match="a field is a float"):

        class Wrong(Transform):
            betas: list[float] = []
