"""What a race says, in two sentences, and what it does not say.

The first sentence is about the quality at the end of training, the second about the time to the targets. Neither
names a winner that the race cannot tell from another.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from steepest.race.record import Race
from steepest.race.statistics.costs import BUSY, core_share
from steepest.race.statistics.intervals import Interval
from steepest.race.statistics.standings import Standing, standings
from steepest.race.statistics.values import final_purpose, of
from steepest.race.statistics.words import count, listed, percent, quantity


@dataclass(frozen=True)
class Verdict:
    """The data behind the sentences, and the sentences."""

    winner: str | None
    """The one that is told apart from all others."""
    tied: list[str]
    """The first and those that cannot be told from it."""
    failed: list[str]
    quality: str
    speed: str
    limits: list[str]


def verdict(race: Race, table: Sequence[Standing] | None = None) -> Verdict:
    """From the record, or from a table already made of it."""
    table = standings(race) if table is None else table
    tied = [s for s in table if s.tied_with_best]
    return Verdict(
        winner=next((s.name for s in table if s.winner), None),
        tied=[s.name for s in tied],
        failed=[s.name for s in table if s.failed],
        quality=_quality(race, table, tied),
        speed=_speed(race, table),
        limits=_limits(race, table),
    )


def _quality(race: Race, table: Sequence[Standing], tied: Sequence[Standing]) -> str:
    where = f"on {count(len(race.tasks), 'task')}"
    finished = [s for s in table if s.tasks and not s.failed]
    if not finished or not tied:
        return f"No entrant finished its runs {where}, so that there is nothing to compare."
    behind = [s for s in finished if not s.tied_with_best]
    failed = [s.title for s in table if s.failed]
    tail = f"; {listed(failed)} diverged in most runs" if failed else ""
    if len(tied) == 1:
        if not behind:
            return f"{tied[0].title} is the only one that finished its runs {where}{tail}."
        nearest = behind[0]
        lead = nearest.against_best.difference if nearest.against_best else Interval(math.nan, math.nan, math.nan, 0)
        ahead = f"the next, {nearest.title}, is {percent(lead.middle)} behind (95 % interval {percent(lead.low)} to {percent(lead.high)})"
        return f"{tied[0].title} ends best {where} and is told apart from all others: {ahead}{tail}."
    first, others = tied[0].title, listed([s.title for s in tied[1:]])
    if not behind:
        return f"{first} comes first {where}, and cannot be told from any of the others: {others}{tail}."
    after = listed([s.title for s in behind])
    return f"{first} comes first {where}, and cannot be told from {others}; behind it {'is' if len(behind) == 1 else 'are'} {after}{tail}."


def _speed(race: Race, table: Sequence[Standing]) -> str:
    scored = [s for s in table if s.score.middle > 0]
    if not scored:
        return "No entrant reached a target often enough to say who is fast."
    best = max(scored, key=lambda s: s.score.middle)
    close = [s for s in scored if s is not best and s.score.high >= best.score.low]
    baseline = race.entrants[race.baseline].title if race.baseline in race.entrants else race.baseline
    who = f"In steps to the targets {best.title} scores highest ({best.score.middle:.2f} of 1)"
    if close:
        who += f", within the noise of {listed([s.title for s in close])}"
    if best.speedup is None or not best.speedup.both:
        return f"{who}."
    o = best.speedup
    # The interval of the share of steps is that of the speed-up turned over.
    known = o.factor.known and o.factor.low > 0 and math.isfinite(o.factor.high)
    interval = f" (95 % interval {1 / o.factor.high:.2f} to {1 / o.factor.low:.2f})" if known else ""
    share = f"{1 / o.factor.middle:.2f} times the steps of {baseline}{interval}"
    return f"{who}; it takes {share} on the {o.both} of {count(o.tasks, 'task')} that both finish."


def _limits(race: Race, table: Sequence[Standing]) -> list[str]:
    sizes = [task.parameters for task in race.tasks.values()]
    found: list[str] = []
    if sizes:
        span = quantity(min(sizes)) if min(sizes) == max(sizes) else f"{quantity(min(sizes))} to {quantity(max(sizes))}"
        found.append(f"Models of {span} parameters: this does not predict the order for larger ones.")
    tuning = of(race, "tuning")
    final = of(race, final_purpose(race))
    studies, seeds = len({t.study for t in tuning or final}), len({t.number for t in final})
    if tuning:
        trials = len({t.number for t in tuning})
        found.append(f"{count(studies, 'search', 'searches')} of {count(trials, 'trial')} each and {count(seeds, 'seed')} a result.")
        if studies < 3:
            found.append("With fewer than 3 searches the luck of the search is only estimated.")
    else:
        found.append("Nobody was tuned: this compares defaults.")
    if len(race.tasks) < 3:
        found.append("With fewer than 3 tasks this says little about others.")
    share = core_share(race)
    if share < BUSY:
        found.append(
            f"The machine was busy: a run had {percent(share)} of a core. Seconds are too many by as much; steps are not affected."
        )
    if len(race.entrants) > 1:
        found.append("Scores depend on who else is in the race; speed-ups over the baseline do not.")
    edged = [s.title for s in table if any(edge.axis == "lr" for edge in s.edges)]
    if edged:
        found.append(f"The best learning rate of {listed(edged)} lies at an edge of its range on some task: untuned there.")
    return found
