"""From the database, or an exported file, to the record's classes: what statistics and report work on.

Time to target is worked out here, not stored: where the race itself sets the target, it is known only at the end.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from steepest.errors import RaceError
from steepest.race import address, archive, curves
from steepest.race.curves import KEYS
from steepest.race.record import AxisFacts, Curve, EntrantFacts, Race, TaskFacts, Trial


class _Raw(NamedTuple):
    header: dict[str, Any]
    results: list[dict[str, Any]]
    environment: list[dict[str, Any]]

    @classmethod
    def of(cls, path: str | Path) -> "_Raw":
        content = archive.read(path) if archive.is_archive(path) else _stored(path)
        return cls(content.header, [result for _, result in content.results], content.environment)

    def tasks(self) -> dict[str, TaskFacts]:
        facts = {name: TaskFacts(**content) for name, content in self.header["tasks"].items()}
        return {name: _with_target(one, self.results, self.header["baseline"]) for name, one in facts.items()}


def _stored(path: str | Path) -> archive.Content:
    """What is in a database, less the curves."""
    from steepest.race.store import Store  # an exported race is read without a database's packages

    store = Store.open(address.url_of(path), read_only=True)
    try:
        noted = [value for key, value in store.attributes().items() if key.startswith("worker ")]
        return archive.Content(store.header(), [e for i, e in enumerate(noted) if e not in noted[:i]], store.results(), {})
    finally:
        store.close()


def export(path: str | Path, goal: Path, *, with_curves: bool = True) -> int:
    """Write a race, as far as it is done, into one file; returns how many runs that are."""
    content = archive.read(path) if archive.is_archive(path) else _stored(path)
    if not with_curves:
        content = content._replace(curves={})
    elif not archive.is_archive(path):
        find = _stored_curves(path)
        found = {run: find(tuple(result[key] for key in KEYS)) for run, result in content.results}
        content = content._replace(curves={run: curve for run, curve in found.items() if curve is not None})
    archive.write(goal, content)
    return len(content.results)


def load(path: str | Path) -> Race:
    """The record there; see `record.load`."""
    raw = _Raw.of(path)
    facts, header = raw.tasks(), raw.header
    return Race(
        tasks=facts,
        entrants={name: _entrant(content) for name, content in header["entrants"].items()},
        baseline=header["baseline"],
        trials=tuple(_trial(result, facts[result["task"]]) for result in raw.results),
        settings=_settings(header),
        environment=raw.environment,
        schedule=header["schedule"],
    )


def curves_of(path: str | Path) -> Callable[[Trial], Curve]:
    """The curves of a whole record, whose files are read once: what a report asks for, run by run."""
    find = _archived_curves(path) if archive.is_archive(path) else _stored_curves(path)

    def look(trial: Trial) -> Curve:
        found = find(tuple(getattr(trial, key) for key in KEYS))
        if found is None:
            raise RaceError(f"{path} has no curve of {trial.optimizer} on {trial.task}, {trial.purpose} {trial.number}.")
        return found

    return look


def _archived_curves(path: str | Path) -> Callable[[tuple[Any, ...]], Curve | None]:
    content = archive.read(path)
    runs = {tuple(result[key] for key in KEYS): run for run, result in content.results}
    return lambda keys: content.curves.get(runs.get(keys, -1))


def _stored_curves(path: str | Path) -> Callable[[tuple[Any, ...]], Curve | None]:
    from steepest.race.store import Store

    url = address.url_of(path)
    store = Store.open(url, read_only=True)
    try:
        runs = {tuple(result[key] for key in KEYS): (run, result.get("curve")) for run, result in store.results()}
        folder = curves.folder_of(url, store.attributes().get("curves"))
    finally:
        store.close()
    done = curves.packed(url)

    def find(keys: tuple[Any, ...]) -> Curve | None:
        run, blob = runs.get(keys, (-1, None))
        return done.get(run) or (curves.read(url, folder, run, blob) if run >= 0 else None)

    return find


def joined_curves(first: str | Path, second: str | Path) -> Callable[[Trial], Curve]:
    """The curves of two joined records, by the names that the entrants have there."""
    raws = _Raw.of(first), _Raw.of(second)
    names = _names(raws, Path(first).stem, Path(second).stem)
    old = [{there: here for here, there in one.items()} for one in names]
    readers = curves_of(first), curves_of(second)

    def find(trial: Trial) -> Curve:
        which = 0 if trial.optimizer in old[0] else 1
        return readers[which](replace(trial, optimizer=old[which][trial.optimizer]))

    return find


def _settings(header: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, and how it was done: the latter is what an audit looks for."""
    routing = "; ".join(f"{name}: {content['routing']}" for name, content in header["entrants"].items())
    return header["settings"] | header["protocol"] | {"routing": routing, "runs": header["count"]}


