"""Inputs at the kinks: zeros, ties, changes of sign, the huge and the tiny, infinities; and every shape."""

from typing import Any

import keras
import numpy as np
import pytest

from steepest import keras as face
from tests.keras_face.cases import ONE_OF_EACH, Case, over
from tests.keras_face.digits import state
from tests.keras_face.trajectory import BACKEND, DTYPE, Array, floatx, tensor

HUGE, TINY = (1e100, 1e-310) if DTYPE == "float64" else (1e15, 1e-40)
KINKS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.0, 1e-8, -1e-8, HUGE, -HUGE, TINY, -TINY, 1e-20, 3.0]
#: what is denormal is zero on TensorFlow and in XLA; equal to this is what counts
TOLERANCE = {"float64": {"rtol": 1e-11, "atol": 1e-13}, "float32": {"rtol": 2e-5, "atol": 1e-7}}[DTYPE]


def run(optimizer: Any, start: list[Array], grads: Any) -> list[Array]:
    """Variables and state after every step, eagerly."""
    mine = [keras.Variable(tensor(p, DTYPE), dtype=DTYPE) for p in start]
    optimizer.build(mine)
    passed = []
    for now in grads:
        optimizer.apply([tensor(g, DTYPE) for g in now], mine)
        passed += [np.array(keras.ops.convert_to_numpy(v.value)) for v in mine] + state(optimizer)
    return passed


def side_by_side(case: Case, start: list[Array], grads: Any) -> list[Array]:
    """What is not finite may be inf here and nan there: m + (g - m) / 10 is nan where 0.9 m + 0.1 g stays inf."""
    with floatx(DTYPE):
        got, want = ([np.where(np.isfinite(x), x, np.nan) for x in run(o, start, grads)] for o in (case.ours(), case.stock()))
    for g, w in zip(got, want, strict=True):
        assert g.shape == w.shape
        np.testing.assert_allclose(g, w, **TOLERANCE)
    return got


@over(ONE_OF_EACH)
def test_kinks(case: Case) -> None:
    """Every pair of kinks follow each other, in the parameter and in the gradient."""
    kinks = np.array(KINKS)
    side_by_side(case, [np.roll(kinks, 2)], [[np.roll(kinks, t)] for t in (0, 0, 1, 3, 7, 7, 12)])


@over(ONE_OF_EACH)
@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_not_finite(case: Case, wrong: float) -> None:
    """As bad as in Keras, and nowhere else; with a global norm everywhere."""
    start, grads = [np.ones(3), np.ones(1)], [[np.array([1.0, wrong, 3.0]), np.array([1.0])]] * 2
    clipped = case.with_settings({"global_clipnorm": 1.0})
    if case.rule == "Lion" and BACKEND == "torch":  # torch.sign(nan) is 0, elsewhere sign(nan) is nan; ours has one answer
        with floatx(DTYPE):
            got, all_of_them = run(case.ours(), start, grads), run(clipped.ours(), start, grads)
        assert np.isnan(got[0][1]) == np.isnan(wrong)
    else:
        got, all_of_them = side_by_side(case, start, grads), side_by_side(clipped, start, grads)
    assert np.isfinite(got[1]).all()
    assert np.isnan(all_of_them[0]).all()


@over(ONE_OF_EACH)
def test_shapes(case: Case) -> None:
    """0-dim, one element, empty (which Keras on TensorFlow cannot add), odd lengths."""
    shapes = [(), (1,), (67,), (3, 1, 2), *([] if BACKEND == "tensorflow" else [(0,), (0, 3)])]
    generator = np.random.default_rng(0)
    start = [np.asarray(generator.normal(size=s)) for s in shapes]
    side_by_side(case, start, [[np.asarray(generator.normal(size=s)) for s in shapes] for _ in range(3)])


@over(ONE_OF_EACH)
def test_no_gradient_anywhere_but_zero(case: Case) -> None:
    got = side_by_side(
        case.with_settings({} if case.rule != "AdamW" else {"weight_decay": 0.0}), [np.array([1.0, -2.0, 0.0])], [[np.zeros(3)]] * 3
    )
    np.testing.assert_array_equal(got[0], [1.0, -2.0, 0.0])


def test_empty_variables_of_all_of_ours() -> None:
    for make in (face.SGD, face.RMSprop, face.Adam, face.AdamW, face.AdaBelief, face.Lion, lambda: face.Lookahead(face.Adam())):
        run(make(), [np.zeros((0, 3)), np.ones(2)], [[np.zeros((0, 3)), np.ones(2)]] * 2)
