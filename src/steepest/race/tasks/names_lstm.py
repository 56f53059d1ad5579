"""An LSTM that spells American surnames."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.data import parts, shuffled, vendored
from steepest.race.tasks.measures import BITS, NO_TARGET, cross_entropy
from steepest.race.tasks.task import Data, Task

with NeedsExtra():
    import torch
    from torch import Tensor, nn

WIDTH = 96


@cache
def load() -> Data:
    """30,000 surnames: 26,000 to train on, 2,000 to choose by, 2,000 for the result."""
    names = surnames()
    return parts(*spelled(names), shuffled(len(names), (26_000, 2_000, 2_000)))


def surnames() -> list[bytes]:
    """The 30,000 most frequent ones, in small letters."""
    return vendored("surnames")["surnames"].tobytes().split(b"\n")


def spelled(names: Sequence[bytes]) -> tuple[Tensor, Tensor]:
    """Letters (names, longest + 1) and after each the next one, as numbers; every name begins and ends with the sign 0."""
    inputs = np.zeros((len(names), max(map(len, names)) + 1), np.int64)
    targets = np.full_like(inputs, NO_TARGET)
    for row, name in enumerate(names):
        letters = np.frombuffer(name, np.uint8) - ord("a") + 1
        inputs[row, 1 : len(name) + 1] = letters
        targets[row, : len(name)] = letters
        targets[row, len(name)] = 0
    return torch.as_tensor(inputs), torch.as_tensor(targets)


class Speller(nn.Module):
    """Letters as vectors, an LSTM, a linear layer for the next letter."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = nn.Embedding(27, 32)
        self.lstm = nn.LSTM(32, WIDTH, batch_first=True)
        self.last = nn.Linear(WIDTH, 27)

    def forward(self, letters: Tensor) -> Tensor:
        return self.last(self.lstm(self.letters(letters))[0])


TASK = Task(
    name="names-lstm",
    family="LSTM language model",
    title="surnames, LSTM",
    description="an LSTM that predicts the next letter of the 30,000 most frequent surnames of the United States",
    make_model=Speller,
    load=load,
    loss=cross_entropy,
    metric=BITS,
    batch=64,
    steps=1000,
    looks=20,
    target=2.9913,
    target_reason="the median over five seeds of the final validation value of NAdamW at lr 0.03, tuned (scripts/set_race_targets.py)",
    guess=4.257,
    clip_norm=1.0,
)
