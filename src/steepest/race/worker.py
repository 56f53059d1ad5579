"""A worker: takes runs of a race from its database, one at a time, until none is left.

`steepest race` starts some on its own machine; `steepest race worker --storage ...` is the same program on any
other. A worker needs nothing but the address: settings, tasks and optimizers are in the database, and the plan
follows from them.

Ctrl-C once: the run that is going on is finished first. Twice, or SIGTERM: it is given back, and others take it.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from steepest.errors import RaceError, SteepestError
from steepest.race import address, curves, environment, tasks, training
from steepest.race.entrants import Entrant, entrants
from steepest.race.interrupt import answered
from steepest.race.points import point
from steepest.race.preflight import fingerprint
from steepest.race.protocol import TUNING_SEED, Group, Job, Settings, plan
from steepest.race.store import MOST_DEATHS, Row, Store, axes_of
from steepest.race.tasks.task import Task

Say = Callable[[Mapping[str, Any]], None]
"""Tells whoever started the worker what happens: `{"event": "done", "run": 17, ...}`."""

IDLE = 0.3
"""Seconds between looks at the database while others finish what this worker waits for."""


class Leave(BaseException):
    """Give back what is held and go, at once."""


class Field:
    """What is raced, made again from a record's header."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        self.settings = Settings.of(header["settings"])
        self.tasks: dict[str, Task] = {t.name: t for t in map(tasks.task, self.settings.tasks)}
        self.entrants: dict[str, Entrant] = entrants(self.settings.optimizers, self.settings.trials, self.settings.spaces)
        self.jobs = jobs_of(self.settings, self.tasks, self.entrants)
        self.number = {job: i for i, job in enumerate(self.jobs)}
        if fingerprint(self.jobs, self.entrants, self.tasks) != header["plan"]:
            raise RaceError(
                "This version of Steepest, or of a task or package in the race, would run other trials than the race was planned with: "
                "use the version that began it, or begin again with another --out."
            )


def jobs_of(settings: Settings, found: Mapping[str, Task], racing: Mapping[str, Entrant]) -> list[Job]:
    """The plan of these."""
    return plan(settings, {name: task.target is None for name, task in found.items()}, list(racing))


class Signals:
    """What Ctrl-C and SIGTERM ask for. `now` is true while leaving in the middle does no harm: within training."""

    def __init__(self) -> None:
        self.interrupts, self.leave, self.now = 0, False, False

    def got(self, number: int, _: FrameType | None) -> None:
        self.interrupts += number == signal.SIGINT
        self.leave = self.leave or number == signal.SIGTERM or self.interrupts > 1
        if self.leave and self.now:
            raise Leave

    @property
    def stop(self) -> bool:
        """Whether no further run is to be begun."""
        return self.leave or self.interrupts > 0


