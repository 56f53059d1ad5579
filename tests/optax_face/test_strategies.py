"""`transform(strategy)`: any chain, also of one's own transforms, equals the rule called on NumPy's arrays."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import steepest
from steepest import At, Slot, Step, Transform, Value, chain, maximum, where
from steepest import optax as face
from steepest.execute import eager
from steepest.tree import floats, hyperparameters, slots
from tests.optax_face.trajectory import distance, drawn, quick_jit, trajectory
from tests.parity import record

STEPS = 50
SHAPES = ((), (7,), (6, 5), (0, 2))
LR = steepest.ScaleByLearningRate(0.02)


class Rprop(Transform):
    """A user's own: a step size for each weight, larger while the sign of its gradient stays. Riedmiller & Braun 1993."""

    larger: float = 1.2
    smaller: float = 0.5
    twice: bool = False

    before = Slot()
    size = Slot(init="param")

    def update(self, u: Value, at: At, before: Value, size: Value) -> Step:
        size = maximum(where(u * before > 0, self.larger, self.smaller) * abs(size), 1e-6)
        return Step(size * steepest.sign(u) * (2 if self.twice else 1), before=u, size=size)


STRATEGIES: dict[str, Transform] = {
    "clipped by the model's norm": chain(steepest.ClipByGlobalNorm(0.3), steepest.ScaleByAdam(), LR),
    "clipped by value": chain(steepest.ClipByValue(0.1), LR, steepest.Trace(0.9)),
    "cautious": chain(steepest.ScaleByLion(), steepest.Cautious(), LR),
    "trust ratio": chain(steepest.ScaleByAdam(), steepest.AddDecayedWeights(0.1), steepest.ScaleByTrustRatio(), LR),
    "rectified, coupled decay": chain(steepest.AddDecayedWeights(0.1), steepest.ScaleByBelief(rectify=True), LR),
    "lookahead": steepest.Lookahead(chain(steepest.ScaleByAdam(), LR), k=4, alpha=0.3),
    "lookahead of clipped": steepest.Lookahead(chain(steepest.ClipByGlobalNorm(0.3), steepest.Trace(), LR), k=1),
    "shrunk last": chain(steepest.ScaleByRms(), LR, steepest.ShrinkWeights(0.02, 0.5)),
    "of one's own": chain(Rprop(twice=True), steepest.Scale(-0.01)),
    "twice the same": chain(steepest.Trace(0.5), steepest.Trace(0.9, 0.5), LR),
    "scheduled": chain(
        steepest.ScaleByMaxBelief(eps=1e-8),
        steepest.AddDecayedWeights(steepest.Linear(0.3, steps=40)),
        steepest.ScaleByLearningRate(steepest.Cosine(0.05, steps=45, warmup=5)),
    ),
    "no chain": steepest.ScaleByLearningRate(lambda t: 0.1 / (t + 1)),
    "a registered optimizer": steepest.lookahead(0.01, weight_decay=0.1, k=3),
}
every = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)


def by_numpy(strategy: Transform, begin: list[Any], noises: list[Any]) -> list[Any]:
    """The parameters after every step, by the rule itself."""
    params = [np.asarray(p) for p in begin]
    kinds = slots(strategy)
    state = [{n: p.copy() if kind.init == "param" else np.zeros_like(p) for n, kind in kinds.items()} for p in params]
    passed = []
    for t in range(STEPS):
        now = {n: v(t) if callable(v) else v for n, v in hyperparameters(strategy).items() if n in floats(strategy)}
        leaves = [eager.Leaf(p, np.asarray(n[t]) + 0.1 * p, s, now, t + 1) for p, n, s in zip(params, noises, state, strict=True)]
        new = eager.step(strategy, leaves)
        params = [np.asarray(leaf.pop("param")) for leaf in new]
        state = new
        passed.append(params)
    return [np.stack(column) for column in zip(*passed, strict=True)]


@every
def test_same_as_the_rule_on_numpy_arrays(strategy: Transform) -> None:
    begin, noises = drawn(shapes=SHAPES)
    tx = face.transform(strategy)
    got = quick_jit(lambda p, n: trajectory(tx, p, n)[0])(begin, [n[:STEPS] for n in noises])
    apart = distance(got, [jnp.asarray(x) for x in by_numpy(strategy, begin, noises)], begin)
    assert apart < 1e-12
    record("optax", "a strategy", "the rule on NumPy arrays", apart, "float64", repr(strategy))


def test_names_are_made_unique() -> None:
    tx = face.transform(STRATEGIES["twice the same"])
    assert tx.init(jnp.ones(2))._fields == ("count", "trace", "trace_2")
    assert face.transform(STRATEGIES["lookahead"]).init(jnp.ones(2))._fields == ("count", "mu", "nu", "slow")


def test_dtypes_and_starts_by_name() -> None:
    tx = face.transform(STRATEGIES["twice the same"], dtypes={"trace_2": jnp.bfloat16}, start={"trace": 0.25})
    state = tx.init({"a": jnp.ones(2, jnp.float32)})
    assert (state.trace["a"].dtype, state.trace_2["a"].dtype) == (jnp.float32, jnp.bfloat16)
    assert (state.trace["a"] == 0.25).all()


def test_sums_in_float32_are_of_all_leaves() -> None:
    """Without x64, and for leaves of two dtypes."""
    with jax.enable_x64(False):
        tx = face.transform(chain(steepest.ClipByGlobalNorm(1.0), steepest.Scale(-1.0)))
        grads = {"a": jnp.asarray([3.0]), "b": jnp.asarray([4.0], jnp.bfloat16)}
        updates, _ = jax.jit(tx.update)(grads, tx.init(grads), grads)
        assert (updates["a"].dtype, updates["b"].dtype) == (jnp.float32, jnp.bfloat16)
        np.testing.assert_allclose(updates["a"], -0.6, rtol=1e-6)
        np.testing.assert_allclose(updates["b"].astype(jnp.float32), -0.8, rtol=1e-2)


@pytest.mark.parametrize("norm", [0.0, np.inf, np.nan])
def test_clipping_as_optax_does(norm: float) -> None:
    """A gradient of zero; one with an infinity in it, where optax makes that entry nan and the others 0; one with a nan."""
    grads = {"a": jnp.asarray([norm, 0.0]), "b": jnp.asarray(0.5 if norm else 0.0)}
    got, want = (
        tx.update(grads, tx.init(grads), grads)[0]
        for tx in (face.transform(steepest.ClipByGlobalNorm(0.1)), optax.clip_by_global_norm(0.1))
    )
    jax.tree.map(np.testing.assert_array_equal, got, want)


def test_composed_with_optaxs_pieces() -> None:
    """A strategy may be a link in optax's chain: alone it does not turn the gradient around."""
    ours = optax.chain(face.transform(chain(steepest.ScaleByBelief(), steepest.Cautious())), optax.scale_by_learning_rate(0.1))
    whole = face.transform(chain(steepest.ScaleByBelief(), steepest.Cautious(), steepest.ScaleByLearningRate(0.1)))
    begin, noises = drawn(shapes=SHAPES)
    a, b = (quick_jit(lambda p, n, tx=tx: trajectory(tx, p, n)[0])(begin, noises) for tx in (ours, whole))
    assert distance(a, b, begin) < 1e-12
