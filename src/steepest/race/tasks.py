"""What a race trains: a task is data, a model, a loss, a length, and a target fixed in advance.

A task holds functions and numbers, no tensors: worker processes receive it and load the data themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from steepest.errors import SteepestError
from steepest.race.extra import NeedsExtra

if TYPE_CHECKING:
    from torch import Tensor, nn


class Part(NamedTuple):
    """Inputs and what they should become."""

    inputs: "Tensor"
    targets: "Tensor"


class Data(NamedTuple):
    """Three parts without an example in common: one to train on, one to choose by, one for the result."""

    train: Part
    validation: Part
    test: Part


@dataclass(frozen=True)
class Task:
    """One thing to train. All its functions are functions of a module, so that processes can pass them on."""

    name: str
    title: str
    description: str
    make_model: "Callable[[int], nn.Module]"
    """From a seed to an initialised model: the same for the same seed."""
    load: Callable[[], Data]
    """The data: the same at every call."""
    loss: "Callable[[Tensor, Tensor], Tensor]"
    """Of outputs and targets: one number to descend."""
    accuracy: "Callable[[Tensor, Tensor], float]"
    """Of outputs and targets: the share that is right, 0 to 1."""
    guess: float
    """The accuracy of guessing. A run that diverges counts as this much."""
    batch: int
    steps: int
    every: int
    """Steps between two looks at the validation data."""
    target: float
    """The validation accuracy whose first sight is "steps to target"."""
    target_reason: str


def cross_entropy(outputs: "Tensor", targets: "Tensor") -> "Tensor":
    """The mean negative log-likelihood of the right classes."""
    from torch.nn import functional

    return functional.cross_entropy(outputs, targets)


def classified(outputs: "Tensor", targets: "Tensor") -> float:
    """The share of examples whose largest output is the right one."""
    return (outputs.argmax(1) == targets).double().mean().item()


@cache
def digits() -> Data:
    """Scikit-learn's 1,797 handwritten digits of 8 x 8 pixels, with equal shares of each digit in every part.

    1,000 to train on, 397 to choose by, 400 for the result; pixels are shifted and scaled by the mean and
    standard deviation of the training part.
    """
    with NeedsExtra():
        import torch
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    bunch: Any = load_digits()
    first: Any = train_test_split(bunch.data, bunch.target, train_size=1000, stratify=bunch.target, random_state=0)
    x, rest_x, y, rest_y = first
    validation_x, test_x, validation_y, test_y = train_test_split(rest_x, rest_y, train_size=397, stratify=rest_y, random_state=0)
    mean, deviation = x.mean(), x.std()

    def part(inputs: Any, targets: Any) -> Part:
        scaled = torch.as_tensor((inputs - mean) / deviation, dtype=torch.float32)
        return Part(scaled.reshape(-1, 1, 8, 8), torch.as_tensor(targets, dtype=torch.int64))

    return Data(part(x, y), part(validation_x, validation_y), part(test_x, test_y))


def small_cnn(seed: int) -> "nn.Module":
    """Two 3 x 3 convolutions of 16 and 32 channels, pooling between them, one linear layer: 9,930 parameters."""
    with NeedsExtra():
        import torch
        from torch import nn
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 10),
        )


TASKS: dict[str, Task] = {
    task.name: task
    for task in [
        Task(
            name="digits-cnn",
            title="handwritten digits",
            description="a convolutional network of 9,930 parameters on scikit-learn's handwritten digits, 8 x 8 pixels each",
            make_model=small_cnn,
            load=digits,
            loss=cross_entropy,
            accuracy=classified,
            guess=0.1,
            batch=64,
            steps=400,
            every=10,
            target=0.97,
            target_reason="the first whole percentage above the 96.5 % that a logistic regression reaches on the same pixels",
        )
    ]
}
"""Every task by name."""


def task(name: str) -> Task:
    """The task under `name`."""
    if name not in TASKS:
        raise SteepestError(f"No task is called {name!r}. There are: {', '.join(TASKS)}.")
    return TASKS[name]
