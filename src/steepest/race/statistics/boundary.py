"""Was the search space wide enough? A best point in the outer part of an axis says: a better one may lie outside.

The rule: a study's best point lies at an edge, if it is in the outer tenth of the axis, measured in its own scale (a
logarithmic axis in decades). An axis is flagged, if that happens at the same end in more than half of the studies of one
task. By chance alone a hyperparameter that does not matter is flagged at one end or the other in about 20 % of tasks
with one study and 6 % with three, so that a flag on the learning rate weighs more than one on the warm-up. An end that
is 0 on a linear axis cannot be extended (no warm-up at all is a choice, not an edge).

Google's tuning playbook asks for this check (github.com/google-research/tuning_playbook, "Identifying bad search space
boundaries").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from steepest.race.record import AxisFacts, Race
from steepest.race.statistics.values import best, search

OUTER = 0.1
"""The part of an axis, at either end, that counts as its edge."""

End = Literal["low", "high"]


@dataclass(frozen=True)
class Edge:
    """An axis of one entrant's space on one task that ought to be extended."""

    entrant: str
    task: str
    axis: str
    end: End
    studies: int
    """In how many studies the best point lay at that end."""
    of: int


def position(value: float, axis: AxisFacts) -> float:
    """Where on an axis a value lies, from 0 (low) to 1 (high), in the scale of the axis."""
    if axis.high == axis.low:
        return 0.5
    if axis.log:
        return math.log(value / axis.low) / math.log(axis.high / axis.low) if value > 0 else -math.inf
    return (value - axis.low) / (axis.high - axis.low)


def end_of(value: float, axis: AxisFacts) -> End | None:
    """The end in whose outer tenth a value lies."""
    at = position(value, axis)
    if at >= 1 - OUTER:
        return "high"
    return "low" if at <= OUTER and (axis.log or axis.low != 0) else None


def edges(race: Race, entrant: str, task: str) -> list[Edge]:
    """The axes to extend; empty where nothing was tuned."""
    chosen = [best(trials, race.tasks[task]) for trials in search(race, entrant, task).values()]
    found: list[Edge] = []
    for axis in race.entrants[entrant].space:
        ends: list[End | None] = [end_of(t.point[axis.name], axis) for t in chosen if axis.name in t.point]
        found += [Edge(entrant, task, axis.name, end, ends.count(end), len(ends)) for end in _flagged(ends)]
    return found


def all_edges(race: Race) -> list[Edge]:
    """Of all entrants on all tasks."""
    return [edge for entrant in race.entrants for task in race.tasks for edge in edges(race, entrant, task)]


def _flagged(ends: Sequence[End | None]) -> list[End]:
    options: tuple[End, End] = ("low", "high")
    return [end for end in options if ends.count(end) * 2 > len(ends)]
