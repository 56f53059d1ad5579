"""The rule that gives a verdict, and the interval that it is given by."""

import math

import numpy as np
import pytest

from steepest.guide.claims import estimate as module
from steepest.guide.claims.estimate import estimate
from steepest.guide.claims.verdict import decide, opposite


@pytest.mark.parametrize(
    ("low", "high", "side", "word"),
    [
        (5.1, 9.0, "at least", "supported"),
        (5.0, 9.0, "at least", "supported"),  # the threshold itself is on the claim's side
        (4.9, 9.0, "at least", "undecided"),
        (-3.0, 5.0, "at least", "undecided"),
        (-3.0, 4.9, "at least", "contradicted"),
        (5.0, 5.0, "at least", "supported"),
        (4.9, 4.9, "at least", "contradicted"),
        (1.0, 4.9, "at most", "supported"),
        (1.0, 5.0, "at most", "supported"),
        (4.0, 5.1, "at most", "undecided"),
        (5.0, 9.0, "at most", "undecided"),
        (5.1, 9.0, "at most", "contradicted"),
        (-math.inf, math.inf, "at least", "undecided"),
        (-math.inf, math.inf, "at most", "undecided"),
        (math.nan, math.nan, "at least", "undecided"),
        (math.nan, math.nan, "at most", "undecided"),
    ],
)
def test_the_rule_at_its_edges(low: float, high: float, side: str, word: str) -> None:
    assert decide(low, high, side, 5.0) == word  # type: ignore[arg-type]


def test_undecided_is_the_opposite_of_nothing() -> None:
    assert opposite("supported", "contradicted")
    assert opposite("contradicted", "supported")
    assert not opposite("supported", "undecided")
    assert not opposite("undecided", "contradicted")
    assert not opposite("supported", "supported")


def test_the_same_interval_every_time() -> None:
    values = {"a": [[1.0, 2.0], [3.0]], "b": [[4.0, 7.0]]}
    assert estimate(values) == estimate(values)
    assert estimate(values).middle == pytest.approx(((1.5 + 3) / 2 + 5.5) / 2)


def test_no_spread_no_interval() -> None:
    assert estimate({"a": [[2.0, 2.0]], "b": [[2.0]]}) == (2.0, 2.0, 2.0)


def test_nothing_measured_decides_nothing() -> None:
    for values in ({}, {"a": []}, {"a": [[]]}):
        middle, low, high = estimate(values)
        assert math.isnan(middle)
        assert decide(low, high, "at least", 0.0) == "undecided"


def test_tasks_that_disagree_widen_the_interval_however_many_runs_they_have() -> None:
    agree = estimate({t: [[1.0, 1.2] * 20, [0.8, 1.0] * 20] for t in "abcdef"})
    disagree = estimate({t: [[v, v] * 20, [v, v] * 20] for t, v in zip("abcdef", (-2, 4, -2, 4, -2, 4), strict=True)})
    assert agree.high - agree.low < 0.2
    assert disagree.low < -0.9
    assert disagree.high > 2.9


def test_a_lucky_search_counts_once_however_many_seeds_it_has() -> None:
    one = estimate({"a": [[0.0] * 100, [1.0] * 100]})
    assert (one.low, one.high) == (0.0, 1.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESAMPLES", 500)
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(60):
        tasks = rng.normal(0, 1, 8)
        found = estimate({str(i): [list(t + rng.normal(0, 1) + rng.normal(0, 1, 3)) for _ in range(2)] for i, t in enumerate(tasks)})
        hits += found.low <= 0 <= found.high
    assert 0.88 <= hits / 60 <= 1.0


def test_two_tasks_decide_only_if_they_agree() -> None:
    found = estimate({"a": [[1.0, 1.1]], "b": [[9.0, 9.1]]})
    assert found.low < 1.1
    assert found.high > 9.0
