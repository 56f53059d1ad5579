"""Before anything is written: can every optimizer take steps on every task, and how long will the race take?"""

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from steepest.errors import RaceError, SteepestError
from steepest.race import environment, training
from steepest.race.entrants import Entrant
from steepest.race.extra import NeedsExtra
from steepest.race.protocol import FLOOR, SCHEDULE, Job, Settings, baseline
from steepest.race.record import TaskFacts
from steepest.race.tasks.task import Task

with NeedsExtra():
    import torch

STEPS = 3
"""Timed for every pair of optimizer and task; the median counts."""
OVERHEAD = 0.05
"""Seconds that a run takes beyond its steps and looks: the model, the rehearsal, the database."""


def header(
    settings: Settings, tasks: Mapping[str, Task], entrants: Mapping[str, Entrant], jobs: Sequence[Job], say: Callable[[str], None]
) -> dict[str, Any]:
    """Everything that is known of a race before its first run. Raises RaceError if it cannot be run; writes nothing."""
    facts: dict[str, Any] = {}
    seconds: dict[str, dict[str, float]] = {}
    with torch.random.fork_rng(devices=[]), training.one_thread():
        for name, task in tasks.items():
            say(f"Checking {name}")
            facts[name], seconds[name] = _checked(task, entrants)
    return {
        "settings": settings.as_json(),
        "tasks": facts,
        "entrants": {n: asdict(e.facts()) | {"spec": e.spec, "routing": e.routing} for n, e in entrants.items()},
        "baseline": baseline(list(entrants)),
        "schedule": SCHEDULE,
        "code": environment.code(),
        "protocol": {
            "sampler": "Halton sequence, shifted for each study and task",
            "schedule_floor": FLOOR,
            "order": "interleaved",
            "precision": "float32",
        },
        "plan": fingerprint(jobs, entrants, tasks),
        "seconds": seconds,
    }


def fingerprint(jobs: Sequence[Job], entrants: Mapping[str, Entrant], tasks: Mapping[str, Task]) -> str:
    """Changes with whatever would make run number 17 another run: the plan, the spaces, the defaults, the tasks."""
    numbers = [(t.name, t.batch, t.steps, t.looks, t.target, t.guess, t.clip_norm, _content(t.source)) for t in tasks.values()]
    runners = [(e.name, e.spec, e.code, e.space, sorted(e.defaults.items())) for e in entrants.values()]
    return sha256(repr(([tuple(job) for job in jobs], runners, numbers)).encode()).hexdigest()[:16]


def _content(source: str | None) -> str:
    """A hash of the file that a task of one's own is in: whoever changes it changes the race."""
    return "" if source is None else sha256(Path(source.rpartition(":")[0]).read_bytes()).hexdigest()


def _checked(task: Task, entrants: Mapping[str, Entrant]) -> tuple[dict[str, Any], dict[str, float]]:
    """The facts of a task, and about how many seconds a run of each optimizer takes."""
    try:
        data = task.load()
        torch.manual_seed(0)
        model = task.make_model()
        batches = data.train.random(task.batch, 0)
        loss = task.loss(model.train(), next(batches)).item()
    except SteepestError:
        raise
    except Exception as error:
        raise RaceError(f"Task {task.name} cannot be trained: {type(error).__name__}: {error}") from error
    if not math.isfinite(loss):
        raise RaceError(
            f"Task {task.name} has a loss of {loss} before the first step, so no optimizer can train it: "
            "look for NaN in the data, a logarithm of 0, or a first layer that overflows."
        )
    started = time.perf_counter()
    value = task.metric.value(model, data.validation, training.EVALUATION_BATCH)
    look = time.perf_counter() - started
    if not math.isfinite(value):
        raise RaceError(f"Task {task.name}: {task.metric.name} of the untrained model is {value}; a metric must be a finite number.")
    seconds = {e.name: task.steps * _step_seconds(task, e, model, batches) + (task.looks + 1) * look + OVERHEAD for e in entrants.values()}
    facts = TaskFacts(
        name=task.name,
        family=task.family,
        title=task.title,
        description=task.description,
        metric=task.metric.name,
        higher_is_better=task.metric.higher_is_better,
        parameters=sum(p.numel() for p in model.parameters()),
        train=len(data.train),
        validation=len(data.validation),
        test=len(data.test),
        batch=task.batch,
        steps=task.steps,
        looks=task.looks,
        target=task.target,
        target_reason=task.target_reason,
        guess=task.guess,
        clip_norm=task.clip_norm,
    )
    return asdict(facts), seconds


def _step_seconds(task: Task, entrant: Entrant, model: Any, batches: Any) -> float:
    own = copy.deepcopy(model)
    times: list[float] = []
    try:
        optimizer = entrant.make(own.parameters(), entrant.defaults)
        for group in optimizer.param_groups:
            group["lr"] = float(entrant.defaults["lr"])
        for _ in range(STEPS + 1):
            started = time.perf_counter()
            training.one_step(task, own, optimizer, next(batches))
            times.append(time.perf_counter() - started)
    except SteepestError:
        raise
    except Exception as error:
        raise RaceError(
            f"{entrant.name} cannot train {task.name}: {type(error).__name__}: {error}. An optimizer that needs a closure, other "
            "arguments or some of the parameters only enters as a function of your own: --with my_module:make, where "
            "make(params, lr=..., weight_decay=...) returns the optimizer."
        ) from error
    return median(times[1:])
