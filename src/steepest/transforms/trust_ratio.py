"""The layer-wise trust ratio.

You et al. 2020, Large Batch Optimization for Deep Learning: Training BERT in 76 minutes, arXiv:1904.00962, Algorithm 2.
"""

from steepest.ops import Value, norm, where
from steepest.transform import At, NonNegative, Step, Transform


class ScaleByTrustRatio(Transform):
    """Scale the update of each parameter to the parameter's own norm; by 1 where either norm is zero."""

    eps: NonNegative = 0.0

    def update(self, u: Value, at: At) -> Step:
        of_param, of_update = norm(at.param), norm(u)
        return Step(u * where((of_param == 0) | (of_update == 0), 1.0, of_param / (of_update + self.eps)))
