"""The tables that the tests run over: one of ours, its reference, and the settings both are given."""

import contextlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import adabelief_pytorch
import lion_pytorch
import pytest
import torch

from steepest import AddDecayedWeights, ClipByGlobalNorm, ScaleByBelief, ScaleByLearningRate, Trace, chain
from steepest import torch as face
from tests.torch_face.references import PlainLookahead

Params = Iterable[Any]


@dataclass(frozen=True)
class Case:
    """One row. `second` is what the second parameter group sets for itself, where there are two."""

    name: str
    ours: Callable[..., torch.optim.Optimizer]
    reference: Callable[..., torch.optim.Optimizer] | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    second: Mapping[str, Any] = field(default_factory=lambda: {"lr": 0.003})
    hides_nan: bool = False  # whether the reference makes no step where the gradient is nan
    bare: bool = False  # whether the state is a single slot, without a count
    counts_together: bool = False  # whether the reference has one step count for all parameters

    def make(self, params: Params, **more: Any) -> Any:
        """Ours; the parameters may be anything that torch.optim takes."""
        return self.ours(self._groups(params), **{**self.settings, **more})

    def make_reference(self, params: Params, **more: Any) -> Any:
        """The other one; AdaBelief's announces itself on standard output."""
        assert self.reference is not None
        with contextlib.redirect_stdout(io.StringIO()):
            return self.reference(self._groups(params), **{**self.settings, **more})

    def _groups(self, params: Params) -> list[Any]:
        given = list(params)
        return [given[0], {**self.second, **given[1]}] if len(given) == 2 and isinstance(given[1], dict) else given

    @property
    def of(self) -> str:
        """Whose optimizer the reference is."""
        module = getattr(self.reference, "__module__", "").partition(".")[0]
        name = self.name.partition(",")[0]
        return {"torch": f"torch.optim.{name}", "lion_pytorch": "lion-pytorch"}.get(module, "the authors' code")

    def __str__(self) -> str:
        return self.name


