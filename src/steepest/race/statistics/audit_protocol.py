"""Points 1 to 9 of the audit: was everybody tuned alike, and well?"""

import re
from collections import Counter
from itertools import pairwise
from typing import Any, Literal

from steepest.race.record import Race, Trial
from steepest.race.statistics.boundary import all_edges, position
from steepest.race.statistics.luck import shared_points
from steepest.race.statistics.values import final_purpose, of, searches
from steepest.race.statistics.words import count

Status = Literal["kept", "partly", "not kept"]
Answer = tuple[Status, str]

TUNED = ("lr", "weight_decay", "warmup")
EPSILON_FROM = 25
"""Trials from which on epsilon is tuned as well (Google's tuning playbook)."""
FLOOR = 0.01
SEEDS = 5
STUDIES = 3
UNTUNED = "nothing was tuned"


def budget(race: Race) -> Answer:
    """1. Equal numbers of tuning trials in every search, none missing."""
    found = searches(race)
    counts = Counter(len(trials) for cells in found.values() for trials in cells.values())
    if not counts:
        return "not kept", f"{UNTUNED}: everybody ran with defaults, which is equal but no tuning"
    per_entrant = {len(cells) for cells in found.values()}
    if len(counts) == 1 and len(per_entrant) == 1:
        trials, total = next(iter(counts)), sum(sum(map(len, cells.values())) for cells in found.values())
        return "kept", f"{count(trials, 'trial')} in each of {count(per_entrant.pop(), 'search', 'searches')} per entrant, {total} in all"
    least, most = min(counts), max(counts)
    if len(per_entrant) > 1:
        return "not kept", f"entrants have from {min(per_entrant)} to {max(per_entrant)} searches, of {least} to {most} trials"
    return "not kept", f"searches have from {least} to {most} trials"


def spaces(race: Race) -> Answer:
    """2. Each has a space, the space holds on all tasks, and every tuned point lies in it."""
    without = [e for e, facts in race.entrants.items() if not facts.space]
    if without:
        return "not kept", f"no search space is recorded for {', '.join(without)}"
    outside = [t for t in of(race, "tuning") if not _inside(race, t)]
    if outside:
        t = outside[0]
        many = count(len(outside), "trial lies", "trials lie")
        return "not kept", f"{many} outside the recorded space, for instance {t.optimizer} on {t.task}: {dict(t.point)}"
    own = len({facts.space for facts in race.entrants.values()})
    return (
        "kept",
        f"{count(own, 'different space')} for {count(len(race.entrants), 'entrant')}, in the table; each the same on all tasks",
    )


def sampling(race: Race) -> Answer:
    """3. All axes move at once, the sampler is quasi-random, and tasks do not share the luck of its points."""
    found = searches(race)
    if not any(found.values()):
        return "not kept", UNTUNED
    sampler = str(race.settings.get("sampler", ""))
    joint = all(_joint(trials) for cells in found.values() for trials in cells.values())
    shared = shared_points(race)
    named = bool(re.search("sobol|halton|quasi|qmc", sampler, re.IGNORECASE))
    said = f"sampler: {sampler or 'not recorded'}; " + (
        "all hyperparameters vary at once" if joint else "hyperparameters vary one at a time"
    )
    said += "; the same points on several tasks, which share their luck" if shared else "; other points on each task and in each search"
    return status_of(named, joint, not shared), said


def boundary(race: Race) -> Answer:
    """4. The check was made; what it found is said."""
    if not any(searches(race).values()):
        return "not kept", UNTUNED
    flagged = all_edges(race)
    places = len(race.entrants) * len(race.tasks)
    lr = sum(edge.axis == "lr" for edge in flagged)
    if not flagged:
        return "kept", f"checked for {count(places, 'pair')} of entrant and task: no best point lies at an edge"
    said = f"{count(len(flagged), 'axis', 'axes')} flagged untuned in {count(places, 'pair')} of entrant and task"
    return "kept", f"{said}, {lr} of them learning rates"


def baselines(race: Race) -> Answer:
    """5. The three are there, under whatever package's name; the baseline of the speed-ups is in the race."""
    named = {e: f"{e} {facts.title} {facts.code}".lower() for e, facts in race.entrants.items()}
    present = {
        "AdamW": any(re.search(r"(?<!n)adamw", n) for n in named.values()),
        "NAdamW": any("nadam" in n for n in named.values()),
        "SGD with Nesterov momentum": any("nesterov" in n and "nadam" not in n for n in named.values()),
    }
    missing = [name for name, there in present.items() if not there]
    if race.baseline not in race.entrants:
        return "not kept", f"the baseline {race.baseline} is not in the race"
    same = f"one schedule for all: {race.schedule}" if race.schedule else "the schedule is not recorded"
    if missing:
        return "partly" if len(missing) < 3 else "not kept", f"missing: {', '.join(missing)}; {same}"
    return "kept" if race.schedule else "partly", f"all three; {same}"


