"""`steepest race`: the arguments, the progress bar, the table, the two files."""

import argparse
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from steepest.errors import HyperparameterError, SteepestError
from steepest.race import record, tasks
from steepest.race.extra import NeedsExtra
from steepest.race.protocol import Settings
from steepest.registry import optimizers, registration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from steepest.race.runner import Progress
    from steepest.race.statistics import Standing

INTERRUPTED = 130
"""What a shell expects of a command that was ended with Ctrl-C."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `steepest race`."""
    default = next(iter(tasks.TASKS))
    parser.add_argument("--task", default=default, metavar="NAME", help=f"what to train: {', '.join(tasks.TASKS)} (default: {default})")
    parser.add_argument(
        "--optimizers",
        default="*",
        metavar="NAMES",
        help="who races: names with commas between them, * and ? allowed, as in 'adam*,lion' (default: all)",
    )
    parser.add_argument("--trials", type=int, default=5, metavar="N", help="learning rates to try for each (default: 5)")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="fresh seeds to train each on with its best (default: 5)")
    parser.add_argument("--out", default=".", metavar="FOLDER", help="where to write race.json and race.html (default: here)")


def run(args: argparse.Namespace) -> int:
    """Run the race that `args` asks for. Returns the exit status: 0, 2 for a mistake in the arguments, 130 for Ctrl-C."""
    try:
        return _run(args)
    except SteepestError as error:
        sys.stderr.write(f"steepest race: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted: nothing was written.\n")
        return INTERRUPTED


def _run(args: argparse.Namespace) -> int:
    task = tasks.task(args.task)
    settings = Settings(_chosen(args.optimizers), args.trials, args.seeds)
    out = _folder(Path(args.out))
    with NeedsExtra():
        from rich.console import Console
    from steepest.race import report, runner, statistics

    console = Console(highlight=False)
    console.print(f"{settings.runs} runs of {task.steps} steps: {task.description}.")
    with _bar(console, settings.runs) as progress:
        race = runner.race(task, settings, progress)
    found = statistics.standings(race)
    record.save(race, out / "race.json", statistics.as_json(found))
    report.write(race, found, out / "race.html")
    console.print(_table(race, found))
    for note in report.legend(found, race):
        console.print(note, style="dim")
    console.print(f"\n{report.verdict(found)} {report.pace(found, race)}")
    console.print(f"Took {report.duration(race.seconds)}. Wrote {out / 'race.json'} and {out / 'race.html'}.", soft_wrap=True)
    return 0


def _chosen(patterns: str) -> tuple[str, ...]:
    """The optimizers that the patterns name, each once; a name that matches nothing raises UnknownOptimizer."""
    found: dict[str, None] = {}
    for pattern in filter(None, (p.strip() for p in patterns.split(","))):
        found.update(dict.fromkeys(optimizers(pattern) or [registration(pattern).name]))
    return tuple(found)


def _folder(path: Path) -> Path:
    """The folder, made if it is not there; refused now, not after the race, if it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HyperparameterError(f"--out {path}: no folder can be made there ({error.strerror}).") from error
    return path


@contextmanager
def _bar(console: "Console", runs: int) -> "Generator[Progress]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = TextColumn("{task.description:<25}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("starting", total=runs)
        yield lambda what, done: progress.update(bar, description=what, completed=done)


def _table(race: record.Race, found: "Sequence[Standing]") -> "Table":
    from rich import box
    from rich.table import Table

    from steepest.race import report

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in report.COLUMNS:
        table.add_column(name, justify="left" if name == report.COLUMNS[0] else "right", no_wrap=True)
    for row in report.rows(found, race):
        table.add_row(*row)
    return table