def _entrant(content: Mapping[str, Any]) -> EntrantFacts:
    space = tuple(AxisFacts(**axis) for axis in content["space"])
    return EntrantFacts(content["title"], content["source"], space, content["code"])


def _with_target(facts: TaskFacts, results: Sequence[Mapping[str, Any]], baseline: str) -> TaskFacts:
    """A target that was to be set by the race: AlgoPerf's rule, the median over seeds of the best that the tuned baseline reached."""
    if facts.target is not None:
        return facts
    runs = [r for r in results if r["task"] == facts.name and r["purpose"] == "target"]
    if not runs:
        return facts
    values = [r["best"][-1][1] if r["best"] and r["diverged_at"] is None else facts.guess for r in runs]
    reason = f"the median over {len(runs)} seeds, used for nothing else, of the best value that {baseline} reached at its chosen point"
    return replace(facts, target=median(values), target_reason=reason)


def _trial(result: Mapping[str, Any], facts: TaskFacts) -> Trial:
    steps, seconds = _to_target(result["best"], facts.target, facts.higher_is_better)
    return Trial(
        **{key: result[key] for key in KEYS},
        point=result["point"],
        validation=result["validation"],
        test=result["test"],
        steps_to_target=steps,
        samples_to_target=steps * facts.batch,
        seconds_to_target=seconds,
        seconds=result["seconds"],
        diverged_at=result["diverged_at"],
        state_bytes_per_parameter=result["state_bytes_per_parameter"],
        step_ms=result["step_ms"],
        cpu_seconds=result.get("cpu_seconds"),
    )


def _to_target(best: Sequence[Sequence[float]], target: float | None, higher_is_better: bool) -> tuple[float, float]:
    """Steps and seconds at the first look that reached the target; infinite if none did."""
    for step, value, seconds in best:
        if target is not None and (value >= target if higher_is_better else value <= target):
            return step, seconds
    return math.inf, math.inf


def joined(first: str | Path, second: str | Path) -> Race:
    """Two races over the same tasks as one, timed by the targets of the first. Entrants of the same name get that of their file as well.

    Raises RaceError if a task differs between the two in more than its target.
    """
    raws = _Raw.of(first), _Raw.of(second)
    mine, theirs = (raw.tasks() for raw in raws)
    common = [name for name in mine if name in theirs]
    if not common:
        raise RaceError(f"{first} has {', '.join(mine)} and {second} has {', '.join(theirs)}: no task in common, nothing to compare.")
    for name in common:
        other = replace(theirs[name], target=mine[name].target, target_reason=mine[name].target_reason)
        changed = [key for key, value in vars(mine[name]).items() if value != getattr(other, key)]
        if changed:
            raise RaceError(f"{name} is not the same task in {first} and {second} ({', '.join(changed)}): their runs cannot be compared.")
    names = _names(raws, Path(first).stem, Path(second).stem)
    both = list(zip(raws, names, strict=True))
    trials = [
        _trial(result | {"optimizer": name[result["optimizer"]]}, mine[result["task"]])
        for raw, name in both
        for result in raw.results
        if result["task"] in common
    ]
    return Race(
        tasks={name: mine[name] for name in common},
        entrants={name[old]: _entrant(content) for raw, name in both for old, content in raw.header["entrants"].items()},
        baseline=names[0][raws[0].header["baseline"]],
        trials=tuple(trials),
        settings=_settings(raws[0].header) | {"joined": [raw.header["settings"] for raw in raws]},
        environment=[e for raw in raws for e in raw.environment],
        schedule=raws[0].header["schedule"],
    )


def _names(raws: "tuple[_Raw, _Raw]", first: str, second: str) -> tuple[dict[str, str], dict[str, str]]:
    """What each entrant of the two is called in the joined race."""
    a, b = (raw.header["entrants"] for raw in raws)
    if first == second:
        first, second = "first", "second"
    return ({n: f"{n} ({first})" if n in b else n for n in a}, {n: f"{n} ({second})" if n in a else n for n in b})
