"""A perceptron that prices diamonds."""

from functools import cache

import numpy as np

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.data import parts, shuffled, standardized, vendored
from steepest.race.tasks.measures import RMSE, squared_error
from steepest.race.tasks.task import Data, Task

with NeedsExtra():
    import torch
    from torch import nn

NUMBERS = ("carat", "depth", "table", "x", "y", "z")
CATEGORIES = {"cut": 5, "color": 7, "clarity": 8}
INPUTS = len(NUMBERS) + sum(CATEGORIES.values())


@cache
def load() -> Data:
    """53,576 diamonds: 45,576 to train on, 4,000 to choose by, 4,000 for the result.

    Six standardised numbers, of which a few slips of the pen (a diamond of 5 cm) are cut off at five standard deviations,
    and three categories, one input for each value. The target is the natural logarithm of the price less its mean over the
    training part, so that an RMSE of 0.1 is an error of about 10 %.
    """
    arrays = vendored("diamonds")
    chosen = shuffled(len(arrays["price"]), (45_576, 4_000, 4_000))
    numbers = np.stack([arrays[name].astype(np.float64) for name in NUMBERS], axis=1)
    one_hot = [np.eye(count, dtype=np.float32)[arrays[name]] for name, count in CATEGORIES.items()]
    inputs = np.concatenate([standardized(numbers, chosen[0]).clip(-5, 5), *one_hot], axis=1)
    price = np.log(arrays["price"].astype(np.float64))
    targets = (price - price[chosen[0]].mean()).astype(np.float32)
    return parts(torch.as_tensor(inputs), torch.as_tensor(targets), chosen)


def model() -> nn.Module:
    """Two hidden layers of 128."""
    return nn.Sequential(nn.Linear(INPUTS, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1), nn.Flatten(0))


TASK = Task(
    name="diamonds-mlp",
    family="tabular MLP",
    title="prices of diamonds, perceptron",
    description="a perceptron with two hidden layers that predicts the logarithm of the price of 53,576 diamonds",
    make_model=model,
    load=load,
    loss=squared_error,
    metric=RMSE,
    batch=256,
    steps=2000,
    looks=20,
    target=0.0972,
    target_reason="the median over five seeds of the final validation value of AdamW at lr 0.01, tuned (scripts/set_race_targets.py)",
    guess=1.009,
)
