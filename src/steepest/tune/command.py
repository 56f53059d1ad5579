"""`steepest tune`: a range test on a task of the race, or of your own."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from steepest.errors import SteepestError, TuneError
from steepest.files import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `steepest tune`."""
    add = parser.add_argument
    add("task", help="a task of the race, such as digits-mlp, or your own: my_task.py:make")
    add("optimizer", nargs="?", default="adamw", help="one of ours, or torch.optim:NAdam, or package:Class(argument=1) (default: adamw)")
    add("--low", type=float, default=1e-6, metavar="LR", help="the lowest learning rate (default: 1e-6)")
    add("--high", type=float, default=10.0, metavar="LR", help="the highest (default: 10)")
    add("--steps", type=int, default=200, metavar="N", help="steps from the lowest to the highest (default: 200)")
    add("--repeats", type=int, default=3, metavar="N", help="how often, each time on other batches (default: 3)")
    add("--seed", type=int, default=0, metavar="N", help="of the first weights and the order of the data (default: 0)")
    add("--out", type=Path, metavar="FILE", help="write the picture, NAME.svg")
    add("--json", action="store_true", help="print curves and suggestion as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 a suggestion, 1 none, 2 wrong arguments."""
    try:
        return _run(args)
    except SteepestError as error:
        sys.stderr.write(f"steepest tune: {error}\n")
        return 2


def _run(args: argparse.Namespace) -> int:
    from steepest.race import tasks
    from steepest.race.entrants import entrants
    from steepest.tune import picture
    from steepest.tune.on_task import on_task

    if args.out is not None and args.out.suffix != ".svg":
        raise TuneError(f"--out {args.out}: the picture is an SVG file. Write {args.out.with_suffix('.svg')}.")
    task = tasks.task(args.task)
    (entrant,) = entrants((args.optimizer,), 1, ()).values()
    result = on_task(task, entrant, seed=args.seed, low=args.low, high=args.high, steps=args.steps, repeats=args.repeats)
    said, title = result.suggestion, f"{entrant.title} on {task.name}"
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with whole(args.out) as partial:
            partial.write_text(picture.svg(result, title), encoding="utf-8")
    if args.json:
        sys.stdout.write(json.dumps(asdict(result), indent=1) + "\n")
    elif said.rate is None:
        sys.stdout.write(f"{picture.text(result)}\n{title}: no suggestion, since {said.why}.\n")
    else:
        around = f"--space {entrant.name}:lr={said.rate / 5:.2g}..{said.rate * 5:.2g}"
        sys.stdout.write(
            f"{picture.text(result)}\n"
            f"{title}: start with a learning rate of {said.rate:.2g}; "
            f"the noise of {args.repeats} curves allows {said.low:.2g} to {said.high:.2g}.\n"
            f"It is {said.why}. Then tune around it: {_race(args, around)}\n"
        )
    return 0 if said.rate is not None else 1


def _race(args: argparse.Namespace, around: str) -> str:
    task = "--task" if ":" in args.task else "--tasks"
    who = "--with" if ":" in args.optimizer else "--optimizers"
    return f"steepest race {task} {args.task} {who} '{args.optimizer}' {around}"
