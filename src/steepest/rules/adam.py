"""Adam: momentum divided by a running root mean square, both corrected for their start at zero.

Kingma & Ba 2015, Adam: A Method for Stochastic Optimization, arXiv:1412.6980, Algorithm 1. AMSGrad: Reddi,
Kale & Kumar 2018, On the Convergence of Adam and Beyond, arXiv:1904.09237, Algorithm 2.
"""

from steepest.ops import Value, maximum, sqrt
from steepest.registry import optimizer
from steepest.rules.moments import looking_ahead, running, unbiased
from steepest.transform import At, Chain, Fraction, NonNegative, Scalar, Slot, Step, Transform, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate


class ScaleByAdam(Transform):
    """Keep the means of the gradient and of its square; step by the one over the root of the other.

    `eps_hat` adds eps before the correction of the mean of squares (section 2, last paragraph: "epsilon hat"), as
    Keras does. `nesterov` looks one momentum step ahead.
    """

    b1: Fraction = 0.9
    b2: Fraction = 0.999
    eps: NonNegative = 1e-8
    eps_hat: bool = False
    nesterov: bool = False

    mu = Slot()
    nu = Slot()

    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        mu = running(self.b1, mu, u)
        nu = running(self.b2, nu, u * u)
        mu_hat = looking_ahead(mu, u, self.b1, at.count) if self.nesterov else unbiased(mu, self.b1, at.count)
        eps = _early(self.eps, self.b2, at.count) if self.eps_hat else self.eps
        return Step(mu_hat / (self._root(unbiased(nu, self.b2, at.count)) + eps), mu=mu, nu=nu)

    def _root(self, nu_hat: Value) -> Value:
        return sqrt(nu_hat)


class ScaleByAMSGrad(Transform):
    """Adam that divides by the largest mean of squares so far.

    Differs from the paper, which corrects no bias: as PyTorch, the correction applies to the maximum. With
    `correct_first` (optax) it applies to the means of which the maximum is taken; with `correct_mu` and `correct_nu`
    off the rule is the paper's. `eps_hat` is that of `ScaleByAdam`.
    """

    b1: Fraction = 0.9
    b2: Fraction = 0.999
    eps: NonNegative = 1e-8
    eps_hat: bool = False
    correct_mu: bool = True
    correct_nu: bool = True
    correct_first: bool = False

    mu = Slot()
    nu = Slot()
    nu_max = Slot()

    def update(self, u: Value, at: At, mu: Value, nu: Value, nu_max: Value) -> Step:
        mu = running(self.b1, mu, u)
        nu = running(self.b2, nu, u * u)
        first = self.correct_nu and self.correct_first
        nu_max = maximum(nu_max, unbiased(nu, self.b2, at.count) if first else nu)
        mu_hat = unbiased(mu, self.b1, at.count) if self.correct_mu else mu
        nu_hat = unbiased(nu_max, self.b2, at.count) if self.correct_nu and not first else nu_max
        eps = _early(self.eps, self.b2, at.count) if self.eps_hat else self.eps
        return Step(mu_hat / (self._root(nu_hat) + eps), mu=mu, nu=nu, nu_max=nu_max)

    def _root(self, nu_hat: Value) -> Value:
        return sqrt(nu_hat)


class ScaleByRootedAdam(ScaleByAdam):
    """Adam with a second eps inside the root, where a gradient through the step stays finite (optax, for meta-learning)."""

    eps_root: NonNegative = 0.0

    def _root(self, nu_hat: Value) -> Value:
        return sqrt(nu_hat + self.eps_root)


class ScaleByRootedAMSGrad(ScaleByAMSGrad):
    """AMSGrad with a second eps inside the root."""

    eps_root: NonNegative = 0.0

    def _root(self, nu_hat: Value) -> Value:
        return sqrt(nu_hat + self.eps_root)


def _early(eps: Value, b2: Value, count: Value) -> Value:
    """The eps that after the correction has the effect of `eps` before it."""
    return eps / sqrt(1 - b2**count)


@optimizer(title="Adam", paper="arXiv:1412.6980; AMSGrad: arXiv:1904.09237", options=[{"weight_decay": 0.1}, {"amsgrad": True}])
def adam(
    lr: Scalar = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0, amsgrad: bool = False
) -> Chain:
    """Adaptive moments: a running mean of the gradient over the root of a running mean of its square.

    Each weight has a step of its own size: where gradients agree from step to step, about lr; where they only
    scatter, little. Scaling the loss by a constant changes nothing, as long as eps is small beside the root. One
    learning rate so serves layers whose gradients differ by orders of magnitude, embeddings and attention above all.
    The price is two arrays of state.

    Args:
        lr: the learning rate: about how far a weight moves in one step.
        b1: how much of the mean gradient is kept from step to step; 0.9 remembers about 10 steps.
        b2: the same for the mean square; 0.999 remembers about 1000 steps. Lower (0.95 to 0.98) reacts faster.
        eps: added to the root. Bounds the step where gradients are tiny; larger values bring it closer to momentum.
        weight_decay: L2 regularisation: enters the gradient, and is rescaled with it, so that weights with large
            gradients are decayed less. Decay that is not is AdamW's.
        amsgrad: divide by the largest mean square so far, so that a step, for the same gradient, never grows again: one array more.

    Differs from:
    1. Keras: eps is added after the bias correction, as in the paper's Algorithm 1 and in PyTorch.
    2. Keras: weight decay is L2 regularisation, as in PyTorch; decoupled decay is `adamw`.
    """
    scale = ScaleByAMSGrad if amsgrad else ScaleByAdam
    return chain(AddDecayedWeights(weight_decay), scale(b1, b2, eps), ScaleByLearningRate(lr))
