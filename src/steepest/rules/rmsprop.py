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

    Each weight has a step of its own size, about lr where gradients agree in size. It is Adam without a running
    mean of the gradient and without the correction for starting at zero: the first steps are therefore large.
    One array of state; two with momentum.

    Args:
        lr: the learning rate: about how far a weight moves in one step. The lecture recommends 0.001.
        decay: how much of the mean square is kept from step to step; 0.99 remembers about 100 steps.
        eps: added to the root. Bounds the step where gradients are tiny.
        weight_decay: L2 regularisation: enters the gradient, and is rescaled with it.
        momentum: a decaying sum of rescaled gradients is stepped by in their place; 0 is none.
        centered: divide by the standard deviation, the mean taken off: larger steps where gradients agree, one array more.
        eps_in_sqrt: add eps under the root, as Keras and optax do; it then has the size of a squared gradient.

    Differs from:
    1. Hinton's lecture, which has no eps, no momentum and no weight decay.
    2. Keras and optax: eps is added to the root, as in PyTorch; `eps_in_sqrt=True` is theirs.
    3. Keras: the learning rate multiplies after the momentum, as in PyTorch.
    """
    scale = ScaleByStddev if centered else ScaleByRms
    average = [Trace(momentum)] if momentum else []
    return chain(AddDecayedWeights(weight_decay), scale(decay, eps, eps_in_sqrt), *average, ScaleByLearningRate(lr))
