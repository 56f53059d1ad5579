"""Sensitivity to the learning rate, budget curves, edges of spaces, costs: by hand and by simulation."""

import math
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steepest.race.record import AxisFacts
from steepest.race.statistics import Rate, budget_curve, costs, defaults_metric, edges, race_budget, sensitivity, step_ratio, steps_budget
from steepest.race.statistics.boundary import end_of, position
from steepest.race.statistics.budget import weights
from steepest.race.statistics.sensitivity import mean_regret, width
from steepest.race.statistics.values import Cell
from tests.race.synthetic import Noise, Racer, race, task

inf = math.inf
QUIET = Noise(run=0, shared=0, time=0)


def test_regret_by_hand() -> None:
    # A tent: cost 1 at the best, 2 one decade off; guessing is 3. The mean regret is half of 1, of a distance of 2.
    assert mean_regret([-1, 0, 1], [2, 1, 2], 3) == pytest.approx((0.25, 2.0))
    # Outside the window nothing counts, and beyond guessing neither.
    assert mean_regret([-2, -1, 0, 1, 2], [9, 2, 1, 2, 9], 3) == pytest.approx((0.25, 2.0))
    assert mean_regret([-1, 0, 1], [3, 1, 1e9], 3) == pytest.approx((0.5, 2.0))
    # Half of the window: the mean is over what was tried.
    assert mean_regret([0, 1], [1, 2], 3) == pytest.approx((0.25, 1.0))
    assert math.isnan(mean_regret([0], [1], 3)[0])
    assert mean_regret([-1, 0, 1], [1, 1, 1], 3)[0] == 0


def test_width_by_hand() -> None:
    x, y = [-1.0, 0.0, 1.0], [2.0, 1.0, 1.5]
    assert width(x, y, 0.05) == pytest.approx((0.05 + 0.1, False))
    assert width(x, y, 0.01) == pytest.approx((0.01 + 0.02, False))
    assert width(x, y, 0.75) == pytest.approx((0.75 + 1.0, True)), "open at the right"
    # A second valley does not count: the range around the best is one piece.
    assert width([-2, -1, 0], [1.0, 3.0, 1.0], 0.1)[0] < 0.2
    assert width([-1, 0, 1], [-0.8, -0.9, -0.8], 0.05)[0] == pytest.approx(0.9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 5), min_size=3, max_size=9), st.floats(0.1, 10))
def test_sensitivity_properties(y: list[float], scale: float) -> None:
    x = np.linspace(-1, 1, len(y)).tolist()
    s, decades = mean_regret(x, y, 6.0)
    assert 0 <= s <= 1
    assert decades == pytest.approx(2)
    assert mean_regret(x, [scale * v for v in y], scale * 6.0)[0] == pytest.approx(s, abs=1e-9)
    assert width(x, y, 0.01)[0] <= width(x, y, 0.05)[0] + 1e-12


def test_sensitivity_of_a_race() -> None:
    racers = [Racer("steep", width=0.5), Racer("flat", width=2.0, lr=1e-3), Racer("edge", diverges_above=3.0)]
    record = race(racers, tasks=1, sensitivity=True, trials=32, noise=QUIET)
    steep, flat, edge = (sensitivity(record, r.name, "task-0") for r in racers)
    assert steep.source == "sensitivity"
    assert steep.s > 5 * flat.s
    assert steep.width_5 < flat.width_5
    assert flat.width_1 <= flat.width_5
    assert steep.lr == pytest.approx(3e-3, rel=0.6)
    assert flat.lr == pytest.approx(1e-3, rel=0.6)
    assert steep.first_diverging is None
    assert edge.first_diverging is not None
    assert 1.5 < edge.first_diverging < 7
    gone = [p for p in edge.points if p.diverged]
    assert gone, "diverged points stay visible"
    assert gone[-1].metric == 0.9
    assert {p.trials for p in steep.points} == {3}, "one a study, without the lucky one that tuning chose"
    assert min(p.metric for p in steep.points) == next(p.metric for p in steep.points if p.multiple == 1.0)


def test_sensitivity_from_tuning_alone() -> None:
    record = race([Racer("a"), Racer("wreck", diverges=1.0)], tasks=1, trials=16)
    found = sensitivity(record, "a", "task-0")
    assert found.source == "tuning"
    assert 0 < found.s < 0.5
    assert found.decades == pytest.approx(2.0)
    wreck = sensitivity(record, "wreck", "task-0")
    assert math.isnan(wreck.s)
    assert all(p.diverged == p.trials for p in wreck.points)
    none = sensitivity(race([Racer("a")], tasks=1, trials=0), "a", "task-0")
    assert (none.source, none.points) == ("none", [])


