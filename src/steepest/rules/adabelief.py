"""AdaBelief: divide by how far gradients stray from what momentum expects.

Zhuang et al. 2020, AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients,
arXiv:2010.07468, Algorithm 2; rectification: Liu et al. 2020, On the Variance of the Adaptive Learning
Rate and Beyond, arXiv:1908.03265, Algorithm 2.
"""

from steepest.errors import HyperparameterError
from steepest.ops import Value, maximum, sqrt, where
from steepest.registry import optimizer
from steepest.rules.moments import looking_ahead, running, unbiased
from steepest.transform import At, Chain, Fraction, NonNegative, Scalar, Slot, Step, Transform, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate


class ScaleByBelief(Transform):
    """Keep the mean gradient and the mean square of its surprise; step by the one over the root of the other.

    `eps_root` is stored inside the accumulator (so it adds up over the steps) and `eps` is added to the root; the
    authors' code has one number for both. With `rectify`, while fewer than 5 gradients are effectively in the
    average, step by the mean gradient alone. `nesterov` looks one momentum step ahead, as in optax.
    """

    b1: Fraction = 0.9
    b2: Fraction = 0.999
    eps: NonNegative = 1e-16
    eps_root: NonNegative = 1e-16
    rectify: bool = False
    nesterov: bool = False

    mu = Slot()
    nu = Slot()

    def update(self, u: Value, at: At, mu: Value, nu: Value) -> Step:
        mu = running(self.b1, mu, u)
        nu = running(self.b2, nu, (u - mu) * (u - mu)) + self.eps_root
        mu_hat = looking_ahead(mu, u, self.b1, at.count) if self.nesterov else unbiased(mu, self.b1, at.count)
        if not self.rectify:
            return Step(mu_hat / (sqrt(unbiased(nu, self.b2, at.count)) + self.eps), mu=mu, nu=nu)
        trusted, r = _rectification(self.b2, at.count)
        return Step(where(trusted, r * mu_hat / (sqrt(nu) + self.eps), mu_hat), mu=mu, nu=nu)


class ScaleByMaxBelief(Transform):
    """AdaBelief that divides by the largest surprise so far (AMSGrad's correction)."""

    b1: Fraction = 0.9
    b2: Fraction = 0.999
    eps: NonNegative = 1e-16
    eps_root: NonNegative = 1e-16

    mu = Slot()
    nu = Slot()
    nu_max = Slot()

    def update(self, u: Value, at: At, mu: Value, nu: Value, nu_max: Value) -> Step:
        mu = running(self.b1, mu, u)
        nu = running(self.b2, nu, (u - mu) * (u - mu)) + self.eps_root
        nu_max = maximum(nu_max, nu)
        mu_hat = unbiased(mu, self.b1, at.count)
        return Step(mu_hat / (sqrt(unbiased(nu_max, self.b2, at.count)) + self.eps), mu=mu, nu=nu, nu_max=nu_max)


def _rectification(b2: Value, count: Value) -> tuple[Value, Value]:
    """Whether the variance can be trusted yet, and RAdam's factor for it (with the bias correction of nu)."""
    decayed = b2**count
    longest = 2 / (1 - b2) - 1
    length = longest - 2 * count * decayed / (1 - decayed)
    variance = (length - 4) / (longest - 4) * (length - 2) / length * longest / (longest - 2)
    return length >= 5, sqrt((1 - decayed) * variance)


@optimizer(
    title="AdaBelief",
    paper="arXiv:2010.07468; rectification: arXiv:1908.03265",
    options=[{"rectify": False}, {"rectify": False, "amsgrad": True}, {"weight_decay": 0.1, "decoupled": False}],
)
def adabelief(
    lr: Scalar = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-16,
    weight_decay: float = 0.0,
    rectify: bool = True,
    amsgrad: bool = False,
    decoupled: bool = True,
) -> Chain:
    """Adam that divides by the variance around the momentum: long steps where gradients are as expected, short where not.

    Adam divides by how large gradients are, AdaBelief by how far they are from what momentum expected. The two
    differ where gradients are large and steady: Adam then steps by about lr, AdaBelief further. State and traffic
    are Adam's.

    eps works before a root: 1e-16 here is about what 1e-8 is in Adam. The authors use 1e-16 for
    Transformers, GANs and LSTMs, and 1e-8 for convolutional networks on ImageNet.

    Args:
        lr: the learning rate, of the size of Adam's.
        b1: how much of the mean gradient is kept from step to step; 0.9 remembers about 10 steps.
        b2: the same for the mean square of the surprise; 0.999 remembers about 1000 steps.
        eps: added to the mean square at every step, and to its root. It bounds the step where nothing surprises.
        weight_decay: how fast weights shrink: by lr * weight_decay each step if decoupled.
        rectify: step by momentum alone until the mean square rests on enough gradients, then scale up: a warm-up
            of the rule's own (RAdam's).
        amsgrad: divide by the largest surprise so far: one array more. Not together with rectify.
        decoupled: whether the decay acts on the weights, as in AdamW, or on the gradient, as L2 regularisation.

    Differs from:
    1. The paper's Algorithm 2: rectification is on, as in the authors' code since version 0.1.
    2. optax, which has no rectification: that is `rectify=False`.
    """
    if amsgrad and rectify:
        raise HyperparameterError("adabelief: amsgrad=True has no effect on a rectified step; choose rectify=False with it.")
    scale = ScaleByMaxBelief(b1, b2, eps, eps) if amsgrad else ScaleByBelief(b1, b2, eps, eps, rectify)
    decay = AddDecayedWeights(weight_decay)
    return chain(scale, decay, ScaleByLearningRate(lr)) if decoupled else chain(decay, scale, ScaleByLearningRate(lr))
