"""Equal to 1e-12, by the size of the numbers that a step works with."""

from collections.abc import Sequence

import numpy as np

from tests.checks import State


def close(got: State, before: State, after: State, follow: Sequence[str], where: str) -> None:
    """`follow` moves with the parameter, by differences: the scale of one is the scale of all."""
    for name in after:
        for i, (g, w) in enumerate(zip(got[name], after[name], strict=True)):
            with np.errstate(all="ignore"):
                scale = np.fmax.reduce([np.abs(s[n][i]) for s in (before, after) for n in (follow if name in follow else [name])])
                near = np.abs(g - w) <= np.fmax(1e-12 * scale, 1e-322)
            same = (g == w) | (np.isnan(g) & np.isnan(w)) | near
            assert same.all(), f"{where}, {name}: {(~same).sum()} of {same.size} differ: {g[~same][:3]} for {w[~same][:3]}"
