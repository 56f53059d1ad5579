"""Tasks that train in a hundredth of a second, and some that go wrong: for tests, through the files that users write."""

import os
import signal
import time

import torch
from torch import nn
from torch.nn import functional

from steepest.race.tasks.task import Task


def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(400, 6, generator=generator)
    return x, (x @ torch.randn(6, 3, generator=generator)).argmax(1)


def model():
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))


def make():
    return Task.supervised("tiny", model, data, steps=30, looks=6, batch=32, target=0.3)


def other():
    """Without a target: the race sets it."""
    return Task.supervised("other", model, data, steps=20, looks=4, batch=32, clip_norm=1.0)


def sleepy(outputs, targets):
    time.sleep(0.02)
    return functional.cross_entropy(outputs, targets)


def slow():
    """A run takes most of a second: time to kill somebody."""
    return Task.supervised("slow", model, data, steps=30, looks=2, batch=32, target=0.3, loss=sleepy)


def long():
    """A run takes a minute."""
    return Task.supervised("long", model, data, steps=3000, looks=2, batch=32, target=0.3, loss=sleepy)


def nowhere(outputs, targets):
    return functional.cross_entropy(outputs, targets) * float("nan")


def nan():
    return Task.supervised("nan", model, data, steps=30, looks=2, loss=nowhere)


LOSSES = [0]


def deadly(outputs, targets):
    """Survives the look before the race and the check of the first steps, but no run."""
    LOSSES[0] += 1
    if LOSSES[0] > 25:
        os.kill(os.getpid(), signal.SIGKILL)
    return functional.cross_entropy(outputs, targets)


def killer():
    return Task.supervised("killer", model, data, steps=30, looks=2, batch=32, target=0.3, loss=deadly)
