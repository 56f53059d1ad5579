"""What can be raced: eight workloads of eight kinds on real data, and tasks of your own.

    task        what a task is
    data        vendored arrays, fixed parts, batches
    measures    losses and metrics
    layers      the block of a Transformer
    supervised  what `Task.supervised` puts together
    user        a task from a file, and whether it can be trained
    mnist       data that two workloads share; the other files are a workload each

Naming the tasks imports no torch; asking for one does.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from steepest.errors import TaskError
from steepest.race.tasks.task import Batches as Batches
from steepest.race.tasks.task import Data as Data
from steepest.race.tasks.task import Metric as Metric
from steepest.race.tasks.task import Task as Task

NAMES = (
    "digits-mlp",
    "mnist-cnn",
    "mnist-vit",
    "shakespeare-transformer",
    "vowels-lstm",
    "names-lstm",
    "diamonds-mlp",
    "molecules-gnn",
)
"""Every workload; "digits-mlp" lies in digits_mlp.py, and so on."""

QUICK = ("digits-mlp", "vowels-lstm", "diamonds-mlp")
"""The three cheapest, of different families: the preset `quick`."""


class _Workloads(Mapping[str, Task]):
    """The workloads by name. Each is imported when it is asked for."""

    def __contains__(self, name: object) -> bool:
        return name in NAMES

    def __getitem__(self, name: str) -> Task:
        if name not in NAMES:
            raise KeyError(name)
        return import_module(f"{__name__}.{name.replace('-', '_')}").TASK

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


TASKS: Mapping[str, Task] = _Workloads()
"""Every workload by name."""


def task(name: str) -> Task:
    """The workload under `name`, or the task that the function in "my_task.py:make" makes."""
    if name in TASKS:
        return TASKS[name]
    if ":" in name:
        from steepest.race.tasks import user

        return user.load(name)
    raise TaskError(f"No task is called {name!r}. There are: {', '.join(TASKS)}. One of your own: my_task.py:make")
