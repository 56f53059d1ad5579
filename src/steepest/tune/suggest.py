"""From a loss at each learning rate to a suggestion, with its uncertainty; or to the reason why there is none.

The curve is smoothed over the logarithm of the learning rate, looking to both sides: a running mean would lag and
suggest too much. The suggestion lies between where the smoothed loss falls fastest and where it is lowest: the former
is too careful for a run with warm-up and decay, the latter the edge of what works (Smith 2017, Cyclical Learning
Rates, arXiv:1506.01186, section 3.3, looks at the same curve by eye). How sure that is comes from
the curve's own noise: each residual keeps or changes its sign by chance (a wild bootstrap, Wu 1986, since the noise
grows where the loss explodes), many times over, and the suggestion is made anew from each curve.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WIDTH = 0.25
"""Standard deviation of the smoothing window, in decades of the learning rate."""
FROM_FASTEST = 0.75
"""How far of the way, in decades, from the fastest fall to the lowest point. Of 0.5, 0.75, 1 and 1.25 the one with which full runs at
the suggestion lose least on the eight tasks and nine optimizers of the standard race (`python -m benchmarks.tune`)."""
DRAWS = 200
CLEAR = 6.0
"""A fall of less than so many standard deviations of the smoothed noise is none: noise alone wanders over three or four."""


@dataclass(frozen=True)
class Sweep:
    """One pass over the learning rates: the loss before the step at each. It ends where the loss was no longer finite, or far too high."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    ended: bool
    """Whether it ended before the highest rate."""


@dataclass(frozen=True)
class Suggestion:
    """What to start with.

    `rate` is None where the curves do not say; `why` tells the reason, or how the suggestion is to be read.
    `low` and `high` hold 95 % of the suggestions that the noise of the curves allows.
    """

    rate: float | None
    low: float | None
    high: float | None
    why: str


def smooth(rates: Sequence[float], losses: Sequence[float] | Array, width: float = WIDTH) -> Array:
    """The mean of the losses around each rate, weighted by a bell curve over the logarithm of the rate."""
    at = np.log10(np.asarray(rates, np.float64))
    weights = np.exp(-0.5 * ((at[:, None] - at[None, :]) / width) ** 2)
    return weights @ np.asarray(losses, np.float64) / weights.sum(1)


def between(rates: Sequence[float], smoothed: Array) -> float | None:
    """The rate three quarters of the way from the fastest fall per decade to the lowest point; None: it does not fall."""
    bottom = int(np.argmin(smoothed))
    if bottom < 2:
        return None
    slopes = np.gradient(smoothed, np.log10(np.asarray(rates, np.float64)))[: bottom + 1]
    fastest = int(np.argmin(slopes))
    return rates[fastest] ** (1 - FROM_FASTEST) * rates[bottom] ** FROM_FASTEST if slopes[fastest] < 0 else None


def suggest(sweeps: Sequence[Sweep], seed: int = 0) -> Suggestion:
    """One suggestion from all sweeps: the middle of theirs on a logarithmic scale."""
    random = np.random.default_rng(seed)
    found: list[float] = []
    drawn: list[float] = []
    for sweep in sweeps:
        if len(sweep.rates) < 10:
            continue
        smoothed = smooth(sweep.rates, sweep.losses)
        residuals = np.asarray(sweep.losses) - smoothed
        one = between(sweep.rates, smoothed)
        if one is None or not _falls(sweep, smoothed, residuals):
            continue
        found.append(one)
        for _ in range(DRAWS):
            again = between(sweep.rates, smooth(sweep.rates, smoothed + residuals * random.choice((-1.0, 1.0), len(residuals))))
            if again is not None:
                drawn.append(again)
    if 2 * len(found) <= len(sweeps):
        return Suggestion(None, None, None, _reason(sweeps))
    rate = float(10 ** np.median(np.log10(found)))
    low, high = (float(10**q) for q in np.quantile(np.log10([*drawn, *found]), (0.025, 0.975)))
    why = "three quarters of the way from the fastest fall to the lowest point of the smoothed loss"
    if not any(s.ended for s in sweeps) and all(int(np.argmin(smooth(s.rates, s.losses))) == len(s.rates) - 1 for s in sweeps):
        why += f"; it was still falling at the highest rate tried, {sweeps[0].rates[-1]:.3g}: try higher ones"
    return Suggestion(rate, min(low, rate), max(high, rate), why)


def _falls(sweep: Sweep, smoothed: Array, residuals: Array) -> bool:
    """Whether the loss falls by more than its noise makes it: where it ends is left out of the noise, there it explodes."""
    bottom = int(np.argmin(smoothed))
    decades = math.log10(sweep.rates[-1] / sweep.rates[0])
    within = max(1.0, len(sweep.rates) / decades * WIDTH * math.sqrt(4 * math.pi))  # rates in one window, effectively
    noise = float(np.std(residuals[: bottom + 1])) / math.sqrt(within)
    return float(smoothed[: bottom + 1].max() - smoothed[bottom]) > CLEAR * noise


def _reason(sweeps: Sequence[Sweep]) -> str:
    if any(len(s.rates) < 10 for s in sweeps):
        first = min(sweeps, key=lambda s: len(s.rates))
        return f"the loss exploded after {len(first.rates)} steps, at {first.rates[-1] if first.rates else math.nan:.3g}: begin lower"
    low, high = sweeps[0].rates[0], sweeps[0].rates[-1]
    return f"the loss did not fall beyond its noise at any rate from {low:.3g} to {high:.3g}: try more steps, or other rates"
