"""The tables that the tests run over: one of optax's functions, and the settings that ours and theirs are given."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import optax
import pytest

from steepest import optax as face
from tests.optax_face.trajectory import TOLERANCE


@dataclass(frozen=True)
class Case:
    """One row."""

    rule: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""  # where the settings do not say it
    needs_params: bool = False
    bare: bool = False  # whether optax's state is without a count

    @property
    def function(self) -> Callable[..., Any]:
        return getattr(face, self.rule)

    @property
    def reference_function(self) -> Callable[..., Any]:
        return getattr(optax, self.rule)

    def ours(self, learning_rate: Any = 0.01, **more: Any) -> Any:
        return self.function(learning_rate, **{**self.settings, **more})

    def reference(self, learning_rate: Any = 0.01, **more: Any) -> Any:
        return self.reference_function(learning_rate, **{**self.settings, **more})

    @property
    def tolerance(self) -> float:
        """optax multiplies a slot that is kept in float32 by its decay in float32; we do so in the gradient's float64."""
        return 1e-6 if jnp.float32 in self.settings.values() else TOLERANCE

    @property
    def said(self) -> str:
        """The settings in words."""
        return self.note or ", ".join(f"{k}={getattr(v, '__name__', v)}" for k, v in self.settings.items())

    def __str__(self) -> str:
        return f"{self.rule}({self.said})"


def over(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Run a test for each of the cases."""
    return pytest.mark.parametrize("case", list(cases), ids=str)


def dtypes(*which: Any) -> pytest.MarkDecorator:
    """Run a test for each of the dtypes."""
    return pytest.mark.parametrize("dtype", which, ids=lambda d: jnp.dtype(d).name)


def falling_decay(count: Any) -> Any:
    """A schedule for weight decay."""
    return 0.2 / (1 + 0.01 * count)


#: every function with its defaults
DEFAULTS = [
    Case("sgd", bare=True),
    Case("rmsprop", bare=True),
    Case("adam"),
    Case("nadam"),
    Case("adamw", needs_params=True),
    Case("nadamw", needs_params=True),
    Case("amsgrad"),
    Case("adabelief"),
    Case("lion", needs_params=True),
]

#: every function with what it has switched on
ONE_OF_EACH = [
    Case("sgd", {"momentum": 0.9, "nesterov": True}, bare=True),
    Case("rmsprop", {"centered": True, "momentum": 0.8}),
    Case("adam", {"eps_root": 1e-6}),
    Case("nadam", {"b1": 0.8}),
    Case("adamw", {"weight_decay": 0.1}, needs_params=True),
    Case("nadamw", {"weight_decay": 0.1}, needs_params=True),
    Case("amsgrad", {"b2": 0.95}),
    Case("adabelief", {"nesterov": True}),
    Case("lion", {"weight_decay": 0.1}, needs_params=True),
]

_RMS = [
    {"eps_in_sqrt": inside, "centered": centered, "bias_correction": corrected}
    for inside in (True, False)
    for centered in (True, False)
    for corrected in (True, False)
]

#: at the first step the corrected variance is the difference of two equal numbers, and the root of what rounding
#: leaves of it is nan where that is negative: in optax and here, for good
NAN_AT_ONCE = {"eps_in_sqrt": False, "centered": True, "bias_correction": True}

OPTIONS = [
    *DEFAULTS,
    *ONE_OF_EACH,
    Case("sgd", {"momentum": 0.9}, bare=True),
    Case("sgd", {"momentum": 0.0}, bare=True),
    Case("sgd", {"momentum": 0.9, "nesterov": True, "accumulator_dtype": jnp.float32}, bare=True),
    # eps well above what cancels in a corrected variance: at the default, rounding alone makes a difference of 1e-12
    *(Case("rmsprop", {"eps": 1e-4, **s}) for s in _RMS if s != NAN_AT_ONCE),
    Case("rmsprop", {"decay": 0.99, "momentum": 0.9, "nesterov": True, "initial_scale": 0.5}),
    Case("rmsprop", {"momentum": 0.0, "initial_scale": 1.0, "centered": True}),
    Case("adam", {"b1": 0.0, "b2": 0.9, "eps": 1e-3}),
    Case("adam", {"mu_dtype": jnp.float32, "eps_root": 1e-3}),
    Case("adam", {"nesterov": True, "eps_root": 1e-3}),
    Case("nadam", {"nesterov": False}),
    Case("adamw", {"weight_decay": falling_decay}),
    Case("adamw", {"weight_decay": 0.0, "eps_root": 1e-6}),
    Case("adamw", {"b1": 0.8, "b2": 0.99, "eps": 1e-4, "mu_dtype": jnp.float32, "nesterov": True}),
    Case("nadamw", {"weight_decay": falling_decay, "eps_root": 1e-6}),
    *(Case("amsgrad", {"bias_correction_mu": mu, "bias_correction_nu": nu}) for mu, nu in [(False, True), (True, False), (False, False)]),
    Case("amsgrad", {"eps_root": 1e-4, "eps": 1e-3, "mu_dtype": jnp.float32}),
    Case("adabelief", {"eps": 1e-8, "eps_root": 0.0}),
    Case("adabelief", {"eps": 1e-6, "eps_root": 1e-6, "b1": 0.8, "b2": 0.95}),
    Case("lion", {"weight_decay": 0.0, "b1": 0.5}),
    Case("lion", {"weight_decay": falling_decay, "mu_dtype": jnp.float32}),
]
