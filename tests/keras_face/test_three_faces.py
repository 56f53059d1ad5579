"""One strategy through PyTorch's, Keras' and optax's interface: the same 200 steps."""

from typing import Any

import keras
import numpy as np
import pytest

import steepest.optax
import steepest.torch
from steepest import (
    AddDecayedWeights,
    At,
    Cautious,
    ClipByGlobalNorm,
    Cosine,
    Linear,
    Lookahead,
    ScaleByAdam,
    ScaleByBelief,
    ScaleByLearningRate,
    ScaleByLion,
    ScaleByTrustRatio,
    ShrinkWeights,
    Slot,
    Step,
    Trace,
    Transform,
    Value,
    chain,
    sign,
    where,
)
from steepest import keras as face
from steepest.transform import NonNegative
from tests.keras_face.references import by_torch
from tests.keras_face.trajectory import BACKEND, COMPARED, DTYPE, Snapshot, compare, noise, trajectory
from tests.parity import record

pytestmark = pytest.mark.skipif(DTYPE == "float32", reason="Keras on TensorFlow has float32's digits only")

lr = ScaleByLearningRate(0.01)


class Hesitant(Transform):
    """A user's rule: halve what has just changed its sign; keep the last update."""

    factor: NonNegative = 0.5

    last = Slot()

    def update(self, u: Value, at: At, last: Value) -> Step:
        return Step(where(sign(u) * sign(last) < 0, self.factor * u, u), last=u)


STRATEGIES = [
    chain(ClipByGlobalNorm(0.5), ScaleByAdam(), lr),
    chain(ScaleByBelief(rectify=True), Cautious(), lr),
    chain(ScaleByAdam(), AddDecayedWeights(0.1), ScaleByTrustRatio(), lr),
    Lookahead(chain(ScaleByBelief(eps=1e-8), lr), k=4, alpha=0.5),
    chain(ShrinkWeights(0.01, 0.1), Hesitant(0.3), Trace(0.8, nesterov=True), lr),
    chain(ScaleByLion(), ScaleByLearningRate(Cosine(0.02, steps=180, warmup=10, floor=0.05))),
    Lookahead(chain(ClipByGlobalNorm(1.0), Trace(0.9), ScaleByLearningRate(Linear(0.02, steps=150, warmup=3))), k=3),
]


def by_optax(strategy: Transform) -> list[Snapshot]:
    import jax
    import jax.numpy as jnp
    import optax

    start, noises = noise()
    transformation = steepest.optax.transform(strategy)

    def step(carry: Any, now: Any) -> Any:
        params, state = carry
        updates, state = transformation.update([n + 0.1 * p for n, p in zip(now, params, strict=True)], state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    params = list(map(jnp.asarray, start))
    _, passed = jax.jit(lambda c, x: jax.lax.scan(step, c, x))((params, transformation.init(params)), noises)
    return [Snapshot([np.asarray(p[t - 1]) for p in passed], []) for t in COMPARED]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: repr(s)[:80])
def test_same_trajectory(strategy: Transform) -> None:
    in_keras = trajectory(lambda _: face.Optimizer(strategy))
    for name, theirs in {
        "steepest.torch.Optimizer": by_torch(lambda params: steepest.torch.Optimizer(params, strategy)),
        "steepest.optax.transform": by_optax(strategy),
    }.items():
        apart = compare(in_keras, theirs, 1e-10, state=False)
        record(f"keras-{BACKEND}", repr(strategy), name, apart, DTYPE)


def test_the_learning_rate_of_a_strategy_is_keras() -> None:
    """Given or set, it is that of every ScaleByLearningRate in the chain."""
    strategy = chain(ScaleByAdam(), ScaleByLearningRate(0.5))
    got = trajectory(
        lambda _: face.Optimizer(strategy, learning_rate=0.01, weight_decay=0.1), changes={50: lambda o: setattr(o, "learning_rate", 0.03)}
    )
    want = trajectory(lambda _: face.Optimizer(strategy, 0.01, 0.1, name="other"), changes={50: lambda o: o._learning_rate.assign(0.03)})
    compare(got, want, 1e-15)
    assert keras.ops.convert_to_numpy(face.Optimizer(strategy).learning_rate) == 0.5
