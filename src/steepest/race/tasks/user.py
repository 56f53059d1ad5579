"""A task from a file of your own, "my_task.py:make", and the look at whether a task can be trained at all."""

import math
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

from steepest.errors import MissingExtra, TaskError
from steepest.race.extra import NeedsExtra
from steepest.race.tasks.task import Data, Task

with NeedsExtra():
    import torch
    from torch import Tensor, nn


def load(source: str) -> Task:
    """The task that a function of a file makes, after a look at whether it can be trained."""
    path, _, function = source.rpartition(":")
    return _loaded(str(Path(path).expanduser().resolve()), function)


def restored(source: str, values: Mapping[str, Any]) -> Task:
    """The same task in another process: functions from the file, numbers and texts as they were."""
    return replace(load(source), **values)


@cache
def _loaded(path: str, function: str) -> Task:
    make = _function(path, function)
    try:
        task = make()
    except (TaskError, MissingExtra):
        raise
    except Exception as error:
        raise TaskError(f"{function}() in {path} failed:{_where(error, path)}") from error
    if not isinstance(task, Task):
        raise TaskError(
            f"{function}() in {path} gave {type(task).__name__}, not a Task: "
            "end it with `return Task.supervised(...)` or `return Task(...)`."
        )
    return checked(replace(task, source=f"{path}:{function}"))


def _function(path: str, name: str) -> Callable[[], Any]:
    if not Path(path).is_file():
        raise TaskError(f"There is no file {path}: give the path of a Python file and a function in it, as in my_task.py:make")
    if not name.isidentifier():
        raise TaskError(f"{name!r} is no name of a function: write my_task.py:make, where make() gives a Task.")
    module = _module(path)
    make = getattr(module, name, None)
    if not callable(make):
        theirs = [
            n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__ and not n.startswith("_")
        ]
        raise TaskError(f"{path} has no function {name!r}. It has: {', '.join(theirs) or 'none'}.")
    return make


@cache
def _module(path: str) -> ModuleType:
    """The file as a module. Its folder joins the search path, so that it can import what lies beside it."""
    name = f"steepest_task_{Path(path).stem}_{crc32(path.encode()):08x}"  # two folders may have a my_task.py each
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TaskError(f"{path} is no Python file: its name must end in .py")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up there
    if (folder := str(Path(path).parent)) not in sys.path:
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise TaskError(f"{path} cannot be imported:{_where(error, path)}") from error
    return module


def _where(error: Exception, path: str) -> str:
    """The line of the user's file that an error went through last, and what it says."""
    if isinstance(error, SyntaxError):
        return f" line {error.lineno}, {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return (f" line {lines[-1]}," if lines else "") + f" {type(error).__name__}: {error}"


def checked(task: Task) -> Task:
    """The same task, if its first batch can be learned from. Trains nothing; the state of torch's random numbers stays."""
    _numbers(task)
    data = _tried(task, "load()", task.load)
    _parts(task, data)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = _tried(task, "make_model()", task.make_model)
        if not isinstance(model, nn.Module) or not any(p.requires_grad for p in model.parameters()):
            raise TaskError(
                f"make_model() of the task {task.name!r} must give a torch.nn.Module with parameters to train, not {model!r:.80}."
            )
        batch = next(data.train.random(task.batch, 0))
        loss = _tried(task, "loss(model, batch)", lambda: task.loss(model, batch))
        _loss(task, loss, batch)
        _tried(task, "the gradient of the loss", loss.backward)
        _metric(task, _tried(task, "the metric", lambda: task.metric.value(model, data.validation)))
    return task


def _numbers(task: Task) -> None:
    for name in ("batch", "steps", "looks"):
        if getattr(task, name) < 1:
            raise TaskError(f"{name}={getattr(task, name)} of the task {task.name!r} cannot be: it must be at least 1.")
    if task.looks > task.steps:
        raise TaskError(f"The task {task.name!r} wants {task.looks} looks in {task.steps} steps: at most one look a step is possible.")


def _parts(task: Task, data: Data) -> None:
    if len(data) != 3 or not all(len(part) for part in data):
        raise TaskError(f"load() of the task {task.name!r} must give three parts with examples: Data(train, validation, test).")
    if len(data.train) < task.batch:
        raise TaskError(
            f"The task {task.name!r} wants batches of {task.batch}, but there are only {len(data.train)} examples to train on: "
            f"set batch={max(1, len(data.train) // 4)}."
        )


def _loss(task: Task, loss: Any, batch: Any) -> None:
    if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
        found = (
            f"a tensor of shape {tuple(loss.shape)}, requires_grad={loss.requires_grad}"
            if isinstance(loss, Tensor)
            else type(loss).__name__
        )
        raise TaskError(
            f"loss(model, batch) of the task {task.name!r} gave {found}. It must give one number that depends on the model: "
            "end it with .mean(), and use no .item(), .detach() or torch.no_grad() on the way."
        )
    if math.isfinite(loss.item()):
        return
    if any(not torch.isfinite(t).all() for t in _tensors(batch) if t.is_floating_point()):
        why = "The batch itself holds NaN or infinity: drop these rows, or fill them in, before the data is divided."
    else:
        why = (
            "The batch is finite, so the model or the loss makes it: scale the inputs to mean 0 and deviation 1, "
            "and look for log(0), a square root of 0 or a division by 0."
        )
    raise TaskError(f"The loss of the task {task.name!r} is {loss.item()} on the first batch, before any step. {why}")


def _metric(task: Task, value: float) -> None:
    if not math.isfinite(value) or not math.isfinite(task.guess):
        raise TaskError(
            f"The metric {task.metric.name!r} of the task {task.name!r} is {value} before training and {task.guess} for a guess: "
            "both must be finite numbers, since a run that diverges counts as a guess."
        )


def _tried(task: Task, what: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (TaskError, MissingExtra):
        raise
    except Exception as error:
        path = (task.source or "").rpartition(":")[0]
        raise TaskError(f"{what} of the task {task.name!r} failed:{_where(error, path)}") from error


def _tensors(batch: Any) -> Iterator[Tensor]:
    """Every tensor in a batch of tuples, lists and mappings."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, Mapping):
        for item in batch.values():
            yield from _tensors(item)
    elif isinstance(batch, tuple | list):
        for item in batch:
            yield from _tensors(item)
