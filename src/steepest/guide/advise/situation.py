"""The question: what is trained, how large, how long, in how much memory. What cannot be is refused with what to type instead."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from steepest.errors import GuideError
from steepest.formats import STORED
from steepest.guide.facts.fact import FAMILIES

_COUNTS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "G": 10**9, "T": 10**12}
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_SPELLED = {
    "fp32": "float32",
    "f32": "float32",
    "bf16": "bfloat16",
    "fp16": "float16",
    "f16": "float16",
    "half": "float16",
    "fp64": "float64",
}
_ALIASES = {
    "lm": "transformer-lm",
    "llm": "transformer-lm",
    "gpt": "transformer-lm",
    "bert": "transformer-lm",
    "transformer": "transformer-lm",
    "vit": "vision-transformer",
    "resnet": "cnn",
    "convnet": "cnn",
    "rnn": "recurrent",
    "lstm": "recurrent",
    "gru": "recurrent",
    "gnn": "graph",
    "tabular": "tabular-mlp",
    "dlrm": "recommender",
    "finetuning": "fine-tuning",
}
TASKS_OF_TRAINING = ("fine-tuning", "lora")
"""Families that are a way to train a model of another family."""


@dataclass(frozen=True)
class Situation:
    """Everything that advice depends on, as plain numbers."""

    family: str
    base: str
    """The kind of model under fine-tuning or LoRA; otherwise the family itself."""
    parameters: int
    trainable: int
    batch: int
    sequence: int
    """Tokens an example, of a language model; otherwise 1."""
    steps: int
    budget: int
    """Full-length runs that may be spent on tuning."""
    memory: int | None
    """Bytes of the device."""
    dtype: str
    """Of the weights, and so of gradients and state."""
    batch_norm: bool = True
    assumed: tuple[str, ...] = ()
    """What was not said and was assumed, in words."""

    @property
    def tokens(self) -> int:
        """Tokens a step of a language model; examples of others."""
        return self.batch * self.sequence

    @property
    def length(self) -> float:
        """Tokens a parameter over the whole run: 20 is about Chinchilla's."""
        return self.tokens * self.steps / self.parameters


Typed = Callable[[str, Any], str]
"""How a flag and its value are written by whoever asked: `--params 124M`, or `params='124M'`."""


def as_option(flag: str, value: Any) -> str:
    """As on the command line."""
    text = str(value)
    return f"--{flag.replace('_', '-')} " + (f'"{text}"' if " " in text or not text else text)


def as_argument(flag: str, value: Any) -> str:
    """As in a call."""
    return f"{flag}={value!r}"


def family(value: Any, typed: Typed = as_option) -> str:
    """The family, however it is spelled."""
    text = str(value).strip().lower().replace("_", "-").replace(" ", "-")
    text = _ALIASES.get(text, text)
    if text not in FAMILIES:
        near = get_close_matches(text, [*FAMILIES, *_ALIASES], 1)
        hint = f" Did you mean {_ALIASES.get(near[0], near[0])}?" if near else ""
        raise GuideError(f"{typed('family', value)}: there is no such family.{hint} There are: {', '.join(FAMILIES)}.")
    return text


def count(value: Any, flag: str, typed: Typed = as_option, *, least: int = 1, example: str = "124M") -> int:
    """124M, 1.3B, 350_000 or a number, as a whole number."""
    said, write = typed(flag, value), f"Write {typed(flag, example)}."
    match = re.fullmatch(r"([-+]?(?:\d[\d_,]*)?\.?\d*(?:e[-+]?\d+)?)\s*([kmbgt]?)", str(value).strip(), re.I)
    try:
        if match is None or isinstance(value, bool):
            raise ValueError
        number = float(match[1].replace("_", "").replace(",", "")) * _COUNTS[match[2].upper()]
    except ValueError:
        raise GuideError(f"{said}: this is no number. {write}") from None
    if not math.isfinite(number) or number < least:
        raise GuideError(f"{said}: it must be {least} or more. {write}")
    if abs(number - round(number)) > 1e-6 * number:
        raise GuideError(f"{said}: it must be a whole number. {write}")
    return round(number)


def size(value: Any, flag: str = "memory", typed: Typed = as_option) -> int:
    """24GB, 512 MiB or a number of bytes, as bytes."""
    said, write = typed(flag, value), f"Write {typed(flag, '24GB')} (or MB, GiB, TB)."
    match = re.fullmatch(r"([-+]?\d*\.?\d+(?:e[-+]?\d+)?)\s*([kmgt]?i?b?)", str(value).strip(), re.I)
    if match is None or isinstance(value, bool) or (not match[2] and not isinstance(value, int)):
        raise GuideError(f"{said}: this is no amount of memory. {write}")
    unit = match[2].upper() or "B"
    number = float(match[1]) * _SIZES[unit if unit.endswith("B") else unit + "B"]
    if not (math.isfinite(number) and number >= 1):
        raise GuideError(f"{said}: it must be more than nothing. {write}")
    return round(number)


def dtype(value: Any, typed: Typed = as_option) -> str:
    """The name of a floating-point dtype, of NumPy's or PyTorch's or short."""
    text = str(value).strip().lower().removeprefix("torch.")
    text = _SPELLED.get(text, text)
    if text not in STORED:
        raise GuideError(f"{typed('dtype', value)}: weights are {', '.join(STORED)} (or bf16, fp16). Write {typed('dtype', 'bf16')}.")
    return text


def tuned(text: str | None, known: Mapping[str, Any], typed: Typed = as_option) -> tuple[str, dict[str, float]] | None:
    """`adamw lr=3e-4 weight_decay=0.1` as a name and numbers: what has been found already."""
    if text is None:
        return None
    said, write = typed("tuned", text), f"Write {typed('tuned', 'adamw lr=3e-4 weight_decay=0.1')}."
    name, *pairs = re.split(r"[\s,]+", text.strip())
    if name not in known:
        raise GuideError(f"{said}: there is no {name or 'optimizer'}; there are {', '.join(known)}. {write}")
    values: dict[str, float] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        try:
            if key not in ("lr", "weight_decay"):
                raise ValueError
            values[key] = float(value)
        except ValueError:
            raise GuideError(f"{said}: {pair!r} is neither lr=NUMBER nor weight_decay=NUMBER. {write}") from None
    decay = values.get("weight_decay", 0.0)
    if not (0 < values.get("lr", 0) < math.inf and 0 <= decay < math.inf):
        raise GuideError(f"{said}: it needs an lr above 0, and a weight_decay of 0 or more. {write}")
    return name, values
