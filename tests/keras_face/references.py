"""What Keras has no class for: AdaBelief's authors' code, and Lookahead in plain words. Both are fed from NumPy."""

import contextlib
import io
from collections.abc import Callable
from typing import Any

import adabelief_pytorch
import numpy as np
import torch

from tests.keras_face.trajectory import COMPARED, DTYPE, STEPS, Array, Snapshot, floatx, noise, tensor, variables


def by_torch(make: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer], dtype: str = DTYPE) -> list[Snapshot]:
    """The trajectory of an optimizer of PyTorch's kind, on the numbers that the others are given."""
    start, noises = noise()
    params = [torch.nn.Parameter(torch.tensor(p.astype(dtype).ravel()).reshape(p.shape)) for p in start]
    optimizer = make(params)
    passed = []
    for t in range(STEPS):
        for p, n in zip(params, noises, strict=True):
            p.grad = torch.tensor(n[t].astype(dtype).ravel()).reshape(p.shape) + 0.1 * p.detach()
        optimizer.step()
        if t + 1 in COMPARED:
            passed.append(Snapshot([p.detach().numpy().copy() for p in params], []))
    return passed


def authors_adabelief(params: Any, **settings: Any) -> torch.optim.Optimizer:
    """Their constructor announces itself on standard output."""
    with contextlib.redirect_stdout(io.StringIO()):
        return adabelief_pytorch.AdaBelief(params, print_change_log=False, **settings)


def plain_lookahead(make: Callable[[list[Any]], Any], k: int, alpha: float, dtype: str = DTYPE) -> list[Snapshot]:
    """Zhang et al. 2019, Algorithm 1, around a Keras optimizer: after steps k, 2k, ... slow += alpha * (fast - slow); fast = slow.

    The slow weights are the variables before the first step, and what is compared of the state.
    """
    start, noises = noise()
    with floatx(dtype):
        mine = variables(dtype, start)
        optimizer = make(mine)
        slow: list[Array] = [p.astype(dtype) for p in start]
        passed = []
        for t in range(STEPS):
            optimizer.apply([tensor(n[t] + 0.1 * _array(v), dtype) for n, v in zip(noises, mine, strict=True)], mine)
            if (t + 1) % k == 0:
                slow = [s + alpha * (_array(v) - s) for s, v in zip(slow, mine, strict=True)]
                for v, s in zip(mine, slow, strict=True):
                    v.assign(tensor(s, dtype))
            if t + 1 in COMPARED:
                passed.append(Snapshot([_array(v).copy() for v in mine], list(slow)))
    return passed


def _array(variable: Any) -> Array:
    from keras import ops

    return np.asarray(ops.convert_to_numpy(variable.value))
