"""A strategy as code for PyTorch, Keras and optax: the framework's own name where it has one, any-strategy classes where not.

Which name a framework has, and how it calls the arguments, is what `steepest.checkpoint.convert` goes by.
"""

from collections.abc import Mapping
from typing import NamedTuple

from scripts.site.markdown import code
from steepest.checkpoint import TrainingState, convert
from steepest.conventions import keras, optax, torch
from steepest.errors import StateError
from steepest.rules import Lookahead
from steepest.transform import Transform

_INSIDE = "the learning rate is inside the momentum buffer here: the steps are the same as long as it is constant"
TITLES = {"torch": "PyTorch", "keras": "Keras 3", "optax": "optax"}
NAMES: Mapping[str, Mapping[str, str]] = {"torch": torch.NAMES, "keras": keras.NAMES, "optax": optax.NAMES}
ANY = {"torch": "Optimizer", "keras": "Optimizer", "optax": "transform"}
WRAPPER = {"torch": "Lookahead", "keras": "Lookahead", "optax": "lookahead"}


class Call(NamedTuple):
    """How a face is asked for a strategy."""

    names: tuple[str, ...]
    """What is imported from the face."""
    text: str
    """The call; in PyTorch the parameters come first."""
    notes: tuple[str, ...] = ()
    """What is not quite the same in this framework."""


def call(strategy: Transform, face: str, otherwise: str) -> Call:
    """The call that makes `strategy` in a framework; `otherwise` is its code in `steepest`, where the framework has no name for it."""
    if isinstance(strategy, Lookahead):
        inner = call(strategy.inner, face, repr(strategy.inner))
        k, alpha = (NAMES[face].get(name, name) for name in ("k", "alpha"))
        text = f"{WRAPPER[face]}({inner.text}, {k}={strategy.k}, {alpha}={strategy.alpha})"
        return Call((WRAPPER[face], *inner.names), text, inner.notes)
    try:
        made = convert(TrainingState((strategy,), {}, ""), face)
    except StateError as error:
        first = "model.parameters(), " if face == "torch" else ""
        return Call((ANY[face],), f"{ANY[face]}({first}{otherwise})", (f"Any strategy: {str(error).partition('. ')[0]}",))
    text = made.call.removeprefix(f"steepest.{face}.")
    name, _, arguments = text.partition("(")
    notes = tuple(_INSIDE if "multiplied" in note else note for note in made.notes)
    return Call((name,), f"{name}(model.parameters(), {arguments}" if face == "torch" else text, notes)


def program(strategy: Transform, face: str, otherwise: str) -> str:
    """A program that makes the optimizer and takes a step."""
    made = call(strategy, face, otherwise)
    ours = f"from steepest.{face} import {', '.join(sorted(made.names))}\n"
    if "steepest." in made.text:
        ours = f"import steepest\n{ours}"
    return _PROGRAMS[face].format(ours=ours, call=laid_out(made.text))


def tabbed(strategy: Transform, otherwise: str) -> list[tuple[str, str]]:
    """The three programs, each with what is to be known about it."""
    parts: list[tuple[str, str]] = []
    for face, title in TITLES.items():
        notes = "".join(f"\n{note[0].upper()}{note[1:].rstrip('.')}.\n" for note in call(strategy, face, otherwise).notes)
        parts.append((title, code("python", program(strategy, face, otherwise)) + notes))
    return parts


def laid_out(text: str) -> str:
    """A long call with a line for each argument."""
    if len(text) < 80 or "(" not in text:
        return text
    function, _, inside = text[:-1].partition("(")
    depth, arguments = 0, [""]
    for c in inside:
        depth += (c in "([") - (c in ")]")
        if c == "," and not depth:
            arguments.append("")
        else:
            arguments[-1] += c
    lines = [line for a in arguments for line in f"{laid_out(a.strip())},".splitlines()]
    return "\n".join([f"{function}(", *(f"    {line}" for line in lines), ")"])


_PROGRAMS = {
    "torch": """\
import torch
{ours}
model = torch.nn.Linear(20, 5)
optimizer = {call}
model(torch.randn(8, 20)).square().mean().backward()
optimizer.step()
""",
    "keras": """\
import keras
{ours}
model = keras.Sequential([keras.layers.Input((20,)), keras.layers.Dense(5)])
optimizer = {call}
model.compile(optimizer, loss="mse")
model.train_on_batch(keras.random.normal((8, 20)), keras.random.normal((8, 5)))
""",
    "optax": """\
import jax
import jax.numpy as jnp
import optax
{ours}
params = {{"kernel": jnp.ones((20, 5))}}
optimizer = {call}
state = optimizer.init(params)
grads = jax.grad(lambda p: jnp.square(jnp.ones((8, 20)) @ p["kernel"]).mean())(params)
updates, state = optimizer.update(grads, state, params)
params = optax.apply_updates(params, updates)
""",
}
