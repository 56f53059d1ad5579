"""One fact, and where it is from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Grade = Literal["A", "B", "C", "D"]
Stance = Literal["for", "against", "neutral"]

FAMILIES = (
    "mlp",
    "tabular-mlp",
    "cnn",
    "vision-transformer",
    "transformer-lm",
    "recurrent",
    "graph",
    "recommender",
    "fine-tuning",
    "lora",
    "other",
)
"""Kinds of model; everything in the guide that speaks of a family uses these words."""


@dataclass(frozen=True)
class Source:
    """A paper with the place in it, or a record of a race of ours with the query that gives the figure."""

    title: str = ""
    url: str = ""
    place: str = ""
    record: str = ""
    query: str = ""

    def __str__(self) -> str:
        if self.record:
            return f"our {self.record} race, {self.query}"
        return f"{self.title}, {self.place}" if self.place else self.title


@dataclass(frozen=True)
class Fact:
    """One plain statement that somebody measured or said."""

    id: str
    statement: str
    figure: str
    """The number behind the statement, with its unit."""
    grade: Grade
    about: tuple[str, ...]
    """Optimizers, by their registered names where they have one, or topics."""
    stance: Stance
    """Whether it speaks for or against what it is about."""
    source: Source
    families: tuple[str, ...] = ()
    """The kinds of model that it holds for; empty: any."""
    conditions: Mapping[str, str] = field(default_factory=dict[str, str])
    conflicts: tuple[str, ...] = ()
    """Facts that say otherwise; they name this one too."""
    also: tuple[Source, ...] = ()
    """Further sources that say the same."""
