"""One full-length run, from the seed to the last step, with its curve and its costs.

The first weights, the batches and the random numbers of dropout come from the seed alone: two optimizers with the
same seed start equal and see the same. Time counts forward, backward, clipping, the step and the schedule; looks
at the validation data do not count. A rehearsal on a copy comes first, so that no optimizer's first step pays for
a kernel that is compiled.
"""

import copy
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from steepest.race.entrants import Entrant, Point
from steepest.race.extra import NeedsExtra
from steepest.race.protocol import looks, rate_at
from steepest.race.record import Curve
from steepest.race.tasks.task import Batches, Task

with NeedsExtra():
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

EVALUATION_BATCH = 512


@dataclass
class Outcome:
    """What one run has shown. `best` is all that time-to-target needs, whatever the target: each look that beat all before it."""

    validation: float
    test: float | None
    diverged_at: int | None
    seconds: float
    cpu_seconds: float
    """Of the processor, in the same time: clearly less than `seconds` says that the machine was busy with something else."""
    step_ms: float
    state_bytes_per_parameter: float
    best: list[tuple[int, float, float]]
    """Steps, metric, seconds of training."""
    curve: Curve = field(repr=False)


def train(task: Task, entrant: Entrant, point: Point, seed: int, reveal: bool = False) -> Outcome:
    """Train one model. `reveal`: look at the test data in the end."""
    with torch.random.fork_rng(devices=[]), one_thread():
        return _Run(task, entrant, point, seed).outcome(reveal)


class _Clock:
    """Seconds of training so far, on the wall and of the processor; runs from the start."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self._go()

    def _go(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Count what has passed since the last start."""
        wall, cpu = self._since
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    @contextmanager
    def stopped(self) -> Generator[None]:
        """Do something that is not counted."""
        self.stop()
        yield
        self._go()


class _Run:
    def __init__(self, task: Task, entrant: Entrant, point: Point, seed: int) -> None:
        self.task, self.point, self.seed = task, point, seed
        self.data = task.load()
        torch.manual_seed(seed)
        self.model = task.make_model()
        self.state_bytes = self._rehearse(entrant)
        self.optimizer = entrant.make(self.model.parameters(), point)
        self.batches: Iterator[Any] = self.data.train.random(task.batch, seed)
        self.step_seconds: list[float] = []

    def _rehearse(self, entrant: Entrant) -> float:
        """One step on a copy: compiles what there is to compile, and shows how large the optimizer's state is."""
        model = copy.deepcopy(self.model)
        optimizer = entrant.make(model.parameters(), self.point)
        _mode(optimizer, "train")
        one_step(self.task, model, optimizer, next(self.data.train.random(self.task.batch, self.seed)))
        return state_bytes_per_parameter(model, optimizer)

    def outcome(self, reveal: bool) -> Outcome:
        task, steps = self.task, self.task.steps
        torch.manual_seed(self.seed + 1)  # what dropout draws from: the same for all, whatever the rehearsal drew
        marks, losses, values, rates = [0], list[float](), [self._look()], [0.0]
        best: list[tuple[int, float, float]] = []
        recent: list[float] = []
        due = set(looks(steps, task.looks))
        peak, warmup = self.point["lr"], self.point.get("warmup", 0.0)
        diverged_at, clock = None, _Clock()
        for step in range(1, steps + 1):
            rate = peak * rate_at(step, steps, warmup)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            loss = one_step(task, self.model, self.optimizer, next(self.batches), self.step_seconds)
            recent.append(loss)
            if not math.isfinite(loss):
                diverged_at = step
                break
            if step not in due:
                continue
            with clock.stopped():
                value = self._look()
            if not math.isfinite(value):
                diverged_at = step
                break
            losses += [recent[0], fmean(recent)] if not losses else [fmean(recent)]
            marks.append(step)
            values.append(value)
            rates.append(rate)
            recent.clear()
            if not best or (value > best[-1][1] if task.metric.higher_is_better else value < best[-1][1]):
                best.append((step, value, clock.wall))
        clock.stop()
        if not losses:
            losses = [recent[0]]  # diverged before the first look
        lost = diverged_at is not None
        return Outcome(
            validation=task.guess if lost else values[-1],
            test=(task.guess if lost else self._look(self.data.test)) if reveal else None,
            diverged_at=diverged_at,
            seconds=clock.wall,
            cpu_seconds=clock.cpu,
            step_ms=1000 * median(self.step_seconds),
            state_bytes_per_parameter=self.state_bytes,
            best=best,
            curve=Curve(marks, losses, values, rates),
        )

    def _look(self, part: "Batches | None" = None) -> float:
        _mode(self.optimizer, "eval")
        value = self.task.metric.value(self.model, self.data.validation if part is None else part, EVALUATION_BATCH)
        _mode(self.optimizer, "train")
        return value


def one_step(task: Task, model: nn.Module, optimizer: Optimizer, batch: Any, seconds: list[float] | None = None) -> float:
    """One step of training; returns the loss before it, appends what `optimizer.step()` took."""
    model.train()
    optimizer.zero_grad()
    loss = task.loss(model, batch)
    loss.backward()
    if task.clip_norm is not None:
        nn.utils.clip_grad_norm_(model.parameters(), task.clip_norm)
    started = time.perf_counter()
    optimizer.step()
    if seconds is not None:
        seconds.append(time.perf_counter() - started)
    return loss.item()


def _mode(optimizer: Optimizer, mode: str) -> None:
    """Schedule-free optimizers keep other weights for looking than for training: `train()` and `eval()` change over."""
    change = getattr(optimizer, mode, None)
    if callable(change):
        change()


@contextmanager
def one_thread() -> Generator[None]:
    """Let torch compute on one thread, as every run of a race does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def state_bytes_per_parameter(model: nn.Module, optimizer: Optimizer) -> float:
    """Bytes of optimizer state for one parameter, measured. Step counters, one number a tensor, are left out."""
    distinct = {t.data_ptr(): t.numel() * t.element_size() for t in _tensors(list(optimizer.state.values())) if t.dim()}
    return sum(distinct.values()) / sum(p.numel() for p in model.parameters())


def _tensors(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested lists and dictionaries, such as Shampoo's lists of factors."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
