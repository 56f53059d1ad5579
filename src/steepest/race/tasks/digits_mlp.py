"""A perceptron on scikit-learn's handwritten digits."""

from functools import cache
from typing import Any

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.data import parts, stratified
from steepest.race.tasks.measures import ERROR, cross_entropy
from steepest.race.tasks.task import Data, Task

with NeedsExtra():
    import torch
    from sklearn.datasets import load_digits
    from torch import nn


@cache
def load() -> Data:
    """1,797 images of 8 x 8 pixels: 1,000 to train on, 397 to choose by, 400 for the result."""
    bunch: Any = load_digits()
    chosen = stratified(bunch.target, (1000, 397, 400))
    flat = bunch.data
    scaled = (flat - flat[chosen[0]].mean()) / flat[chosen[0]].std()  # as a whole: some pixels are always white
    return parts(torch.as_tensor(scaled, dtype=torch.float32), torch.as_tensor(bunch.target, dtype=torch.int64), chosen)


def model() -> nn.Module:
    """Two hidden layers of 128."""
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))


TASK = Task(
    name="digits-mlp",
    family="MLP",
    title="handwritten digits, perceptron",
    description="a perceptron with two hidden layers on scikit-learn's handwritten digits, 8 x 8 pixels each",
    make_model=model,
    load=load,
    loss=cross_entropy,
    metric=ERROR,
    batch=64,
    steps=1000,
    looks=20,
    target=0.0303,
    target_reason="the median over five seeds of the final validation value of AdamW at lr 0.01, tuned (scripts/set_race_targets.py)",
    guess=0.9,
)
