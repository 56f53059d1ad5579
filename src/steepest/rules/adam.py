"""Adam: momentum divided by a running root mean square, both corrected for their start at zero.

Kingma & Ba 2015, Adam: A Method for Stochastic Optimization, arXiv:1412.6980, Algorithm 1. AMSGrad: Reddi,
Kale & Kumar 2018, On the Convergence of Adam and Beyond, arXiv:1904.09237, Algorithm 2.
"""

from steepest.ops import Value, maximum, sqrt
from steepest.registry import optimizer
from steepest.transform import At, Chain, Fraction, NonNegative, Scalar, Slot, Step, Transform, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate


class ScaleByAdam(Transform):
    """Keep the means of the gradient and of its square; step by the one over the root of the other."""

    b1: Fraction = 0.9
    b2: Fraction = 0.999
    eps: NonNegative = 1e-8

    mu = Slot()
    nu = Slot()

    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        mu = self.b1 * mu + (1 - self.b1) * u
        nu = self.b2 * nu + (1 - self.b2) * (u * u)
        mu_hat = mu / (1 - self.b1**at.count)
        nu_hat = nu / (1 - self.b2**at.count)
        return Step(mu_hat / (sqrt(nu_hat) + self.eps), mu=mu, nu=nu)


class ScaleByAMSGrad(Transform):
    """Adam that divides by the largest mean of squares so far.

    Differs from the paper, which corrects no bias: as PyTorch, the correction applies to the maximum.
    """

    b1: Fraction = 0.9
    b2: Fraction = 0.999
    eps: NonNegative = 1e-8

    mu = Slot()
    nu = Slot()
    nu_max = Slot()

    def update(self, u: Value, at: At, mu: Value, nu: Value, nu_max: Value) -> Step:
        mu = self.b1 * mu + (1 - self.b1) * u
        nu = self.b2 * nu + (1 - self.b2) * (u * u)
        nu_max = maximum(nu_max, nu)
        mu_hat = mu / (1 - self.b1**at.count)
        nu_hat = nu_max / (1 - self.b2**at.count)
        return Step(mu_hat / (sqrt(nu_hat) + self.eps), mu=mu, nu=nu, nu_max=nu_max)


@optimizer(title="Adam", paper="arXiv:1412.6980; AMSGrad: arXiv:1904.09237", options=[{"weight_decay": 0.1}, {"amsgrad": True}])
def adam(
    lr: Scalar = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False
) -> Chain:
    """Adaptive moments: a running mean of the gradient over the root of a running mean of its square.

    Differs from:
    1. Keras: eps is added after the bias correction, as in the paper's Algorithm 1 and in PyTorch.
    2. Keras: weight decay is L2 regularisation, as in PyTorch; decoupled decay is `adamw`.
    """
    scale = ScaleByAMSGrad if amsgrad else ScaleByAdam
    return chain(AddDecayedWeights(weight_decay), scale(b1, b2, eps), ScaleByLearningRate(lr))
