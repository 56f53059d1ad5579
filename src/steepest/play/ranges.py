"""What a slider covers: from a field's type, the values it may have, and its default."""

import math
from typing import Any

from steepest.transform import FieldKind, Within

FIRST = {"lr": 1e-2}
"""Where a field has no default: a rate as in most registrations that name one in plain units of the gradient."""


def slider(kind: FieldKind, default: Any) -> dict[str, Any]:
    """Scale, ends and default of a field's slider, as the page reads them.

    scale    switch   on or off
             whole    1, 2, 3, ...
             decay    from 0 up to 0.9999, in tenths, hundredths, ... of what is left to 1
             linear   from low to high
             log      from a thousandth to a thousand times the default (far more if that is tiny); `zero`: its left end is 0
    """
    if kind.type is bool:
        return {"scale": "switch", "default": bool(default)}
    within = kind.within or Within()
    if kind.type is int:
        start = 1 if default is None else int(default)
        low = int(within.low) if within.low > -math.inf else 0
        return {"scale": "whole", "low": low, "high": max(4 * start, low + 9), "default": start}
    start = 0.0 if default is None else float(default)
    if within.low == 0 and within.high == 1 and within.high_included:
        return {"scale": "linear", "low": 0, "high": 1, "default": start}
    if within.low == 0 and (within.high == 1 or 0.5 <= start < 1):
        return {"scale": "decay", "low": 0, "high": 0.9999, "default": start}
    if within.low < 0:
        return {"scale": "linear", "low": -2, "high": 2, "default": start if default is not None else 1}
    middle = start or 1e-2
    high = middle * (1e3 if middle > 1e-6 else 1e8)  # an eps matters when it is near the roots that it is added to
    return {"scale": "log", "low": float(f"{middle / 1e3:.3g}"), "high": float(f"{high:.3g}"), "zero": 0.0 in within, "default": start}
