"""From the tables and the circumstances to a ranked short list, with what each place rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

from steepest.guide.advise import tables
from steepest.guide.advise.circumstances import Circumstance
from steepest.guide.advise.situation import TASKS_OF_TRAINING, Situation
from steepest.guide.advise.tables import Adjustment, Choice, Outsider
from steepest.guide.facts import Fact, fact, facts
from steepest.guide.model.memory import Memory

SHORT = 3
"""How many a short list names."""


@dataclass(frozen=True)
class Ranked:
    """A candidate with its merit and what it came from."""

    optimizer: str
    merit: float
    in_favour: tuple[str, ...]
    against: tuple[str, ...]
    because: tuple[Circumstance, ...]
    """Circumstances that moved it."""


def ranked(s: Situation, circumstances: Sequence[Circumstance]) -> list[Ranked]:
    """All candidates of a family that have any merit, best first; of equals the one that the table names first."""
    rows = [choice for choice in tables.choices() if choice.family == s.family]
    found = [_adjusted(choice, s, circumstances) for choice in rows]
    return sorted((r for r in found if r.merit > 0), key=lambda r: -r.merit)


def _adjusted(choice: Choice, s: Situation, circumstances: Sequence[Circumstance]) -> Ranked:
    by_name = {c.name: c for c in circumstances}
    mine = [a for a in tables.adjustments() if choice.optimizer in a.optimizers and a.when in by_name and _applies(a, s)]
    up = [f for a in mine if a.merit > 0 for f in a.facts]
    down = [f for a in mine if a.merit < 0 for f in a.facts]
    return Ranked(
        choice.optimizer,
        choice.merit + sum(a.merit for a in mine),
        tuple(f for f in dict.fromkeys([*up, *choice.in_favour]) if holds_for(fact(f), s)),
        tuple(f for f in dict.fromkeys([*down, *choice.against]) if holds_for(fact(f), s)),
        tuple(by_name[a.when] for a in mine),
    )


def _applies(a: Adjustment, s: Situation) -> bool:
    """Training a pre-trained model is another matter than its kind: it is named where it is meant."""
    kind = s.family if s.family in TASKS_OF_TRAINING else s.base
    return not a.families or kind in a.families


def holds_for(one: Fact, s: Situation) -> bool:
    """Whether a fact is about this kind of model, or about any."""
    return not one.families or bool({s.family, s.base} & set(one.families))


def specific(one: Fact, s: Situation) -> bool:
    """Whether a fact is about this kind of model in particular."""
    return bool({s.family, s.base} & set(one.families))


def measured(optimizer: str, s: Situation, stance: str) -> list[Fact]:
    """What our own races say for or against it here; small models, so that it orders nobody, but it is said."""
    return [f for f in facts() if f.source.record and optimizer in f.about and f.stance == stance and holds_for(f, s)]


def outsiders(s: Situation, circumstances: Sequence[Circumstance], without_state: Memory) -> list[Outsider]:
    """What Steepest does not have, would race here and would fit; those that circumstances call for first."""
    there = {c.name for c in circumstances}
    found = [
        o
        for o in tables.outsiders()
        if s.family in o.families
        and (not o.when or there & set(o.when))
        and (s.memory is None or without_state.total + o.state * without_state.gradients <= s.memory)
    ]
    return sorted(found, key=lambda o: not o.when)


def conflicts(cited: Sequence[Fact]) -> list[tuple[Fact, Fact]]:
    """Pairs of facts that say otherwise, of which one at least is among these; each pair once."""
    pairs = {(one.id, other): (one, fact(other)) for one in cited for other in one.conflicts}
    return [pair for i, ((a, b), pair) in enumerate(pairs.items()) if (b, a) not in list(pairs)[:i]]
