"""Training states from PyTorch and JAX to Keras and back: the run goes on as if it had not moved."""

import os
from typing import Any

import keras
import numpy as np
import pytest

import steepest
import steepest.keras
import steepest.optax
import steepest.torch
from steepest import AddDecayedWeights, ClipByGlobalNorm, Lookahead, ScaleByBelief, ScaleByLearningRate, Trace, chain
from steepest.checkpoint import TrainingState, convert, counted
from steepest.errors import StateError
from tests.checkpoint.runs import SHAPES, apart, by_optax, by_rule, by_torch, gradient, start

#: Keras on TensorFlow passes Python numbers through float32
CLOSE = 1e-6 if os.environ["KERAS_BACKEND"] == "tensorflow" else 1e-10
STRATEGY = Lookahead(
    chain(ClipByGlobalNorm(1.0), ScaleByBelief(rectify=True), AddDecayedWeights(0.1), Trace(0.5), ScaleByLearningRate(0.05)), k=4
)


@pytest.fixture(autouse=True)
def _float64() -> None:
    keras.config.set_floatx("float64")  # of the learning rate's variable; the tests' conftest sets it back


def by_keras(make: Any, params: Any, begin: int, end: int, state: TrainingState | None = None, **how: Any) -> Any:
    """An optimizer of steepest.keras, its variables, and what it knows at the end."""
    variables = [keras.Variable(np.asarray(params[name]), dtype="float64", name=name) for name in SHAPES]
    optimizer = make()
    optimizer.build(variables)
    if state is not None:
        steepest.keras.restore(optimizer, state, **how)
    for taken in range(begin, end):
        now = {name: keras.ops.convert_to_numpy(v) for name, v in zip(SHAPES, variables, strict=True)}
        grads = gradient(taken, now)
        optimizer.apply([keras.ops.convert_to_tensor(grads[name]) for name in SHAPES], variables)
    return {name: keras.ops.convert_to_numpy(v) for name, v in zip(SHAPES, variables, strict=True)}, steepest.keras.export(optimizer)


def test_through_all_three_frameworks() -> None:
    straight, _ = by_rule(STRATEGY, start(), 0, 40)
    params, state = by_torch(lambda p: steepest.torch.Optimizer(p, STRATEGY), start(), 0, 10)
    params, state = by_keras(lambda: steepest.keras.Optimizer(state.strategy), params, 10, 20, state)
    assert state.count == 20
    params, state = by_optax(steepest.optax.transform(state.strategy), params, 20, 30, state)
    params, state = by_torch(lambda p: steepest.torch.Optimizer(p, state.strategy), params, 30, 40, state)
    assert apart(params, straight) < CLOSE


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_rescaled_into_keras_own_sgd_and_back(nesterov: bool) -> None:
    def torch_sgd(p: Any) -> Any:
        return steepest.torch.SGD(p, lr=0.05, momentum=0.9, nesterov=nesterov)

    straight, _ = by_rule(steepest.sgd(0.05, 0.9, nesterov=nesterov), start(), 0, 30)
    params, state = by_torch(torch_sgd, start(), 0, 10)
    moved = convert(counted(state, 10), "keras")
    assert moved.state.optimizer == "SGD"
    params, state = by_keras(lambda: steepest.keras.SGD(0.05, momentum=0.9, nesterov=nesterov), params, 10, 20, moved.state)
    assert (state.face, state.optimizer) == ("keras", "SGD")
    params, _ = by_torch(torch_sgd, params, 20, 30, state)  # restore rescales by itself
    assert apart(params, straight) < CLOSE


def test_rmsprop_from_optax() -> None:
    tx = steepest.optax.rmsprop(0.01, eps=1e-3, momentum=0.9)
    params, state = by_optax(tx, start(), 0, 10)
    straight, _ = by_optax(tx, start(), 0, 20)
    params, _ = by_keras(lambda: steepest.keras.RMSprop(0.01, epsilon=1e-3, momentum=0.9), params, 10, 20, state)
    assert apart(params, straight) < CLOSE


def test_accumulation_counts_optimizer_steps() -> None:
    _, state = by_torch(lambda p: steepest.torch.Adam(p), start(), 0, 7)
    variables = [keras.Variable(p, dtype="float64", name=name) for name, p in start().items()]
    optimizer = steepest.keras.Adam(gradient_accumulation_steps=3)
    optimizer.build(variables)
    steepest.keras.restore(optimizer, state)
    assert int(optimizer.iterations) == 7
    assert steepest.keras.export(optimizer).count == 7


def test_what_does_not_fit_changes_nothing() -> None:
    variables = [keras.Variable(p, dtype="float64", name=name) for name, p in start().items()]
    optimizer = steepest.keras.Adam()
    with pytest.raises(StateError, match="no variables yet"):
        steepest.keras.export(optimizer)
    optimizer.build(variables)
    optimizer.apply([keras.ops.ones(v.shape, "float64") for v in variables], variables)
    before = [keras.ops.convert_to_numpy(v) for v in optimizer.variables]
    _, sgd = by_torch(lambda p: steepest.torch.SGD(p, momentum=0.9), start(), 0, 2)
    _, adam = by_torch(lambda p: steepest.torch.Adam(p), start(), 0, 2)
    without = TrainingState(adam.strategies, {n: h for n, h in adam.params.items() if n != "bias"}, "torch")
    for state, why in ((counted(sgd, 2), "keeps the state of Trace"), (without, "no state for 'bias'")):
        with pytest.raises(StateError, match=why):
            steepest.keras.restore(optimizer, state)
    with pytest.raises(StateError, match="transposed"):
        steepest.keras.restore(optimizer, adam, rearrange=lambda _, a: a.T)
    assert all(np.array_equal(keras.ops.convert_to_numpy(v), b) for v, b in zip(optimizer.variables, before, strict=True))
