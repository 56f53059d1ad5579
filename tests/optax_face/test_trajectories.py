"""200 steps of every function beside optax's own, in float64: over their options, and over kinds of learning rates."""

from collections.abc import Callable
from inspect import signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import steepest
from steepest import optax as face
from tests.optax_face.cases import DEFAULTS, ONE_OF_EACH, OPTIONS, Case, over
from tests.optax_face.trajectory import STEPS, TOLERANCE, same_trajectory
from tests.parity import record

#: what most people train with
SCHEDULE = optax.warmup_cosine_decay_schedule(0.001, 0.02, 20, STEPS, 0.002)


def write(case: Case, apart: float, note: str) -> None:
    if case.tolerance == TOLERANCE:  # the page is of float64 throughout
        record("optax", case.rule, f"optax.{case.rule}", apart, "float64", ", ".join(filter(None, [case.said, note])))


@over(OPTIONS)
def test_options(case: Case) -> None:
    """The learning rate of every step comes from a table, so that one compilation does for a constant and a schedule."""

    def from_table(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda table: make(lambda t: table[t])

    apart = same_trajectory(
        from_table(case.ours),
        from_table(case.reference),
        [jnp.full(STEPS, 0.01), SCHEDULE(jnp.arange(STEPS))],
        tolerance=case.tolerance,
        traced=True,
    )
    write(case, apart, "learning rate constant, and by schedule")


KINDS: dict[str, Callable[[], Any]] = {
    "float": lambda: 0.01,
    "schedule of optax": lambda: SCHEDULE,
}
SCALARS: dict[str, Callable[[], Any]] = {
    "JAX array": lambda: jnp.asarray(0.01),
    "int": lambda: 1,
    "NumPy scalar": lambda: np.float32(0.01),
    "NumPy array": lambda: np.array(0.01),
    "JAX array in float32": lambda: jnp.asarray(0.01, jnp.float32),
    "steps": lambda: optax.piecewise_constant_schedule(0.02, {30: 0.5, 100: 0.1}),
    "line": lambda: optax.linear_schedule(0.02, 0.001, 150),  # which optax computes in float32
}


@over(ONE_OF_EACH)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_learning_rates(case: Case, kind: str) -> None:
    write(case, same_trajectory(case.ours, case.reference, KINDS[kind]()), f"learning rate: {kind}")


@over(case for case in ONE_OF_EACH if case.rule in ("sgd", "adamw"))
@pytest.mark.parametrize("kind", SCALARS)
def test_more_kinds_of_learning_rates(case: Case, kind: str) -> None:
    write(case, same_trajectory(case.ours, case.reference, SCALARS[kind]()), f"learning rate: {kind}")


@over(DEFAULTS)
def test_every_number_traced(case: Case) -> None:
    """Inside `jit` nobody knows the value of any number: no choice may be made of them."""
    numbers = {n: p.default for n, p in signature(case.reference_function).parameters.items() if type(p.default) is float}
    given = jax.tree.map(jnp.asarray, {"learning_rate": 0.01, **numbers})
    apart = same_trajectory(lambda g: case.function(**g), lambda g: case.reference_function(**g), [given], traced=True)
    write(case, apart, "all hyperparameters traced")


OURS = [steepest.Cosine(0.02, steps=180, warmup=10, floor=0.05), steepest.Linear(0.02, steps=150, warmup=3)]


@over(ONE_OF_EACH)
@pytest.mark.parametrize("schedule", OURS, ids=lambda s: type(s).__name__)
def test_our_schedules(case: Case, schedule: Any) -> None:
    """Inside `jit` the count is an array; optax is given the numbers in a table, made with plain numbers."""
    table = jnp.asarray([schedule(t) for t in range(STEPS)])
    write(case, same_trajectory(lambda _: case.ours(schedule), lambda _: case.reference(lambda t: table[t])), repr(schedule))


@pytest.mark.parametrize("schedule", OURS, ids=lambda s: type(s).__name__)
def test_our_schedules_in_a_strategy(schedule: Any) -> None:
    table = jnp.asarray([schedule(t) for t in range(STEPS)])
    links = steepest.ScaleByAdam(), steepest.AddDecayedWeights(schedule), steepest.ScaleByLearningRate(schedule)
    ours = face.transform(steepest.chain(*links))
    reference = optax.adamw(lambda t: table[t], weight_decay=lambda t: table[t])
    record("optax", "adamw", "optax.adamw", same_trajectory(lambda _: ours, lambda _: reference), "float64", f"a chain, {schedule!r} twice")
