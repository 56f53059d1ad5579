"""`steepest race`: plan the race, or find the one that is there; start workers; watch them until all is done.

The engine trains nothing and decides nothing: the plan is in the database and the workers take from it, so killing
the engine, a worker or both loses at most the runs that were going on, and the next `steepest race` goes on from there.
"""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from steepest.errors import RaceError
from steepest.race import address, curves, environment, preflight, tasks
from steepest.race.entrants import Entrant, entrants
from steepest.race.interrupt import answered
from steepest.race.progress import Forecast, Progress
from steepest.race.protocol import Settings
from steepest.race.store import Store
from steepest.race.tasks.task import Task
from steepest.race.worker import Field, jobs_of

ELSEWHERE = 5.0
"""Seconds between looks at what workers on other machines have done."""
GRACE = 5.0
"""Seconds that workers get to give their runs back before they are killed."""


class Interrupted(Exception):
    """Ctrl-C: the race is not done."""


@dataclass
class Plan:
    """A race that is checked and ready to be written, or that is there already."""

    settings: Settings
    tasks: Mapping[str, Task]
    entrants: Mapping[str, Entrant]
    header: dict[str, Any]
    field: Field
    new: bool

    @property
    def seconds(self) -> float:
        """What all runs take on one worker, by the check."""
        return sum(self.header["seconds"][job.task][job.optimizer] for job in self.field.jobs)


def prepare(url: str, settings: Settings, say: Callable[[str], None]) -> Plan:
    """Check the whole race, writing nothing; of a race that is there already, whether it is the same one."""
    found: dict[str, Task] = {}
    for text in settings.tasks:
        task = tasks.task(text)
        if task.name in found:
            raise RaceError(f"Two tasks are called {task.name}: give each a name of its own.")
        found[task.name] = task
    racing = entrants(settings.optimizers, settings.trials, settings.spaces)
    path = address.file_of(url)
    if path is not None:
        _writable(path)
    if Store.exists(url):
        store = Store.open(url, read_only=path is not None)
        try:
            header = store.header()
            _same(Settings.of(header["settings"]), settings, address.shown(url))
            return Plan(settings, found, racing, header, Field(header), new=False)
        finally:
            store.close()
    header = preflight.header(settings, found, racing, jobs_of(settings, found, racing), say)
    return Plan(settings, found, racing, header, Field(header), new=True)


def _writable(path: Path) -> None:
    """Refuse a place that cannot be written now, not after the race; make the folder if it is not there."""
    folder = path.parent
    if path.is_dir():
        raise RaceError(f"{path} is a folder, where the record of the race should be a file. Choose another folder with --out.")
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    if not existing.is_dir():
        raise RaceError(f"{folder} cannot be made: {existing} is a file. Choose another folder with --out.")
    try:
        with tempfile.TemporaryFile(dir=existing) as probe:
            probe.write(b"\0" * 4096)  # a full disk makes empty files gladly
    except OSError as error:
        raise RaceError(f"{folder} cannot be written: {error.strerror}. Choose another folder with --out, or make room.") from error
    if path.exists() and not os.access(path, os.W_OK):
        raise RaceError(f"{path} cannot be written: the file is read-only. Choose another folder with --out.")


def _same(there: Settings, wanted: Settings, shown: str) -> None:
    ours, theirs = wanted.as_json(), there.as_json()
    differ = [f"{key} {theirs[key]} there, {value} asked for" for key, value in ours.items() if theirs[key] != value]
    if differ:
        raise RaceError(
            f"{shown} holds a race with other settings ({'; '.join(differ)}). To go on with it give the same arguments as then; "
            "for a race of its own choose another folder with --out."
        )


@dataclass
class _Process:
    """A worker on this machine."""

    process: "subprocess.Popen[str]"
    run: int | None = None
    failures: int = 0
    lines: "deque[str]" = field(default_factory=lambda: deque[str](maxlen=200))
    """The last that it printed, for the case that it fails."""
    listener: "threading.Thread | None" = None


