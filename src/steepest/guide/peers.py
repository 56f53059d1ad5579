"""Optimizers of other packages as `steepest race --with` takes them: one function of all parameters.

    steepest race --with muon=steepest.guide.peers:muon

Needs pytorch-optimizer: pip install pytorch-optimizer.
"""

from collections.abc import Iterable
from typing import Any

from steepest.errors import MissingExtra


def muon(params: Iterable[Any], lr: float = 2e-3, weight_decay: float = 0.1) -> Any:
    """Muon on hidden matrices and AdamW on the rest, with one learning rate by matching the size of their updates (arXiv:2502.16982).

    A race hands over parameters without names, so that the first and the last matrix are taken for embedding and head.
    """
    try:
        from pytorch_optimizer import Muon
    except ImportError:
        raise MissingExtra("steepest.guide.peers:muon needs pytorch-optimizer: pip install pytorch-optimizer") from None
    everything = list(params)
    matrices = [p for p in everything if p.ndim >= 2]
    hidden = {id(p) for p in matrices[1:-1]}
    groups: list[dict[str, Any]] = [
        {"params": [p for p in everything if id(p) in hidden], "use_muon": True, "lr": lr, "weight_decay": weight_decay},
        {"params": [p for p in everything if id(p) not in hidden], "use_muon": False, "lr": lr, "weight_decay": weight_decay},
    ]
    return Muon([g for g in groups if g["params"]], lr=lr, weight_decay=weight_decay, use_adjusted_lr=True)