class Worker:
    """Runs what there is to run."""

    def __init__(self, store: Store, say: Say, *, curve_folder: str | None = None, parent: int | None = None) -> None:
        self.store, self.say = store, say
        self.name = environment.worker_name()
        self.folder = curves.folder_of(store.url, curve_folder)
        self.parent = parent
        self.signals = Signals()
        header = store.header()
        self.field, self.count = Field(header), int(header["count"])
        self._results: dict[int, dict[str, Any]] = {}
        modules = [spec.partition("=")[2] or spec for spec in self.field.settings.optimizers if ":" in spec]
        store.note(f"worker {self.name}", environment.environment(modules))

    def work(self) -> bool:
        """Run until all is done, or until a signal says to stop. Returns whether all is done."""
        with answered(self.signals.got):
            while not self.signals.stop and not self._orphaned():
                rows = self.store.rows()[: self.count]
                waiting = [i for i, row in enumerate(rows) if row.state == "WAITING"]
                taken = self._take(rows, waiting)
                if taken is not None:
                    self._run(taken, rows)
                elif all(row.state == "COMPLETE" for row in rows):
                    return True
                elif not self.store.give_back_stale():
                    time.sleep(IDLE)
        return False

    def _take(self, rows: Sequence[Row], waiting: Sequence[int]) -> int | None:
        """Claim the first run whose time has come."""
        for i in waiting:
            if not self._ready(self.field.jobs[i], rows):
                continue
            deaths = self.store.deaths(rows[i])
            if deaths >= MOST_DEATHS:
                raise RaceError(
                    f"The run of {self.field.jobs[i]} has killed its worker {deaths} times, most often because memory ran out. Every "
                    "finished run is kept; start `steepest race` again with more memory or fewer --workers."
                )
            if self.store.claim(rows[i], self.name):
                return i
        return None

    def _ready(self, job: Job, rows: Sequence[Row]) -> bool:
        """Whether the point is known: a chosen point is, once all tuning runs of its search are there."""
        return all(rows[i].state == "COMPLETE" for i in self._search(job))

    def _search(self, job: Job) -> list[int]:
        if job.purpose in ("tuning", "defaults") or self.field.settings.defaults:
            return []
        return search(self.field.number, job.group, self.field.settings.trials)

    def _point(self, job: Job, rows: Sequence[Row]) -> dict[str, float]:
        entrant = self.field.entrants[job.optimizer]
        if job.purpose == "tuning":
            return point(entrant.space, job.task, job.study, job.number)
        numbers = self._search(job)
        if not numbers:
            return dict(entrant.defaults)
        results = [self._result(i, rows) for i in numbers]
        chosen = dict(results[choice(results, self.field.tasks[job.task].metric.higher_is_better)]["point"])
        if job.purpose == "sensitivity":
            chosen["lr"] *= self.field.settings.multiples[job.number]
        return chosen

    def _result(self, i: int, rows: Sequence[Row]) -> dict[str, Any]:
        if i not in self._results:
            self._results[i] = self.store.result(rows[i])
        return self._results[i]

    def _run(self, i: int, rows: Sequence[Row]) -> None:
        """Train, and write what came of it; or give the run back."""
        job, row = self.field.jobs[i], rows[i]
        task, entrant = self.field.tasks[job.task], self.field.entrants[job.optimizer]
        finished = False
        try:
            where = self._point(job, rows)
            self.say({"event": "begun", "run": i})
            started = time.time()
            with self._beating(row):
                outcome = self._train(task, entrant, where, job)
            keys = job._asdict()
            result: dict[str, Any] = keys | {
                "point": where,
                "validation": outcome.validation,
                "test": outcome.test,
                "best": outcome.best,
                "diverged_at": outcome.diverged_at,
                "seconds": outcome.seconds,
                "cpu_seconds": outcome.cpu_seconds,
                "step_ms": outcome.step_ms,
                "state_bytes_per_parameter": outcome.state_bytes_per_parameter,
                "worker": self.name,
                "began": started,
                "wall": time.time() - started,
            }
            blob = curves.keep(self.folder, i, keys, outcome.curve)
            if blob is not None:
                result["curve"] = blob
            finished = self.store.finish(row, result, axes_of(entrant.space) if job.purpose == "tuning" else {})
            self.say({"event": "done", "run": i, "seconds": time.time() - started, "diverged": outcome.diverged_at is not None})
        except Leave:
            pass
        except SteepestError:
            self.store.patience = 0.0  # whatever it was has been waited for; giving back is only tried
            raise
        except Exception as error:
            where_from = traceback.extract_tb(error.__traceback__)[-1]
            raise RaceError(
                f"The run of {job} failed: {type(error).__name__}: {error} ({where_from.filename}, line {where_from.lineno}). "
                "Every finished run is kept; when the cause is mended start `steepest race` again."
            ) from error
        finally:
            if not finished:
                self.store.give_back(row)

    def _train(self, task: Task, entrant: Entrant, where: Mapping[str, float], job: Job) -> training.Outcome:
        self.signals.now = True
        try:
            if self.signals.leave:
                raise Leave
            return training.train(task, entrant, where, job.seed, reveal=job.purpose in ("evaluation", "defaults"))
        finally:
            self.signals.now = False

    @contextmanager
    def _beating(self, row: Row) -> Generator[None]:
        """Write a heartbeat every so often, so that nobody takes the run for a dead worker's."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self.store.heartbeat):
                if self._orphaned():
                    # Whoever started this worker was killed: nobody waits for the run, and a new race would wait for it.
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
                try:
                    self.store.beat(row)
                except SteepestError:
                    return  # `finish` meets the same trouble and says so

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()

    def _orphaned(self) -> bool:
        return self.parent is not None and os.getppid() != self.parent


def search(number: Mapping[Job, int], group: Group, trials: int) -> list[int]:
    """The places in the plan of a search's tuning runs, by the number of their point."""
    seed = TUNING_SEED + 1000 * group.study
    return [number[Job(group.task, group.optimizer, "tuning", group.study, n, seed)] for n in range(trials)]


def choice(results: Sequence[Mapping[str, Any]], higher_is_better: bool) -> int:
    """The tuning run whose point is taken: the best validation at the end; of equals the first."""
    sign = -1 if higher_is_better else 1
    return min(range(len(results)), key=lambda i: (sign * results[i]["validation"], i))


def main(storage: str, *, report: bool = False, heartbeat: int = 10, curve_folder: str | None = None, parent: int | None = None) -> int:
    """`steepest race worker`. With `report` events are written to standard output as JSON lines, for `steepest race`."""
    import torch

    torch.set_num_threads(1)

    def say(event: Mapping[str, Any]) -> None:
        if report:
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()
        elif event["event"] == "done":
            sys.stderr.write(f"run {event['run']}: {event['seconds']:.1f} s{', diverged' if event['diverged'] else ''}\n")

    store = None
    try:
        store = Store.open(address.url_of(storage), heartbeat=heartbeat)
        worker = Worker(store, say, curve_folder=curve_folder, parent=parent)
        done = worker.work()
    except SteepestError as error:
        if not report:
            raise
        say({"event": "error", "message": str(error)})
        return 2
    except BrokenPipeError:
        return 1  # whoever started this worker is gone
    finally:
        if store is not None:
            store.close()
    return 0 if done or report else 130
