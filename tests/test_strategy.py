"""Strategies as values: chains, names of hyperparameters and state, validation, schedules, the registry."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import steepest
from steepest import (
    AddDecayedWeights,
    At,
    Chain,
    ClipByGlobalNorm,
    Cosine,
    Linear,
    Lookahead,
    ScaleByAdam,
    ScaleByLearningRate,
    Slot,
    Step,
    Trace,
    Transform,
    Value,
    chain,
)
from steepest.errors import HyperparameterError, SteepestError, TraceError, UnknownOptimizer
from steepest.plan import plan
from steepest.tree import hyperparameters, slots, with_hyperparameters
from tests.strategies import ALL, ScaleByPast


def test_a_chain_is_a_value() -> None:
    one, two = (chain(ScaleByAdam(b1=0.8), ScaleByLearningRate(0.1)) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != chain(ScaleByAdam(b1=0.7), ScaleByLearningRate(0.1))
    assert chain(ScaleByAdam(), chain(Trace(), ScaleByLearningRate(0.1))) == chain(ScaleByAdam(), Trace(), ScaleByLearningRate(0.1))
    with pytest.raises(FrozenInstanceError):
        ScaleByAdam().b1 = 0.5  # type: ignore[misc]


@pytest.mark.parametrize("strategy", [s for _, s in ALL], ids=[n for n, _ in ALL])
def test_prints_as_the_code_that_makes_it(strategy: Transform) -> None:
    names = {**vars(steepest), "ScaleByPast": ScaleByPast, "chain": chain}
    assert eval(repr(strategy), names) == strategy


def test_names_are_unique_and_readable() -> None:
    twice = Lookahead(chain(Trace(0.5), ScaleByAdam(), Trace(0.9), ScaleByLearningRate(0.1)), k=3)
    assert list(slots(twice)) == ["trace", "mu", "nu", "trace_2", "slow"]
    found = hyperparameters(twice)
    assert (found["momentum"], found["momentum_2"], found["k"], found["lr"]) == (0.5, 0.9, 3, 0.1)


def test_other_hyperparameters_same_strategy() -> None:
    new = with_hyperparameters(chain(ScaleByAdam(), ScaleByLearningRate(0.1)), {"lr": 0.2, "b2": 0.5})
    assert new == chain(ScaleByAdam(b2=0.5), ScaleByLearningRate(0.2))
    with pytest.raises(HyperparameterError, match=r"no hyperparameter 'learning_rate'.*b1, b2, eps, eps_hat, nesterov, lr"):
        with_hyperparameters(new, {"learning_rate": 0.1})
    with pytest.raises(HyperparameterError, match=r"b2=1\.5 is out of range: 0 <= x < 1"):
        with_hyperparameters(new, {"b2": 1.5})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ScaleByAdam(b1=1.0), r"ScaleByAdam: b1=1\.0 is out of range: 0 <= x < 1"),
        (lambda: ScaleByAdam(b1=-0.1), "out of range"),
        (lambda: ScaleByAdam(eps=float("nan")), "out of range"),
        (lambda: ScaleByAdam(b1="0.9"), "is not a number"),
        (lambda: ScaleByAdam(b1=True), "is not a number"),
        (lambda: ScaleByAdam(b1=lambda t: 0.9), "is not a number"),
        (lambda: ScaleByAdam(b1=np.ones(3)), "cannot be read as one number"),
        (lambda: ScaleByLearningRate(-1.0), "out of range"),
        (lambda: ScaleByLearningRate("fast"), "A schedule is a function"),
        (lambda: Lookahead(chain(ScaleByAdam()), k=0), "out of range"),
        (lambda: Lookahead(chain(ScaleByAdam()), k=2.5), "must be int"),
        (lambda: Lookahead(chain(ScaleByAdam()), k=True), "must be int"),
        (lambda: Trace(nesterov=1), "must be bool"),
        (lambda: ClipByGlobalNorm(0.0), "out of range"),
        (lambda: chain(), "chain\\(\\) is empty"),
        (lambda: chain(ScaleByAdam), r"Did you mean ScaleByAdam\(\.\.\.\)\?"),
        (lambda: chain("adam"), "takes transforms"),
        (lambda: steepest.sgd(nesterov=True), "needs momentum > 0"),
        (lambda: steepest.adabelief(amsgrad=True), "choose rectify=False"),
        (lambda: Cosine(1.0, steps=10, warmup=10), "warmup < steps"),
        (lambda: Linear(-1.0, steps=10), "must not be negative"),
    ],
)
def test_impossible_settings(make: object, says: str) -> None:
    with pytest.raises(HyperparameterError, match=says):
        make()  # type: ignore[operator]


def test_errors_are_also_the_built_in_ones() -> None:
    assert issubclass(HyperparameterError, ValueError)
    assert issubclass(TraceError, TypeError)
    assert issubclass(UnknownOptimizer, LookupError)
    assert all(issubclass(e, SteepestError) for e in (HyperparameterError, TraceError, UnknownOptimizer))


def test_schedules_are_asked_for_steps_already_taken() -> None:
    asked: list[int] = []

    def lr(taken: int) -> float:
        asked.append(taken)
        return 0.1

    from tests.checks import scalars

    scalars(chain(ScaleByLearningRate(lr)), count=1)
    scalars(chain(ScaleByLearningRate(lr)), count=7)
    assert asked == [0, 6]


def test_warm_up_rises_to_the_peak_and_the_decay_ends_at_the_floor() -> None:
    for schedule in (Cosine(0.5, steps=100, warmup=9, floor=0.1), Linear(0.5, steps=100, warmup=9, floor=0.1)):
        values = [schedule(t) for t in range(120)]
        assert values[0] == pytest.approx(0.05)
        assert max(values) == values[9] == 0.5
        assert values[100] == pytest.approx(0.05)
        assert values[-1] == pytest.approx(0.05)
        assert values[9:101] == sorted(values[9:101], reverse=True)


def test_registry() -> None:
    assert steepest.optimizers() == ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "adabelief", "lookahead", "lion"]
    assert steepest.optimizers("ada*") == ["adam", "adamw", "adabelief"]
    with pytest.raises(UnknownOptimizer, match="Did you mean 'adamw'"):
        steepest.registration("Adam-W")
    for name in steepest.optimizers():
        entry = steepest.registration(name)
        assert entry.summary.endswith(".")
        assert entry.paper
        assert entry.defaults["lr"] > 0
        assert isinstance(entry.build(), Transform)


def test_a_name_cannot_be_taken_twice() -> None:
    def lion() -> Chain:
        """Another lion."""
        return chain(ScaleByLearningRate(0.1))

    with pytest.raises(ValueError, match=r"'lion' is registered already, by steepest\.rules\.lion"):
        steepest.optimizer(title="Lion", paper="none")(lion)


def test_names_of_the_language_are_not_for_slots_and_fields() -> None:
    class Counting(Transform):
        count = Slot()

        def update(self, u: Value, at: At, count: Value) -> Step:
            return Step(u, count=count)

    with pytest.raises(TraceError, match="count is a name of"):
        plan(chain(Counting()))


def test_decay_means_what_its_place_says() -> None:
    first = chain(AddDecayedWeights(0.1), ScaleByAdam(), ScaleByLearningRate(0.1))
    later = chain(ScaleByAdam(), AddDecayedWeights(0.1), ScaleByLearningRate(0.1))
    assert plan(first).ordinary().outputs["mu"] is not plan(later).ordinary().outputs["mu"]
    assert first == steepest.adam(lr=0.1, weight_decay=0.1)
    assert later == steepest.adamw(lr=0.1, weight_decay=0.1)
