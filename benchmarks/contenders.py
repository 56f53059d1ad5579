"""Who runs against whom: for each of the nine, our class and every peer that has the same rule."""

import contextlib
import io
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn import Parameter

import steepest.torch

Make = Callable[[Iterable[Parameter]], Any]


def _quiet(make: Make) -> Make:
    def made(params: Iterable[Parameter]) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):  # adabelief-pytorch prints its history
            return make(params)

    return made


def _torch(name: str, modes: Iterable[str], **settings: Any) -> dict[str, Make]:
    make = getattr(torch.optim, name)
    flags: dict[str, dict[str, bool]] = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}
    return {f"torch {mode}": lambda p, mode=mode: make(p, **settings, **flags[mode]) for mode in modes}


def _pytorch_optimizer(name: str, **settings: Any) -> dict[str, Make]:
    import pytorch_optimizer

    make = getattr(pytorch_optimizer, name)
    return {
        "pytorch-optimizer foreach": lambda p: make(p, **settings, foreach=True),
        "pytorch-optimizer loop": lambda p: make(p, **settings, foreach=False),
    }


def _lookahead(p: Iterable[Parameter], **settings: Any) -> Any:
    import pytorch_optimizer

    return pytorch_optimizer.Lookahead(torch.optim.AdamW(p, **settings), k=5, alpha=0.8)


def peers(optimizer: str) -> dict[str, Make]:
    """Every peer with the same rule, in every mode it has."""
    import adabelief_pytorch
    import lion_pytorch

    modes = ("fused", "foreach", "loop")
    table: dict[str, Callable[[], dict[str, Make]]] = {
        "SGD": lambda: _torch("SGD", modes, lr=0.01),
        "Momentum": lambda: _torch("SGD", modes, lr=0.01, momentum=0.9),
        "Nesterov": lambda: _torch("SGD", modes, lr=0.01, momentum=0.9, nesterov=True),
        "RMSProp": lambda: _torch("RMSprop", modes[1:]),
        "Adam": lambda: _torch("Adam", modes),
        "AdamW": lambda: _torch("AdamW", modes),
        "AdaBelief": lambda: {
            "adabelief-pytorch": _quiet(lambda p: adabelief_pytorch.AdaBelief(p, rectify=False, print_change_log=False)),
            **_pytorch_optimizer("AdaBelief", rectify=False),
        },
        "Lookahead": lambda: {
            "pytorch-optimizer over torch fused": lambda p: _lookahead(p, fused=True),
            "pytorch-optimizer over torch foreach": lambda p: _lookahead(p, foreach=True),
        },
        "Lion": lambda: {"lion-pytorch": lambda p: lion_pytorch.Lion(p), **_pytorch_optimizer("Lion")},
    }
    return table[optimizer]()


OURS: dict[str, Make] = {
    "SGD": lambda p: steepest.torch.SGD(p, lr=0.01),
    "Momentum": lambda p: steepest.torch.SGD(p, lr=0.01, momentum=0.9),
    "Nesterov": lambda p: steepest.torch.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    "RMSProp": lambda p: steepest.torch.RMSprop(p),
    "Adam": lambda p: steepest.torch.Adam(p),
    "AdamW": lambda p: steepest.torch.AdamW(p),
    "AdaBelief": lambda p: steepest.torch.AdaBelief(p, rectify=False),
    "Lookahead": lambda p: steepest.torch.Lookahead(steepest.torch.AdamW(p), k=5, alpha=0.8),
    "Lion": lambda p: steepest.torch.Lion(p),
}
