"""The range test on a task of the race."""

from typing import TYPE_CHECKING, Any

from steepest.race.extra import NeedsExtra
from steepest.tune.range_test import RangeTest, range_test

if TYPE_CHECKING:
    from steepest.race.entrants import Entrant
    from steepest.race.tasks.task import Task


def on_task(task: "Task", entrant: "Entrant", *, seed: int = 0, **options: Any) -> RangeTest:
    """The test of an entrant with its defaults, as a race would train it; `options` are those of `range_test`."""
    with NeedsExtra():
        import torch

        from steepest.race import training
    with torch.random.fork_rng(devices=[]), training.one_thread():
        torch.manual_seed(seed)
        model = task.make_model().train()
        optimizer = entrant.make(model.parameters(), entrant.defaults)
        batches = task.load().train.random(task.batch, seed)
        return range_test(model, optimizer, batches, task.loss, clip_norm=task.clip_norm, **options)