def axes(race: Race) -> Answer:
    """6. The spaces have the axes, and nobody's weight decay is fixed at 0."""
    tuning = of(race, "tuning")
    if not tuning:
        return "not kept", UNTUNED
    trials = max(t.number for t in tuning) + 1
    wanted = [*TUNED, *(["eps"] if trials >= EPSILON_FROM else [])]
    lacking: dict[str, list[str]] = {}
    for e, facts in race.entrants.items():
        moving = {a.name for a in facts.space if a.high > a.low}
        for name in wanted:
            # Not every optimizer has an epsilon; without the axis in any space it was forgotten.
            if name not in moving and (name != "eps" or not any("eps" in (a.name for a in f.space) for f in race.entrants.values())):
                lacking.setdefault(name, []).append(e)
    if not lacking:
        return "kept", f"{', '.join(wanted)} in every space ({count(trials, 'trial')})"
    said = "; ".join(f"{name} not for {', '.join(es)}" for name, es in lacking.items())
    return "not kept" if "lr" in lacking else "partly", said


def schedule(race: Race) -> Answer:
    """7. The floor of the schedule is recorded and low; what is compared are ends of runs, which is all a trial holds."""
    floor: Any = race.settings.get("schedule_floor")
    if not isinstance(floor, int | float):
        return "not kept", f"schedule: {race.schedule or 'not recorded'}; how far the learning rate decays is not recorded"
    said = f"{race.schedule}; the learning rate ends at {100 * floor:.3g} % of its peak; every run goes on to the end or diverges"
    return ("kept" if floor <= FLOOR else "not kept"), said


def seeds(race: Race) -> Answer:
    """8. Enough seeds behind every result, over all searches; the same for all entrants, disjoint from those of tuning."""
    final = of(race, final_purpose(race))
    if not final:
        return "not kept", "no final runs"
    cells: dict[tuple[str, str, int], set[int]] = {}
    for t in final:
        cells.setdefault((t.optimizer, t.task, t.study), set()).add(t.seed)
    behind: dict[tuple[str, str], set[int]] = {}
    for (entrant, task, _), mine in cells.items():
        behind.setdefault((entrant, task), set()).update(mine)
    fewest = min(map(len, behind.values()))
    by_place = {(task, study): {frozenset(s) for (_, w, k), s in cells.items() if (w, k) == (task, study)} for _, task, study in cells}
    paired = all(len(sets) == 1 for sets in by_place.values())
    shared = {t.seed for t in final} & {t.seed for t in of(race, "tuning")}
    said = f"{count(fewest, 'seed')} a result" + (", the same for all entrants" if paired else ", not the same for all entrants")
    said += f"; seeds {sorted(shared)} were used in tuning as well" if shared else "; none of them used in tuning"
    return status_of(fewest >= SEEDS, paired, not shared), said


def studies(race: Race) -> Answer:
    """9. Repeated searches, with points that differ."""
    found = searches(race)
    counts = {len({c.study for c in cells if c.task == task}) for cells in found.values() for task in race.tasks}
    fewest = min(counts, default=0)
    if not fewest:
        return "not kept", UNTUNED if not any(found.values()) else "some entrant was not tuned on some task"
    repeated = any(
        _points(trials) == _points(other)
        for cells in found.values()
        for cell, trials in cells.items()
        for twin, other in cells.items()
        if cell.task == twin.task and cell.study < twin.study
    )
    if repeated:
        return "not kept", f"{count(fewest, 'search', 'searches')}, but with the same points"
    said = f"{fewest} searches with different points" if fewest > 1 else "1 search: its luck is estimated from its own trials"
    return ("kept" if fewest >= STUDIES else "partly" if fewest > 1 else "not kept"), said


def status_of(*conditions: bool) -> Status:
    """Kept if all hold, partly if some do."""
    return "kept" if all(conditions) else "partly" if any(conditions) else "not kept"


def _inside(race: Race, trial: Trial) -> bool:
    """Up to rounding: points may be recorded with few digits."""
    return all(-0.001 <= position(trial.point[a.name], a) <= 1.001 for a in race.entrants[trial.optimizer].space if a.name in trial.point)


def _points(trials: list[Trial]) -> list[tuple[tuple[str, float], ...]]:
    return [tuple(sorted(t.point.items())) for t in trials]


def _joint(trials: list[Trial]) -> bool:
    """Whether two hyperparameters or more differ between successive trials (trivially so, if only one is tuned)."""
    tuned = [k for k in trials[0].point if len({t.point.get(k) for t in trials}) > 1]
    if len(tuned) < 2:
        return True
    moves = [sum(a.point.get(k) != b.point.get(k) for k in tuned) for a, b in pairwise(trials)]
    return min(moves) >= 2
