"""RMSProp: divide by a running root mean square of the gradient.

Tieleman & Hinton 2012, Neural Networks for Machine Learning, lecture 6e; centered form: Graves 2013,
Generating Sequences With Recurrent Neural Networks, arXiv:1308.0850, eq. 38-45.
"""

from steepest.ops import Value, sqrt
from steepest.registry import optimizer
from steepest.rules.moments import running, unbiased
from steepest.transform import At, Chain, Fraction, NonNegative, Scalar, Slot, Step, Transform, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate, Trace


class ScaleByRms(Transform):
    """Divide by the root of a running mean of squares.

    `eps_in_sqrt` puts eps inside the root (Keras, optax); `bias_correction` corrects the mean for its start at zero.
    """

    decay: Fraction = 0.9
    eps: NonNegative = 1e-8
    eps_in_sqrt: bool = False
    bias_correction: bool = False

    nu = Slot()

    def update(self, u: Value, at: At, nu: Value) -> Step:
        nu = running(self.decay, nu, u * u)
        nu_hat = unbiased(nu, self.decay, at.count) if self.bias_correction else nu
        return Step(u / (sqrt(nu_hat + self.eps) if self.eps_in_sqrt else sqrt(nu_hat) + self.eps), nu=nu)


class ScaleByStddev(Transform):
    """Divide by the root of a running variance: the mean of squares less the square of the mean."""

    decay: Fraction = 0.9
    eps: NonNegative = 1e-8
    eps_in_sqrt: bool = False
    bias_correction: bool = False

    mu = Slot()
    nu = Slot()

    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        mu = running(self.decay, mu, u)
        nu = running(self.decay, nu, u * u)
        mu_hat, nu_hat = (unbiased(m, self.decay, at.count) if self.bias_correction else m for m in (mu, nu))
        variance = nu_hat - mu_hat * mu_hat
        return Step(u / (sqrt(variance + self.eps) if self.eps_in_sqrt else sqrt(variance) + self.eps), mu=mu, nu=nu)


@optimizer(
    title="RMSProp",
    paper="Tieleman & Hinton 2012, lecture 6e; centered: arXiv:1308.0850",
    options=[{"centered": True}, {"momentum": 0.9, "weight_decay": 0.1}, {"centered": True, "momentum": 0.9}, {"eps_in_sqrt": True}],
)
def rmsprop(
    lr: Scalar = 1e-2,
    decay: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    eps_in_sqrt: bool = False,
) -> Chain:
    """Divide the gradient by its running root mean square: one learning rate for steep and flat directions.

    Differs from:
    1. Hinton's lecture, which has no eps, no momentum and no weight decay.
    2. Keras and optax: eps is added to the root, as in PyTorch; `eps_in_sqrt=True` is theirs.
    3. Keras: the learning rate multiplies after the momentum, as in PyTorch.
    """
    scale = ScaleByStddev if centered else ScaleByRms
    average = [Trace(momentum)] if momentum else []
    return chain(AddDecayedWeights(weight_decay), scale(decay, eps, eps_in_sqrt), *average, ScaleByLearningRate(lr))
