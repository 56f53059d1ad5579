"""Learning-rate schedules: values, so that a strategy that holds one can be compared, printed and pickled.

Any function of the number of steps already taken (0 at the first step) is a schedule too. These are written with
`steepest.ops`, so that the number may also be an array: inside JAX's `jit` and Keras' graphs it is one.
"""

import math
from dataclasses import dataclass
from typing import Any

from steepest.errors import HyperparameterError
from steepest.ops import minimum, namespace, where


@dataclass(frozen=True)
class _Decay:
    """From 0 up to `peak` over `warmup` steps, then down to `floor * peak` at step `steps`, then constant."""

    peak: float
    steps: int
    warmup: int = 0
    floor: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup < self.steps:
            raise HyperparameterError(f"{self!r}: 0 <= warmup < steps is required.")
        if not (self.peak >= 0 and self.floor >= 0):
            raise HyperparameterError(f"{self!r}: peak and floor must not be negative.")

    def __call__(self, taken: Any) -> Any:
        done = minimum(1.0, (taken - self.warmup) / (self.steps - self.warmup))
        falling = self.peak * (self.floor + (1 - self.floor) * self.remaining(done))
        return where(taken < self.warmup, self.peak * (taken + 1) / (self.warmup + 1), falling)

    def remaining(self, done: Any) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Cosine(_Decay):
    """Linear warm-up, then half a cosine. Loshchilov & Hutter 2017, SGDR, arXiv:1608.03983, eq. 5.

    >>> [round(Cosine(1.0, steps=4)(t), 3) for t in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    def remaining(self, done: Any) -> Any:
        cos = math.cos if isinstance(done, float) else namespace(done).cos
        return 0.5 * (1 + cos(math.pi * done))


@dataclass(frozen=True)
class Linear(_Decay):
    """Linear warm-up, then a straight line.

    >>> [Linear(1.0, steps=4)(t) for t in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    def remaining(self, done: Any) -> Any:
        return 1 - done
