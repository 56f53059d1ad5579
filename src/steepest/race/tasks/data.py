"""Loading and dividing data: vendored arrays, fixed parts, batches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.task import Data

with NeedsExtra():
    import torch
    from torch import Tensor

Indices = NDArray[np.int64]
"""Which examples, by number."""


@dataclass(frozen=True)
class Examples:
    """Some examples, of which `take` makes a batch of those with the given indices."""

    indices: Tensor
    take: Callable[[Tensor], Any]

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.indices)

    def random(self, batch: int, seed: int) -> Iterator[Any]:
        """Pass after pass in random order; the incomplete last batch of a pass is left out, so that every batch is full."""
        generator = torch.Generator().manual_seed(seed)
        while True:
            order = self.indices[torch.randperm(len(self), generator=generator)]
            for start in range(0, len(self) - batch + 1, batch):
                yield self.take(order[start : start + batch])
            if len(self) < batch:
                yield self.take(order)

    def all(self, batch: int) -> Iterator[Any]:
        """Every example once, in the order of the data."""
        return (self.take(chosen) for chosen in self.indices.split(batch))


def rows(batch: Any, indices: Tensor) -> Any:
    """The rows with these indices of a tensor, or of every tensor in a tuple, named or nested."""
    if isinstance(batch, Tensor):
        return batch[indices]
    chosen = [rows(item, indices) for item in batch]
    return type(batch)(*chosen) if hasattr(batch, "_fields") else tuple(chosen)


def parts(inputs: Any, targets: Tensor, chosen: Sequence[Indices]) -> Data:
    """Batches of `(inputs, targets)`: tensors, or tuples of them, with an example a row, divided into three parts."""
    return divided(partial(rows, (inputs, targets)), chosen)


def divided(take: Callable[[Tensor], Any], chosen: Sequence[Indices]) -> Data:
    """Three parts of what `take` gives."""
    train, validation, test = (Examples(torch.as_tensor(np.sort(c)), take) for c in chosen)
    return Data(train, validation, test)


def stratified(labels: NDArray[Any], sizes: Sequence[int]) -> list[Indices]:
    """Indices of random parts of the given sizes without an example in common, with equal shares of each label in every part."""
    random = np.random.RandomState(0)  # its stream is frozen for good, unlike that of default_rng
    quantile = np.empty(len(labels))
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        quantile[random.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
    order = np.argsort(quantile, kind="stable")
    return np.split(order, np.cumsum(sizes))[: len(sizes)]


def shuffled(count: int, sizes: Sequence[int]) -> list[Indices]:
    """Indices of random parts of the given sizes without an example in common."""
    return stratified(np.zeros(count), sizes)


def vendored(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file in `steepest/race/data`, whose NOTICE.md says where they come from."""
    with as_file(files("steepest.race").joinpath("data", f"{name}.npz")) as path, np.load(path) as file:
        return dict(file)


def standardized(values: NDArray[Any], train: Indices) -> NDArray[np.float32]:
    """Shifted and scaled by the mean and the standard deviation of the training part; by column if there are columns."""
    axis = 0 if values.ndim == 2 else None
    mean, deviation = values[train].mean(axis), values[train].std(axis)
    return ((values - mean) / deviation).astype(np.float32)
