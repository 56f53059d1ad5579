"""Training states to and from other frameworks. See `steepest.checkpoint`."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax

from steepest.checkpoint.state import Held, Rearrange, Rename, TrainingState
from steepest.errors import StateError
from steepest.transform import Transform
from steepest.tree import slots


def export(optimizer: optax.GradientTransformation, state: Any, params: Any) -> TrainingState:
    """What a transformation of ours knows, for `steepest.checkpoint.save` or another framework's `restore`.

    Parameters are named by their path in the tree, as "dense/kernel". Of a state inside optax.chain, give the part that is
    ours, with the transformation that made it.

    Raises:
        StateError: the transformation is not one of steepest.optax, or the state is not its own.
    """
    strategy = _strategy(optimizer)
    kinds = slots(strategy)
    if getattr(state, "_fields", None) != ("count", *kinds):
        raise StateError(f"The state is {type(state).__name__}{getattr(state, '_fields', '')}, not one that this transformation made.")
    columns = {slot: _leaves(getattr(state, slot)) for slot in kinds}
    held = {
        name: Held(0, int(state.count), {slot: _array(column[name]) for slot, column in columns.items()}, str(jnp.result_type(p)))
        for name, p in _leaves(params).items()
    }
    return TrainingState((strategy,), held, "optax")


def restore(
    optimizer: optax.GradientTransformation, state: TrainingState, params: Any, *, rename: Rename = None, rearrange: Rearrange = None
) -> Any:
    """The transformation's state that goes on from a training state.

    Args:
        optimizer: one of steepest.optax. Its hyperparameters stay as they are.
        state: from `steepest.checkpoint.load`, or from the `export` of any face.
        params: the parameters, whose paths ("dense/kernel") are their names here.
        rename: from the names here to those in the state: a dictionary, a function, or "order" for the same order.
        rearrange: `rearrange(name, array)` gives an array of the state the layout it has here: PyTorch keeps the
            weights of a dense layer transposed.

    Raises:
        StateError: names, shapes or rules do not fit, and why.
    """
    strategy, fresh = _strategy(optimizer), cast("Any", optimizer.init(params))
    named = _leaves(params)
    found = dict(state.matched({name: jnp.shape(p) for name, p in named.items()}, lambda _: strategy, rename, rearrange))
    count = state.count
    if count is None:
        raise StateError(
            "The checkpoint does not say how many steps were taken: PyTorch's SGD and Lion keep no count. "
            "Say it: steepest.checkpoint.counted(state, count)."
        )
    tree = jax.tree.structure(params)
    columns: list[Any] = []
    for slot in slots(strategy):
        begun = _leaves(getattr(fresh, slot))
        columns.append(tree.unflatten([jnp.asarray(found[n].slots[slot], begun[n].dtype) if found[n].slots else begun[n] for n in named]))
    return type(fresh)(jnp.asarray(count, jnp.int32), *columns)


def _strategy(optimizer: Any) -> Transform:
    strategy = getattr(optimizer.update, "strategy", None)
    if not isinstance(strategy, Transform):
        raise StateError(
            "The transformation is not one of steepest.optax. Inside optax.chain, give the part that is, with its part of the state."
        )
    return strategy


def _leaves(tree: Any) -> dict[str, Any]:
    found, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in found}


def _array(x: Any) -> Any:
    x = np.asarray(jnp.asarray(x, jnp.float32) if jnp.result_type(x) == jnp.bfloat16 else x)
    return x.copy()
