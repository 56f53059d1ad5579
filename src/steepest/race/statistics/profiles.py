"""Performance profiles, and the score of AlgoPerf that is the area under them.

The profile of an entrant is the share of workloads on which it needs at most tau times as long as the fastest one
(Dolan and Moré 2002, doi:10.1007/s101070100263). The score is its area for tau from 1 to 4, by the trapezoid rule on
100 points, divided by 3 (Dahl et al. 2023, arXiv:2306.07179). A score of 1 means: fastest everywhere.

Profiles and scores depend on the field: an entrant that enters or leaves may change the order of the others, since
the fastest one on a workload is what all are divided by. A speed-up over a fixed baseline (`speedups`) does not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steepest.race.statistics.intervals import CONFIDENCE, Interval, percentiles
from steepest.race.statistics.times import Times, observations, redrawn, times_to_target

TAU_MAX = 4.0
POINTS = 100
TAUS: list[float] = np.linspace(1.0, TAU_MAX, POINTS).tolist()


@dataclass(frozen=True)
class Profile:
    """One entrant's share of workloads at each of `TAUS`, with a bootstrap band, and its score."""

    share: list[float]
    low: list[float]
    high: list[float]
    score: Interval


def ratios(times: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Entrant → workload → how many times as long as the fastest; infinite where it missed (or all did)."""
    workloads = {w for tasks in times.values() for w in tasks}
    fastest = {w: min(tasks[w] for tasks in times.values() if w in tasks) for w in workloads}
    return {
        e: {w: t / fastest[w] if math.isfinite(t) and fastest[w] > 0 else (1.0 if t == 0 else math.inf) for w, t in tasks.items()}
        for e, tasks in times.items()
    }


def profile(ratio: Sequence[float], taus: Sequence[float] = TAUS) -> list[float]:
    """The share of workloads within tau of the fastest."""
    return [sum(r <= tau for r in ratio) / len(ratio) if ratio else 0.0 for tau in taus]


def score(share: Sequence[float], taus: Sequence[float] = TAUS) -> float:
    """The normalised area under a profile."""
    return float(np.trapezoid(share, taus)) / (taus[-1] - taus[0])


def scores(times: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Entrant → score, from times to target."""
    return {e: score(profile(list(tasks.values()))) for e, tasks in ratios(times).items()}


def profiles(times: Times, resamples: int = 1000) -> dict[str, Profile]:
    """Entrant → profile. The band is over studies, the workloads being what they are; it says nothing of other workloads."""
    names, workloads = list(times), sorted({w for tasks in times.values() for w in tasks})
    point = ratios(times_to_target(times))
    if not names or not workloads:
        return {e: Profile([0.0] * POINTS, [0.0] * POINTS, [0.0] * POINTS, Interval(0.0, -math.inf, math.inf, 0)) for e in names}
    drawn = redrawn(times, resamples)
    array = np.array([[drawn[e][w] for w in workloads] for e in names])  # entrant, workload, draw
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = array / array.min(axis=0)
    ratio = np.where(np.isfinite(array), np.where(array == 0, 1.0, ratio), np.inf)
    found: dict[str, Profile] = {}
    for e, rows in zip(names, ratio, strict=True):
        shares = np.stack([(rows <= tau).mean(axis=0) for tau in TAUS])  # tau, draw
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(shares, [tail, 1 - tail], axis=1, method="nearest")
        share = profile(list(point[e].values()))
        areas = np.trapezoid(shares, TAUS, axis=0) / (TAU_MAX - 1)
        values = max(map(observations, times[e].values()), default=0)
        found[e] = Profile(share, low.tolist(), high.tolist(), percentiles(areas.tolist(), score(share), values))
    return found


def with_variants(times: Mapping[str, Mapping[str, float]], variants: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """AlgoPerf v0.5's rule for held-out variants of workloads; the times of the base workloads that are left to score.

    A variant (its name → its base workload) is not scored, but a base workload counts as missed where the variant was
    missed, or took more than four times as long as the fastest entrant on it. Entrants that missed the base workload
    itself are no measure of the fastest. And the same factor of four already holds for the profile.
    """
    kept = {e: dict(tasks) for e, tasks in times.items()}
    for tasks in kept.values():
        for variant, base in variants.items():
            if not math.isfinite(tasks[base]):
                tasks[variant] = math.inf
    fastest = {v: min(tasks[v] for tasks in kept.values()) for v in variants}
    for tasks in kept.values():
        for variant, base in variants.items():
            if not tasks[variant] <= TAU_MAX * fastest[variant] or not math.isfinite(tasks[variant]):
                tasks[base] = math.inf
    return {e: {w: t for w, t in tasks.items() if w not in variants} for e, tasks in kept.items()}
