"""The race that would settle it: the short list on the tasks of that kind of model."""

import shlex

from steepest.guide import tables
from steepest.guide.situation import Situation

FEWEST, MOST = 4, 25
SEEDS = 5


def arguments(s: Situation, optimizers: list[str], out: str = "advised-race") -> tuple[str, ...]:
    """The arguments of `steepest race`; none, if no task is of this kind."""
    tasks = tables.families()[s.family].tasks
    if not tasks:
        return ()
    ours = [name for name in optimizers if not tables.candidates()[name].race]
    theirs = [tables.candidates()[name].race for name in optimizers if tables.candidates()[name].race]
    size = ("--defaults",) if s.budget == 0 else ("--trials", str(min(max(s.budget, FEWEST), MOST)))
    named = ("--optimizers", ",".join(ours)) if ours else ()
    outside = tuple(word for spec in theirs for word in ("--with", spec))
    return ("--tasks", ",".join(tasks), *named, *outside, *size, "--seeds", str(SEEDS), "--out", out)


def command(words: tuple[str, ...]) -> str:
    """As typed in a shell."""
    return f"steepest race {shlex.join(words)}" if words else ""
