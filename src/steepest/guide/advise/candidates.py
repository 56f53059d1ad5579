"""What can be advised: each registered optimizer, and NAdamW, which is a chain of registered pieces; as a strategy and as code."""

from collections.abc import Mapping
from typing import Any

from steepest.guide.advise import tables
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


def links(name: str, arguments: Mapping[str, Any], lr: str) -> list[str]:
    """The code of the links that make it; `lr` is what stands for the learning rate. Defaults are left out."""
    usual = defaults(name)
    if name == "nadamw":
        every = {**usual, **arguments}
        return [
            f"ScaleByAdam(b1={every['b1']!r}, b2={every['b2']!r}, nesterov=True)",
            f"AddDecayedWeights({every['weight_decay']!r})",
            f"ScaleByLearningRate({lr})",
        ]
    given = [f"{key}={value!r}" for key, value in arguments.items() if key != "lr" and value != usual[key]]
    return [f"steepest.{name}({', '.join([lr, *given])})"]
