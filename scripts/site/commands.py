"""The command line, from its own parsers."""

import argparse
import os
from collections.abc import Iterator
from unittest.mock import patch

from scripts.site.markdown import code
from steepest import cli


def page() -> str:
    """The help of every command."""
    parts = [
        "# Command line\n",
        "What `--help` prints, for each command. Exit status: 0 done, 1 nothing found, 2 wrong arguments, 130 interrupted.\n",
    ]
    with patch.dict(os.environ, {"COLUMNS": "96", "NO_COLOR": "1"}):
        for parser in parsers(cli.parser()):
            parts += [f"## {parser.prog}\n", code("text", parser.format_help())]
    return "\n".join(parts)


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from parsers(sub)
