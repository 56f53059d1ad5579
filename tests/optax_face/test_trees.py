"""Parameters as models keep them: nested trees, 0-dim and empty leaves, places that hold nothing, leaves left out."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steepest
from steepest import optax as face
from tests.optax_face.cases import ONE_OF_EACH, Case, over
from tests.optax_face.trajectory import drawn, same_trajectory
from tests.parity import record

SHAPES = ((), (7,), (16, 5), (0, 3))


def tree(leaves: list[Any]) -> Any:
    """Dictionaries, tuples, a list, a place that holds nothing."""
    scalar, vector, matrix, empty = leaves
    return {"head": (scalar, {"bias": vector}), "body": [matrix, None], "empty": empty}


def nested() -> dict[str, Any]:
    begin, noises = drawn(shapes=SHAPES)
    return {"begin": tree(begin), "noises": tree(noises)}


@over(ONE_OF_EACH)
def test_nested_trees(case: Case) -> None:
    apart = same_trajectory(case.ours, case.reference, **nested())
    record("optax", case.rule, f"optax.{case.rule}", apart, "float64", f"{case.said}, a nested tree")


MASKS = {
    "tree": {"head": (False, {"bias": True}), "body": [True, None], "empty": True},
    "prefix": {"head": False, "body": True, "empty": True},
    "function": lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
    "nowhere": False,
}


@pytest.mark.parametrize("mask", MASKS)
@over(Case(rule, {"weight_decay": 0.3}) for rule in ("adamw", "lion"))
def test_decay_masks(case: Case, mask: str) -> None:
    def with_mask(make: Any) -> Any:
        return lambda lr: make(lr, mask=MASKS[mask])

    apart = same_trajectory(with_mask(case.ours), with_mask(case.reference), **nested())
    record("optax", case.rule, f"optax.{case.rule}", apart, "float64", f"{case.said}, mask: {mask}")


@pytest.mark.parametrize("tree", [jnp.ones(3), (), {}, [None], {"a": None, "b": (jnp.ones(()),)}], ids=str)
@over(ONE_OF_EACH)
def test_small_trees(case: Case, tree: Any) -> None:
    """One leaf alone; and no leaf at all, as where everything is frozen."""
    ours, reference = case.ours(), case.reference()
    got, state = ours.update(tree, ours.init(tree), tree)
    want, _ = reference.update(tree, reference.init(tree), tree)
    assert jax.tree.structure(got) == jax.tree.structure(want)
    jax.tree.map(lambda g, w: np.testing.assert_allclose(g, w, rtol=1e-12), got, want)
    assert state.count == 1


@over(ONE_OF_EACH)
def test_a_gradient_that_is_none(case: Case) -> None:
    """A parameter without a gradient stays where it is, with its slots, as optax's rules that allow for it have it."""
    params = {"a": jnp.ones(3), "b": (jnp.ones(2), jnp.zeros(()))}
    tx = case.ours()
    _, before = tx.update(params, tx.init(params), params)
    updates, state = tx.update({"a": None, "b": params["b"]}, before, params)
    assert updates["a"] is None
    for slot in state._fields[1:]:
        assert getattr(state, slot)["a"] is getattr(before, slot)["a"]
        assert not np.array_equal(getattr(state, slot)["b"][0], getattr(before, slot)["b"][0]), "its neighbour goes on"


def test_trees_of_other_shapes_are_refused() -> None:
    tx, params = face.adam(0.1), {"a": jnp.ones(3), "b": jnp.ones(2)}
    state = tx.init(params)
    with pytest.raises(ValueError, match="key"):
        tx.update({"a": jnp.ones(3), "c": jnp.ones(2)}, state, params)
    with pytest.raises(ValueError, match="shape"):
        tx.update({"a": jnp.ones(3), "b": jnp.ones(4)}, state, params)
    with pytest.raises(ValueError, match="key"):
        tx.update({"a": jnp.ones(3)}, state, params)


def test_sums_over_the_model_leave_out_what_has_no_gradient() -> None:
    tx = face.transform(steepest.chain(steepest.ClipByGlobalNorm(1.0), steepest.ScaleByLearningRate(1.0)))
    params = {"a": jnp.ones(2), "b": jnp.ones(1), "c": jnp.zeros((0, 3))}
    grads = {"a": jnp.asarray([3.0, 4.0]), "b": None, "c": jnp.zeros((0, 3))}
    updates, _ = tx.update(grads, tx.init(params), params)
    np.testing.assert_allclose(updates["a"], [-0.6, -0.8], rtol=1e-12)


def test_numpy_arrays_and_numbers() -> None:
    """Whatever optax takes for a leaf."""
    params = {"w": np.ones((2, 3)), "b": 0.5}
    grads = {"w": np.full((2, 3), 0.25), "b": 2.0}
    for case in ONE_OF_EACH:
        ours, reference = case.ours(), case.reference()
        got, _ = ours.update(grads, ours.init(params), params)
        want, _ = reference.update(grads, reference.init(params), params)
        jax.tree.map(lambda g, w: np.testing.assert_allclose(g, w, rtol=1e-12), got, want)
