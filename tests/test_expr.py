"""The expression graph: interning, folding, kinds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steepest.errors import TraceError
from steepest.expr import Expr, build, const, load, rebuild, scalar, total, walk
from steepest.op_table import OPS, Per

g, p, lr, b1 = load("grad"), load("param"), scalar("lr"), scalar("b1")


def test_equal_expressions_are_one_object() -> None:
    assert b1 * p + (1 - b1) * g is b1 * p + (1 - b1) * g
    assert const(0.0) is not const(-0.0)
    assert const(1) is const(1.0)
    assert total(g, "model") is not total(g, "tensor")


def test_what_varies_and_what_does_not() -> None:
    assert (lr * 2).per is Per.STEP
    assert (lr * g).varying
    assert total(g * g, "model").per is Per.STEP
    assert total(g * g, "tensor").per is Per.TENSOR
    assert (scalar("size") * 2).per is Per.TENSOR
    assert not (lr + total(g, "tensor")).varying


def test_stages_count_the_sums_that_must_come_before() -> None:
    once = g / build("sqrt", total(g * g, "model"))
    assert [g.stage, once.stage, total(once * once, "tensor").stage] == [0, 1, 2]


@pytest.mark.parametrize(
    ("made", "same"),
    [
        (g + 0, g),
        (0 + g, g),
        (g - 0, g),
        (g * 1, g),
        (1 * g, g),
        (g / 1, g),
        (-(-g), g),  # noqa: B002
        (-1 * g, -g),
        (p + (-g), p - g),
        (-g + p, p - g),
        (p - (-g), p + g),
        ((-lr) * g, -(lr * g)),
        (g**2, g * g),
        (g**1, g),
        (g**0.5, build("sqrt", g)),
        (g**-1, 1 / g),
        (const(2) + const(3), const(5)),
        (build("where", g > 0, p, p), p),
        (~~(g > 0), g > 0),
    ],
)
def test_folds(made: Expr, same: Expr) -> None:
    assert made is same


def test_does_not_fold_what_nan_and_inf_would_tell_apart() -> None:
    assert (g * 0).op == "mul"
    assert (g - g).op == "sub"
    assert (g / g).op == "div"
    assert (const(1) / const(0)).value == math.inf
    assert math.isnan(build("sqrt", const(-1)).value)


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
def test_constants_follow_ieee(a: float, b: float) -> None:
    import numpy as np

    with np.errstate(all="ignore"):
        for op, reference in {
            "add": np.add,
            "sub": np.subtract,
            "mul": np.multiply,
            "div": np.divide,
            "minimum": np.minimum,
            "maximum": np.maximum,
        }.items():
            number = OPS[op].number
            assert number is not None
            np.testing.assert_equal(float(number(a, b)) + 0.0, float(reference(np.float64(a), np.float64(b))) + 0.0)


def test_walk_gives_arguments_first_and_each_once() -> None:
    e = (g * p) + (g * p) * lr
    order = list(walk([e, e]))
    assert len(order) == len({id(x) for x in order})
    place = {id(x): i for i, x in enumerate(order)}
    assert all(place[id(a)] < place[id(x)] for x in order for a in x.args)


def test_rebuild_replaces_and_folds() -> None:
    (new,) = rebuild([lr * g + p], lambda old, args: const(1) if old is lr else None)
    assert new is g + p


@pytest.mark.parametrize(
    "make",
    [
        lambda: (g > 0) + 1,
        lambda: build("where", g, 1, 2),
        lambda: build("and", g, g > 0),
        lambda: build("sqrt", g > 0),
        lambda: g**3,
        lambda: g**lr,
        lambda: 2**g,
        lambda: g % 2,
        lambda: g + "1",
        lambda: g * [1.0],
        lambda: total(g, "row"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_is_refused(make: object) -> None:
    with pytest.raises(TraceError):
        make()  # type: ignore[operator]
