"""Who is told apart: tests by hand and against scipy, and simulated races in which the truth is known."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from steepest.race.statistics import between, compare, compare_finals, holm, relative, search_luck, tied_with
from steepest.race.statistics.comparing import can_decide, signed_rank, student
from steepest.race.statistics.luck import chances, shared_points
from steepest.race.statistics.values import Cell, Pair, cost, final_costs
from tests.race.synthetic import Racer, race, task

inf = math.inf
FIELD = [Racer("c", quality=0.1), Racer("d", quality=0.2), Racer("e", quality=0.05), Racer("wreck", diverges=1.0)]
COPIES = [Racer("adamw"), Racer("adamw-again")]
#: Layouts of a race: each decides by another unit.
STANDARD = {"tasks": 8, "studies": 3}
ONE_STUDY = {"tasks": 8, "studies": 1}
SMALL = {"tasks": 3, "studies": 1, "trials": 6, "seeds": 3}
OWN_TASK = {"tasks": 1, "studies": 1, "trials": 8, "seeds": 5}


def test_relative_differences() -> None:
    assert relative(3, 1) == 1.0
    assert relative(1, 3) == -1.0
    assert relative(1.01, 1.0) == pytest.approx(0.01, rel=0.01)
    assert relative(inf, 1) == 2 == -relative(1, inf)
    assert relative(inf, inf) == relative(0, 0) == 0
    assert relative(0.1, 0.0) == 2
    assert relative(-0.8, -0.9) > 0


@given(st.floats(0, 1e9) | st.just(inf), st.floats(0, 1e9) | st.just(inf), st.floats(1e-3, 1e3))
def test_relative_is_antisymmetric_bounded_and_without_scale(a: float, b: float, scale: float) -> None:
    assert relative(a, b) == -relative(b, a)
    assert -2 <= relative(a, b) <= 2
    assert (relative(a, b) > 0) == (a > b)
    assert relative(scale * a, scale * b) == pytest.approx(relative(a, b), abs=1e-9)


def test_costs() -> None:
    error, accuracy = task(0), task(0, higher_is_better=True, guess=0.1)
    assert [cost(m, error) for m in (0.2, 0.95, math.nan, inf)] == [0.2, 0.9, 0.9, 0.9]
    assert [cost(m, accuracy) for m in (0.8, 0.05, math.nan, -inf)] == [-0.8, -0.1, -0.1, -0.1]


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_none_and_bonferroni(p: list[float]) -> None:
    found = holm(p)
    assert all(x <= y <= min(1.0, len(p) * x) + 1e-12 for x, y in zip(p, found, strict=True))
    order = sorted(range(len(p)), key=lambda i: p[i])
    assert all(found[i] <= found[j] for i, j in pairwise(order))


def test_tests_against_scipy() -> None:
    rng = np.random.default_rng(0)
    d = rng.normal(0.5, 1, size=12).tolist()
    assert signed_rank(d) == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)
    assert student(d, 0.0) == pytest.approx(stats.ttest_1samp(d, 0).pvalue)
    assert student(d, 0.5) > student(d, 0.0)
    assert signed_rank([0.0] * 8) == student([0.0] * 8, 0.0) == 1.0
    assert signed_rank([0.1] * 8) == pytest.approx(2 / 2**8)
    assert student([0.1] * 5, 0.0) == 1.0, "five equal differences may be alike by chance"
    assert student([0.1], 1.0) == 1.0


def test_how_many_observations_it_takes() -> None:
    assert not can_decide(7, 1)
    assert can_decide(8, 1)
    assert not can_decide(8, 2)
    assert can_decide(14, 55), "eleven entrants need 14 searches: 5 tasks with 3 studies"
    assert not can_decide(13, 55)
    assert not can_decide(0, 0)


def test_luck_by_simulation() -> None:
    costs = [1.0, 1.1, 1.3, 2.0, inf]
    rng = np.random.default_rng(0)
    draws = np.array(costs)[rng.integers(5, size=(200_000, 5))].min(axis=1)
    assert search_luck(costs) == pytest.approx(np.std([relative(d, 1.0) for d in draws.tolist()]), rel=0.01)
    assert sum(chances(5)) == pytest.approx(1)
    assert search_luck([1.0]) == 0 == search_luck([1.0, 1.0])


def test_points_that_tasks_share() -> None:
    assert not shared_points(race(COPIES, tasks=2))
    assert shared_points(race(COPIES, tasks=2, shared_points=True))
    assert not shared_points(race(COPIES, tasks=1, shared_points=True))


def told_apart(layout: dict[str, int], racers: list[Racer], repetitions: int = 20, **more: object) -> list[str | None]:
    """Of the first two racers, in each of so many races: the better one, if they are told apart."""
    found: list[str | None] = []
    for seed in range(repetitions):
        comparisons = compare_finals(race(racers, seed=seed, **layout, **more))  # type: ignore[arg-type]
        found.append(between(comparisons, racers[0].name, racers[1].name).better)
    return found


@pytest.mark.parametrize("layout", [STANDARD, ONE_STUDY, SMALL, OWN_TASK, {"tasks": 8, "trials": 0}], ids=str)
@pytest.mark.parametrize("field", [[], FIELD], ids=["alone", "in a field"])
def test_two_copies_tie_in_19_of_20(layout: dict[str, int], field: list[Racer]) -> None:
    assert told_apart(layout, [*COPIES, *field]).count(None) >= 19


@pytest.mark.parametrize("shared", [False, True])
def test_equal_optimizers_with_other_learning_rates_tie(shared: bool) -> None:
    """Also where a study tried the same points everywhere, which then suit the one better than the other on all tasks."""
    assert told_apart(STANDARD, [Racer("a"), Racer("b", lr=1e-3)], shared_points=shared).count(None) >= 19


@pytest.mark.parametrize(
    ("layout", "quality"), [(STANDARD, -0.05), (ONE_STUDY, -0.1), (SMALL, -1.0), (OWN_TASK, -1.0)], ids=lambda x: str(x)
)
def test_a_planted_winner_is_found(layout: dict[str, int], quality: float) -> None:
    """5 % less error where runs of one seed differ by 3 %; less is found only by a larger race."""
    assert told_apart(layout, [Racer("a"), Racer("better", quality=quality), *FIELD]).count("better") >= 19


def test_a_winner_on_some_tasks_alone_is_no_winner() -> None:
    split = Racer("split", by_task=(-0.1, 0.1) * 4)
    assert told_apart(STANDARD, [Racer("a"), split]).count(None) >= 19


def test_a_difference_that_nobody_would_care_for_is_a_tie() -> None:
    pairs = [Pair(f"t{i}", 0, 0) for i in range(30)]
    costs = {"a": dict.fromkeys(pairs, 1.0), "b": {p: 1.004 + 1e-5 * i for i, p in enumerate(pairs)}}
    found = compare(costs)[0]
    assert found.adjusted < 1e-6
    assert not found.told_apart
    assert compare(costs, zone=0.001)[0].better == "a"


def test_only_common_runs_are_compared() -> None:
    full = final_costs(race([Racer("a"), Racer("b", quality=-0.3)]))
    half = {**full, "b": {p: c for p, c in full["b"].items() if p.seed < 1002}}
    assert compare(half)[0].better == "b"
    none = compare({**full, "b": {}})[0]
    assert (none.unit, none.told_apart, none.p) == ("none", False, 1.0)


def test_misses_take_part() -> None:
    """Times to a target: one misses on three tasks of eight and is as fast elsewhere."""
    rng = np.random.default_rng(0)
    pairs = [Pair(f"t{t}", s, k) for t in range(8) for s in range(3) for k in range(5)]
    a = {p: float(rng.lognormal(0, 0.1)) for p in pairs}
    b = {p: inf if p.task in ("t0", "t1", "t2") else float(rng.lognormal(0, 0.1)) for p in pairs}
    found = compare({"a": a, "b": b})[0]
    assert found.difference.middle == pytest.approx(-0.75, abs=0.05)
    assert math.isfinite(found.difference.low)


def test_a_comparison_can_be_read_either_way() -> None:
    comparisons = compare_finals(race([Racer("a"), Racer("b", quality=-0.3), Racer("c", quality=-0.3)]))
    ab, ba = between(comparisons, "a", "b"), between(comparisons, "b", "a")
    assert ab.better == ba.better == "b"
    assert ab.difference.middle > 0 > ba.difference.middle
    assert ba.difference.low <= ba.difference.middle <= ba.difference.high
    assert tied_with("b", comparisons) == ["c"]
    assert tied_with("a", comparisons) == []
    with pytest.raises(KeyError):
        between(comparisons, "a", "nobody")


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(3)), st.floats(0.01, 100))
def test_order_and_scale_change_nothing(order: list[int], scale: float) -> None:
    record = race([Racer("a"), Racer("b", quality=-0.03), Racer("c", quality=0.2)], tasks=3, seed=5)
    costs = final_costs(record)
    names = list(costs)
    expected = {frozenset((c.a, c.b)): (c.p, c.better) for c in compare(costs)}
    changed = {names[i]: {p: scale * v for p, v in reversed(costs[names[i]].items())} for i in order}
    for c in compare(changed):
        p, better = expected[frozenset((c.a, c.b))]
        assert (c.p, c.better) == (pytest.approx(p), better)


def test_the_direction_of_the_metric() -> None:
    accuracies = [task(i, higher_is_better=True, guess=0.1, target=0.03 * (i + 1)) for i in range(8)]
    record = race([Racer("a"), Racer("b", quality=-1.0)], tasks=accuracies)
    assert compare_finals(record)[0].better == "b"
    turned = replace(record, tasks={n: replace(t, higher_is_better=False, guess=2.0) for n, t in record.tasks.items()})
    assert compare_finals(turned)[0].better == "a"


def test_luck_counts_where_there_is_one_search() -> None:
    pairs = [Pair(f"t{t}", 0, k) for t in range(3) for k in range(5)]
    costs = {"a": dict.fromkeys(pairs, 1.0), "b": {p: 1.1 + 0.001 * p.seed for p in pairs}}
    luck = {e: {Cell(f"t{t}", 0): 0.1 for t in range(3)} for e in costs}
    assert compare(costs)[0].told_apart
    assert not compare(costs, luck)[0].told_apart
    assert compare(costs, luck)[0].zone == pytest.approx(2 * math.hypot(0.1, 0.1) / math.sqrt(3))
    assert compare(costs, luck, shared=True)[0].zone == pytest.approx(2 * math.hypot(0.1, 0.1))


def test_luck_that_tasks_share_counts_with_many_searches_too() -> None:
    pairs = [Pair(f"t{t}", s, 0) for t in range(8) for s in range(3)]
    costs = {"a": dict.fromkeys(pairs, 1.0), "b": {p: 1.1 + 0.001 * i for i, p in enumerate(pairs)}}
    luck = {e: {Cell(p.task, p.study): 0.1 for p in pairs} for e in costs}
    assert compare(costs, luck)[0].told_apart
    shared = compare(costs, luck, shared=True)[0]
    assert (shared.unit, shared.told_apart) == ("cells", False)
    assert shared.zone == pytest.approx(2 * math.hypot(0.1, 0.1) / math.sqrt(3)), "three independent draws, not 24"
