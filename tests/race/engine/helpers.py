"""Small races, in this process and as real ones."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from steepest.race import address, curves, engine, record
from steepest.race.protocol import Settings
from steepest.race.store import Store
from steepest.race.worker import Worker

TINY = str(Path(__file__).parent.parent / "tiny.py")


def settings(**changes) -> Settings:
    usual = {
        "tasks": (f"{TINY}:make",),
        "optimizers": ("adamw", "sgd"),
        "trials": 3,
        "seeds": 2,
        "multiples": (0.5, 1, 2),
        "target_seeds": 2,
    }
    return Settings(**usual | changes)


def begin(path: Path | str, wanted: Settings) -> Store:
    """Plan a race, without workers."""
    url = address.url_of(path)
    plan = engine.prepare(url, wanted, lambda _: None)
    return Store.create(url, plan.header, len(plan.field.jobs), heartbeat=1)


def work(store: Store, runs: int | None = None) -> None:
    """A worker in this process; with `runs` it dies, giving nothing back, in the middle of the run after so many."""
    events = []

    def say(event):
        events.append(event)
        if runs is not None and event["event"] == "begun" and sum(e["event"] == "begun" for e in events) > runs:
            raise Killed

    try:
        worker = Worker(store, say)
        if runs is not None:
            worker.store.give_back = lambda *_, **__: None
        worker.work()
    except Killed:
        del store.give_back


class Killed(BaseException):
    """What no worker survives."""


def race(path: Path, wanted: Settings) -> record.Race:
    """A whole race in this process."""
    store = begin(path, wanted)
    work(store)
    count = store.header()["count"]
    store.close()
    curves.pack(store.url, curves.folder_of(store.url, None), range(count))
    return record.load(path)


def timeless(race: record.Race) -> list[record.Trial]:
    """The trials without what a clock measured, in a fixed order."""
    kept = [replace(t, seconds=0.0, cpu_seconds=0.0, step_ms=0.0, seconds_to_target=min(t.seconds_to_target, 1e9) * 0) for t in race.trials]
    return sorted(kept, key=lambda t: (t.task, t.optimizer, t.purpose, t.study, t.number))


# -- real ones ------------------------------------------------------------------------------------


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "steepest", "race", *words]


def start(*words: str, **how) -> "subprocess.Popen[str]":
    """`steepest race ...` in a session of its own."""
    return subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, **how)


def finish(process: "subprocess.Popen[str]", timeout: float = 200) -> str:
    """What it printed in the end. A race that hangs is killed, and fails the test."""
    try:
        return process.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def states(path: Path) -> list[str]:
    """The states of all runs, read past the program under test."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            return [state for (state,) in connection.execute("SELECT state FROM trials ORDER BY number")]
    except sqlite3.OperationalError:
        return []


def until(condition, timeout: float = 150) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
