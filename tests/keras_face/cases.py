"""The tables that the tests run over: one of Keras' classes, and the settings that ours and theirs are given."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import pytest

from steepest import keras as face
from tests.keras_face.trajectory import BACKEND, Changes


@dataclass(frozen=True)
class Case:
    """One row."""

    rule: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""  # what the settings do not say
    rate: Callable[[], Any] = lambda: 0.01  # made for each optimizer anew: schedules keep tensors
    prepare: Callable[[Any, list[Any]], None] | None = None  # what is done before the optimizer is built
    changes: Changes | None = None  # and after so many steps

    def ours(self, variables: Any = ()) -> Any:
        return self._make(getattr(face, self.rule), variables)

    def stock(self, variables: Any = ()) -> Any:
        return self._make(getattr(keras.optimizers, self.rule), variables)

    def _make(self, cls: Callable[..., Any], variables: Any) -> Any:
        made = cls(**{"learning_rate": self.rate(), **self.settings})
        if self.prepare:
            self.prepare(made, variables)
        return made

    def with_settings(self, settings: Mapping[str, Any], **more: Any) -> "Case":
        return replace(self, settings={**self.settings, **settings}, **more)

    @property
    def said(self) -> str:
        """The settings in words."""
        return ", ".join(filter(None, [*(f"{k}={v}" for k, v in self.settings.items()), self.note]))

    def __str__(self) -> str:
        return f"{self.rule}({self.said})"


def over(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Run a test for each of the cases."""
    return pytest.mark.parametrize("case", list(cases), ids=str)


#: every rule, plain and with each of its own switches
RULES = [
    Case("SGD"),
    Case("SGD", {"momentum": 0.9}),
    Case("SGD", {"momentum": 0.9, "nesterov": True}),
    Case("RMSprop"),
    Case("RMSprop", {"momentum": 0.9}),
    Case("RMSprop", {"centered": True, "epsilon": 1e-4}),
    Case("RMSprop", {"momentum": 0.9, "centered": True, "epsilon": 1e-3, "rho": 0.95}),
    Case("Adam"),
    Case("Adam", {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    Case("AdamW"),
    Case("AdamW", {"amsgrad": True, "weight_decay": 0.3}),
    Case("Lion"),
    Case("Lion", {"beta_1": 0.95, "beta_2": 0.98}),
]

#: one of each class, with what it has switched on
ONE_OF_EACH = [
    Case("SGD", {"momentum": 0.9, "nesterov": True}),
    Case("RMSprop", {"momentum": 0.9, "centered": True, "epsilon": 1e-3}),
    Case("Adam", {"amsgrad": True}),
    Case("AdamW", {"weight_decay": 0.1}),
    Case("Lion"),
]

#: where every case compiles a model of its own, which takes most of the time but on PyTorch
SOME = ONE_OF_EACH if BACKEND == "torch" else [case for case in ONE_OF_EACH if case.rule in ("SGD", "Adam")]

_SGD = Case("SGD", {"momentum": 0.9})
_ADAM = Case("Adam")


def piecewise() -> Any:
    """What changes abruptly shows an off-by-one of the count."""
    return keras.optimizers.schedules.PiecewiseConstantDecay([7, 60, 130], [0.02, 0.005, 0.01, 0.001])


def warmup_then_cosine() -> Any:
    return keras.optimizers.schedules.CosineDecay(0.001, 180, alpha=0.1, warmup_target=0.02, warmup_steps=20)


def _set(name: str, value: Any) -> Callable[[Any], None]:
    return lambda optimizer: setattr(optimizer, name, value)


def _spare_all_but_one(optimizer: Any, variables: list[Any]) -> None:
    optimizer.exclude_from_weight_decay(var_list=variables[1:])


def _spare_by_name(optimizer: Any, variables: list[Any]) -> None:
    optimizer.exclude_from_weight_decay(var_names=["bias", "scale"])


_ALL = {
    "weight_decay": 0.1,
    "use_ema": True,
    "ema_momentum": 0.9,
    "ema_overwrite_frequency": 5,
    "gradient_accumulation_steps": 3,
    "loss_scale_factor": 4.0,
}

#: every option of Keras' base class
OPTIONS = [
    _SGD.with_settings({"weight_decay": 0.1}),
    _SGD.with_settings({"clipnorm": 0.5}),
    _SGD.with_settings({"global_clipnorm": 0.5}),
    _ADAM.with_settings({"clipvalue": 0.05, "weight_decay": 0.1}),
    _SGD.with_settings({"use_ema": True}),
    _ADAM.with_settings({"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7}),
    _ADAM.with_settings({"gradient_accumulation_steps": 4}),
    _SGD.with_settings({"gradient_accumulation_steps": 4, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3}),
    _ADAM.with_settings({"loss_scale_factor": 8.0}),
    Case("SGD", {"weight_decay": 0.3}, "all but one excluded by list", prepare=_spare_all_but_one),
    Case("AdamW", {"weight_decay": 0.3}, "excluded by name", prepare=_spare_by_name),
    Case("Lion", {"weight_decay": 0.3, "global_clipnorm": 0.5}, "excluded by name", prepare=_spare_by_name),
    _SGD.with_settings({}, note="Keras' schedule", rate=piecewise),
    Case("AdamW", {"weight_decay": 0.3, "gradient_accumulation_steps": 2}, "Keras' schedule", rate=warmup_then_cosine),
    Case("RMSprop", {"momentum": 0.9}, "callable learning rate", rate=lambda: lambda: 0.004),
    _SGD.with_settings({}, note="learning rate set", changes={50: _set("learning_rate", 0.03)}),
    _ADAM.with_settings(
        {"weight_decay": 0.3}, note="learning rate and beta_1 set", changes={20: _set("learning_rate", 0.1), 90: _set("beta_1", 0.5)}
    ),
    *(
        c.with_settings({**_ALL, clip: 0.3}, note="schedule, excluded by name", prepare=_spare_by_name, rate=warmup_then_cosine)
        for c, clip in zip(SOME, ["clipnorm", "global_clipnorm", "clipvalue", "clipnorm", "global_clipnorm"], strict=False)
    ),
]
