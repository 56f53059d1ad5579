"""What can be advised: each registered optimizer, and NAdamW, which is a chain of registered pieces; as a strategy and as code."""

from collections.abc import Mapping
from typing import Any

from steepest.errors import GuideError
from steepest.guide import tables
from steepest.registry import registration
from steepest.rules import ScaleByAdam
from steepest.transform import Chain, Scalar, Transform, chain
from steepest.transforms import AddDecayedWeights, ClipByGlobalNorm, ScaleByLearningRate


def nadamw(lr: Scalar = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, weight_decay: float = 1e-2) -> Chain:
    """AdamW that looks one momentum step ahead. Dozat 2016; not registered, as it is a chain of what is there."""
    return chain(ScaleByAdam(b1, b2, eps, nesterov=True), AddDecayedWeights(weight_decay), ScaleByLearningRate(lr))


def names() -> tuple[str, ...]:
    """Every candidate."""
    return tuple(tables.candidates())


def defaults(name: str) -> dict[str, Any]:
    """The arguments of a candidate with their defaults."""
    if name == "nadamw":
        return {"lr": 1e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "weight_decay": 1e-2}
    return registration(name).defaults


def strategy(name: str, arguments: Mapping[str, Any], clip: float | None = None) -> Transform:
    """The strategy of a candidate, clipped first if asked for."""
    made = nadamw(**arguments) if name == "nadamw" else registration(name).build(**arguments)
    return made if clip is None else chain(ClipByGlobalNorm(clip), made)


def call(name: str, arguments: Mapping[str, Any], lr: str) -> str:
    """The code that makes it; `lr` is what stands for the learning rate. Defaults are left out."""
    usual = defaults(name)
    given = {key: value for key, value in arguments.items() if key != "lr" and value != usual[key]}
    if name == "nadamw":
        all_ = {**usual, **arguments}
        scale = ", ".join(f"{key}={all_[key]!r}" for key in ("b1", "b2"))
        return f"ScaleByAdam({scale}, nesterov=True), AddDecayedWeights({all_['weight_decay']!r}), ScaleByLearningRate({lr})"
    unknown = set(given) - set(usual)
    if unknown:
        raise GuideError(f"{name} has no {', '.join(sorted(unknown))}.")
    return f"steepest.{name}({', '.join([lr, *(f'{key}={value!r}' for key, value in given.items())])})"
