"""One run, from the seed to the last step; and what a step costs."""

import math
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean, median
from time import perf_counter
from typing import NamedTuple

from steepest.race.extra import NeedsExtra
from steepest.race.protocol import FLOOR
from steepest.race.record import Job, Run
from steepest.race.tasks import Part, Task
from steepest.registry import registration

with NeedsExtra():
    import torch
    from torch import nn

    from steepest.torch import Optimizer

BLOCK = 10
"""Steps that are timed together: every fifth step of Lookahead costs more than the others, and all should count."""
BLOCKS = 12


@dataclass
class _Curves:
    """What a run has shown so far."""

    marks: list[int] = field(default_factory=list[int])
    train_loss: list[float] = field(default_factory=list[float])
    validation_loss: list[float] = field(default_factory=list[float])
    validation_accuracy: list[float] = field(default_factory=list[float])

    def add(self, mark: int, train_loss: float, validation: "_Seen") -> None:
        self.marks.append(mark)
        self.train_loss.append(train_loss)
        self.validation_loss.append(validation.loss)
        self.validation_accuracy.append(validation.accuracy)

    def first(self, target: float) -> int | None:
        """The first mark at which the validation accuracy is at least `target`."""
        return next((m for m, a in zip(self.marks, self.validation_accuracy, strict=True) if a >= target), None)


class _Seen(NamedTuple):
    loss: float
    accuracy: float


def train(task: Task, job: Job) -> Run:
    """Train one model. The same seed gives every optimizer the same first weights and the same batches."""
    started = perf_counter()
    data = task.load()
    model, opt = _prepared(task, job.optimizer, job.lr, job.seed)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, task.steps, job.lr * FLOOR)
    curves = _Curves()
    recent: list[float] = []
    diverged_at = None
    for taken, batch in enumerate(_batches(task, data.train, job.seed), start=1):
        loss = _backward(task, model, opt, batch)
        if taken == 1 and math.isfinite(loss):
            curves.add(0, loss, _look(task, model, data.validation))
        opt.step()
        schedule.step()
        recent.append(loss)
        look = taken % task.every == 0 or taken == task.steps
        seen = _look(task, model, data.validation) if look else None
        if not math.isfinite(loss) or (seen and not math.isfinite(seen.loss)):
            diverged_at = taken
            break
        if seen:
            curves.add(taken, fmean(recent), seen)
            recent.clear()
    reveal = job.purpose == "evaluation" and diverged_at is None
    return Run(
        optimizer=job.optimizer,
        lr=job.lr,
        seed=job.seed,
        purpose=job.purpose,
        marks=curves.marks,
        train_loss=curves.train_loss,
        validation_loss=curves.validation_loss,
        validation_accuracy=curves.validation_accuracy,
        test_accuracy=_look(task, model, data.test).accuracy if reveal else None,
        steps_to_target=curves.first(task.target),
        diverged_at=diverged_at,
        state_bytes_per_parameter=_state_bytes(model, opt),
        seconds=perf_counter() - started,
    )


def step_times(task: Task, chosen: Mapping[str, float], seed: int) -> dict[str, float]:
    """Milliseconds of `optimizer.step()` alone, for each optimizer at its learning rate, with real gradients.

    Call it while nothing else runs. The optimizers take turns, a block of steps each, so that a slow moment
    of the machine hits all of them alike; the figure is the median over the blocks of the mean step. The
    first turn, in which kernels are compiled, does not count.
    """
    data = task.load()
    times: dict[str, list[float]] = {name: [] for name in chosen}
    with one_thread():
        field = {name: (*_prepared(task, name, lr, seed), _forever(task, data.train, seed)) for name, lr in chosen.items()}
        for turn in range(BLOCKS + 1):
            for name, (model, opt, batches) in field.items():
                block = 0.0
                for _ in range(BLOCK):
                    _backward(task, model, opt, next(batches))
                    started = perf_counter()
                    opt.step()
                    block += perf_counter() - started
                if turn:
                    times[name].append(1000 * block / BLOCK)
    return {name: median(blocks) for name, blocks in times.items()}


@contextmanager
def one_thread() -> Generator[None]:
    """Let torch compute on one thread, as every run of a race does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def parameters(task: Task) -> int:
    """How many numbers the task's model learns."""
    return sum(p.numel() for p in task.make_model(0).parameters())


def _prepared(task: Task, optimizer: str, lr: float, seed: int) -> tuple[nn.Module, Optimizer]:
    model = task.make_model(seed)
    return model, Optimizer(model.parameters(), registration(optimizer).build(lr=lr))


def _backward(task: Task, model: nn.Module, opt: Optimizer, batch: Part) -> float:
    model.train()
    opt.zero_grad()
    loss = task.loss(model(batch.inputs), batch.targets)
    loss.backward()
    return loss.item()


def _look(task: Task, model: nn.Module, part: Part) -> _Seen:
    model.eval()
    with torch.no_grad():
        outputs = model(part.inputs)
        return _Seen(task.loss(outputs, part.targets).item(), task.accuracy(outputs, part.targets))


def _batches(task: Task, part: Part, seed: int) -> Iterator[Part]:
    """The batches of a run: whole passes in random order, the incomplete last batch of a pass left out."""
    batches = _forever(task, part, seed)
    return (next(batches) for _ in range(task.steps))


def _forever(task: Task, part: Part, seed: int) -> Iterator[Part]:
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(part.inputs), generator=generator)
        for i in range(0, len(order) - task.batch + 1, task.batch):
            chosen = order[i : i + task.batch]
            yield Part(part.inputs[chosen], part.targets[chosen])


def _state_bytes(model: nn.Module, opt: Optimizer) -> float:
    """Bytes of optimizer state for one parameter, measured. Step counters, one number a tensor, are left out."""
    arrays = [v for state in opt.state.values() for v in state.values() if isinstance(v, torch.Tensor) and v.dim()]
    distinct = {v.data_ptr(): v.numel() * v.element_size() for v in arrays}
    return sum(distinct.values()) / sum(p.numel() for p in model.parameters())
