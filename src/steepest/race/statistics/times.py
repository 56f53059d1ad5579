"""Time to a target by the rule of AlgoPerf: the fastest trial of each study, the median over studies, a miss is infinite.

Dahl et al. 2023 (arXiv:2306.07179), external tuning. A study that never hits the target takes part in the median as
infinity, so that an entrant which misses in half of its studies or more has missed. Races without tuning follow the
self-tuning rule: each run is a study of one trial.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from steepest.race.record import Race, Trial
from steepest.race.statistics.intervals import RESAMPLES, SEED, Interval, median, percentiles
from steepest.race.statistics.values import final_purpose, of

Measure = Literal["steps", "samples", "seconds"]
MEASURES: tuple[Measure, ...] = ("steps", "samples", "seconds")
Times = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
"""Entrant → task → study → time of each trial."""

_READ: dict[Measure, Callable[[Trial], float]] = {
    "steps": lambda t: t.steps_to_target,
    "samples": lambda t: t.samples_to_target,
    "seconds": lambda t: t.seconds_to_target,
}


def trial_times(race: Race, measure: Measure = "steps") -> dict[str, dict[str, list[list[float]]]]:
    """Entrant → task → study → time of each trial, over all tasks that have a target; what was not run is an empty list."""
    tuned = any(t.purpose == "tuning" for t in race.trials)
    targets = [name for name, task in race.tasks.items() if task.target is not None]
    found: dict[str, dict[str, dict[tuple[int, int], list[float]]]] = {e: {w: {} for w in targets} for e in race.entrants}
    for t in of(race, "tuning" if tuned else final_purpose(race)):
        if t.task in found[t.optimizer]:
            study = (t.study, 0 if tuned else t.seed)
            found[t.optimizer][t.task].setdefault(study, []).append(_READ[measure](t))
    return {e: {w: list(studies.values()) for w, studies in tasks.items()} for e, tasks in found.items()}


def study_times(studies: Sequence[Sequence[float]]) -> list[float]:
    """The fastest trial of each study."""
    return [min(trials) for trials in studies if len(trials)]


def time_to_target(studies: Sequence[Sequence[float]]) -> float:
    """The median over studies of the fastest trial; infinite: missed, or never run."""
    fastest = study_times(studies)
    return median(fastest) if fastest else math.inf


def times_to_target(times: Times) -> dict[str, dict[str, float]]:
    """Entrant → task → time to target."""
    return {e: {w: time_to_target(studies) for w, studies in tasks.items()} for e, tasks in times.items()}


def redrawn(times: Times, resamples: int = RESAMPLES) -> dict[str, dict[str, list[float]]]:
    """Entrant → task → times to target, had other studies been drawn: the bootstrap of everything made from times.

    Studies are drawn with replacement. Where there is one study its trials are drawn, which shows the luck of the
    search, but makes every entrant a little slower than it was: the best of a redrawn search is never better.
    """
    rng = np.random.default_rng(SEED)
    return {e: {w: _redraw(studies, resamples, rng) for w, studies in sorted(tasks.items())} for e, tasks in sorted(times.items())}


def time_interval(studies: Sequence[Sequence[float]]) -> Interval:
    """The time to target of one entrant on one task with its interval over studies."""
    draws = _redraw(studies, RESAMPLES, np.random.default_rng(SEED))
    return percentiles(draws, time_to_target(studies), observations(studies))


def observations(studies: Sequence[Sequence[float]]) -> int:
    """From how many values a time's interval is: studies; or the trials, where there is one study."""
    ran = [s for s in studies if len(s)]
    return len(ran[0]) if len(ran) == 1 else len(ran)


def _redraw(studies: Sequence[Sequence[float]], resamples: int, rng: np.random.Generator) -> list[float]:
    fastest = study_times(studies)
    if not fastest:
        return [math.inf] * resamples
    if len(fastest) > 1:
        values = np.asarray(fastest)
        rows = np.sort(values[rng.integers(len(values), size=(resamples, len(values)))], axis=1)
        low, high = rows[:, (len(values) - 1) // 2], rows[:, len(values) // 2]
        return (low / 2 + high / 2).tolist()
    trials = np.asarray(next(s for s in studies if len(s)))
    return trials[rng.integers(len(trials), size=(resamples, len(trials)))].min(axis=1).tolist()
