"""The command `steepest`: list, show, advise, claims, convert, race, tune, play."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import steepest
from steepest import show
from steepest.errors import SteepestError


def _list(args: argparse.Namespace) -> int:
    found = show.listing(args.pattern)
    if not found:
        print(f"No optimizer matches {args.pattern!r}. `steepest list` names them all.", file=sys.stderr)
        return 1
    print(found, end="")
    return 0


def _show(args: argparse.Namespace) -> int:
    print(show.code(args.name, args.code) if args.code else show.page(args.name), end="")
    return 0


def _convert(args: argparse.Namespace) -> int:
    from steepest import checkpoint

    converted = checkpoint.convert(checkpoint.load(args.file), args.to)
    out = args.out or args.file.with_suffix(f".{args.to}{args.file.suffix}")
    checkpoint.save(out, converted.state)
    print(f"{out}: restore it into {converted.call}", *(f"    {note}" for note in converted.notes), sep="\n")
    return 0


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    top = argparse.ArgumentParser(prog="steepest", description="Deep-learning optimizers: one rule, one fused kernel, honest evidence.")
    top.add_argument("--version", action="version", version=f"steepest {steepest.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="name the optimizers, one line each")
    listing.add_argument("pattern", nargs="?", default="*", help="only those that match, for example 'ada*'")
    listing.set_defaults(run=_list)

    one = commands.add_parser("show", help="formula, defaults, source, memory and loop of one optimizer")
    one.add_argument("name", help="a name that `steepest list` gives")
    one.add_argument(
        "--code", choices=show.CODE, help="print its code instead: the kernel it becomes is `llvm` on a CPU, `triton` on a GPU"
    )
    one.set_defaults(run=_show)

    advise = commands.add_parser("advise", help="which optimizer for your model, how to begin with it, and why")
    from steepest.guide.advise import command as advising

    advising.add_arguments(advise)
    advise.set_defaults(run=advising.run)

    convert = commands.add_parser("convert", help="turn a checkpoint of steepest.checkpoint into another framework's convention")
    convert.add_argument("file", type=Path, help="a file that steepest.checkpoint.save has written")
    convert.add_argument("--to", required=True, choices=("torch", "keras", "optax"), help="the framework that is to go on")
    convert.add_argument("--out", type=Path, help="where to write it (FILE.TO.safetensors)")
    convert.set_defaults(run=_convert)

    race = commands.add_parser("race", help="compare optimizers on real data; writes race.html, race.db and race.parquet")
    from steepest.race import command

    command.add_arguments(race)
    race.set_defaults(run=command.run)

    tune = commands.add_parser("tune", help="suggest a learning rate by a range test on a task of the race or your own")
    from steepest.tune import command as tuning

    tuning.add_arguments(tune)
    play = commands.add_parser("play", help="write the playground, a page to watch optimizers in, and open it")
    from steepest.play import command as playing

    playing.add_arguments(play)
    play.set_defaults(run=playing.run)

    claims = commands.add_parser(
        "claims", help="the textbook's claims about optimizers, tested: verdicts, figures, and how to run them again"
    )
    from steepest.guide.claims import command as claims_command

    claims_command.add_arguments(claims)
    claims.set_defaults(run=claims_command.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0 done, 1 nothing found, 2 wrong arguments, 130 interrupted."""
    args = parser().parse_args(arguments)
    try:
        return args.run(args)
    except (SteepestError, FileNotFoundError) as error:
        print(f"steepest: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader, `head` perhaps, has seen enough
        return 0
    except KeyboardInterrupt:
        return 130
