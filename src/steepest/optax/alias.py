"""optax's optimizers by their own names, with their own arguments and defaults.

Each function says how optax's arguments become a strategy (`steepest.conventions.optax`); everything else is
`transform`. Signatures are written out, and `learning_rate` is annotated as optax does, since
`optax.inject_hyperparams` reads them.
"""

from collections.abc import Callable
from typing import Any

import jax
import optax
from optax import ScalarOrSchedule

from steepest.conventions import optax as conventions
from steepest.errors import HyperparameterError
from steepest.optax.transform import transform
from steepest.transform import Transform

Number = jax.typing.ArrayLike
Mask = Any | Callable[[optax.Params], Any] | None
Transformation = optax.GradientTransformationExtraArgs


def sgd(
    learning_rate: ScalarOrSchedule, momentum: Number | None = None, nesterov: bool = False, accumulator_dtype: Any = None
) -> Transformation:
    """Stochastic gradient descent as optax.sgd; the learning rate is outside the momentum buffer (`trace`)."""
    strategy = _built(conventions.sgd, learning_rate, momentum=momentum, nesterov=nesterov)
    return transform(strategy, dtypes=_given(trace=accumulator_dtype if momentum is not None else None))


def rmsprop(
    learning_rate: ScalarOrSchedule,
    decay: Number = 0.9,
    eps: Number = 1e-8,
    initial_scale: Number = 0.0,
    eps_in_sqrt: bool = True,
    centered: bool = False,
    momentum: Number | None = None,
    nesterov: bool = False,
    bias_correction: bool = False,
) -> Transformation:
    """RMSProp as optax.rmsprop; the learning rate is inside the momentum buffer, eps inside the root by default."""
    strategy = _built(
        conventions.rmsprop,
        learning_rate,
        decay=decay,
        eps=eps,
        eps_in_sqrt=eps_in_sqrt,
        centered=centered,
        momentum=momentum,
        nesterov=nesterov,
        bias_correction=bias_correction,
    )
    return transform(strategy, start={"nu": initial_scale})


def adam(
    learning_rate: ScalarOrSchedule,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
) -> Transformation:
    """Adam as optax.adam."""
    strategy = _built(conventions.adam, learning_rate, b1=b1, b2=b2, eps=eps, eps_root=eps_root, nesterov=nesterov)
    return transform(strategy, dtypes=_given(mu=mu_dtype))


def nadam(
    learning_rate: ScalarOrSchedule,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = True,
) -> Transformation:
    """Adam that looks one momentum step ahead, as optax.nadam."""
    return adam(learning_rate, b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov)


def adamw(
    learning_rate: ScalarOrSchedule,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask = None,
    *,
    nesterov: bool = False,
) -> Transformation:
    """Adam with decoupled weight decay as optax.adamw; `mask` says where it applies."""
    numbers: dict[str, Any] = {"b1": b1, "b2": b2, "eps": eps, "eps_root": eps_root, "weight_decay": weight_decay}
    strategy = _built(conventions.adamw, learning_rate, **numbers, nesterov=nesterov)
    return transform(strategy, dtypes=_given(mu=mu_dtype), decay_mask=mask)


def nadamw(
    learning_rate: ScalarOrSchedule,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask = None,
    *,
    nesterov: bool = True,
) -> Transformation:
    """AdamW that looks one momentum step ahead, as optax.nadamw."""
    return adamw(learning_rate, b1, b2, eps, eps_root, mu_dtype, weight_decay, mask, nesterov=nesterov)


def amsgrad(
    learning_rate: ScalarOrSchedule,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    eps_root: Number = 0.0,
    mu_dtype: Any = None,
    bias_correction_mu: bool = True,
    bias_correction_nu: bool = True,
) -> Transformation:
    """AMSGrad as optax.amsgrad: the maximum is taken of corrected means (PyTorch corrects the maximum)."""
    numbers: dict[str, Any] = {"b1": b1, "b2": b2, "eps": eps, "eps_root": eps_root}
    strategy = _built(conventions.amsgrad, learning_rate, **numbers, correct_mu=bias_correction_mu, correct_nu=bias_correction_nu)
    return transform(strategy, dtypes=_given(mu=mu_dtype))


def adabelief(
    learning_rate: ScalarOrSchedule,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-16,
    eps_root: Number = 1e-16,
    *,
    nesterov: bool = False,
) -> Transformation:
    """AdaBelief as optax.adabelief: without rectification; `eps_root` adds up inside the accumulator."""
    return transform(_built(conventions.adabelief, learning_rate, b1=b1, b2=b2, eps=eps, eps_root=eps_root, nesterov=nesterov))


def lion(
    learning_rate: ScalarOrSchedule,
    b1: Number = 0.9,
    b2: Number = 0.99,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-3,
    mask: Mask = None,
) -> Transformation:
    """Lion as optax.lion; `mask` says where the decay applies."""
    strategy = _built(conventions.lion, learning_rate, b1=b1, b2=b2, weight_decay=weight_decay)
    return transform(strategy, dtypes=_given(mu=mu_dtype), decay_mask=mask)


def _built(build: Callable[..., Transform], learning_rate: Any, **arguments: Any) -> Transform:
    """The strategy; what is wrong with an argument is said with optax's name for it."""
    try:
        return build(learning_rate, **arguments)
    except HyperparameterError as error:
        name = "learning_rate" if error.field == "lr" else error.field
        raise HyperparameterError(f"{build.__name__}: {name}={error.value!r} {error.why}.", name, error.value, error.why) from None


def _given(**dtypes: Any) -> dict[str, Any]:
    return {name: dtype for name, dtype in dtypes.items() if dtype is not None}
