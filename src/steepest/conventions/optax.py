"""optax's compositions.

The learning rate is outside SGD's momentum buffer and inside RMSProp's; eps stands inside RMSProp's root; AMSGrad
takes the maximum of corrected means; decoupled decay is added before the learning rate.

A second eps inside the root (`eps_root`) is a transform of its own, chosen where it is not zero; an array (traced by
`jit`) counts as not zero.
"""

from steepest.rules import (
    ScaleByAdam,
    ScaleByAMSGrad,
    ScaleByBelief,
    ScaleByLion,
    ScaleByRms,
    ScaleByRootedAdam,
    ScaleByRootedAMSGrad,
    ScaleByStddev,
)
from steepest.transform import Chain, Scalar, Transform, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate, Trace

NAMES = {"lr": "learning_rate", "k": "sync_period", "alpha": "slow_step_size"}


def sgd(lr: Scalar, momentum: float | None = None, nesterov: bool = False) -> Chain:
    """optax.sgd."""
    return chain(*_average(momentum, nesterov), ScaleByLearningRate(lr))


def rmsprop(
    lr: Scalar,
    decay: float,
    eps: float,
    eps_in_sqrt: bool = True,
    centered: bool = False,
    momentum: float | None = None,
    nesterov: bool = False,
    bias_correction: bool = False,
) -> Chain:
    """optax.rmsprop."""
    scale = (ScaleByStddev if centered else ScaleByRms)(decay, eps, eps_in_sqrt, bias_correction)
    return chain(scale, ScaleByLearningRate(lr), *_average(momentum, nesterov))


def adam(lr: Scalar, b1: float, b2: float, eps: float, eps_root: float = 0.0, nesterov: bool = False) -> Chain:
    """optax.adam, and with `nesterov` optax.nadam."""
    return chain(_scale_by_adam(b1, b2, eps, eps_root, nesterov), ScaleByLearningRate(lr))


def adamw(
    lr: Scalar, b1: float, b2: float, eps: float, eps_root: float = 0.0, weight_decay: Scalar = 1e-4, nesterov: bool = False
) -> Chain:
    """optax.adamw, and with `nesterov` optax.nadamw."""
    return chain(_scale_by_adam(b1, b2, eps, eps_root, nesterov), AddDecayedWeights(weight_decay), ScaleByLearningRate(lr))


def amsgrad(lr: Scalar, b1: float, b2: float, eps: float, eps_root: float = 0.0, correct_mu: bool = True, correct_nu: bool = True) -> Chain:
    """optax.amsgrad."""
    corrections = {"correct_mu": correct_mu, "correct_nu": correct_nu, "correct_first": True}
    rooted = ScaleByRootedAMSGrad(b1, b2, eps, eps_root=eps_root, **corrections)
    return chain(ScaleByAMSGrad(b1, b2, eps, **corrections) if _zero(eps_root) else rooted, ScaleByLearningRate(lr))


def adabelief(lr: Scalar, b1: float, b2: float, eps: float, eps_root: float, nesterov: bool = False) -> Chain:
    """optax.adabelief."""
    return chain(ScaleByBelief(b1, b2, eps, eps_root, nesterov=nesterov), ScaleByLearningRate(lr))


def lion(lr: Scalar, b1: float, b2: float, weight_decay: Scalar = 0.0) -> Chain:
    """optax.lion."""
    return chain(ScaleByLion(b1, b2), AddDecayedWeights(weight_decay), ScaleByLearningRate(lr))


def _scale_by_adam(b1: float, b2: float, eps: float, eps_root: float, nesterov: bool) -> Transform:
    if _zero(eps_root):
        return ScaleByAdam(b1, b2, eps, nesterov=nesterov)
    return ScaleByRootedAdam(b1, b2, eps, eps_root=eps_root, nesterov=nesterov)


def _average(momentum: float | None, nesterov: bool) -> list[Transform]:
    return [] if momentum is None else [Trace(momentum, nesterov=nesterov)]


def _zero(number: object) -> bool:
    return isinstance(number, (int, float)) and number == 0
