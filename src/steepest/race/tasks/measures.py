"""Losses and metrics of batches `(inputs, targets)`: errors of a classifier, bits per character, root mean square."""

import math
from typing import Any

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.task import Metric

with NeedsExtra():
    from torch import Tensor, nn
    from torch.nn import functional

NO_TARGET = -100
"""Stands in place of a target where a sequence has ended; torch's own choice."""


def cross_entropy(model: nn.Module, batch: Any) -> Tensor:
    """The mean negative log-likelihood of the right classes, or characters."""
    inputs, targets = batch
    outputs = model(inputs)
    return functional.cross_entropy(outputs.flatten(0, -2), targets.flatten(), ignore_index=NO_TARGET)


def squared_error(model: nn.Module, batch: Any) -> Tensor:
    """The mean square of what is missing."""
    inputs, targets = batch
    return functional.mse_loss(model(inputs), targets)


def _errors(model: nn.Module, batch: Any) -> tuple[float, int]:
    inputs, targets = batch
    return (model(inputs).argmax(-1) != targets).sum().item(), len(targets)


def _bits(model: nn.Module, batch: Any) -> tuple[float, int]:
    count = int((batch[1] != NO_TARGET).sum().item())
    return cross_entropy(model, batch).item() / math.log(2) * count, count


def _squares(model: nn.Module, batch: Any) -> tuple[float, int]:
    inputs, targets = batch
    missing: Tensor = model(inputs) - targets
    return missing.double().square().sum().item(), missing.numel()


ERROR = Metric("error", higher_is_better=False, of=_errors)
"""The share of examples whose largest output is not the right one."""

BITS = Metric("bits per character", higher_is_better=False, of=_bits)
"""How many bits the model needs for the next character, in the mean."""

RMSE = Metric("RMSE", higher_is_better=False, of=_squares, finish=math.sqrt)
"""The root of the mean square of what is missing."""
