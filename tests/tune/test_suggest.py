"""Curves whose answer is known: the suggestion, its interval, and the reasons for none."""

import math

import numpy as np
import pytest

from steepest.tune.suggest import Sweep, between, smooth, suggest

RATES = tuple(float(r) for r in np.geomspace(1e-6, 10, 200))


TRUE = 1e-2**0.25 * 1e-1**0.75
"""What is to be suggested for the curve below."""


def curve(fastest: float = 1e-2, bottom: float = 1e-1, noise: float = 0.0, seed: int = 0, ended: bool = True) -> Sweep:
    """From 2 down by a bell-shaped slope around `fastest`, then up again from `bottom`."""
    at = np.log10(RATES)
    slope = -np.exp(-0.5 * ((at - math.log10(fastest)) / 0.3) ** 2) + 1.5 * np.maximum(0.0, at - math.log10(bottom))
    losses = 2 + np.cumsum(slope) * (at[1] - at[0]) + np.random.default_rng(seed).normal(0, noise, len(at)) if noise else None
    losses = 2 + np.cumsum(slope) * (at[1] - at[0]) if losses is None else losses
    kept = int(np.argmax(losses > 4)) or len(RATES)
    return Sweep(RATES[:kept], tuple(map(float, losses[:kept])), ended=ended)


def test_the_suggestion_lies_between_fastest_fall_and_lowest_point():
    said = suggest([curve()])
    assert said.rate == pytest.approx(TRUE, rel=0.35)
    assert said.low <= said.rate <= said.high
    assert said.high / said.low == pytest.approx(1, abs=0.3), "a curve without noise leaves no doubt"


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_it_moves_with_the_curve_and_not_with_its_units(scale):
    first = suggest([curve(1e-3, 1e-2)]).rate
    one = curve(1e-3, 1e-2)
    assert suggest([Sweep(one.rates, tuple(scale * v for v in one.losses), ended=True)]).rate == pytest.approx(first)
    assert suggest([curve(1e-2, 1e-1)]).rate / first == pytest.approx(10, rel=0.2)


def test_more_noise_is_more_doubt_and_the_truth_stays_inside():
    widths = []
    for noise in (0.01, 0.1):
        said = suggest([curve(noise=noise, seed=i) for i in range(3)])
        assert said.low <= TRUE * 1.5
        assert said.high >= TRUE / 1.5
        widths.append(math.log10(said.high / said.low))
    assert widths[1] > widths[0]


def test_the_same_curves_give_the_same_answer():
    assert suggest([curve(noise=0.1)]) == suggest([curve(noise=0.1)])


def test_noise_alone_gives_no_suggestion():
    flat = [Sweep(RATES, tuple(2 + np.random.default_rng(i).normal(0, 0.1, len(RATES))), ended=False) for i in range(20)]
    assert sum(suggest([one]).rate is not None for one in flat) <= 1
    said = suggest(flat)
    assert said.rate is said.low is said.high is None
    assert "did not fall" in said.why


def test_a_loss_that_only_rises_gives_none():
    rising = Sweep(RATES, tuple(1 + i / 100 for i in range(len(RATES))), ended=False)
    assert suggest([rising]).rate is None


def test_one_that_still_falls_at_the_end_says_so():
    falling = Sweep(RATES, tuple(2 - 1 / (1 + math.exp(-(math.log10(r) + 1) * 2)) for r in RATES), ended=False)
    assert "still falling at the highest rate tried, 10: try higher" in suggest([falling]).why


def test_one_that_explodes_at_once_says_begin_lower():
    said = suggest([Sweep(RATES[:4], (2.0, 2.0, 2.5, 5.0), ended=True)])
    assert said.rate is None
    assert "exploded after 4 steps" in said.why
    assert "begin lower" in said.why


def test_smoothing_looks_to_both_sides():
    step = [0.0] * 100 + [1.0] * 100
    smoothed = smooth(RATES, step)
    assert smoothed[99] + smoothed[100] == pytest.approx(1)
    assert smoothed[0] == pytest.approx(0, abs=1e-6)
    assert between(RATES, np.asarray(step)) is None
