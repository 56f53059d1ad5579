"""Time to target, profiles, speed-ups: by hand, properties, and simulated noise."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steepest.race.statistics import (
    TAUS,
    compare,
    geometric_mean,
    overall,
    profile,
    profiles,
    ratios,
    score,
    scores,
    speedups,
    time_interval,
    time_to_target,
    times_to_target,
    trial_times,
)
from steepest.race.statistics.speedups import noise_of
from steepest.race.statistics.times import redrawn
from tests.race.synthetic import Racer, race, task

inf = math.inf
TIME = st.floats(0.1, 1e4) | st.just(inf)
TABLES = st.integers(1, 4).flatmap(
    lambda w: st.lists(st.lists(TIME, min_size=w, max_size=w), min_size=2, max_size=4).map(
        lambda rows: {f"e{i}": {f"w{j}": t for j, t in enumerate(row)} for i, row in enumerate(rows)}
    )
)


def one_study(table: dict[str, dict[str, float]]) -> dict[str, dict[str, list[list[float]]]]:
    return {e: {w: [[t]] for w, t in tasks.items()} for e, tasks in table.items()}


@pytest.mark.parametrize(
    ("studies", "expected"),
    [
        ([[5, 3, inf], [4, 9, 9], [inf, inf, 7]], 4),  # fastest 3, 4, 7
        ([[5, 3], [inf, inf], [inf, inf]], inf),  # two of three studies miss
        ([[5, 3], [4, 4], [inf, inf]], 4),  # one of three: it takes part
        ([[3], [inf]], inf),  # half of them
        ([[inf, 8]], 8),
        ([], inf),
    ],
)
def test_the_rule_by_hand(studies: list[list[float]], expected: float) -> None:
    assert time_to_target(studies) == expected
    assert time_interval(studies).middle == expected


def test_intervals_of_times() -> None:
    found = time_interval([[3, 9], [4], [7]])
    assert (found.low, found.middle, found.high, found.values) == (3, 4, 7, 3)
    found = time_interval([[3, 4, inf]])
    assert (found.low, found.middle, found.high) == (3, 3, inf), "one study: its trials are drawn"
    assert not time_interval([[3]]).known


def test_times_of_a_race() -> None:
    record = race([Racer("a"), Racer("b", misses=1.0)], tasks=[task(0), task(1, target=None)], studies=3, trials=4)
    steps, samples, seconds = (trial_times(record, m) for m in ("steps", "samples", "seconds"))
    assert set(steps["a"]) == {"task-0"}, "a task without a target has no times"
    assert [len(s) for s in steps["a"]["task-0"]] == [4, 4, 4]
    assert times_to_target(samples)["a"]["task-0"] == 32 * times_to_target(steps)["a"]["task-0"]
    assert math.isfinite(times_to_target(seconds)["a"]["task-0"])
    assert times_to_target(steps)["b"]["task-0"] == inf


def test_without_tuning_each_run_is_a_study() -> None:
    record = race([Racer("a")], tasks=1, trials=0, seeds=5)
    assert [len(s) for s in trial_times(record)["a"]["task-0"]] == [1] * 5


def test_an_entrant_that_has_not_run_has_missed() -> None:
    record = race([Racer("a"), Racer("b")], tasks=2)
    record = replace(record, trials=tuple(t for t in record.trials if t.optimizer == "a"))
    assert times_to_target(trial_times(record))["b"] == {"task-0": inf, "task-1": inf}
    assert scores(times_to_target(trial_times(record))) == {"a": 1.0, "b": 0.0}


def test_profiles_by_hand() -> None:
    table = {"a": {"x": 10.0, "y": 30.0}, "b": {"x": 20.0, "y": 10.0}, "c": {"x": inf, "y": 41.0}}
    assert ratios(table) == {"a": {"x": 1, "y": 3}, "b": {"x": 2, "y": 1}, "c": {"x": inf, "y": 4.1}}
    assert profile([1, 3], [1, 2, 3, 4]) == [0.5, 0.5, 1, 1]
    assert score([0, 0.5, 1], [1, 2, 4]) == pytest.approx((0.25 + 1.5) / 3)
    # The step at 3 (2) lies between the points or on one: the trapezoid is off the area by up to a hundredth of it.
    assert scores(table) == pytest.approx({"a": 2 / 3, "b": 5 / 6, "c": 0.0}, abs=0.005)
    assert len(TAUS) == 100
    assert (TAUS[0], TAUS[-1]) == (1, 4)


@settings(max_examples=50, deadline=None)
@given(TABLES, st.floats(0.1, 10), st.randoms())
def test_profile_properties(table: dict[str, dict[str, float]], scale: float, random: object) -> None:
    found = profiles(one_study(table), resamples=20)
    for p in found.values():
        assert all(x <= y for x, y in zip(p.share, p.share[1:], strict=False)), "a profile rises"
        assert all(x <= y for x, y in zip(p.low, p.high, strict=True))
        assert 0 <= p.score.middle <= 1
    w = next(iter(next(iter(table.values()))))
    if any(math.isfinite(tasks[w]) for tasks in table.values()):
        assert any(r[w] == 1 for r in ratios(table).values()), "somebody is fastest"
    # The scale of a workload (its length, the machine) and the order of entrants and workloads change nothing.
    scaled = {e: {k: t * scale if k == w else t for k, t in tasks.items()} for e, tasks in table.items()}
    for e, r in ratios(scaled).items():
        assert r == pytest.approx(ratios(table)[e])
    names = list(table)
    random.shuffle(names)  # type: ignore[attr-defined]
    shuffled = {e: dict(reversed(table[e].items())) for e in names}
    assert scores(shuffled) == pytest.approx(scores(table))
    again = profiles(one_study(shuffled), resamples=20)
    assert all(again[e].low == found[e].low for e in table)


def test_bands_are_over_studies() -> None:
    table = {"a": {"x": [[10.0], [11.0], [30.0]]}, "b": {"x": [[12.0], [13.0], [14.0]]}}
    found = profiles(table)
    assert found["a"].score.middle == 1.0
    assert found["a"].score.low < 0.6
    assert found["a"].low[0] == 0 < found["a"].high[0] == 1
    assert found["a"].score.known
    assert not profiles({"a": {"x": [[10.0]]}})["a"].score.known
    assert profiles({"a": {}})["a"].score.middle == 0


def test_redrawing_one_study_is_never_faster() -> None:
    draws = redrawn({"a": {"x": [[5.0, 7.0, inf]]}})["a"]["x"]
    assert set(draws) == {5.0, 7.0, inf}
    assert np.mean(np.array(draws) == 5.0) == pytest.approx(1 - (2 / 3) ** 3, abs=0.05)


def test_speedups_by_hand() -> None:
    table = {
        "base": {"x": [[10.0]], "y": [[10.0]], "z": [[inf]], "u": [[inf]]},
        "a": {"x": [[5.0]], "y": [[20.0]], "z": [[3.0]], "u": [[inf]]},
        "b": {"x": [[5.0]], "y": [[inf]], "z": [[inf]], "u": [[inf]]},
    }
    found = speedups(table, "base")
    assert "base" not in found
    assert [found["a"][w].factor for w in "xyz"] == [2.0, 0.5, inf]
    assert math.isnan(found["a"]["u"].factor)
    assert [found["a"][w].outcome for w in "xyzu"] == ["both", "both", "only the entrant", "neither"]
    assert (found["b"]["y"].factor, found["b"]["y"].outcome) == (0.0, "only the baseline")
    assert all(s.noise for tasks in found.values() for s in tasks.values()), "one trial each: nothing is known of the noise"
    mean = overall(table, "base")
    assert mean["a"].factor.middle == pytest.approx(1.0)
    assert (mean["a"].both, mean["a"].tasks, mean["a"].entrant_only, mean["a"].baseline_only) == (2, 4, 1, 0)
    assert (mean["b"].both, mean["b"].baseline_only, mean["b"].factor.middle) == (1, 1, pytest.approx(2.0))
    assert geometric_mean([2, 8]) == pytest.approx(4)
    assert math.isnan(geometric_mean([]))


def test_algoperf_speedups() -> None:
    """The geometric mean of 1.45 of Shampoo over the baseline on the 7 workloads that both finish, from the same figures."""
    import json
    from pathlib import Path

    seconds = json.loads((Path(__file__).parent / "algoperf_v05.json").read_text())
    base, external = seconds["base"], seconds["external_tuning"]["seconds"]
    table = {s: {w: [[inf if external[s][w] is None else external[s][w]]] for w in base} for s in external}
    found = overall(table, "baseline")["shampoo_submission"]
    assert (round(found.factor.middle, 2), found.both) == (1.45, 7)


def noisy(rng: np.random.Generator, truth: float = 1.0, spread: float = 0.1, tasks: int = 8) -> dict[str, list[list[float]]]:
    return {f"w{w}": [[float(truth * 100 * rng.lognormal(0, spread))] for _ in range(3)] for w in range(tasks)}


def test_noise_is_pooled() -> None:
    rng = np.random.default_rng(0)
    times = {f"e{i}": noisy(rng, truth=2.0**i) for i in range(6)}
    noise = noise_of(times)
    assert noise.spread == pytest.approx(0.1, rel=0.15)
    assert noise.freedom == 6 * 8 * 2


def test_entries_marked_as_no_noise() -> None:
    """Of entrants as fast as the baseline hardly any entry is marked; of one 1.5 times as fast nearly all are."""
    rng = np.random.default_rng(1)
    false, found, families = 0, 0, 0
    for _ in range(40):
        times = {"base": noisy(rng), "same": noisy(rng), "also": noisy(rng)}
        marked = [not s.noise for tasks in speedups(times, "base").values() for s in tasks.values()]
        false, families = false + sum(marked), families + any(marked)
        faster = speedups({**times, "fast": noisy(rng, truth=1 / 1.5)}, "base")["fast"]
        found += sum(not s.noise for s in faster.values())
    assert families <= 6
    assert false / (40 * 16) <= 0.02
    assert found / (40 * 8) >= 0.9


def test_never_against_always_is_no_noise() -> None:
    hits, never = {"x": [[5.0, 6.0, 9.0]] * 3}, {"x": [[inf, inf, inf]] * 3}
    found = speedups({"base": hits, "a": never, "b": {"x": [[inf, inf, inf], [inf, inf, inf], [8.0, 9.0, inf]]}}, "base")
    assert not found["a"]["x"].noise
    assert found["b"]["x"].outcome == "only the baseline"
    assert speedups({"base": never, "a": never}, "base")["a"]["x"].noise


def test_intervals_of_the_geometric_mean() -> None:
    rng = np.random.default_rng(2)
    times = {"base": noisy(rng), "a": noisy(rng, truth=0.5)}
    found = overall(times, "base")["a"].factor
    assert found.low < found.middle < found.high
    assert found.low > 1.7
    assert found.high < 2.3
    one = overall({e: {w: [s[0]] for w, s in tasks.items()} for e, tasks in times.items()}, "base")["a"].factor
    assert not one.known, "one run of each"


@settings(max_examples=40, deadline=None)
@given(TABLES, st.floats(0.1, 10))
def test_speedups_have_no_scale(table: dict[str, dict[str, float]], scale: float) -> None:
    scaled = {e: {w: t * scale for w, t in tasks.items()} for e, tasks in table.items()}
    one, other = overall(one_study(table), "e0", 10), overall(one_study(scaled), "e0", 10)
    for e in one:
        assert one[e].both == other[e].both
        assert one[e].factor.middle == pytest.approx(other[e].factor.middle, nan_ok=True)


def test_times_can_be_compared_like_costs() -> None:
    record = race([Racer("a"), Racer("fast", speed=1.5)])
    from steepest.race.statistics.values import Pair, of

    costs: dict[str, dict[Pair, float]] = {"a": {}, "fast": {}}
    for t in of(record, "evaluation"):
        costs[t.optimizer][Pair(t.task, t.study, t.seed)] = t.steps_to_target
    assert compare(costs)[0].better == "fast"
