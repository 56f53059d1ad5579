"""`steepest race`: the arguments, and what each of its commands does.

steepest race [run]            begin a race, or go on with the one that is there
steepest race worker           work on a race from this or any other machine
steepest race report           make the page again from the record
steepest race compare A B      two races as one
steepest race export A FILE    a race with its curves in one small file
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steepest.errors import RaceError, SteepestError
from steepest.race.extra import NeedsExtra
from steepest.race.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from steepest.race.engine import Plan
    from steepest.race.protocol import Settings
    from steepest.race.record import Curve, Race, Trial

INTERRUPTED = 130
"""What a shell expects of a command that was ended with Ctrl-C."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands and arguments of `steepest race`."""
    _race_arguments(parser, {})
    parser.set_defaults(race=_run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    again = commands.add_parser(
        "run", help="begin a race, or go on with the one that is there (the default)", argument_default=argparse.SUPPRESS
    )
    _race_arguments(again, {"default": argparse.SUPPRESS})

    worker = commands.add_parser("worker", help="one more worker for a race, on this or any other machine; start one a core")
    worker.add_argument("--storage", default="race.db", metavar="WHERE", help="race.db, or postgresql://USER@HOST/DATABASE")
    worker.add_argument("--curves", metavar="FOLDER", help="a folder that all machines share, as given to `steepest race`")
    worker.add_argument("--heartbeat", type=int, default=10, help=argparse.SUPPRESS)
    worker.add_argument("--report", action="store_true", help=argparse.SUPPRESS)
    worker.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    worker.set_defaults(race=_worker)

    report = commands.add_parser("report", help="make the report again from the record")
    report.add_argument(
        "record", nargs="?", default="race.db", help="race.db, an exported race, or the address given as --storage (default: race.db)"
    )
    report.add_argument("--out", metavar="FILE", help="where to write (default: race.html beside the record)")
    report.set_defaults(race=_report)

    compare = commands.add_parser("compare", help="show two races over the same tasks as one")
    compare.add_argument("first", help="a race.db, an exported race, or an address")
    compare.add_argument("second", help="another")
    compare.add_argument("--out", default="compare.html", metavar="FILE", help="where to write the report (default: compare.html)")
    compare.set_defaults(race=_compare)

    export = commands.add_parser("export", help="write a race with its curves into one small file, which `report` and `compare` read")
    export.add_argument("record", help="race.db, or the address given as --storage")
    export.add_argument("file", type=Path, metavar="FILE", help="where to write, NAME.parquet")
    export.add_argument("--no-curves", action="store_true", help="without the curves")
    export.set_defaults(race=_export)


def _race_arguments(parser: argparse.ArgumentParser, default: dict[str, Any]) -> None:
    add = parser.add_argument
    sizes = "; ".join(f"{name}: {p.says}" for name, p in PRESETS.items())
    add("--preset", choices=tuple(PRESETS), help=f"how much ({sizes}; default: quick)", **(default or {"default": "quick"}))
    add("--tasks", metavar="NAMES", help="what to train, with commas between", **default)
    add("--task", action="append", metavar="FILE:FUNCTION", help="a task of your own, `my_task.py:make`; may be given again", **default)
    names = "which of ours race: names with commas between, * and ? allowed, as in 'adam*,lion'"
    add("--optimizers", metavar="NAMES", help=names, **default)
    outsider = "another optimizer, `torch.optim:NAdam` or `name=package:Class(argument=1)`; may be given again"
    add("--with", dest="outsiders", action="append", metavar="OPTIMIZER", help=outsider, **default)
    space = "another search space, `adamw:lr=1e-4..1e-1`; may be given again"
    add("--space", dest="spaces", action="append", metavar="NAME:AXIS=LOW..HIGH", help=space, **default)
    add("--trials", type=int, metavar="N", help="full-length tuning runs for each optimizer on each task", **default)
    add("--studies", type=int, metavar="N", help="how often the whole search is repeated, with other points", **default)
    add("--seeds", type=int, metavar="N", help="runs at the chosen point, on fresh seeds", **default)
    add("--defaults", action="store_true", help="no tuning: everybody at its default arguments", **default)
    add("--storage", metavar="WHERE", help="postgresql://USER@HOST/DATABASE, for several machines (default: race.db in --out)", **default)
    add("--curves", metavar="FOLDER", help="where curves go: a folder that all machines share", **default)
    add(
        "--out",
        metavar="FOLDER",
        help="where to write race.db, race.parquet and race.html (default: here)",
        **(default or {"default": "."}),
    )
    workers = "processes on this machine (default: one a core; 0: leave the work to `steepest race worker`)"
    add("--workers", type=int, metavar="N", help=workers, **default)
    add("--heartbeat", type=int, help=argparse.SUPPRESS, **(default or {"default": 10}))


def run(args: argparse.Namespace) -> int:
    """Do what `args` asks for. Returns the exit status: 0, 2 for a mistake or trouble that has a message, 130 for Ctrl-C."""
    try:
        return args.race(args)
    except SteepestError as error:
        sys.stderr.write(f"steepest race: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return INTERRUPTED


def _console() -> "Console":
    with NeedsExtra():
        from rich.console import Console

    return Console(highlight=False, markup=False)


def settings_of(args: argparse.Namespace) -> "Settings":
    """The preset with what the arguments change."""
    from steepest.race.entrants import specs
    from steepest.race.protocol import Settings

    preset = PRESETS[args.preset]
    own, named = tuple(args.task or ()), args.tasks
    # Who gives a task of one's own, and no others, wants that one alone.
    listed = tuple(filter(None, (t.strip() for t in named.split(",")))) if named is not None else () if own else preset.tasks
    outsiders = tuple(args.outsiders or ()) if args.optimizers is not None else (*preset.outsiders, *(args.outsiders or ()))

    def given(value: int | None, otherwise: int) -> int:
        return otherwise if value is None else value

    return Settings(
        tasks=(*listed, *own),
        optimizers=specs(preset.optimizers if args.optimizers is None else args.optimizers, outsiders),
        trials=given(args.trials, preset.trials),
        studies=given(args.studies, preset.studies),
        seeds=given(args.seeds, preset.seeds),
        multiples=preset.multiples,
        target_seeds=preset.target_seeds,
        spaces=tuple(args.spaces or ()),
        defaults=args.defaults,
    )


def _run(args: argparse.Namespace) -> int:
    from steepest.race import address

    settings = settings_of(args)
    if args.workers is not None and args.workers < 0:
        raise RaceError(f"--workers {args.workers}: give 1 or more, or 0 to leave the work to `steepest race worker`.")
    console = _console()
    with NeedsExtra():
        from steepest.race import engine, environment
        from steepest.race.progress import Progress
    out = Path(args.out)
    url = address.of_file(out / "race.db") if args.storage is None else address.url_of(args.storage)
    workers = environment.cores() if args.workers is None else args.workers
    with console.status("Checking") as status:
        plan = engine.prepare(url, settings, status.update)
    _introduce(console, plan, workers, address.shown(url))
    race = engine.Engine(
        url, plan, workers, lambda runs, done: Progress(console, runs, done), curve_folder=args.curves, heartbeat=args.heartbeat
    )
    try:
        race.run()
    except engine.Interrupted:
        done = f"{len(race.complete)} of {race.count} runs are done and kept in {address.shown(url)}"
        console.print(f"Interrupted. {done}; the same command goes on from there.", soft_wrap=True)
        return INTERRUPTED
    return _shown(console, url, out / "race.html")


def _introduce(console: "Console", plan: "Plan", workers: int, where: str) -> None:
    """What is raced and how much, before it begins: budgets, spaces, routing, time."""
    from steepest.race import environment
    from steepest.race.progress import duration
    from steepest.race.spaces import written

    s = plan.settings
    for task in plan.tasks.values():
        console.print(f"{task.name}: {task.description}; {task.steps} steps of {task.batch}.", soft_wrap=True)
    for one in plan.entrants.values():
        console.print(f"{one.name}: {one.code}; {one.routing}; {'; '.join(map(written, one.space))}", soft_wrap=True, style="dim")
    if s.defaults:
        each = f"{s.seeds} seeds at its defaults"
    else:
        each = f"{s.trials} tuning runs, {s.seeds} seeds at the chosen point"
        each += f", all of it {s.studies} times" if s.studies > 1 else ""
        each += f", {len(s.multiples)} learning rates around the best" if s.multiples else ""
    console.print(f"For each optimizer on each task: {each}. {len(plan.field.jobs)} runs in all.", soft_wrap=True)
    if plan.new:
        console.print(
            f"About {duration(plan.seconds / max(workers, 1))} with {max(workers, 1)} workers, by steps timed just now.", soft_wrap=True
        )
    else:
        console.print(f"Going on with the race in {where}.", soft_wrap=True)
        if plan.header["code"] != environment.code():
            console.print("Steepest has changed since the race began; the record will say which runs are of which code.", soft_wrap=True)
    if not workers:
        console.print(f"No workers here: start some with `steepest race worker --storage {where}`.", soft_wrap=True)


def _worker(args: argparse.Namespace) -> int:
    with NeedsExtra():
        from steepest.race import worker

    return worker.main(args.storage, report=args.report, heartbeat=args.heartbeat, curve_folder=args.curves, parent=args.parent)


def _report(args: argparse.Namespace) -> int:
    from steepest.race import address

    url = address.url_of(args.record)
    path = address.file_of(url)
    beside = Path("race.html") if path is None else path.with_suffix(".html")
    return _shown(_console(), url, Path(args.out) if args.out else beside)


def _shown(console: "Console", url: str, page: Path) -> int:
    """The result of a record: table and page."""
    with NeedsExtra():
        from steepest.race import address, reading

    path = address.file_of(url) or url
    _present(console, reading.load(path), reading.curves_of(path), page, address.shown(url))
    return 0


def _export(args: argparse.Namespace) -> int:
    with NeedsExtra():
        from steepest.race import address, reading

    url = address.url_of(args.record)
    runs = reading.export(address.file_of(url) or url, args.file, with_curves=not args.no_curves)
    size = args.file.stat().st_size / 1e6
    _console().print(f"Wrote {args.file}: {runs} runs, {size:.2g} MB. `steepest race report {args.file}` makes its page.", soft_wrap=True)
    return 0


def _compare(args: argparse.Namespace) -> int:
    with NeedsExtra():
        from steepest.race import reading

    both = args.first, args.second
    _present(_console(), reading.joined(*both), reading.joined_curves(*both), Path(args.out), " and ".join(map(str, both)))
    return 0


def _present(console: "Console", race: "Race", curves: "Callable[[Trial], Curve]", page: Path, where: str) -> None:
    from steepest.race import report, summary

    for table in summary.tables(race, console.width):
        console.print(table)
    for line in summary.notes(race):
        console.print(line, soft_wrap=True, style="dim")
    report.write(race, page, curves)
    console.print(f"The record is {where}. Wrote {page}.", soft_wrap=True)
