"""Numbers in sentences."""

import math
from collections.abc import Sequence


def count(n: int, one: str, many: str = "") -> str:
    """1 task, 2 tasks."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """A, B and C."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else "none"


def percent(share: float) -> str:
    """12 %, 1.2 % or 0.12 %: two digits."""
    if not math.isfinite(share):
        return "unknown"
    size = abs(share) * 100
    return f"{share * 100:.{0 if size >= 10 else 1 if size >= 1 else 2}f} %"


def quantity(n: int) -> str:
    """30 thousand, 1.2 million."""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if n >= size:
            return f"{n / size:.3g} {word}"
    return str(n)
