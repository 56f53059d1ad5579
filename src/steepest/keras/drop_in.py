"""The drop-in classes: Keras' signatures, checkpoints and trajectories; AdaBelief's are those of TensorFlow Addons.

Each says how Keras' arguments become a strategy (`steepest.conventions.keras`) and what its state is called;
everything else is `Optimizer`. A constructor hands all that it was given to `_start` with `locals()`: its
signature, which editors and Keras show, is then the only list of its arguments.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras

from steepest.conventions import keras as conventions
from steepest.errors import HyperparameterError
from steepest.keras.optimizer import Optimizer
from steepest.transform import Transform

_register: Any = keras.saving.register_keras_serializable(package="steepest")


class _DropIn(Optimizer):
    #: Keras' name of an argument -> ours
    arguments: ClassVar[Mapping[str, str]] = {}
    convention: ClassVar[Callable[..., Transform]]

    _made: tuple[tuple[Any, ...], Transform] | None = None

    def _start(self, given: dict[str, Any]) -> None:
        """Take all that a constructor was given: own arguments become attributes, the rest is Keras' own."""
        del given["self"]
        options = given.pop("kwargs") | given
        own = {name: options.pop(name) for name in self.arguments}
        self._build_strategy(tuple(own.values()))
        self._begin(options)
        for name, value in own.items():
            setattr(self, name, value)

    @property
    def strategy(self) -> Transform:
        """What the variables are stepped by now; made anew where an argument has been changed."""
        values = tuple(getattr(self, name) for name in self.arguments)
        if self._made is None or self._made[0] != values:
            object.__setattr__(self, "_made", (values, self._build_strategy(values)))  # no state for Keras to track
        assert self._made is not None
        return self._made[1]

    def _build_strategy(self, values: tuple[Any, ...]) -> Transform:
        try:
            return type(self).convention(0.0, **dict(zip(self.arguments.values(), values, strict=True)))
        except HyperparameterError as error:
            name = next((theirs for theirs, ours in self.arguments.items() if ours == error.field), None)
            if name is None:
                raise
            raise HyperparameterError(f"{type(self).__name__}: `{name}` {error.why}. Received: {name}={error.value!r}") from None

    def get_config(self) -> dict[str, Any]:
        """Everything that makes this optimizer again but its state."""
        config = {**super().get_config(), **{name: getattr(self, name) for name in self.arguments}}
        del config["strategy"]
        return config


@_register
class SGD(_DropIn):
    """Stochastic gradient descent as keras.optimizers.SGD: the learning rate is inside the momentum buffer.

    Reference: Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13.html, eq. 1-4.
    """

    slot_names = ({"trace": "momentum"},)
    arguments = {"momentum": "momentum", "nesterov": "nesterov"}
    convention = staticmethod(conventions.sgd)

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(locals())


@_register
class RMSprop(_DropIn):
    """RMSProp as keras.optimizers.RMSprop: eps inside the root, the learning rate inside the momentum buffer.

    Reference: Tieleman & Hinton 2012, lecture 6e; centered: Graves 2013, arXiv:1308.0850, eq. 38-45.
    """

    slot_names = ({"nu": "velocity"}, {"trace": "momentum"}, {"mu": "average_gradient"})
    arguments = {"rho": "decay", "momentum": "momentum", "epsilon": "eps", "centered": "centered"}
    convention = staticmethod(conventions.rmsprop)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(locals())


@_register
class Adam(_DropIn):
    """Adam as keras.optimizers.Adam, AMSGrad included; epsilon is added before the bias correction ("epsilon hat").

    Reference: Kingma & Ba 2015, arXiv:1412.6980, section 2; AMSGrad: Reddi et al. 2018, arXiv:1904.09237.
    """

    slot_names = ({"mu": "momentum", "nu": "velocity"}, {"nu_max": "velocity_hat"})
    arguments = {"beta_1": "b1", "beta_2": "b2", "epsilon": "eps", "amsgrad": "amsgrad"}
    convention = staticmethod(conventions.adam)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(locals())


@_register
class AdamW(Adam):
    """Adam with decoupled weight decay as keras.optimizers.AdamW: the whole learning rate multiplies the decay.

    Reference: Loshchilov & Hutter 2019, arXiv:1711.05101, Algorithm 2.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise HyperparameterError("AdamW: `weight_decay` must be a float; without decay use Adam. Received: weight_decay=None")
        self._start(locals())


@_register
class AdaBelief(_DropIn):
    """AdaBelief as its authors' code and TensorFlow Addons have it: rectified, epsilon inside the accumulator.

    Reference: Zhuang et al. 2020, arXiv:2010.07468, Algorithm 2.

    Differs from TensorFlow Addons:
    1. `weight_decay` is Keras' own: decoupled, times the learning rate, applied before the step.
    2. `total_steps`, `warmup_proportion` and `min_lr` are a schedule's: give one as `learning_rate`. The threshold
       of rectification is 5, as in both.
    3. `amsgrad=True` needs `rectify=False`.
    """

    slot_names = ({"mu": "momentum", "nu": "velocity"}, {"nu_max": "velocity_hat"})
    arguments = {"beta_1": "b1", "beta_2": "b2", "epsilon": "eps", "rectify": "rectify", "amsgrad": "amsgrad"}
    convention = staticmethod(conventions.adabelief)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-14,
        weight_decay: float | None = None,
        rectify: bool = True,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(locals())


@_register
class Lion(_DropIn):
    """Lion as keras.optimizers.Lion: every weight moves by exactly the learning rate; half of Adam's state.

    Reference: Chen et al. 2023, arXiv:2302.06675, Algorithm 2.
    """

    slot_names = ({"mu": "momentum"},)
    arguments = {"beta_1": "b1", "beta_2": "b2"}
    convention = staticmethod(conventions.lion)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._start(locals())
