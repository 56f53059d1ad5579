"""What `Task.supervised` puts together: a task from inputs, answers and a model."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from steepest.errors import TaskError
from steepest.race.extra import NeedsExtra
from steepest.race.tasks import measures
from steepest.race.tasks.data import parts, shuffled, stratified
from steepest.race.tasks.task import Data, Metric

with NeedsExtra():
    import torch
    from torch import Tensor, nn
    from torch.nn import functional

Source = Callable[[], tuple[Any, Any]]

METRICS = {metric.name: metric for metric in (measures.ERROR, measures.RMSE)}


@dataclass(frozen=True)
class Load:
    """Loads, divides and keeps the data. An object of a module's class, so that it can be pickled."""

    data: Source
    split: tuple[float, ...]

    def __call__(self) -> Data:
        return _divided(self.data, self.split)


@dataclass(frozen=True)
class Loss:
    """From a loss of outputs and answers to one of model and batch."""

    of: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, model: nn.Module, batch: Any) -> Tensor:
        inputs, targets = batch
        return self.of(model(inputs), targets)


def answers(data: Source) -> Tensor:
    """The y of `data()`, after a look at whether X and y fit together."""
    return _tensors(data)[1]


def usual_loss(y: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross entropy for classes, mean square for other numbers."""
    return mean_square if y.is_floating_point() else functional.cross_entropy


def mean_square(outputs: Tensor, y: Tensor) -> Tensor:
    """The mean square of what is missing. Shapes must agree: torch would compare every output with every answer."""
    if outputs.shape != y.shape:
        raise TaskError(
            f"The model gives {tuple(outputs.shape)} where the answers are {tuple(y.shape)}: "
            "end the model with nn.Flatten(0), or give y as y[:, None]."
        )
    return functional.mse_loss(outputs, y)


def metric(given: str | Metric | None, y: Tensor) -> Metric:
    """The metric that is meant, or the usual one for such answers."""
    if isinstance(given, Metric):
        return given
    if given is None:
        return measures.RMSE if y.is_floating_point() else measures.ERROR
    if given not in METRICS:
        raise TaskError(f"metric={given!r} is no metric: write one of {', '.join(map(repr, METRICS))}, or give a Metric of your own.")
    return METRICS[given]


def guess(chosen: Metric, data: Source, split: tuple[float, ...], model: Callable[[], nn.Module]) -> float:
    """The validation metric of the best constant answer; for a metric of your own, of the model before training."""
    parts = _divided(data, split)
    y = torch.cat([targets for _, targets in parts.train.all(4096)])
    if chosen is measures.RMSE and y.is_floating_point():
        return chosen.value(_Constant(y.mean(0)), parts.validation)
    if chosen is measures.ERROR and y.dim() == 1:
        return chosen.value(_Constant(torch.bincount(y).float()), parts.validation)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return chosen.value(model(), parts.validation)


class _Constant(nn.Module):
    """Answers the same to everything."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output

    def forward(self, inputs: Any) -> Tensor:
        count = len(inputs if isinstance(inputs, Tensor) else inputs[0])
        return self.output.expand(count, *self.output.shape)


@cache
def _tensors(data: Source) -> tuple[Any, Tensor]:
    given: Any = data()
    if not isinstance(given, tuple) or len(given) != 2:
        raise TaskError(f"data() gave {type(given).__name__}, not a pair: end it with `return X, y`.")
    x, y = _tensor(given[0]), _tensor(given[1])
    if not isinstance(y, Tensor) or y.dim() == 0:
        raise TaskError("y of data() has no rows: give a tensor or an array with one answer for each example.")
    for one in x if isinstance(x, tuple) else (x,):
        if len(one) != len(y):
            raise TaskError(f"data() gave {len(one):,} rows of X but {len(y):,} answers y: each example needs one of both.")
    return x, y


def _tensor(values: Any) -> Any:
    """Numbers as models want them: float32, and int64 for whole numbers."""
    if isinstance(values, tuple):
        return tuple(_tensor(v) for v in values)
    tensor = torch.as_tensor(values)
    return tensor.float() if tensor.is_floating_point() else tensor.long()


@cache
def _divided(data: Source, split: tuple[float, ...]) -> Data:
    if len(split) != 3 or min(split) <= 0 or abs(sum(split) - 1) > 1e-6:
        raise TaskError(f"split={split} cannot be: give the shares of training, validation and test, such as (0.6, 0.2, 0.2).")
    x, y = _tensors(data)
    train, validation = round(len(y) * split[0]), round(len(y) * split[1])
    sizes = (train, validation, len(y) - train - validation)
    if min(sizes) < 1:
        raise TaskError(f"{len(y)} examples cannot be divided into parts of {sizes}: give more data or another split.")
    classes = not y.is_floating_point() and y.dim() == 1
    return parts(x, y, stratified(np.asarray(y), sizes) if classes else shuffled(len(y), sizes))
