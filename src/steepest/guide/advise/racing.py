"""The race that would settle it: the short list on the tasks of that kind of model."""

import shlex
from collections.abc import Sequence

from steepest.guide.advise import tables
from steepest.guide.advise.situation import Situation

FEWEST, MOST = 4, 25
SEEDS = 5
FOLDER = "advised-race"


def arguments(s: Situation, optimizers: Sequence[str]) -> tuple[str, ...]:
    """The arguments of `steepest race`; none, if no task is of this kind."""
    tasks = tables.families()[s.family].tasks
    if not tasks:
        return ()
    size = ("--defaults",) if s.budget == 0 else ("--trials", str(min(max(s.budget, FEWEST), MOST)))
    return ("--tasks", ",".join(tasks), *_entrants(optimizers), *size, "--seeds", str(SEEDS), "--out", FOLDER)


def on_own_task(optimizers: Sequence[str]) -> str:
    """The command where no task is of this kind."""
    return command(("--task", "my_task.py:make", *_entrants(optimizers)))


def command(words: Sequence[str]) -> str:
    """As typed in a shell."""
    return f"steepest race {shlex.join(words)}" if words else ""


def _entrants(optimizers: Sequence[str]) -> tuple[str, ...]:
    rows = tables.candidates()
    ours = [name for name in optimizers if not rows[name].race]
    theirs = [rows[name].race for name in optimizers if rows[name].race]
    return (*(("--optimizers", ",".join(ours)) if ours else ()), *(word for spec in theirs for word in ("--with", spec)))
