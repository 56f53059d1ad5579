"""The range test: train a copy while the learning rate rises from far too low to far too high.

The model and the optimizer that were given are not touched: both are copied together, with the state that the
optimizer has, and the copy is trained. Random numbers go on afterwards as if nothing had been.
"""

import copy
import math
import random
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from steepest.errors import MissingExtra, TuneError
from steepest.tune.suggest import Suggestion, Sweep, suggest

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    Loss = Callable[[nn.Module, Any], Tensor]

EXPLODED = 4.0
"""A sweep ends when the loss is so many times as far above its lowest value as the first loss was, and the first loss once more."""


@dataclass(frozen=True)
class RangeTest:
    """The sweeps, and what they say."""

    sweeps: tuple[Sweep, ...]
    suggestion: Suggestion


def range_test(
    model: "nn.Module",
    optimizer: "Optimizer",
    batches: Iterable[Any],
    loss: "Loss",
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    repeats: int = 3,
    clip_norm: float | None = None,
) -> RangeTest:
    """Suggest a learning rate for this model, this optimizer and these data.

        result = range_test(model, opt, loader, lambda model, batch: cross_entropy(model(batch[0]), batch[1]))
        print(result.suggestion.rate, result.suggestion.low, result.suggestion.high)

    Args:
        model: any module; it is copied, so there must be memory for another one with its gradients and optimizer state.
        optimizer: any optimizer over the model's parameters. Groups keep the ratios of their learning rates; the rate of
            the test is that of the first group.
        batches: what `loss` takes; begun again when it ends. Of an iterator, `steps * repeats` batches are used up.
        loss: `loss(model, batch)`, a scalar, of the model that it is given (the copy) and no other.
        low: the lowest learning rate to try, above 0.
        high: the highest.
        steps: how many rates are tried on the way, at least 20.
        repeats: how often, each time on other batches.
        clip_norm: clip the gradient's global norm at this before each step.

    Raises:
        TuneError: these arguments cannot be, or the loss does not depend on the model that it is given.
        MissingExtra: PyTorch is not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtra("The range test trains PyTorch models, and PyTorch is not installed: pip install 'steepest[torch]'")
    _check(low, high, steps, repeats)
    endless = _again(batches)
    rates = [float(r) for r in np.geomspace(low, high, steps)]
    with _random_numbers_kept(model):
        sweeps = tuple(_sweep(model, optimizer, endless, loss, rates, clip_norm) for _ in range(repeats))
    return RangeTest(sweeps, suggest(sweeps))


def _check(low: float, high: float, steps: int, repeats: int) -> None:
    if not (0 < low < high < math.inf):
        raise TuneError(f"Learning rates from {low:g} to {high:g}: give low above 0 and high above low, such as low=1e-6, high=10.")
    if steps < 20:
        raise TuneError(f"steps={steps}: a curve needs 20 at least; 100 to 300 are usual.")
    if repeats < 1:
        raise TuneError(f"repeats={repeats}: give 1 or more.")


def _sweep(
    model: "nn.Module",
    optimizer: "Optimizer",
    batches: Iterator[Any],
    loss: "Loss",
    rates: list[float],
    clip_norm: float | None,
) -> Sweep:
    from torch.nn.utils import clip_grad_norm_

    own, opt = copy.deepcopy((model, optimizer))
    scales = _scales(opt)
    seen: list[float] = []
    lowest = math.inf
    for rate in rates:
        for group, scale in zip(opt.param_groups, scales, strict=True):
            group["lr"] = rate * scale
        opt.zero_grad()
        value = loss(own, next(batches))
        _one_number(value)
        now = value.item()
        lowest = min(lowest, now)
        if not math.isfinite(now) or (seen and now - lowest > EXPLODED * abs(seen[0] - lowest) + abs(seen[0])):
            return Sweep(tuple(rates[: len(seen)]), tuple(seen), ended=True)
        seen.append(now)
        value.backward()
        if len(seen) == 1:
            _trains(own, opt)
        if clip_norm is not None:
            clip_grad_norm_(own.parameters(), clip_norm)
        opt.step()
    return Sweep(tuple(rates), tuple(seen), ended=False)


def _scales(optimizer: "Optimizer") -> list[float]:
    """The groups' learning rates as multiples of the first one's."""
    given = [float(group["lr"]) for group in optimizer.param_groups]
    if not given[0] > 0:
        raise TuneError(
            f"The learning rate of the optimizer's first group is {given[0]:g}: "
            "the ratios of the groups are taken from it, so give one above 0."
        )
    return [rate / given[0] for rate in given]


def _one_number(value: Any) -> None:
    from torch import Tensor

    if not isinstance(value, Tensor) or value.numel() != 1:
        what = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise TuneError(f"loss(model, batch) returned {what}: return one number as a tensor, such as the mean over the batch.")
    if not value.requires_grad:
        raise TuneError(
            "loss(model, batch) does not depend on any parameter: compute it from the model that it is given, without no_grad()."
        )


def _trains(model: "nn.Module", optimizer: "Optimizer") -> None:
    own = {id(p) for p in model.parameters()}
    stepped = [p for group in optimizer.param_groups for p in group["params"]]
    if not any(id(p) in own for p in stepped):
        raise TuneError("The optimizer has none of this model's parameters: make it from model.parameters().")
    if all(p.grad is None for p in stepped):
        raise TuneError(
            "The loss gave no gradient to the model that loss(model, batch) was given, which is a copy: "
            "use that argument in loss, not a model from outside."
        )


def _again(batches: Iterable[Any]) -> Iterator[Any]:
    """Batches without end."""
    if isinstance(batches, Iterator):
        first = next(batches, None)
        if first is None:
            raise TuneError("There are no batches: the iterator is used up. Give a DataLoader or a list.")
        return _or_say(chain([first], batches))
    return _cycle(batches)


def _or_say(batches: Iterator[Any]) -> Iterator[Any]:
    yield from batches
    raise TuneError("The batches ran out before the test was done: give a DataLoader or a list, which can be begun again, or fewer steps.")


def _cycle(batches: Iterable[Any]) -> Iterator[Any]:
    while True:
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            raise TuneError("There are no batches: the data is empty.")


@contextmanager
def _random_numbers_kept(model: "nn.Module") -> Generator[None]:
    """What Python, NumPy and torch draw afterwards is what they would have drawn."""
    from torch.random import fork_rng

    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    before = random.getstate(), np.random.get_state()
    try:
        with fork_rng(devices=devices):
            yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
