"""Training states to and from other frameworks. See `steepest.checkpoint`."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from steepest.checkpoint.state import Held, Rearrange, Rename, TrainingState
from steepest.errors import StateError, TensorError
from steepest.torch.optimizer import Optimizer
from steepest.tree import slots


def export(optimizer: Optimizer, model: nn.Module | None = None) -> TrainingState:
    """What an optimizer knows, for `steepest.checkpoint.save` or another framework's `restore`.

    Args:
        optimizer: one of steepest.torch.
        model: gives the parameters the names of `model.named_parameters()`. Without it they have the names with which
            the optimizer was made, or "0", "1", ... in its order.

    Raises:
        TensorError: a parameter is complex, or has no name in the model.
    """
    params = {
        name: _held(optimizer, p, group) for (name, p), group in zip(_named(optimizer, model).items(), _groups(optimizer), strict=True)
    }
    strategies = tuple(optimizer.strategy(i) for i in range(len(optimizer.param_groups)))
    name = type(optimizer).__name__
    return TrainingState(strategies, params, "torch", "" if name == "Optimizer" else name)


def restore(
    optimizer: Optimizer, state: TrainingState, model: nn.Module | None = None, *, rename: Rename = None, rearrange: Rearrange = None
) -> None:
    """Go on from a training state: slots and step counts. Hyperparameters stay as they are here.

    Args:
        optimizer: one of steepest.torch, for parameters that mean the same.
        state: from `steepest.checkpoint.load`, or from the `export` of any face.
        model: names the parameters, as for `export`.
        rename: from the names here to those in the state: a dictionary, a function, or "order" for the same order.
        rearrange: `rearrange(name, array)` gives an array of the state the layout it has here: Keras keeps the
            weights of a dense layer transposed.

    Raises:
        StateError: names, shapes or rules do not fit, and why; nothing has been changed.
    """
    named = _named(optimizer, model)
    group_of = dict(zip(named, _groups(optimizer), strict=True))
    strategies = [optimizer.strategy(i) for i in range(len(optimizer.param_groups))]
    shapes = {name: tuple(p.shape) for name, p in named.items()}
    found = dict(state.matched(shapes, lambda name: strategies[group_of[name]], rename, rearrange))
    saved = optimizer.state_dict()
    entries = {i: _entry(optimizer, name, held, named[name]) for i, (name, held) in enumerate(found.items())}
    saved["state"] = {i: entry for i, entry in entries.items() if entry}
    optimizer.load_state_dict(saved)


def _entry(optimizer: Optimizer, name: str, held: Held, p: Tensor) -> dict[str, Any]:
    if not held.count and not held.slots:
        return {}
    dtype = p.dtype if held.dtype == "" else getattr(torch, held.dtype)
    entry: dict[str, Any] = {optimizer._key(slot): torch.tensor(array).to(p.device, dtype) for slot, array in held.slots.items()}
    if optimizer.count_key is not None:
        if held.count is None:
            raise StateError(
                f"The checkpoint does not say how many steps {name!r} has taken (PyTorch's SGD and Lion keep no count), and "
                f"{type(optimizer).__name__} counts them. Say it: steepest.checkpoint.counted(state, count)."
            )
        entry[optimizer.count_key] = torch.tensor(float(held.count))
    return entry


def _held(optimizer: Optimizer, p: Tensor, group: int) -> Held:
    if p.is_complex():
        raise TensorError(f"A parameter of dtype {p.dtype} cannot be exchanged: other frameworks treat complex numbers in another way.")
    state: Mapping[str, Any] = optimizer.state.get(p, {})
    kept = {slot: state[optimizer._key(slot)] for slot in slots(optimizer.strategy(group)) if optimizer._key(slot) in state}
    count = int(state.get(optimizer.count_key, 0)) if optimizer.count_key is not None else None
    dtype = str(next(iter(kept.values())).dtype if kept else p.dtype).removeprefix("torch.")
    return Held(group, count, {slot: _array(t) for slot, t in kept.items()}, dtype)


def _array(t: Tensor) -> Any:
    t = t.detach().cpu()
    return (t.float() if t.dtype is torch.bfloat16 else t).contiguous().numpy().copy()


def _groups(optimizer: Optimizer) -> list[int]:
    return [i for i, group in enumerate(optimizer.param_groups) for _ in group["params"]]


def _named(optimizer: Optimizer, model: nn.Module | None) -> dict[str, Tensor]:
    """Every parameter of the optimizer by its name, in the optimizer's order."""
    params: list[Tensor] = [p for group in optimizer.param_groups for p in group["params"]]
    if model is not None:
        names = {id(p): name for name, p in model.named_parameters()}
        strange = [tuple(p.shape) for p in params if id(p) not in names]
        if strange:
            raise TensorError(f"The optimizer steps a parameter of shape {strange[0]} that is not in the model.")
        return {names[id(p)]: p for p in params}
    given = [name for group in optimizer.param_groups for name in group.get("param_names", ())]
    return dict(zip(given if len(given) == len(params) else map(str, range(len(params))), params, strict=True))
