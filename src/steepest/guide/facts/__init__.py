"""What is known about optimizers, as data: one fact a statement, with its figure, conditions, source and grade.

    facts()                  all of them
    fact("lion-parity")      one of them
    about("lion")            those about an optimizer or a topic

The facts are in the TOML files of this folder, their papers in `sources.toml`, the words they may use in `words.toml`.
What the loader refuses: a key or word that is not known, a fact without source, a grade that its sources do not
bear out, a conflict that the other side does not name.

Grades: A, two or more independent benchmarks; B, one; C, the authors of the method alone; D, anecdote, advice
without figures, or a small race of our own.
"""

from functools import cache

from steepest.guide.facts.fact import FAMILIES as FAMILIES
from steepest.guide.facts.fact import Fact as Fact
from steepest.guide.facts.fact import Source as Source
from steepest.guide.facts.loading import load


@cache
def facts() -> tuple[Fact, ...]:
    """Every fact, in the order of the files."""
    return load()


def fact(name: str) -> Fact:
    """The fact of that id."""
    try:
        return _by_id()[name]
    except KeyError:
        raise KeyError(f"No fact is called {name!r}.") from None


def about(subject: str) -> tuple[Fact, ...]:
    """The facts about an optimizer or a topic."""
    return tuple(one for one in facts() if subject in one.about)


@cache
def _by_id() -> dict[str, Fact]:
    return {one.id: one for one in facts()}
