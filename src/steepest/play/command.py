"""`steepest play`: write the playground and open it."""

import argparse
import webbrowser
from pathlib import Path

from steepest.errors import SteepestError
from steepest.play.page import page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `steepest play`."""
    parser.add_argument("--out", type=Path, default=Path("playground.html"), metavar="FILE", help="where to write it (playground.html)")
    parser.add_argument("--no-open", action="store_true", help="write it, but open no browser")


def run(args: argparse.Namespace) -> int:
    """Write the page; open it unless told not to."""
    try:
        args.out.write_text(page(), encoding="utf-8")
    except OSError as error:
        raise SteepestError(
            f"The playground cannot be written to {args.out}: {error.strerror}. Choose another place with --out."
        ) from error
    print(args.out)
    if not args.no_open and not webbrowser.open(args.out.absolute().as_uri()):
        print("No browser could be opened from here: open that file in one.")
    return 0
