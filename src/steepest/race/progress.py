"""How far a race is: bars with an honest remaining time in a terminal, a plain line now and then elsewhere."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from types import TracebackType
from typing import TYPE_CHECKING, Any

from steepest.race.extra import NeedsExtra
from steepest.race.protocol import Job

if TYPE_CHECKING:
    from rich.console import Console

QUIET = 20.0
"""Seconds between plain lines."""


class Forecast:
    """What is left, in seconds: from the runs that are done, and before that from the timed steps of the check.

    A run yet to come is expected to take what runs of its own kind took; else what the check said, times what
    runs have taken so far compared with what the check said of them.
    """

    def __init__(self, jobs: Sequence[Job], checked: Mapping[str, Mapping[str, float]]) -> None:
        self.jobs, self._checked = jobs, checked
        self._taken: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._ratios: list[float] = []

    def saw(self, run: int, seconds: float, diverged: bool) -> None:
        """Learn from a run that is done. One that diverged was short and says nothing about the others."""
        job = self.jobs[run]
        if not diverged:
            self._taken[job.task, job.optimizer].append(seconds)
            self._ratios.append(seconds / self._checked[job.task][job.optimizer])

    def run(self, run: int) -> float:
        """The seconds that a run will take."""
        job = self.jobs[run]
        own = self._taken.get((job.task, job.optimizer))
        if own:
            return fmean(own)
        return self._checked[job.task][job.optimizer] * (fmean(self._ratios) if self._ratios else 1.0)

    def left(self, runs: Sequence[int], workers: int) -> float:
        """The seconds until these are done by so many workers."""
        return sum(map(self.run, runs)) / max(workers, 1)


def duration(seconds: float) -> str:
    """A time in words: `40 s`, `12 min`, `2.5 h`."""
    if seconds < 99.5:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5700 else f"{seconds / 3600:.1f} h"


class Progress:
    """Shows what is done; the same calls for a terminal and for a log file."""

    def __init__(self, console: "Console", runs: int, done: int) -> None:
        self.console, self.runs, self.done = console, runs, done
        self._bar: Any = None
        self._task: Any = None
        self._last, self._said_all = time.monotonic(), False

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            with NeedsExtra():
                from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
                from rich.progress import Progress as Bars
            columns = (
                TextColumn("{task.description:<34}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"),
            )
            self._bar = Bars(*columns, console=self.console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("starting", total=self.runs, completed=self.done, left="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, what: str, done: int, left: float) -> None:
        """So many runs are done, so many seconds are left."""
        self.done = done
        if self._bar is not None:
            self._bar.update(self._task, description=what, completed=done, left=f"{duration(left)} left")
        elif time.monotonic() - self._last >= QUIET or (done == self.runs and not self._said_all):
            self._said_all = done == self.runs
            self._last = time.monotonic()
            self.console.print(f"{done} of {self.runs} runs done, about {duration(left)} left", soft_wrap=True)

    def say(self, text: str) -> None:
        """A line that stays."""
        (self._bar.console if self._bar is not None else self.console).print(text, soft_wrap=True)
