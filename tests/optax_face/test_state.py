"""The state: a named tuple by optax's names, found by optax's tree functions, written and read by others."""

import pickle
from typing import Any

import flax.serialization
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import steepest
from steepest import optax as face
from tests.optax_face.cases import DEFAULTS, ONE_OF_EACH, Case, over
from tests.optax_face.test_jit import MAKES, arrays, same


def stepped(tx: Any) -> tuple[Any, Any]:
    """Parameters, and the state after two steps."""
    params = arrays()
    state = tx.init(params)
    for t in range(2):
        grads = jax.tree.map(lambda p, t=t: jnp.sin(p + t), params)
        updates, state = tx.update(grads, state, params)
        params = optax.apply_updates(params, updates)
    return params, state


@over([*DEFAULTS, *ONE_OF_EACH])
def test_names_are_those_of_optax(case: Case) -> None:
    """`optax.tree.get` finds the same values under the same names; where optax counts nothing, we count all the same."""
    (_, ours), (_, theirs) = stepped(case.ours()), stepped(case.reference())
    found = []
    for name in ("mu", "nu", "nu_max", "trace"):
        want = optax.tree.get_all_with_path(theirs, name)
        got = optax.tree.get(ours, name, None)
        assert len(want) == (got is not None), name
        if want:
            same(got, want[0][1])
            found.append(name)
    assert set(ours._fields) == {"count", *found}
    assert optax.tree.get(ours, "count") == 2
    assert ours.count.dtype == jnp.int32
    for path, count in optax.tree.get_all_with_path(theirs, "count"):
        assert count == ours.count, path


def test_a_state_is_changed_by_name() -> None:
    _, state = stepped(face.adam(0.1))
    state = optax.tree.set(state, count=jnp.asarray(7, jnp.int32), mu=jax.tree.map(jnp.zeros_like, state.mu))
    assert state.count == 7
    assert not any(x.any() for x in jax.tree.leaves(state.mu))
    assert state._replace(count=state.count + 1).count == 8


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_map_params(make: Any) -> None:
    """optax finds out which parts of a state are like the parameters (for sharding, say): all but the counts."""
    tx, params = make(), arrays()
    state = tx.init(params)
    marked = optax.tree.map_params(tx, lambda _: "like a parameter", state, transform_non_params=lambda _: "a count")
    leaves = jax.tree.leaves(marked)
    assert leaves.count("a count") == sum(x.dtype == jnp.int32 for x in jax.tree.leaves(state))
    assert len(leaves) == len(jax.tree.leaves(state))
    doubled = optax.tree.map_params(tx, lambda _, p: 2 * p, state, params)
    slots = [x for x in jax.tree.leaves(doubled) if x.dtype != jnp.int32]
    assert all(any(np.array_equal(x, 2 * p) for p in jax.tree.leaves(params)) for x in slots)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_written_and_read(make: Any) -> None:
    """By pickle, and by flax's two forms; the next step is the same."""
    tx = make()
    params, state = stepped(tx)
    fresh = tx.init(params)
    for read in (
        pickle.loads(pickle.dumps(state)),
        flax.serialization.from_bytes(fresh, flax.serialization.to_bytes(state)),
        flax.serialization.from_state_dict(fresh, flax.serialization.to_state_dict(state)),
        jax.tree.unflatten(jax.tree.structure(fresh), jax.tree.leaves(state)),
        jax.device_get(state),
    ):
        assert type(read) is type(state)
        same(read, state, 0)
        same(tx.update(params, read, params), tx.update(params, state, params), 0)


def test_a_state_written_by_flax_has_names() -> None:
    _, state = stepped(face.adam(0.1))
    written = flax.serialization.to_state_dict(state)
    assert list(written) == ["count", "mu", "nu"]
    assert sorted(written["mu"]) == ["b", "w"]


def test_one_class_for_each_set_of_names() -> None:
    """Trees of two states of the same rule have one structure; another rule's is another."""
    params = arrays()
    adam, again, adamw, lion = (tx.init(params) for tx in (face.adam(0.1), face.adam(0.2), face.adamw(0.1), face.lion(0.1)))
    assert jax.tree.structure(adam) == jax.tree.structure(again) == jax.tree.structure(adamw)
    assert jax.tree.structure(adam) != jax.tree.structure(lion)
    assert "count" in repr(adam)
    assert "State" in repr(adam)


def test_the_state_is_no_view_of_the_parameters() -> None:
    """Slow weights begin as the parameters, and outlive them: NumPy arrays that are changed in place, donated buffers."""
    given = np.ones(3)
    for tx in (face.transform(steepest.Lookahead(steepest.ScaleByLearningRate(0.1))), face.lookahead(optax.sgd(0.1), 2, 0.5)):
        state = tx.init(given)
        given *= 0
        np.testing.assert_array_equal(optax.tree.get(state, "slow"), np.ones(3))
        given += 1


def test_a_count_stays_at_its_largest() -> None:
    """2**31 - 1 steps are not followed by a negative count."""
    tx, params = face.adam(0.1), jnp.ones(2)
    state = tx.init(params)._replace(count=jnp.asarray(2**31 - 1, jnp.int32))
    updates, state = tx.update(params, state, params)
    assert state.count == 2**31 - 1
    assert jnp.isfinite(updates).all()
