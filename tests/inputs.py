"""Inputs at the kinks. Gaussian numbers alone have let a wrong Lion through."""

import numpy as np
from numpy.typing import NDArray

LENGTHS = (0, 1, 7, 15, 16, 17, 67, 1009, 70_000)


def hard(length: int, dtype: str, seed: int) -> NDArray[np.floating]:
    """Gaussian numbers, a third of which are replaced by zeros, ones, ties, denormals, huge values, inf and nan."""
    rng = np.random.default_rng([seed, length])
    x = rng.standard_normal(length).astype(dtype)
    info = np.finfo(dtype)
    kinks = np.array(
        [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -0.5,
            info.tiny,
            -info.tiny,
            info.smallest_subnormal,
            info.max,
            -info.max,
            1e-20,
            -1e15,
            np.inf,
            -np.inf,
            np.nan,
        ],
        dtype=dtype,
    )
    at = rng.random(length) < 1 / 3
    x[at] = rng.choice(kinks, at.sum())
    return x


def tame(length: int, dtype: str, seed: int) -> NDArray[np.floating]:
    """Gaussian numbers with zeros and ties among them: for sums, in which one inf would hide all else."""
    rng = np.random.default_rng([seed, length, 1])
    x = rng.standard_normal(length).astype(dtype)
    x[rng.random(length) < 0.2] = 0
    x[rng.random(length) < 0.1] = 0.5
    return x
