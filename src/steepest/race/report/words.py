"""Numbers as a reader wants them: few digits, "never" for a miss, a dash for what is not known."""

import math
from collections.abc import Callable, Mapping, Sequence

from steepest.race.statistics import Interval, Rate
from steepest.race.statistics.words import listed
from steepest.race.statistics.words import percent as percent

NONE = "–"
NEVER = "never"


def number(value: float, digits: int = 3) -> str:
    """0.0213, 12.4, 1,240."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return NEVER if value > 0 else NONE
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    text = f"{value:#.{digits}g}"
    return f"{value:.{digits}g}" if "e" in text else text.rstrip(".")


def interval(i: Interval, digits: int = 3) -> str:
    """0.0213 (0.0201 to 0.0224); the value alone, if its spread is not known."""
    if math.isnan(i.middle) or not i.known or (math.isinf(i.low) and math.isinf(i.high)):
        return number(i.middle, digits)
    return f"{number(i.middle, digits)} ({number(i.low, digits)} to {number(i.high, digits)})"


def scored(i: Interval) -> str:
    """A score from 0 to 1, with as many digits for each."""
    return f"{i.middle:.2f} ({i.low:.2f} to {i.high:.2f})" if i.known else f"{i.middle:.2f}"


def rate(r: Rate) -> str:
    """2 of 15; a dash, where nothing was run."""
    return f"{r.count} of {r.of}" if r.of else NONE


def factor(value: float) -> str:
    """1.0, 1.4, 0.85, 12, ∞: two digits, a whole number being no more exact than the others."""
    if math.isinf(value):
        return "∞"
    return f"{value:.1f}" if 1 <= value < 9.95 else number(value, 2)


def times(value: float) -> str:
    """1.42 ×."""
    return NONE if math.isnan(value) else f"{value:.2f} ×" if value < 9.995 else f"{number(value)} ×"


def capital(said: str) -> str:
    """The same with a capital first letter: a task's title at the beginning of a sentence."""
    return said[:1].upper() + said[1:]


def leaders(values: Mapping[str, float], label: Callable[[str], str], one: str, many: str) -> str:
    """Everybody with the lowest value, and the verb: "A is", "A and B are", "A, B and 3 others are"."""
    least = min(values.values())
    names = [label(name) for name, value in values.items() if value == least]
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} others"]
    return f"{listed(names)} {one if len(names) == 1 else many}"


def count(n: int, one: str, many: str = "") -> str:
    """3 tasks."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def shorter(values: Sequence[float]) -> list[float | None]:
    """For a chart: four digits are more than it can show; what is not a number is a gap."""
    return [float(f"{v:.4g}") if math.isfinite(v) else None for v in values]
