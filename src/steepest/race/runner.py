"""A whole race: trials, choice, evaluation in parallel processes; then the cost of a step, alone."""

import os
import platform
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

from steepest import __version__
from steepest.errors import SteepestError
from steepest.race import protocol, training
from steepest.race.extra import NeedsExtra
from steepest.race.protocol import Settings, choose
from steepest.race.record import Entry, Job, Race, Run, TaskFacts
from steepest.race.tasks import Task
from steepest.registry import registration

with NeedsExtra():
    import torch

MAX_WORKERS = 16
"""Each worker holds a PyTorch of its own, 0.3 GB; a race has too few runs to gain from more of them."""

Progress = Callable[[str, int], None]
"""Called with what is being done and how many runs are finished."""


def race(task: Task, settings: Settings, progress: Progress) -> Race:
    """Run a race. Nothing is written; `record.save` and `report.write` do that."""
    clock, started = perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    workers = min(MAX_WORKERS, cores(), settings.runs)
    facts, environment = _facts(task), _environment(workers)
    with _workers(workers, settings) as pool:
        trials = _all(pool, task, settings.tuning_jobs(), lambda n: progress("tuning learning rates", n))
        choices = {o: choose([run for run in trials if run.optimizer == o], task.guess) for o in settings.optimizers}
        jobs = settings.evaluation_jobs({o: choice.lr for o, choice in choices.items()})
        results = _all(pool, task, jobs, lambda n: progress("evaluating on fresh seeds", len(trials) + n))
    progress("timing the step", settings.runs)
    times = training.step_times(task, {o: choice.lr for o, choice in choices.items()}, protocol.TUNING_SEEDS[0])
    entries: dict[str, Entry] = {}
    for o, (lr, edge) in choices.items():
        registered = registration(o)
        entries[o] = Entry(
            title=registered.title,
            paper=registered.paper,
            grid=protocol.grid(o, settings.trials),
            lr=lr,
            edge=edge,
            strategy=repr(registered.build(lr=lr)),
            milliseconds_per_step=times[o],
            state_bytes_per_parameter=median(run.state_bytes_per_parameter for run in results if run.optimizer == o),
        )
    return Race(
        task=facts,
        tuning_seeds=list(protocol.TUNING_SEEDS),
        evaluation_seeds=settings.evaluation_seeds,
        schedule=f"half a cosine, from the learning rate to {100 * protocol.FLOOR:g} % of it, no warm-up",
        entries=entries,
        runs=trials + results,
        started=started,
        seconds=perf_counter() - clock,
        environment=environment,
    )


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _workers(count: int, settings: Settings) -> Generator[ProcessPoolExecutor]:
    """Processes with one thread each. Leaving early (Ctrl-C, an error) ends them at once."""
    homes = sorted({registration(o).build.__module__ for o in settings.optimizers} - {"__main__"})
    # "spawn": a forked child of a process that has used torch's threads can hang.
    pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_prepare, initargs=(homes,))
    try:
        with _deaf_to_interrupts():
            for _ in range(count):
                pool.submit(_prepare, homes)  # a process is started when there is work and none is idle
        yield pool
    except BaseException:
        for process in list(pool._processes.values()):  # public from Python 3.14 on: terminate_workers()
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf_to_interrupts() -> Generator[None]:
    """Ctrl-C reaches every process of the terminal; children started in here leave it to this one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _prepare(homes: Sequence[str]) -> None:
    """In a worker: compute on one thread, and register the optimizers, wherever they are defined."""
    torch.set_num_threads(1)
    for home in homes:
        import_module(home)


def _all(pool: ProcessPoolExecutor, task: Task, jobs: Sequence[Job], done: Callable[[int], None]) -> list[Run]:
    """The runs of all jobs, in the order of the jobs."""
    done(0)
    runs: dict[int, Run] = {}
    try:
        futures = {pool.submit(training.train, task, job): i for i, job in enumerate(jobs)}
        for future in as_completed(futures):
            runs[futures[future]] = future.result()
            done(len(runs))
    except BrokenProcessPool as error:
        raise SteepestError("A worker process of the race was killed, most often because memory ran out.") from error
    return [runs[i] for i in range(len(jobs))]


def _facts(task: Task) -> TaskFacts:
    data = task.load()
    return TaskFacts(
        name=task.name,
        title=task.title,
        description=task.description,
        parameters=training.parameters(task),
        train=len(data.train.inputs),
        validation=len(data.validation.inputs),
        test=len(data.test.inputs),
        batch=task.batch,
        steps=task.steps,
        every=task.every,
        guess=task.guess,
        target=task.target,
        target_reason=task.target_reason,
    )


def _environment(workers: int) -> dict[str, str]:
    packages = ("torch", "numpy", "scikit-learn", "scipy")
    return {
        "processor": _processor(),
        "cores": str(cores()),
        "processes": f"{workers}, one thread each",
        "system": platform.platform(),
        "python": platform.python_version(),
        "steepest": __version__,
        **{package: version(package) for package in packages},
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
