"""Clipping.

Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks, Algorithm 1.
"""

from steepest.ops import Value, maximum, minimum, norm
from steepest.transform import At, Positive, Step, Transform


class ClipByGlobalNorm(Transform):
    """Scale the update of the whole model down to Euclidean norm `max_norm`, if it is longer.

    Differs from `torch.nn.utils.clip_grad_norm_`, which divides by norm + 1e-6: ours is the paper's rule and
    optax's. An infinite norm turns the infinite entries to nan and all others to 0, as in optax.
    """

    max_norm: Positive = 1.0

    def update(self, u: Value, at: At) -> Step:
        return Step(u * minimum(1.0, self.max_norm / norm(u, over="model")))


class ClipByValue(Transform):
    """Clip every element of the update to [-limit, limit]."""

    limit: Positive = 1.0

    def update(self, u: Value, at: At) -> Step:
        return Step(maximum(minimum(u, self.limit), -self.limit))
