"""Momentum: a decaying sum of updates.

Polyak 1964, Some methods of speeding up the convergence of iteration methods; Nesterov's form as in
Sutskever et al. 2013, On the importance of initialization and momentum in deep learning, eq. 3-4.
"""

from steepest.ops import Value, where
from steepest.transform import At, NonNegative, Slot, Step, Transform


class Trace(Transform):
    """Keep `trace = momentum * trace + (1 - dampening) * u` and step by it, or by Nesterov's look-ahead.

    The first update enters undamped, as in torch.optim.SGD. Before `ScaleByLearningRate` this is
    PyTorch's momentum, after it Keras' and Sutskever's (the learning rate inside the buffer); the two
    agree while the learning rate is constant.
    """

    momentum: NonNegative = 0.9
    dampening: float = 0.0
    nesterov: bool = False

    trace = Slot()

    def update(self, u: Value, at: At, trace: Value) -> Step:
        trace = self.momentum * trace + where(at.count == 1, 1.0, 1 - self.dampening) * u
        return Step(u + self.momentum * trace if self.nesterov else trace, trace=trace)
