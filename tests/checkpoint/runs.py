"""Runs that are stopped and go on elsewhere: the same gradients for everybody, in float64."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

import steepest.optax
import steepest.torch
from steepest import Transform
from steepest.checkpoint import Held, TrainingState
from steepest.execute import eager
from steepest.tree import float_leaves, slots

Arrays = dict[str, Any]
SHAPES = {"kernel": (5, 3), "bias": (3,), "scale": ()}


def start() -> Arrays:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}


def gradient(step: int, params: Mapping[str, Any]) -> Arrays:
    rng = np.random.default_rng(step + 1)
    return {name: rng.standard_normal(shape) + 0.1 * np.asarray(params[name]) for name, shape in SHAPES.items()}


def by_rule(strategy: Transform, params: Arrays, begin: int, end: int, state: TrainingState | None = None) -> tuple[Arrays, TrainingState]:
    """The rule itself on NumPy arrays, from a state or from nothing."""
    held = {
        name: dict(state.params[name].slots)
        if state is not None
        else {s: np.array(p) if slot.init == "param" else np.zeros_like(p) for s, slot in slots(strategy).items()}
        for name, p in params.items()
    }
    for taken in range(begin, end):
        grads = gradient(taken, params)
        values = {leaf.name: getattr(leaf.own, leaf.field) for leaf in float_leaves(strategy)}
        now = {name: value(taken) if callable(value) else value for name, value in values.items()}
        leaves = [eager.Leaf(np.asarray(params[n]), grads[n], held[n], now, taken + 1) for n in params]
        new = dict(zip(params, eager.step(strategy, leaves), strict=True))
        params = {n: new[n]["param"] for n in params}
        held = {n: {s: np.asarray(new[n][s]) for s in held[n]} for n in params}
    kept = {n: Held(0, end, held[n], "float64") for n in params}
    return params, TrainingState((strategy,), kept)


def by_torch(
    make: Any, params: Arrays, begin: int, end: int, state: TrainingState | None = None, **how: Any
) -> tuple[Arrays, TrainingState]:
    """An optimizer of steepest.torch."""
    tensors = {name: torch.nn.Parameter(torch.tensor(np.asarray(p))) for name, p in params.items()}
    optimizer = make(list(tensors.items()))
    if state is not None:
        steepest.torch.restore(optimizer, state, **how)
    for taken in range(begin, end):
        for name, grad in gradient(taken, {n: t.detach().numpy() for n, t in tensors.items()}).items():
            tensors[name].grad = torch.tensor(grad)
        optimizer.step()
    return {n: t.detach().numpy() for n, t in tensors.items()}, steepest.torch.export(optimizer)


def by_optax(tx: Any, params: Arrays, begin: int, end: int, state: TrainingState | None = None, **how: Any) -> tuple[Arrays, TrainingState]:
    """A transformation of steepest.optax."""
    with jax.enable_x64(True):
        arrays = {name: jnp.asarray(p) for name, p in params.items()}
        held = tx.init(arrays) if state is None else steepest.optax.restore(tx, state, arrays, **how)
        for taken in range(begin, end):
            updates, held = tx.update({n: jnp.asarray(g) for n, g in gradient(taken, arrays).items()}, held, arrays)
            arrays = optax.apply_updates(arrays, updates)
        return {n: np.asarray(a) for n, a in arrays.items()}, steepest.optax.export(tx, held, arrays)


def apart(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    return max(float(np.abs(np.asarray(a[name]) - np.asarray(b[name])).max()) for name in b)
