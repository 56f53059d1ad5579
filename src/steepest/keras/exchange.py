"""Training states to and from other frameworks. See `steepest.checkpoint`."""

from typing import Any

import keras
import numpy as np
from keras import ops

from steepest.checkpoint.state import Held, Rearrange, Rename, TrainingState
from steepest.errors import StateError
from steepest.keras.drop_in import _DropIn
from steepest.keras.lookahead import OPTIONS
from steepest.keras.optimizer import Optimizer
from steepest.transform import Transform
from steepest.tree import float_leaves, with_hyperparameters


def export(optimizer: Optimizer) -> TrainingState:
    """What an optimizer knows, for `steepest.checkpoint.save` or another framework's `restore`.

    Parameters are named by the path of their variable, as "sequential/dense/kernel". Keras' averages of weights and
    half-accumulated gradients stay behind.

    Raises:
        StateError: the optimizer has not been built: it has no variables yet.
    """
    if not optimizer.built:
        raise StateError("The optimizer has no variables yet: call optimizer.build(model.trainable_variables) first.")
    taken = int(_array(optimizer.iterations))
    held = {
        v.path: Held(0, taken, {slot: _array(made[i]) for slot, made in optimizer._slots.items()}, str(v.dtype))
        for i, v in enumerate(optimizer._trainable_variables)
    }
    options = {option: getattr(optimizer, option) for option in OPTIONS if getattr(optimizer, option) not in (None, False)}
    name = type(optimizer).__name__ if isinstance(optimizer, _DropIn) else ""
    return TrainingState((_with_rate(optimizer),), held, "keras", name, options)


def restore(optimizer: Optimizer, state: TrainingState, *, rename: Rename = None, rearrange: Rearrange = None) -> None:
    """Go on from a training state: slots and the count. Hyperparameters stay as they are here.

    Args:
        optimizer: one of steepest.keras, built: `optimizer.build(model.trainable_variables)`.
        state: from `steepest.checkpoint.load`, or from the `export` of any face.
        rename: from the names here (`variable.path`) to those in the state: a dictionary, a function, or "order".
        rearrange: `rearrange(name, array)` gives an array of the state the layout it has here: PyTorch keeps the
            weights of a dense layer transposed.

    Raises:
        StateError: names, shapes or rules do not fit, and why; nothing has been changed.
    """
    if not optimizer.built:
        raise StateError("The optimizer has no variables yet: call optimizer.build(model.trainable_variables) first.")
    variables = {v.path: v for v in optimizer._trainable_variables}
    if len(variables) < len(optimizer._trainable_variables):
        raise StateError("Two variables have the same path, and cannot be told apart: give the layers names of their own.")
    strategy, count = _with_rate(optimizer), state.count
    found = list(state.matched({path: tuple(v.shape) for path, v in variables.items()}, lambda _: strategy, rename, rearrange))
    if count is None:
        raise StateError(
            "The checkpoint does not say how many steps were taken: PyTorch's SGD and Lion keep no count. "
            "Say it: steepest.checkpoint.counted(state, count)."
        )
    for i, (_, held) in enumerate(found):
        for slot, array in held.slots.items():
            optimizer._slots[slot][i].assign(array)
    optimizer.variables[0].assign(count * (optimizer.gradient_accumulation_steps or 1))


def _with_rate(optimizer: Optimizer) -> Transform:
    """The strategy with the learning rate that Keras keeps beside it, as it is now."""
    strategy, rate = optimizer.strategy, optimizer._learning_rate
    ours = getattr(rate, "schedule", None)  # one of steepest's schedules stays one; of any other, its present value
    ours = float(_array(optimizer.learning_rate)) if ours is None else ours
    return with_hyperparameters(strategy, {leaf.name: ours for leaf in float_leaves(strategy) if leaf.field == "lr"})


def _array(value: Any) -> Any:
    """A copy as NumPy has it, which has no bfloat16."""
    tensor: Any = ops.convert_to_tensor(value)
    half = keras.backend.standardize_dtype(tensor.dtype) == "bfloat16"
    return np.array(ops.convert_to_numpy(ops.cast(tensor, "float32") if half else tensor))
