"""Every strategy's kernel against its rule, on inputs at the kinks; threads; what compiles and what does not."""

import numpy as np
import pytest

from steepest import Lookahead, ScaleByAdam, ScaleByLearningRate, Transform, adamw, chain, sgd
from steepest.execute import jit, threads
from steepest.plan import plan
from steepest.tree import with_hyperparameters
from tests.checks import by_kernel, initial, kernel_equals_rule, same_state
from tests.inputs import LENGTHS, hard, tame
from tests.strategies import ALL

strategies = pytest.mark.parametrize("strategy", [s for _, s in ALL], ids=[n for n, _ in ALL])
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def has_sums(strategy: Transform) -> bool:
    return any(v.totals for v in plan(strategy).variants.values())


@strategies
@dtypes
def test_kernel_equals_rule(strategy: Transform, dtype: str) -> None:
    kernel_equals_rule(strategy, dtype, LENGTHS, tame if has_sums(strategy) else hard)


@strategies
def test_kernel_equals_rule_uphill(strategy: Transform) -> None:
    kernel_equals_rule(strategy, "float64", (17, 67), tame, maximize=True)


@strategies
@dtypes
def test_each_length_alone(strategy: Transform, dtype: str) -> None:
    for length in (1, 7, 15, 16, 17):
        kernel_equals_rule(strategy, dtype, (length,), tame, steps=(1, 2))


@strategies
@dtypes
def test_same_bits_with_any_number_of_threads(strategy: Transform, dtype: str) -> None:
    lengths = (70_000, 3, 300_000)
    state = initial(strategy, [tame(n, dtype, 0) for n in lengths])
    grads = [tame(n, dtype, 1) for n in lengths]
    one, two, four = (by_kernel(strategy, state, grads, 2, threads=n) for n in (1, 2, 4))
    assert same_state(one, two)
    assert same_state(one, four)


def test_same_bits_with_the_pool_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = dict(ALL)["lamb"]
    state = initial(strategy, [tame(300_000, "float32", 0)])
    grads = [tame(300_000, "float32", 1)]
    expected = by_kernel(strategy, state, grads, 1, threads=1)
    used: list[int] = []
    pool = threads._pool
    monkeypatch.setattr(threads, "_openmp", lambda: None)
    monkeypatch.setattr(threads, "_pool", lambda worker, job, n: (used.append(n), pool(worker, job, n)))
    assert same_state(by_kernel(strategy, state, grads, 1, threads=3), expected)
    assert set(used) == {3}


def test_numbers_never_compile_again() -> None:
    state = initial(adamw(), [tame(67, "float32", 0)])
    grads = [tame(67, "float32", 1)]
    by_kernel(adamw(), state, grads, 1)
    before = len(jit.compiled)
    for lr in (0.1, 0.01, 0.0):
        by_kernel(adamw(lr=lr), state, grads, 2)
    by_kernel(adamw(lr=lambda taken: 1 / (taken + 1)), state, grads, 3)
    by_kernel(adamw(b1=0.5, b2=0.7, eps=1e-3, weight_decay=0.0), state, grads, 4)
    by_kernel(with_hyperparameters(adamw(), {"b2": 0.9}), state, grads, 5)
    assert len(jit.compiled) == before
    assert plan(adamw(lr=0.3)) is plan(adamw(b1=0.1))


def test_a_choice_compiles_its_own_kernel() -> None:
    assert plan(sgd(momentum=0.9)) is not plan(sgd(momentum=0.9, nesterov=True))
    assert plan(sgd()) is not plan(sgd(momentum=0.9))


def test_ordinary_steps_do_not_pay_for_the_slow_weights() -> None:
    p = plan(Lookahead(chain(ScaleByAdam(), ScaleByLearningRate(0.1)), k=5))
    assert sorted(v.traffic() for v in p.variants.values()) == [28, 36]
    assert p.ordinary().passes[-1].buffers.count("slow") == 0


def test_two_sums_share_a_pass() -> None:
    (variant,) = plan(dict(ALL)["lamb"]).variants.values()
    assert [p.kind for p in variant.passes] == ["reduce", "map"]
    assert len(variant.passes[0].sums) == 2


def test_no_tensors_and_empty_tensors() -> None:
    for lengths in ((), (0,), (0, 5, 0)):
        strategy = dict(ALL)["clipped belief"]
        state = initial(strategy, [tame(n, "float32", 0) for n in lengths])
        if lengths:
            after = by_kernel(strategy, state, [tame(n, "float32", 1) for n in lengths], 1)
            assert [a.size for a in after["param"]] == list(lengths)
            assert all(np.isfinite(a).all() for a in after["param"])
