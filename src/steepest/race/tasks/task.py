"""What a race trains: a task is data, a model, a loss, a metric, a length, and a target fixed beforehand.

A task holds functions and numbers, no tensors: worker processes receive it and load the data themselves. This
file imports no torch, so that the command line can name the tasks at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from steepest.race.extra import NeedsExtra

if TYPE_CHECKING:
    from torch import Tensor, nn


class Batches(Protocol):
    """One part of the data, batch by batch. A batch is whatever the loss and the metric of the task understand."""

    def __len__(self) -> int:
        """How many examples there are."""
        ...

    def random(self, batch: int, seed: int) -> Iterator[Any]:
        """Batches without end for training. Their order depends on `seed` alone."""
        ...

    def all(self, batch: int) -> Iterator[Any]:
        """Every example once, for evaluation; the last batch may be smaller."""
        ...


class Data(NamedTuple):
    """Three parts without an example in common: one to train on, one to choose by, one for the result."""

    train: Batches
    validation: Batches
    test: Batches


@dataclass(frozen=True)
class Metric:
    """What a task is judged by: a mean over all examples, of which each batch gives its share."""

    name: str
    higher_is_better: bool
    of: "Callable[[nn.Module, Any], tuple[float, int]]"
    """Of model and batch: the sum over the batch, and over how many examples (or characters) it runs."""
    finish: Callable[[float], float] = float
    """From the mean over all examples to the value that is reported: the root for an RMSE, otherwise the mean itself."""

    def value(self, model: "nn.Module", part: Batches, batch: int = 512) -> float:
        """The metric of `model` on a whole part, in evaluation mode and without gradients. The model's mode stays as it was."""
        with NeedsExtra():
            import torch
        training = model.training
        model.eval()
        with torch.no_grad():
            shares = [self.of(model, one) for one in part.all(batch)]
        model.train(training)
        return self.finish(sum(total for total, _ in shares) / sum(count for _, count in shares))


@dataclass(frozen=True)
class Task:
    """One thing to train. All its functions are functions of a module, so that processes can pass them on."""

    name: str
    family: str
    """The kind of model; a race over several tasks should have several families."""
    title: str
    description: str
    make_model: "Callable[[], nn.Module]"
    """A fresh model. The caller seeds torch: same seed, same weights."""
    load: Callable[[], Data]
    """The data: the same at every call."""
    loss: "Callable[[nn.Module, Any], Tensor]"
    """Of model and batch: one number to descend."""
    metric: Metric
    batch: int
    steps: int
    """Steps of a full-length run."""
    looks: int
    """How many times the metric of the validation part is taken, evenly spaced, the last time at the end."""
    target: float | None
    """The validation metric whose first sight is "time to target". None: the race sets it by its rule and records that."""
    target_reason: str
    guess: float
    """The metric of the best constant prediction. A run that diverges counts as this much."""
    clip_norm: float | None = None
    """The norm to which gradients are clipped, for every optimizer alike."""
    source: str | None = None
    """Where a task that is not ours came from, "/folder/my_task.py:make". Set by the loader, not by hand."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle ours by reference to their functions; one from a file by its file, which no worker could import by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.source is None:
            return Task, tuple(values.values())
        from steepest.race.tasks import user

        plain = {name: v for name, v in values.items() if v is None or isinstance(v, str | int | float)}
        return user.restored, (self.source, plain)

    @staticmethod
    def supervised(
        name: str,
        model: "Callable[[], nn.Module]",
        data: Callable[[], tuple[Any, Any]],
        *,
        loss: "Callable[[Tensor, Tensor], Tensor] | None" = None,
        metric: "str | Metric | None" = None,
        split: Sequence[float] = (0.6, 0.2, 0.2),
        batch: int = 64,
        steps: int = 500,
        looks: int = 20,
        target: float | None = None,
        clip_norm: float | None = None,
        title: str = "",
        description: str = "",
        family: str = "own",
    ) -> "Task":
        """The common case: `data()` gives inputs X and answers y, `model()(X)` the outputs, `loss(outputs, y)` one number.

        Whole numbers as y mean classes: the loss is the cross entropy, the metric the share of errors. Other y mean regression:
        the mean square and the RMSE. `loss` and `metric` ("error", "RMSE" or a `Metric`) say otherwise. X and y are tensors or arrays
        with an example a row; X may be a tuple of them. The rows are dealt once and for all into training, validation and test parts
        of the shares `split`, classes evenly. Scale the inputs yourself.
        """
        from steepest.race.tasks import supervised

        answers = supervised.answers(data)
        chosen = supervised.metric(metric, answers)
        return Task(
            name=name,
            family=family,
            title=title or name,
            description=description or f"{len(answers):,} examples of your own",
            make_model=model,
            load=supervised.Load(data, tuple(split)),
            loss=supervised.Loss(loss or supervised.usual_loss(answers)),
            metric=chosen,
            batch=batch,
            steps=steps,
            looks=looks,
            target=target,
            target_reason="" if target is None else "given with the task",
            guess=supervised.guess(chosen, data, tuple(split), model),
            clip_norm=clip_norm,
        )