class Engine:
    """Runs the plan with workers on this machine, and counts what others do."""

    def __init__(
        self,
        url: str,
        plan: Plan,
        workers: int,
        progress: Callable[[int, int], Progress],
        *,
        curve_folder: str | None = None,
        heartbeat: int = 10,
    ) -> None:
        self.url, self.plan, self.workers, self.heartbeat, self.curve_folder = url, plan, workers, heartbeat, curve_folder
        path = address.file_of(url)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        jobs = plan.field.jobs
        self.store = Store.create(url, plan.header, len(jobs), heartbeat=heartbeat)
        self.count = len(jobs)
        if curve_folder is not None:
            self.store.note("curves", curve_folder)
        self.store.forgive()
        self._reclaim()
        self.complete = {i for i, row in enumerate(self.store.rows()[: self.count]) if row.state == "COMPLETE"}
        self.forecast = Forecast(jobs, plan.header["seconds"])
        self.progress = progress(self.count, len(self.complete))
        self._events: queue.Queue[tuple[_Process, dict[str, Any] | None]] = queue.Queue()
        self._processes: list[_Process] = []
        self._interrupts, self._running = 0, 0

    def run(self) -> None:
        """Until all is done. Raises Interrupted, or RaceError with what went wrong."""
        try:
            if len(self.complete) < self.count:
                with answered(self._got), self.progress:
                    self._watch()
            curves.pack(self.url, curves.folder_of(self.url, self.curve_folder), range(self.count))
        finally:
            self.store.close()

    # -- workers -----------------------------------------------------------------------------------

    def _watch(self) -> None:
        looked = time.monotonic()
        try:
            for _ in range(min(self.workers, self.count - len(self.complete))):
                self._start()
            while self._processes or (not self.workers and len(self.complete) < self.count):
                try:
                    who, event = self._events.get(timeout=0.2)
                    self._heard(who, event)
                except queue.Empty:
                    pass
                if self._interrupts > 1:
                    raise Interrupted
                if self._interrupts and not self._processes:
                    break
                if time.monotonic() - looked > ELSEWHERE:
                    looked = time.monotonic()
                    self._look()
            self._look()
            if len(self.complete) < self.count:
                raise Interrupted
        finally:
            self._end()

    def _start(self, failures: int = 0) -> None:
        words = ["race", "worker", "--storage", self.url, "--report", "--heartbeat", str(self.heartbeat)]
        words += ["--parent", str(os.getpid())] + (["--curves", self.curve_folder] if self.curve_folder is not None else [])
        # A session of its own: Ctrl-C in the terminal reaches the engine alone, which passes it on as it sees fit.
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "steepest", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            start_new_session=True,
        )
        who = _Process(process, failures=failures)
        who.listener = threading.Thread(target=self._listen, args=(who,), daemon=True)
        self._processes.append(who)
        who.listener.start()

    def _listen(self, who: _Process) -> None:
        assert who.process.stdout is not None
        assert who.process.stderr is not None
        errors = threading.Thread(target=who.lines.extend, args=(who.process.stderr,), daemon=True)
        errors.start()
        with who.process.stdout, who.process.stderr:
            for line in who.process.stdout:
                try:
                    self._events.put((who, json.loads(line)))
                except ValueError:
                    who.lines.append(line)  # something that a task or an optimizer printed
            errors.join()
        who.process.wait()
        self._events.put((who, None))

    def _heard(self, who: _Process, event: Mapping[str, Any] | None) -> None:
        if event is None:
            self._ended(who)
        elif event["event"] == "error":
            raise RaceError(event["message"])
        elif event["event"] == "begun":
            who.run = event["run"]
            self._show()
        elif event["event"] == "done":
            who.run, who.failures = None, 0
            self.complete.add(event["run"])
            self.forecast.saw(event["run"], event["seconds"], event["diverged"])
            self._show()

    def _ended(self, who: _Process) -> None:
        """A worker is gone: because all is done, or killed; then its run goes back and another worker takes its place."""
        self._processes.remove(who)
        status = who.process.returncode
        if status == 0 or self._interrupts:
            return
        held = self._reclaim({who.process.pid})
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        what = "".join(f" in the run of {self.plan.field.jobs[run]}" for run in held)
        if not held and who.failures + 1 >= 3:
            raise RaceError(f"Workers end with {how} before they begin a run:\n{''.join(list(who.lines)[-20:]).strip()}")
        self.progress.say(f"A worker was killed ({how}){what}; its run is given back and another worker takes over.")
        self._start(failures=0 if held else who.failures + 1)

    def _reclaim(self, pids: "set[int] | None" = None) -> list[int]:
        """Give back what workers of this machine held: those with these numbers, or all whose process is not there any more."""
        found: list[int] = []
        for run, row, name in self.store.held():
            host, pid, *_ = [*name.split("/"), "", ""]
            if (
                host == socket.gethostname()
                and pid.isdigit()
                and (int(pid) in pids if pids is not None else not environment.alive(int(pid)))
            ):
                self.store.give_back(row, died=pids is not None and not self._interrupts)
                found.append(run)
        return found

    def _end(self) -> None:
        """Let no worker outlive the engine."""
        for who in self._processes:
            who.process.terminate()
        until = time.monotonic() + GRACE
        for who in self._processes:
            try:
                who.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                who.process.kill()
                who.process.wait()
            if who.listener is not None:
                who.listener.join()
        if self._processes:
            try:
                self.store.patience = 0.0
                self._reclaim()
            except RaceError:
                pass  # the same trouble that ended the race; the next start finds that these workers are gone

    # -- what is shown -------------------------------------------------------------------------------

    def _look(self) -> None:
        """Count the runs of other machines too; where no worker is left here, give back what dead ones hold."""
        rows = self.store.rows()[: self.count]
        self.complete |= {i for i, row in enumerate(rows) if row.state == "COMPLETE"}
        self._running = sum(row.state == "RUNNING" for row in rows)
        if not self._processes and not self._interrupts:
            self.store.give_back_stale()
        self._show()

    def _show(self) -> None:
        left = [i for i in range(self.count) if i not in self.complete]
        job = next((self.plan.field.jobs[w.run] for w in self._processes if w.run is not None), None)
        what = "waiting for workers" if job is None else f"{job.purpose}: {job.optimizer}, {job.task}"
        self.progress.show(what, len(self.complete), self.forecast.left(left, max(len(self._processes), self._running)))

    # -- Ctrl-C --------------------------------------------------------------------------------------

    def _got(self, number: int, _: FrameType | None) -> None:
        self._interrupts += 1 if number == signal.SIGINT else 2
        if self._interrupts == 1:
            going = [w.run for w in self._processes if w.run is not None]
            for who in self._processes:
                who.process.send_signal(signal.SIGINT)
            longest = max((self.forecast.run(i) for i in going), default=0.0)
            self.progress.say(f"Interrupted: finishing what is running, {longest:.0f} s or less. Ctrl-C again leaves at once.")
