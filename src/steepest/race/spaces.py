"""Search spaces: one for each optimizer, derived by one rule from its published defaults, printed, and blind to the task.

The rule, in which nothing was tuned:

    lr            two and a half decades, from 10^-0.5 to 10^2 times the default: defaults are meant for long runs,
                  and the short runs of small networks want more (with 10^1.5 at the top, the best point of five of
                  nine optimizers lay there); the same factor for every optimizer
    weight_decay  three decades. Decoupled: such that the default lr times the decay spans 1e-6 to 1e-3 (for
                  AdamW 1e-3 to 1, for Lion, with a tenth of its lr, 1e-2 to 10). As L2 in the gradient: 1e-6 to 1e-3
    warmup        0 to a quarter of the run, linear
    eps           six decades, from 1e-2 to 1e4 times the default; only with a budget of 25 trials or more, since
                  a fourth axis makes few trials worse

Whether a rate outside would have been better is seen from the best point lying at an edge, which the report flags.
"""

import math
import re
from collections.abc import Mapping

from steepest.errors import HyperparameterError
from steepest.race.record import AxisFacts as Axis

Space = tuple[Axis, ...]

EPS_FROM_TRIALS = 25
DEFAULT_WARMUP = 0.05
"""The warm-up of a run at defaults, which no optimizer prescribes: the same for all."""

PUBLISHED_LR: Mapping[str, float] = {"rmsprop": 1e-3}
"""Where our default follows PyTorch and the source recommends another: Hinton's lecture says 0.001, torch has 0.01."""


def space(lr: float, decay: str | None, eps: float | None, trials: int) -> Space:
    """The space of an optimizer by the rule above.

    Args:
        lr: its default learning rate.
        decay: "decoupled", "L2", or None for an optimizer without weight decay.
        eps: its default eps; None or 0: it has none, and none is tried.
        trials: the budget.
    """
    axes = [Axis("lr", _round(lr * 10**-0.5), _round(lr * 10**2), True)]
    if decay == "decoupled":
        axes.append(Axis("weight_decay", _round(1e-6 / lr), _round(1e-3 / lr), True))
    elif decay is not None:
        axes.append(Axis("weight_decay", 1e-6, 1e-3, True))
    axes.append(Axis("warmup", 0.0, 0.25, False))
    if eps and trials >= EPS_FROM_TRIALS:
        axes.append(Axis("eps", _round(eps * 1e-2), _round(eps * 1e4), True))
    return tuple(axes)


def at(axis: Axis, share: float) -> float:
    """The value at a share of the way from low to high, 0 to 1, to four digits.

    >>> at(Axis("lr", 0.001, 0.1, True), 0.5)
    0.01
    """
    if axis.log:
        return _round(math.exp(math.log(axis.low) + share * (math.log(axis.high) - math.log(axis.low))), 4)
    return _round(axis.low + share * (axis.high - axis.low), 4)


def written(axis: Axis) -> str:
    """An axis in words, `lr 0.00032 to 0.032, log`."""
    return f"{axis.name} {axis.low:g} to {axis.high:g}{', log' if axis.log else ''}"


_OVERRIDE = re.compile(r"(?P<name>[^:=]+):(?P<axis>\w+)=(?P<low>[^.]\S*?)\.\.(?P<high>\S+)")


def override(text: str) -> tuple[str, Axis]:
    """`--space adamw:lr=1e-4..1e-1` as the entrant's name and the axis."""
    match = _OVERRIDE.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        low, high = float(match["low"]), float(match["high"])
    except ValueError:
        raise HyperparameterError(
            f"--space {text!r} cannot be read: write NAME:AXIS=LOW..HIGH, such as --space adamw:lr=1e-4..1e-1."
        ) from None
    return match["name"], checked(match["name"], Axis(match["axis"], low, high, match["axis"] != "warmup"))


def checked(name: str, axis: Axis) -> Axis:
    """The axis, if points can be taken from it."""
    given = f"The search space of {name} has {axis.name} from {axis.low:g} to {axis.high:g}"
    if not (math.isfinite(axis.low) and math.isfinite(axis.high)):
        raise HyperparameterError(f"{given}: both ends must be finite numbers.")
    if axis.low >= axis.high:
        raise HyperparameterError(f"{given}: it is upside down or empty. Write --space {name}:{axis.name}={axis.high:g}..{axis.low:g}.")
    if axis.log and axis.low <= 0:
        raise HyperparameterError(f"{given}: the axis is logarithmic, so both ends must be above 0.")
    if axis.name == "warmup" and not 0 <= axis.low < axis.high <= 0.9:
        raise HyperparameterError(f"{given}: warm-up is a share of the run, 0 to 0.9.")
    return axis


def _round(value: float, digits: int = 3) -> float:
    """A number to print in full; it also makes points equal on machines whose last bits differ."""
    return float(f"{value:.{digits}g}")
