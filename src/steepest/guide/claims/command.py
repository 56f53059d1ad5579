"""`steepest claims`: what the textbook says, and what came of it.

steepest claims                 all claims with the verdicts that come with Steepest
steepest claims ID              one in full
steepest claims --run [IDS]     run the experiments again
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from steepest.errors import ClaimError, SteepestError

if TYPE_CHECKING:
    from steepest.guide.claims.catalogue import Claim
    from steepest.guide.claims.verdict import Verdict

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `steepest claims`."""
    parser.add_argument("id", nargs="?", help="one claim in full; without it all of them, one line each")
    everything = "run the experiments of these claims again (ids with commas between; all of them, if none is given)"
    parser.add_argument("--run", dest="again", nargs="?", const="", metavar="IDS", help=everything)
    parser.add_argument("--quick", action="store_true", help="with --run: less of everything, minutes instead of half an hour")
    parser.add_argument("--out", metavar="FOLDER", help="with --run: where records and verdicts go (default: claims, or claims-quick)")
    parser.add_argument("--workers", type=int, metavar="N", help="with --run: processes (default: one a core)")
    parser.add_argument("--from", dest="source", metavar="FOLDER", help="show the verdicts that --run wrote there, not the shipped ones")
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def run(args: argparse.Namespace) -> int:
    """Do what `args` asks for. Returns the exit status."""
    try:
        return _again(args) if args.again is not None else _show(args)
    except SteepestError as error:
        sys.stderr.write(f"steepest claims: {error}\n")
        return 2


def _show(args: argparse.Namespace) -> int:
    from steepest.guide.claims import judging, text

    for flag in ("quick", "out", "workers"):
        if getattr(args, flag):
            raise ClaimError(f"--{flag} goes with --run: `steepest claims --run {args.id or ''}`.".replace(" `.", "`."))
    claim = None if args.id is None else judging.claim_of(args.id)
    found = judging.verdicts() if args.source is None else judging.written(Path(args.source))
    if claim is None:
        _print(found, args.json)
        return 0
    one = next((v for v in found if v.id == claim.id), None)
    if one is None:
        raise ClaimError(f"{args.source} has no verdict on {claim.id}: `steepest claims --run {claim.id} --out {args.source}` measures it.")
    sys.stdout.write(_json(asdict(one)) if args.json else text.page(one))
    return 0


def _again(args: argparse.Namespace) -> int:
    if args.id is not None:
        raise ClaimError(f"Both {args.id} and --run: write `steepest claims --run {args.id}`.")
    wanted = _wanted(args.again)
    if args.workers is not None and args.workers < 1:
        raise ClaimError(f"--workers {args.workers}: give 1 or more.")
    from steepest.race.extra import NeedsExtra

    with NeedsExtra():
        from rich.console import Console

        from steepest.guide.claims import running
        from steepest.race import engine, environment

    out = Path(args.out or ("claims-quick" if args.quick else "claims"))
    console = Console(stderr=True, highlight=False, markup=False)
    try:
        found = running.run(wanted, out, args.workers or environment.cores(), quick=args.quick, console=console)
    except engine.Interrupted:
        console.print(f"Interrupted. What is done is kept in {out}; the same command goes on from there.", soft_wrap=True)
        return INTERRUPTED
    _print(found, args.json)
    console.print(f"Records and verdicts are in {out}; `steepest claims --from {out} ID` shows one in full.", soft_wrap=True)
    return 0


def _wanted(ids: str) -> "list[Claim]":
    from steepest.guide.claims.catalogue import CLAIMS
    from steepest.guide.claims.judging import claim_of

    names = [name for name in (n.strip() for n in ids.split(",")) if name]
    return [claim_of(name) for name in names] or list(CLAIMS)


def _print(found: "Sequence[Verdict]", as_json: bool) -> None:
    from steepest.guide.claims import text

    if as_json:
        sys.stdout.write(_json([asdict(v) for v in found]))
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout.write(text.listing(found, colour=colour))
    sys.stdout.write(f"\nNo experiment is needed to correct two slips:\n{text.slips()}")


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