def over(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Run a test for each of the cases."""
    return pytest.mark.parametrize("case", list(cases), ids=str)


def dtypes(*which: torch.dtype) -> pytest.MarkDecorator:
    """Run a test for each of the dtypes."""
    return pytest.mark.parametrize("dtype", which, ids=lambda d: str(d).removeprefix("torch."))


def adabelief_reference(params: Params, **settings: Any) -> torch.optim.Optimizer:
    return adabelief_pytorch.AdaBelief(list(params), print_change_log=False, **settings)


def lookahead(inner: Callable[..., Any], wrap: Callable[..., Any]) -> Callable[..., Any]:
    return lambda params, k=5, alpha=0.8, **settings: wrap(inner(params, **settings), k, alpha)


def strategy(lr: Any = 0.02, weight_decay: float = 0.1) -> Any:
    """A strategy as a user composes one; without sums, so that layouts cannot change a bit."""
    return chain(ScaleByBelief(eps=1e-8), Trace(0.5, 0.1), AddDecayedWeights(weight_decay), ScaleByLearningRate(lr))


_T = torch.optim

#: checkpoints of these are torch.optim's, both ways
OF_TORCH = [
    Case("SGD", face.SGD, _T.SGD, {"lr": 0.02}),
    Case("SGD, weight decay", face.SGD, _T.SGD, {"lr": 0.02, "weight_decay": 0.1}, {"weight_decay": 0.01, "lr": 0.05}),
    Case("SGD, momentum", face.SGD, _T.SGD, {"lr": 0.01, "momentum": 0.9}, {"momentum": 0.5}),
    Case("SGD, momentum in one group", face.SGD, _T.SGD, {"lr": 0.01}, {"momentum": 0.8, "nesterov": True}),
    Case("SGD, dampening", face.SGD, _T.SGD, {"lr": 0.02, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}, {"dampening": 0.1}),
    Case("SGD, Nesterov", face.SGD, _T.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, {"lr": 0.003}),
    Case("SGD, maximize", face.SGD, _T.SGD, {"lr": 0.01, "momentum": 0.9, "maximize": True, "weight_decay": 0.1}, {"maximize": False}),
    Case("RMSprop", face.RMSprop, _T.RMSprop, {"lr": 0.01}),
    Case("RMSprop, centered", face.RMSprop, _T.RMSprop, {"lr": 0.01, "centered": True, "alpha": 0.9}, {"alpha": 0.95, "eps": 1e-3}),
    Case("RMSprop, momentum", face.RMSprop, _T.RMSprop, {"lr": 0.002, "momentum": 0.9, "weight_decay": 0.1}, {"momentum": 0.0}),
    Case(
        "RMSprop, maximize",
        face.RMSprop,
        _T.RMSprop,
        {"lr": 0.002, "momentum": 0.9, "centered": True, "maximize": True},
        {"centered": False},
    ),
    Case("Adam", face.Adam, _T.Adam, {"lr": 0.01}, {"betas": (0.8, 0.99), "eps": 1e-3}),
    Case("Adam, weight decay", face.Adam, _T.Adam, {"lr": 0.01, "weight_decay": 0.1}, {"weight_decay": 0.0, "lr": 0.02}),
    Case(
        "Adam, decoupled",
        face.Adam,
        _T.Adam,
        {"weight_decay": 0.1, "decoupled_weight_decay": True, "lr": 0.01},
        {"decoupled_weight_decay": False},
    ),
    Case("Adam, AMSGrad", face.Adam, _T.Adam, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}, {"betas": (0.5, 0.9)}),
    Case("Adam, maximize", face.Adam, _T.Adam, {"lr": 0.01, "maximize": True}, {"amsgrad": True}),
    Case("AdamW", face.AdamW, _T.AdamW, {"lr": 0.01}, {"weight_decay": 0.3}),
    Case("AdamW, AMSGrad", face.AdamW, _T.AdamW, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1}, {"lr": 0.03}),
    Case("AdamW, maximize", face.AdamW, _T.AdamW, {"lr": 0.01, "maximize": True, "weight_decay": 0.1}, {"maximize": False}),
]

OF_AUTHORS = [
    Case("Lion", face.Lion, lion_pytorch.Lion, {"lr": 0.003}, {"betas": (0.95, 0.98)}, hides_nan=True),
    Case("Lion, weight decay", face.Lion, lion_pytorch.Lion, {"lr": 0.003, "weight_decay": 0.3}, {"weight_decay": 1.0}, hides_nan=True),
    *(
        Case(f"AdaBelief, {name}", face.AdaBelief, adabelief_reference, {"lr": 0.01, **settings}, {"betas": (0.8, 0.99)})
        for name, settings in {
            "rectified": {"weight_decay": 0.1},
            "rectified, coupled": {"weight_decay": 0.1, "weight_decouple": False, "eps": 1e-8},
            "plain": {"rectify": False, "weight_decay": 0.1},
            "plain, coupled": {"rectify": False, "weight_decay": 0.1, "weight_decouple": False},
            "AMSGrad": {"rectify": False, "amsgrad": True, "eps": 1e-8},
        }.items()
    ),
    *(
        Case(f"Lookahead of {name}", lookahead(getattr(face, name), face.Lookahead), lookahead(getattr(_T, name), PlainLookahead), settings)
        for name, settings in {
            "SGD": {"lr": 0.02, "momentum": 0.9, "k": 3, "alpha": 0.5},
            "AdamW": {"lr": 0.02, "weight_decay": 0.1},
            "RMSprop": {"lr": 0.01, "k": 1, "alpha": 0.3},
        }.items()
    ),
]

#: every class, with what it has switched on; all of them step each element by itself
ONE_OF_EACH = [
    Case("SGD", face.SGD, _T.SGD, {"lr": 0.02, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}, {"lr": 0.05}, bare=True),
    Case("RMSprop", face.RMSprop, _T.RMSprop, {"lr": 0.01, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    Case("Adam", face.Adam, _T.Adam, {"lr": 0.02, "amsgrad": True, "weight_decay": 0.1}),
    Case("AdamW", face.AdamW, _T.AdamW, {"lr": 0.02}),
    Case("AdaBelief", face.AdaBelief, adabelief_reference, {"lr": 0.02, "weight_decay": 0.1}),
    Case("Lion", face.Lion, lion_pytorch.Lion, {"lr": 0.02, "weight_decay": 0.1}, hides_nan=True, bare=True),
    Case(
        "Lookahead",
        lookahead(face.AdamW, face.Lookahead),
        lookahead(_T.AdamW, PlainLookahead),
        {"lr": 0.02, "k": 2, "alpha": 0.5},
        counts_together=True,
    ),
    Case("Optimizer", lambda params, **more: face.Optimizer(params, strategy(), **more), None),
]

#: nothing between the gradient and the parameter
STATELESS = Case("SGD without momentum", face.SGD, torch.optim.SGD, {"lr": 0.02})

#: a sum over all parameters, and one over each
WITH_SUMS = Case(
    "Optimizer with sums", lambda params, **more: face.Optimizer(params, chain(ClipByGlobalNorm(0.5), strategy()), **more), None
)
