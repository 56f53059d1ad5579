"""Medians and intervals: by hand, against scipy, and where values are few, alike or infinite."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from steepest.race.statistics import grouped_median_interval, mean_interval, median, median_interval

inf = math.inf
VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(inf), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3, 1, 2], 2), ([4, 1, 2, 3], 2.5), ([1, inf, inf], inf), ([1, 2, inf], 2), ([1, inf], inf), ([inf, inf], inf), ([7], 7)],
)
def test_medians(values: list[float], expected: float) -> None:
    assert median(values) == expected
    assert median_interval(values).middle == expected
    assert math.isnan(median([]))


def test_one_value_says_nothing_of_its_spread() -> None:
    for interval in (median_interval([2.0]), mean_interval([2.0]), grouped_median_interval([[2.0]])):
        assert (interval.low, interval.middle, interval.high, interval.known) == (-inf, 2.0, inf, False)


def test_alike() -> None:
    for interval in (median_interval([2.0] * 5), mean_interval([2.0] * 5), median_interval([inf] * 3)):
        assert interval.low == interval.middle == interval.high
        assert interval.known


def test_ends_may_be_infinite() -> None:
    interval = median_interval([1.0, 2.0, 3.0, inf, inf])
    assert (interval.low, interval.middle, interval.high) == (1.0, 3.0, inf)


def test_against_scipy() -> None:
    values = np.random.default_rng(1).lognormal(size=40)
    ours = median_interval(values.tolist())
    theirs = stats.bootstrap((values,), np.median, method="percentile", n_resamples=20000, rng=np.random.default_rng(2)).confidence_interval
    assert ours.middle == pytest.approx(np.median(values))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.02)
    normal = np.random.default_rng(3).normal(5, 1, size=40)
    t = stats.t.interval(0.95, 39, normal.mean(), stats.sem(normal))
    bca = mean_interval(normal.tolist())
    assert (bca.low, bca.high) == pytest.approx(t, abs=0.05)
    skewed = mean_interval(values.tolist())
    assert skewed.high - skewed.middle > skewed.middle - skewed.low, "BCa leans to the long tail"


def test_coverage_of_the_median() -> None:
    rng = np.random.default_rng(0)
    covered = [i.low <= 0 <= i.high for i in (median_interval(rng.normal(size=25).tolist()) for _ in range(300))]
    assert 0.90 <= np.mean(covered) <= 0.99


def test_studies_are_drawn_as_a_whole() -> None:
    """Seeds that agree within a study and studies that do not: the spread is that of three values, not of fifteen."""
    groups = [[1.0] * 5, [2.0] * 5, [3.0] * 5]
    grouped, flat = grouped_median_interval(groups), median_interval([v for g in groups for v in g])
    assert (grouped.low, grouped.high) == (1.0, 3.0)
    assert flat.high - flat.low <= grouped.high - grouped.low
    assert grouped_median_interval([[1.0, 2.0, 3.0], [2.0]]).middle == 2.0


@settings(max_examples=60, deadline=None)
@given(VALUES, st.randoms())
def test_properties(values: list[float], random: object) -> None:
    found = median_interval(values)
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found.low <= found.middle <= found.high
    assert median(shuffled) == found.middle
    assert len(values) == 1 or min(values) <= found.low
    assert len(values) == 1 or found.high <= max(values)
    scaled = median_interval([4 * v for v in values])
    assert (scaled.low, scaled.middle, scaled.high) == (4 * found.low, 4 * found.middle, 4 * found.high)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8))
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = mean_interval(values)
    assert not math.isnan(found.low)
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= found.low <= found.middle + slack
    assert found.middle - slack <= found.high <= max(values) + slack
