"""An LSTM that recognizes nine speakers by how they say two vowels."""

from functools import cache
from typing import NamedTuple

import numpy as np

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.data import parts, stratified, vendored
from steepest.race.tasks.measures import ERROR, cross_entropy
from steepest.race.tasks.task import Data, Task

with NeedsExtra():
    import torch
    from torch import Tensor, nn

CHANNELS, WIDTH = 12, 48


class Utterances(NamedTuple):
    """Frames, zeros after the end of each utterance, and where each ends."""

    frames: Tensor
    lengths: Tensor


@cache
def load() -> Data:
    """640 utterances of 7 to 29 frames of 12 numbers: 300 to train on, 170 to choose by, 170 for the result.

    The division of the source, 270 and 370, has no part to choose by; all are dealt anew, each speaker's evenly.
    """
    arrays = vendored("vowels")
    lengths = arrays["lengths"].astype(np.int64)
    chosen = stratified(arrays["speakers"], (300, 170, 170))
    owner = np.repeat(np.arange(len(lengths)), lengths)
    frames = arrays["frames"] / 1e6
    train = frames[np.isin(owner, chosen[0])]
    padded = np.zeros((len(lengths), lengths.max(), CHANNELS), np.float32)
    padded[np.arange(lengths.max()) < lengths[:, None]] = (frames - train.mean(0)) / train.std(0)
    inputs = Utterances(torch.as_tensor(padded), torch.as_tensor(lengths))
    return parts(inputs, torch.as_tensor(arrays["speakers"], dtype=torch.int64), chosen)


class Listener(nn.Module):
    """An LSTM over the frames; from its state after the last one a linear layer tells the speaker."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(CHANNELS, WIDTH, batch_first=True)
        self.last = nn.Linear(WIDTH, 9)

    def forward(self, heard: Utterances) -> Tensor:
        states, _ = self.lstm(heard.frames)
        return self.last(states[torch.arange(len(states)), heard.lengths - 1])


TASK = Task(
    name="vowels-lstm",
    family="LSTM classifier",
    title="Japanese vowels, LSTM",
    description="an LSTM that tells nine speakers apart by 640 utterances of two Japanese vowels",
    make_model=Listener,
    load=load,
    loss=cross_entropy,
    metric=ERROR,
    batch=32,
    steps=500,
    looks=20,
    target=0.0471,
    target_reason="the median over five seeds of the final validation value of AdamW at lr 0.01, tuned (scripts/set_race_targets.py)",
    guess=0.8118,
    clip_norm=1.0,
)