def test_sensitivity_where_higher_is_better() -> None:
    """The same landscape told as accuracy: the same multiples, the same figure."""
    record = race([Racer("a", width=0.5)], tasks=1, sensitivity=True, noise=QUIET)
    facts = record.tasks["task-0"]
    turned = replace(
        record,
        tasks={"task-0": replace(facts, higher_is_better=True, guess=1 - facts.guess)},
        trials=tuple(replace(t, validation=1 - t.validation) for t in record.trials),
    )
    one, other = sensitivity(record, "a", "task-0"), sensitivity(turned, "a", "task-0")
    assert [p.multiple for p in one.points] == [p.multiple for p in other.points]
    assert [1 - p.metric for p in one.points] == pytest.approx([p.metric for p in other.points])
    assert one.s == pytest.approx(other.s)


def test_budget_by_enumeration() -> None:
    chosen_by, reported = [0.3, 0.1, 0.5, 0.2, 0.4], [30.0, 25.0, 10.0, 20.0, 40.0]  # best by one is not best by the other
    for budget in budget_curve(chosen_by, reported):
        picked = [reported[min(c, key=lambda i: chosen_by[i])] for c in combinations(range(5), budget.k)]
        assert budget.mean == pytest.approx(np.mean(picked))
        assert budget.deviation == pytest.approx(np.std(picked), abs=1e-9)
        assert budget.median == pytest.approx(np.percentile(picked, 50, method="inverted_cdf"))
        assert budget.low == np.percentile(picked, 5, method="inverted_cdf")
        assert budget.high == np.percentile(picked, 95, method="inverted_cdf")


def test_budget_is_unbiased() -> None:
    """The mean estimate from 8 trials of the best of 3 is the true expectation of the best of 3."""
    rng = np.random.default_rng(0)
    estimates = [budget_curve(rng.exponential(size=8).tolist())[2].mean for _ in range(4000)]
    assert np.mean(estimates) == pytest.approx(1 / 3, rel=0.03)


def test_budget_with_misses() -> None:
    curve = budget_curve([inf, 5.0, inf, 7.0])
    assert curve[0].mean == inf
    assert (curve[0].median, curve[1].median, curve[2].median, curve[3].median) == (7.0, 5.0, 5.0, 5.0)
    assert curve[3].mean == 5.0
    assert curve[0].high == inf
    assert all(b.mean == inf for b in budget_curve([inf, inf]))
    assert budget_curve([]) == []


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=12), st.randoms())
def test_budget_properties(values: list[float], random: object) -> None:
    curve = budget_curve(values)
    assert [b.k for b in curve] == list(range(1, len(values) + 1))
    assert all(b.mean <= a.mean + 1e-9 for a, b in pairwise(curve)), "more trials are never worse"
    assert curve[-1].mean == min(values)
    assert curve[-1].deviation == 0
    assert curve[0].mean == pytest.approx(np.mean(values))
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert budget_curve(shuffled) == curve
    assert sum(weights(len(values), len(values))) == 1


def test_budget_of_a_race() -> None:
    record = race([Racer("a", lr=2e-2)], tasks=2, trials=6, studies=3, defaults=True)
    curve = race_budget(record, "a", "task-0")
    assert len(curve) == 6
    best = [min(t.validation for t in record.trials if (t.purpose, t.task, t.study) == ("tuning", "task-0", s)) for s in range(3)]
    assert curve[-1].mean == pytest.approx(np.mean(best))
    assert defaults_metric(record, "a", "task-0") > curve[-1].mean
    assert math.isnan(defaults_metric(record, "a", "no task"))
    assert steps_budget(record, "a", Cell("task-0", 1))[-1].mean < inf
    assert race_budget(race([Racer("a")], tasks=1, trials=0), "a", "task-0") == []
    with pytest.raises(ValueError, match="k must be from 1 to 3"):
        weights(3, 4)


LOG, LINEAR, ZERO = AxisFacts("lr", 1e-4, 1e-1, True), AxisFacts("b", 0.8, 1.0, False), AxisFacts("warmup", 0.0, 0.1, False)


@pytest.mark.parametrize(
    ("value", "axis", "end"),
    [
        (1e-4, LOG, "low"),
        (1.9e-4, LOG, "low"),
        (2.1e-4, LOG, None),
        (0.049, LOG, None),
        (0.051, LOG, "high"),
        (0.815, LINEAR, "low"),
        (0.825, LINEAR, None),
        (0.985, LINEAR, "high"),
        (0.0, ZERO, None),  # no warm-up is a choice
        (0.095, ZERO, "high"),
        (0.5, AxisFacts("fixed", 0.5, 0.5, False), None),
    ],
)
def test_ends(value: float, axis: AxisFacts, end: str | None) -> None:
    assert end_of(value, axis) == end


