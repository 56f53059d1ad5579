"""Circumstances that change what to choose: each a name that the tables use, how it is said, and when it holds."""

from collections.abc import Callable
from dataclasses import dataclass

from steepest.guide.advise.situation import Situation

TIGHT = 0.6
"""Memory is tight where weights, gradients and Adam's state take more than this share of it: the rest is for activations."""
CHINCHILLA = 20
"""Tokens a parameter that Hoffmann et al. 2022 find to be the best use of compute."""


@dataclass(frozen=True)
class Around:
    """The situation, and what has been worked out about it."""

    situation: Situation
    adam_total: int
    """Bytes of weights, gradients and AdamW's state."""


@dataclass(frozen=True)
class Circumstance:
    """One of them."""

    name: str
    says: str
    holds: Callable[[Around], bool]


def _lm(a: Around) -> bool:
    return a.situation.base == "transformer-lm"


CIRCUMSTANCES = (
    Circumstance("no tuning", "no run is to be spent on tuning", lambda a: a.situation.budget == 0),
    Circumstance("few trials", "there are at most three runs to tune with", lambda a: 1 <= a.situation.budget <= 3),
    Circumstance("many trials", "there are 25 runs or more to tune with", lambda a: a.situation.budget >= 25),
    Circumstance("tiny batch", "the batch is at most 8 sequences", lambda a: _lm(a) and a.situation.batch <= 8),
    Circumstance("small batch", "the batch is below 64", lambda a: a.situation.batch < 64),
    Circumstance(
        "large batch",
        "the batch is large",
        lambda a: a.situation.tokens >= 500_000 if _lm(a) else a.situation.batch >= 2048,
    ),
    Circumstance("huge batch", "the batch has tens of millions of tokens", lambda a: _lm(a) and a.situation.tokens >= 10_000_000),
    Circumstance("large model", "the model has 600 million parameters or more", lambda a: a.situation.parameters >= 600_000_000),
    Circumstance("short run", "the run is shorter than 20 tokens a parameter", lambda a: _lm(a) and a.situation.length < CHINCHILLA),
    Circumstance(
        "long run",
        "the run is longer than 160 tokens a parameter, 8 times Chinchilla",
        lambda a: _lm(a) and a.situation.length > 8 * CHINCHILLA,
    ),
    Circumstance(
        "tight memory",
        "Adam's state leaves little of the memory for activations",
        lambda a: a.situation.memory is not None and a.adam_total > TIGHT * a.situation.memory,
    ),
    Circumstance("float16", "the weights are float16", lambda a: a.situation.dtype == "float16"),
    Circumstance("no batch norm", "the network has no BatchNorm", lambda a: a.situation.base == "cnn" and not a.situation.batch_norm),
    Circumstance("vision beneath", "it is a vision model", lambda a: a.situation.base in ("vision-transformer", "cnn")),
)


def around(a: Around) -> tuple[Circumstance, ...]:
    """Those that hold."""
    return tuple(c for c in CIRCUMSTANCES if c.holds(a))
