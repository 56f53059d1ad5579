"""Reading a checkpoint: ours, or one of the torch.optim class of the same name. All of it is checked before any is used."""

from collections.abc import Mapping
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from steepest.errors import HyperparameterError, StateError
from steepest.torch.groups import numbers
from steepest.tree import slots

if TYPE_CHECKING:
    from steepest.torch.optimizer import Optimizer


def read(optimizer: "Optimizer", saved: Mapping[str, Any]) -> dict[str, Any]:
    """The groups and the state that a checkpoint gives this optimizer, copied; `StateError` if it does not fit."""
    name = type(optimizer).__name__
    ids = [list(g["params"]) for g in saved["param_groups"]]
    have = [len(g["params"]) for g in optimizer.param_groups]
    if [len(i) for i in ids] != have:
        raise StateError(
            f"{name}: the checkpoint has groups of {[len(i) for i in ids]} parameters, the optimizer of {have}. "
            "Make the optimizer with the same groups, in the same order, then load."
        )
    groups = [_group(optimizer, s, g) for s, g in zip(saved["param_groups"], optimizer.param_groups, strict=True)]
    param_of = dict(zip(chain.from_iterable(ids), chain.from_iterable(g["params"] for g in groups), strict=True))
    group_of = {id(p): g for g in groups for p in g["params"]}
    state: dict[Any, Any] = {}
    for key, value in saved["state"].items():
        if key not in param_of:
            state[key] = deepcopy(value)  # what a user keeps there beside the parameters
            continue
        p = param_of[key]
        _check(optimizer, p, value, group_of[id(p)])
        state[p] = {k: _copied(p, v, k == optimizer.count_key) for k, v in value.items()}
    return {"state": type(optimizer.state)(dict, state), "param_groups": groups}


def _group(optimizer: "Optimizer", saved: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    """One group: the saved values, our parameters, and defaults for what older versions did not write."""
    name = type(optimizer).__name__
    values = deepcopy({k: v for k, v in saved.items() if k != "params"})
    new = {**{k: mine[k] for k in ("param_names",) if k in mine}, **optimizer.added_keys, **values, "params": mine["params"]}
    missing = [k for k in optimizer.defaults if k not in new]
    if missing:
        raise StateError(f"{name}: the checkpoint's groups have no {', '.join(missing)}; it was written by another optimizer.")
    try:
        optimizer._checked(new)
    except HyperparameterError as error:
        raise StateError(f"{name}: a group of the checkpoint cannot be: {error}") from error
    return new


def _check(optimizer: "Optimizer", p: Tensor, saved: Mapping[str, Any], group: Mapping[str, Any]) -> None:
    """Raise unless the saved state of a parameter is ours, all of it and of its shape; it may have none yet."""
    said = f"{type(optimizer).__name__}: the checkpoint has {', '.join(saved)} for a parameter of shape {tuple(p.shape)}, "
    count_key = optimizer.count_key
    wanted = [optimizer._key(s) for s in slots(optimizer._strategy(numbers(group)))]
    present = [k for k in wanted if saved.get(k) is not None]
    if present and count_key is not None:
        wanted = [*wanted, count_key]
        present = [k for k in wanted if saved.get(k) is not None]
    if present and len(present) < len(wanted):
        raise StateError(f"{said}but no {', '.join(k for k in wanted if k not in present)}.")
    for k, value in saved.items():
        like_param = isinstance(value, Tensor) and value.shape == p.shape
        if k in present and k != count_key and not like_param:
            raise StateError(f"{said}and {k} is {tuple(value.shape) if isinstance(value, Tensor) else repr(value)}.")
        if like_param and value.dim() and k not in {*wanted, *optimizer.state_keys.values()}:
            raise StateError(f"{said}and we keep no {k}: it was written by another optimizer. Or take {k} out of it first.")


def _copied(p: Tensor, value: Any, is_count: bool) -> Any:
    """A copy on the parameter's device, in the dtype it was saved in; a step count as PyTorch keeps it."""
    if is_count:
        return torch.tensor(float(value), dtype=torch.float32)
    return value.detach().to(p.device, copy=True) if isinstance(value, Tensor) else deepcopy(value)
