"""Scaling by a constant."""

from steepest.ops import Value
from steepest.transform import At, Step, Transform


class Scale(Transform):
    """Multiply the update by `factor`. `Scale(-1.0)` turns it around."""

    factor: float

    def update(self, u: Value, at: At) -> Step:
        return Step(self.factor * u)
