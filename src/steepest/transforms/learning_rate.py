"""The learning rate: the size of the step, and its direction, downhill."""

from steepest.ops import Value
from steepest.transform import At, NonNegativeScalar, Step, Transform


class ScaleByLearningRate(Transform):
    """Multiply the update by `-lr`, a number or a schedule. Most chains end with it."""

    lr: NonNegativeScalar

    def update(self, u: Value, at: At) -> Step:
        return Step(-self.lr * u)  # pyright: ignore[reportOperatorIssue]: bound to a number by now
