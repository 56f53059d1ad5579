"""From one framework's optimizer to another's of the same name: the same settings, the state in the other's convention.

A strategy is read into neutral settings and said again by the other framework's composition (`steepest.conventions`).
A setting that it cannot express is a reason to refuse; one whose meaning differs a little is a note.
"""

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from steepest.checkpoint.settings import Settings, settings
from steepest.checkpoint.slots import carried
from steepest.checkpoint.state import Held, TrainingState
from steepest.conventions import keras, optax, torch
from steepest.errors import StateError
from steepest.transform import Transform

FACES: Mapping[str, ModuleType] = {"torch": torch, "keras": keras, "optax": optax}

#: What an argument is where a framework does not have it. Others (`eps_root` of AdaBelief) follow from eps.
_ABSENT: Mapping[str, Any] = {
    "momentum": 0.0,
    "dampening": 0.0,
    "nesterov": False,
    "centered": False,
    "rectify": False,
    "amsgrad": False,
    "bias_correction": False,
    "eps_root": 0.0,
    "correct_mu": True,
    "correct_nu": True,
}
#: Arguments whose difference is told, not refused: the state is the same, and so, nearly, are the steps.
_NOTES: Mapping[str, str] = {
    "eps_hat": "Keras adds eps before Adam's bias correction, PyTorch and optax after it: early steps differ where gradients are tiny",
    "eps_in_sqrt": "Keras has eps inside RMSProp's root, PyTorch outside, optax as you ask: steps differ where gradients are tiny",
}


class Converted(NamedTuple):
    """A state in another framework's convention, and what to know about it."""

    state: TrainingState
    call: str
    """The optimizer to restore it into, as code."""
    notes: tuple[str, ...]


def convert(state: TrainingState, to: str) -> Converted:
    """The state as the optimizer of the same name in framework `to` keeps it.

    Args:
        state: from `load`, or from a face's `export`.
        to: "torch", "keras" or "optax".

    Raises:
        StateError: the other framework cannot go on from it, and why.
    """
    if to not in FACES:
        raise StateError(f"There is no framework {to!r} here. There are: {', '.join(FACES)}.")
    old = state.strategy
    said = settings(old)
    if state.face == "keras" and state.options.get("weight_decay"):
        said = said._replace(weight_decay=state.options["weight_decay"], decoupled=True)
    name, build, new, outside, differ = _said_again(said, to)
    factors = carried(old, new, state.count)
    params = {
        p: Held(
            0, h.count, {s: np.asarray(h.slots[source] * factor, h.slots[source].dtype) for s, (source, factor) in factors.items()}, h.dtype
        )
        if h.slots
        else Held(0, h.count, {}, h.dtype)
        for p, h in state.params.items()
    }
    notes = [
        f"{slot} was multiplied by {f:g}: the learning rate is inside the buffer in one framework only"
        for slot, (_, f) in factors.items()
        if f != 1
    ]
    notes += [_NOTES[argument] for argument in differ]
    notes += [f"{k}={v!r} belongs to Keras' optimizer alone: do the same in your training loop" for k, v in _around(state).items()]
    converted = TrainingState((new,), params, to, name, outside)
    return Converted(converted, _call(to, name, build, new, outside), tuple(notes))


def _said_again(said: Settings, to: str) -> tuple[str, Callable[..., Transform], Transform, dict[str, Any], list[str]]:
    """The other framework's name, its composition, what that gives, what is applied around it, what means something else."""
    module, rule, arguments, outside = FACES[to], said.rule, dict(said.arguments), dict[str, Any]()
    if said.weight_decay and rule == "sgd" and not arguments.get("momentum"):
        said = said._replace(decoupled=to != "torch")  # without a memory of gradients both kinds are one
    if said.weight_decay:
        if to == "keras" and said.decoupled:
            outside["weight_decay"] = said.weight_decay
            rule = "adamw" if rule == "adam" else rule
        else:
            rule = "adamw" if rule == "adam" and said.decoupled else rule
            arguments |= {"weight_decay": said.weight_decay, "decoupled": said.decoupled}
    if to == "optax" and arguments.get("amsgrad"):
        rule = "amsgrad"
        del arguments["amsgrad"]
    build: Callable[..., Transform] = getattr(module, rule, None) or module.adam
    takes = inspect.signature(build).parameters
    if "weight_decay" in arguments and (
        "weight_decay" not in takes or ("decoupled" not in takes and said.decoupled != _decouples(to, rule))
    ):
        kind = "decoupled weight decay" if said.decoupled else "L2 weight decay (it enters the gradient)"
        raise StateError(f"{to}'s {module.NAMES.get(rule, rule)} has no {kind}, and the run has {said.weight_decay}. {_OWN}")
    given: dict[str, Any] = {}
    for name, value in arguments.items():
        if name in takes:
            given[name] = value
        elif name in _ABSENT and value != _ABSENT[name] and not (name == "eps_root" and value == arguments.get("eps")):
            raise StateError(f"{to}'s {module.NAMES.get(rule, rule)} has no {name}, and the run has {name}={value!r}. {_OWN}")
    if takes.get("momentum") is not None and takes["momentum"].default is None and not given.get("momentum"):
        given.pop("momentum", None)  # optax: no momentum is None, and 0.0 is a buffer
    new = build(**given)
    mine = settings(new).arguments
    differ = [name for name in _NOTES if name in arguments and mine.get(name, False) != arguments[name]]
    return module.NAMES.get(rule, rule), build, new, outside, differ


_BUFFER = "frameworks differ in whether the learning rate, and its sign, are inside the momentum buffer"
_OWN = "To go on exactly, restore it into steepest's Optimizer(state.strategy), or optax's transform(state.strategy)."


def _decouples(to: str, rule: str) -> bool:
    """Whether the weight decay of a composition that does not ask is decoupled."""
    return to == "optax" or rule == "lion"


def _around(state: TrainingState) -> dict[str, Any]:
    return {k: v for k, v in state.options.items() if k != "weight_decay" and v not in (None, False)} if state.face == "keras" else {}


def _call(to: str, name: str, build: Callable[..., Transform], new: Transform, outside: Mapping[str, Any]) -> str:
    """The code that makes the optimizer, without what is its default in the composition anyway."""
    names, mine, shown = FACES[to].NAMES, settings(new), dict[str, str]()
    values = {**mine.arguments, "weight_decay": mine.weight_decay}
    for argument, parameter in inspect.signature(build).parameters.items():
        if argument in values and (parameter.default is parameter.empty or values[argument] != parameter.default):
            shown[names.get(argument, argument)] = repr(values[argument])
    if "betas[0]" in shown:
        shown = {"lr": shown.pop("lr"), "betas": f"({shown.pop('betas[0]')}, {shown.pop('betas[1]')})", **shown}
    shown |= {argument: repr(value) for argument, value in outside.items()}
    return f"steepest.{to}.{name}({', '.join(f'{k}={v}' for k, v in shown.items())})"
