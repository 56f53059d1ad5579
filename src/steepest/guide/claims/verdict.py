"""A verdict, and the fixed rule that gives it."""

from dataclasses import dataclass, field
from typing import Literal

Word = Literal["supported", "contradicted", "undecided"]
Side = Literal["at least", "at most"]


@dataclass(frozen=True)
class Beside:
    """The same figure for something else, to compare with; no verdict hangs on it."""

    what: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class ByTask:
    """On how many tasks the claim is supported, contradicted or undecided, each taken by itself.

    Where there are some of both the truth depends on the task, and a mean over tasks says little, whatever it is.
    """

    supported: int = 0
    contradicted: int = 0
    undecided: int = 0


@dataclass(frozen=True)
class Verdict:
    """What became of one claim."""

    id: str
    claim: str
    """The textbook's sentence in our words."""
    hypothesis: str
    """What it was taken to mean before anything was run: one figure and its threshold."""
    design: str
    data: str
    verdict: Word
    estimate: float
    low: float
    high: float
    """A 95 % bootstrap interval over tasks, searches and seeds."""
    unit: str
    limits: str
    about: tuple[str, ...]
    """Registered names of the optimizers, or a topic."""
    side: Side = "at least"
    threshold: float = 0.0
    experiments: tuple[str, ...] = ()
    by_task: ByTask = ByTask()
    beside: tuple[Beside, ...] = field(default=())


def decide(low: float, high: float, side: Side, threshold: float) -> Word:
    """Supported or contradicted if the whole interval says so; otherwise nothing is decided.

    >>> decide(1.0, 3.0, "at least", 1.0), decide(0.9, 3.0, "at least", 1.0), decide(-1.0, 0.9, "at least", 1.0)
    ('supported', 'undecided', 'contradicted')
    """
    if side == "at most":
        low, high, threshold = -high, -low, -threshold
    if low >= threshold:
        return "supported"
    return "contradicted" if high < threshold else "undecided"


def opposite(one: Word, other: Word) -> bool:
    """Whether the one says that it is so and the other that it is not."""
    return {one, other} == {"supported", "contradicted"}