def test_positions() -> None:
    assert position(1e-4, LOG) == 0
    assert position(10**-2.5, LOG) == pytest.approx(0.5)
    assert position(0.9, LINEAR) == pytest.approx(0.5)


def test_a_space_that_is_too_small_is_flagged() -> None:
    small = (AxisFacts("lr", 1e-6, 1e-4, log=True), *Racer("x").space[1:])
    record = race([Racer("a", space=small), Racer("b")], tasks=4, trials=16)
    for name in record.tasks:
        lr = [edge for edge in edges(record, "a", name) if edge.axis == "lr"]
        assert [(edge.end, edge.of) for edge in lr] == [("high", 3)]
        assert not [edge for edge in edges(record, "b", name) if edge.axis == "lr"]
    assert edges(race([Racer("a")], tasks=1, trials=0), "a", "task-0") == []


def test_a_flag_needs_more_than_half_of_the_studies() -> None:
    record = race([Racer("a")], tasks=1, trials=4)
    middle = {a.name: (a.low * a.high) ** 0.5 if a.log else (a.low + a.high) / 2 for a in record.entrants["a"].space}

    def flagged(at_the_end: int) -> list[tuple[str, str, int, int]]:
        trials = [replace(t, point={**middle, "lr": 0.09} if t.study < at_the_end else middle) for t in record.trials]
        return [(edge.axis, edge.end, edge.studies, edge.of) for edge in edges(replace(record, trials=tuple(trials)), "a", "task-0")]

    assert [flagged(n) for n in range(4)] == [[], [], [("lr", "high", 2, 3)], [("lr", "high", 3, 3)]]


def test_flags_by_chance_are_as_rare_as_stated() -> None:
    """Weight decay does not matter in synthetic races: 20 % of tasks with one study, 6 % with three."""
    for studies, expected in ((1, 0.2), (3, 0.056)):
        record = race([Racer(f"r{i}") for i in range(8)], tasks=40, studies=studies, trials=8, seeds=1)
        flagged = sum(edge.axis == "weight_decay" for e in record.entrants for w in record.tasks for edge in edges(record, e, w))
        assert flagged / 320 == pytest.approx(expected, abs=0.06)


def test_costs_of_an_entrant() -> None:
    record = race([Racer("a"), Racer("b", diverges=0.5, misses=0.5, state_bytes=2.0, step_ms=3.0)], tasks=4)
    a, b = costs(record, "a"), costs(record, "b")
    assert a.diverged_final.count == a.diverged_tuning.count == 0
    assert b.diverged_tuning.share == pytest.approx(0.5, abs=0.1)
    assert b.missed_final.share > 0.6
    assert (a.diverged_tuning.of, a.diverged_final.of) == (4 * 3 * 12, 4 * 3 * 5)
    assert (b.state_bytes_per_parameter, round(b.step_ms.middle)) == (2.0, 3)
    assert b.step_ms.low < b.step_ms.middle < b.step_ms.high
    assert step_ratio(record, "b") == pytest.approx(3, rel=0.05)
    assert step_ratio(record, "a") == 1
    assert costs(record, "a", "task-1").diverged_final.of == 15
    assert b.seconds == pytest.approx(3 * a.seconds)


def test_rates() -> None:
    from scipy.stats import binomtest

    theirs = binomtest(3, 20).proportion_ci(method="wilson")
    assert Rate(3, 20).interval == pytest.approx((theirs.low, theirs.high), rel=1e-5)
    assert Rate(0, 15).interval[0] == 0 < Rate(0, 15).interval[1] < 0.25
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert math.isnan(Rate(0, 0).share)


def test_no_target_is_no_miss() -> None:
    record = race([Racer("a", misses=1.0)], tasks=[task(0), task(1, target=None)])
    assert costs(record, "a").missed_final == Rate(15, 15)


def test_diverging_below_the_best_is_shown_but_is_no_limit() -> None:
    """A run may diverge at any learning rate by bad luck; what is asked is how far up one may go."""
    record = race([Racer("a")], tasks=1, studies=1, sensitivity=True, noise=QUIET, trials=16)
    swept = sorted((t for t in record.trials if t.purpose == "sensitivity"), key=lambda t: t.point["lr"])
    gone = [replace(t, diverged_at=5, validation=0.9) for t in (swept[0], swept[-1])]
    kept = [t for t in record.trials if t not in (swept[0], swept[-1])]
    found = sensitivity(replace(record, trials=(*kept, *gone)), "a", "task-0")
    assert [bool(p.diverged) for p in found.points] == [True, *[False] * 7, True]
    assert found.first_diverging == found.points[-1].multiple
