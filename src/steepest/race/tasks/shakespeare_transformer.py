"""A Transformer that writes Shakespeare character by character."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.data import divided, rows, vendored
from steepest.race.tasks.layers import Block
from steepest.race.tasks.measures import BITS, cross_entropy
from steepest.race.tasks.task import Data, Task

with NeedsExtra():
    import torch
    from torch import Tensor, nn

LENGTH, WIDTH, CHARACTERS = 32, 64, 75
SPREAD = 0.3
"""Of the first embeddings. With the usual 0.02 a run as short as this spends its first half on finding out what a character is."""
TRAIN, VALIDATION, TEST = ("coriolanus", "julius_caesar", "macbeth", "othello"), ("tempest",), ("twelfth_night",)


@cache
def load() -> Data:
    """Windows of 32 characters: four plays to train on, The Tempest to choose by, Twelfth Night for the result."""
    plays = vendored("shakespeare")
    known = np.unique(np.concatenate(list(plays.values())))
    windows = [np.concatenate([_windows(np.searchsorted(known, plays[name])) for name in part]) for part in (TRAIN, VALIDATION, TEST)]
    # Of the two plays that are only looked at every fourth window: enough to tell optimizers apart, and four times as quick.
    windows[1:] = [part[::4] for part in windows[1:]]
    text = torch.as_tensor(np.concatenate(windows), dtype=torch.int64)
    ends = np.cumsum([len(part) for part in windows])
    return divided(_Batch(text), np.split(np.arange(len(text)), ends)[:3])


def _windows(play: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole windows and the character after each, which is the first of the next."""
    starts = np.arange(0, len(play) - LENGTH, LENGTH)
    return play[starts[:, None] + np.arange(LENGTH + 1)]


class _Batch:
    """Characters, and the ones that follow them."""

    def __init__(self, text: Tensor) -> None:
        self.text = text

    def __call__(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        chosen = rows(self.text, indices)
        return chosen[:, :-1], chosen[:, 1:]


class Transformer(nn.Module):
    """Learned positions, two causal blocks, a linear layer for the next character."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = nn.Embedding(CHARACTERS, WIDTH)
        self.positions = nn.Parameter(SPREAD * torch.randn(LENGTH, WIDTH))
        self.blocks = nn.Sequential(*(Block(WIDTH, heads=4, causal=True) for _ in range(2)))
        self.last = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CHARACTERS))
        nn.init.normal_(self.characters.weight, std=SPREAD)

    def forward(self, text: Tensor) -> Tensor:
        return self.last(self.blocks(self.characters(text) + self.positions))


TASK = Task(
    name="shakespeare-transformer",
    family="Transformer language model",
    title="Shakespeare, Transformer",
    description="a Transformer with two blocks that predicts the next character of Shakespeare's plays, 32 characters at a time",
    make_model=Transformer,
    load=load,
    loss=cross_entropy,
    metric=BITS,
    batch=16,
    steps=800,
    looks=10,
    target=2.9875,
    target_reason="the median over five seeds of the final validation value of NAdamW at lr 0.01, tuned (scripts/set_race_targets.py)",
    guess=4.861,
    clip_norm=1.0,
)
