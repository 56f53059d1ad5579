"""Lookahead around another Keras optimizer."""

from typing import Any

import keras

from steepest.errors import HyperparameterError
from steepest.keras import drop_in
from steepest.keras.optimizer import Optimizer
from steepest.rules.lookahead import Lookahead as Strategy
from steepest.transform import Transform

#: Keras' base options: they are the wrapped optimizer's, and apply around both.
OPTIONS = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


@keras.saving.register_keras_serializable(package="steepest")
class Lookahead(Optimizer):
    """`sync_period` steps of `optimizer`, then one step of slow weights `slow_step_size` of the way, from which it goes on.

    >>> from steepest.keras import Adam
    >>> optimizer = Lookahead(Adam(1e-3), sync_period=6, slow_step_size=0.5)

    The slow weights start as a copy of the weights before the first step and are part of the state, of `.keras` files
    too. The learning rate is shared with `optimizer`, and so are its other options.

    Args:
        optimizer: one of steepest.keras, not yet used; or Keras' own class of the same name, or its name, which are
            replaced by ours.
        sync_period: steps from one synchronisation to the next, at least 1.
        slow_step_size: how far the slow weights go towards the fast ones, from 0 to 1.

    Reference: Zhang, Lucas, Hinton & Ba 2019, arXiv:1907.08610, Algorithm 1; arguments of TensorFlow Addons.
    """

    def __init__(self, optimizer: Any, sync_period: int = 6, slow_step_size: float = 0.5, name: str | None = None, **kwargs: Any) -> None:
        inner = _ours(optimizer)
        try:
            Strategy(inner.strategy, sync_period, slow_step_size)
        except HyperparameterError as error:
            argument = {"k": "sync_period", "alpha": "slow_step_size"}[error.field]
            raise HyperparameterError(f"Lookahead: `{argument}` {error.why}. Received: {argument}={error.value!r}") from None
        rate: Any = inner._learning_rate
        options = {option: getattr(inner, option) for option in OPTIONS}
        self._begin({"learning_rate": float(rate) if isinstance(rate, keras.Variable) else rate, "name": name, **options, **kwargs})
        if isinstance(rate, keras.Variable):
            inner._learning_rate = self._learning_rate  # set it here or there: it is one
        for attribute in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
            if hasattr(inner, attribute):
                setattr(self, attribute, getattr(inner, attribute))
        self.optimizer, self.sync_period, self.slow_step_size = inner, sync_period, slow_step_size
        self.slot_names = (*inner.slot_names, {"slow": "slow"})  # pyright: ignore[reportAttributeAccessIssue]: as the wrapped one has them

    @property
    def strategy(self) -> Transform:
        """The wrapped optimizer's strategy inside Lookahead's."""
        inner = self.optimizer.strategy
        made = self.__dict__.get("_made")
        if made is None or made[0] != (inner, self.sync_period, self.slow_step_size):
            made = ((inner, self.sync_period, self.slow_step_size), Strategy(inner, self.sync_period, self.slow_step_size))
            object.__setattr__(self, "_made", made)
        return made[1]

    def get_config(self) -> dict[str, Any]:
        """Everything that makes this optimizer again but its state."""
        inner: Any = keras.saving.serialize_keras_object(self.optimizer)
        now = keras.optimizers.Optimizer.get_config(self)  # what was set here since is the wrapped one's as well
        inner["config"] |= {option: now[option] for option in ("learning_rate", *OPTIONS)}
        return {
            "name": self.name,
            "optimizer": inner,
            "sync_period": self.sync_period,
            "slow_step_size": self.slow_step_size,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Lookahead":
        """The optimizer that `get_config` described."""
        inner = keras.saving.deserialize_keras_object(config["optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer": inner})


def _ours(optimizer: Any) -> Optimizer:
    """One of steepest.keras in place of a name, or of Keras' own."""
    made = keras.optimizers.get(optimizer) if isinstance(optimizer, str) else optimizer
    name = type(made).__name__
    if isinstance(made, keras.optimizers.Optimizer) and not isinstance(made, Optimizer) and hasattr(drop_in, name) and not made.built:
        return getattr(drop_in, name).from_config(made.get_config())
    if not isinstance(made, Optimizer):
        raise HyperparameterError(
            f"Lookahead wraps an optimizer of steepest.keras that has not been used yet. Received: optimizer={optimizer!r}. "
            "Make one: Lookahead(steepest.keras.Adam(1e-3))."
        )
    if made.built:
        raise HyperparameterError(f"Lookahead: {name} has been built already, and its state would be left behind. Wrap a new one.")
    return made
