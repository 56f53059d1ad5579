"""Deliberately wrong tasks. A check that lets one of them pass is no check."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import nn

from steepest.race.tasks import TASKS, Data, Metric, Task
from steepest.race.tasks.data import Examples
from tests.race.tasks import checks

RIGHT = TASKS["digits-mlp"]


@dataclass(frozen=True)
class Unseeded:
    """Batches whose order depends on torch's global random numbers."""

    part: Examples

    def __len__(self) -> int:
        return len(self.part)

    def random(self, batch: int, seed: int) -> Iterator[Any]:
        return self.part.random(batch, int(torch.randint(1 << 30, ()).item()))

    def all(self, batch: int) -> Iterator[Any]:
        return self.part.all(batch)


class SameOrder(Unseeded):
    def random(self, batch: int, seed: int) -> Iterator[Any]:
        return self.part.random(batch, 0)


class WithReplacement(Unseeded):
    def random(self, batch: int, seed: int) -> Iterator[Any]:
        generator = torch.Generator().manual_seed(seed)
        while True:
            yield self.part.take(self.part.indices[torch.randint(len(self), (batch,), generator=generator)])


class Forgetful(Unseeded):
    """Leaves out the last, smaller batch when evaluating."""

    def all(self, batch: int) -> Iterator[Any]:
        return (one for one in self.part.all(batch) if len(one[1]) == batch)


class Idle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(64, 10), nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.used(x)


def fixed() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return RIGHT.make_model()


def unseeded_batches() -> None:
    checks.batches_depend_on_the_seed_alone(RIGHT, wrapped(Unseeded))


def batches_in_the_same_order() -> None:
    checks.batches_depend_on_the_seed_alone(RIGHT, wrapped(SameOrder))


def batches_with_replacement() -> None:
    checks.a_pass_sees_every_example_once(wrapped(WithReplacement), RIGHT.batch)


def an_example_in_two_parts() -> None:
    data = RIGHT.load()
    checks.no_example_is_in_two_parts(data._replace(test=Examples(torch.cat([data.test.indices, data.train.indices[:1]]), data.test.take)))


def weights_without_seed() -> None:
    checks.weights_depend_on_the_seed_alone(replace(RIGHT, make_model=fixed))


def an_idle_parameter() -> None:
    checks.every_parameter_gets_a_gradient(replace(RIGHT, make_model=Idle))


def a_wrong_guess() -> None:
    checks.the_guess_is_that_of_a_constant(replace(RIGHT, guess=0.8))


def accuracy_for_error() -> None:
    metric = Metric("error", False, lambda model, batch: (len(batch[1]) - RIGHT.metric.of(model, batch)[0], len(batch[1])))
    checks.the_guess_is_that_of_a_constant(replace(RIGHT, metric=metric))


def a_loss_that_teaches_nothing() -> None:
    checks.the_loss_falls(replace(RIGHT, loss=lambda model, batch: RIGHT.loss(model, batch).detach() + 0 * model[0].weight.sum()))


def a_mean_of_means() -> None:
    metric = Metric("error", False, lambda model, batch: (RIGHT.metric.of(model, batch)[0] / len(batch[1]), 1))
    checks.evaluation_sees_every_example_once(replace(RIGHT, metric=metric), RIGHT.load())


def a_forgotten_batch() -> None:
    checks.evaluation_sees_every_example_once(RIGHT, wrapped(Forgetful))


def wrapped(kind: type[Unseeded]) -> Data:
    return Data(*(kind(part) for part in RIGHT.load()))


@pytest.mark.parametrize(
    "wrong",
    [
        unseeded_batches,
        batches_in_the_same_order,
        batches_with_replacement,
        an_example_in_two_parts,
        weights_without_seed,
        an_idle_parameter,
        a_wrong_guess,
        accuracy_for_error,
        a_loss_that_teaches_nothing,
        a_mean_of_means,
        a_forgotten_batch,
    ],
)
def test_a_wrong_task_is_rejected(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        wrong()


def test_the_right_one_is_not() -> None:
    task: Task = replace(RIGHT)
    checks.batches_depend_on_the_seed_alone(task, wrapped(_Same))
    checks.a_pass_sees_every_example_once(wrapped(_Same), task.batch)
    checks.evaluation_sees_every_example_once(task, wrapped(_Same))


class _Same(Unseeded):
    def random(self, batch: int, seed: int) -> Iterator[Any]:
        return self.part.random(batch, seed)
