"""What a name means elsewhere: the frameworks' arguments and defaults, and what docs/parity.md has measured."""

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import griffe

from scripts.site import frameworks, reference
from scripts.site.markdown import table
from steepest.registry import Registration

ROOT = Path(__file__).parents[2]


def notes(entry: Registration) -> str:
    """For one optimizer's page."""
    parts = [_defaults(entry), *_measured(entry), "How it was measured, and all the others: [Parity](../parity.md).\n"]
    return "\n".join(part for part in parts if part)


def _defaults(entry: Registration) -> str:
    """Every argument as the drop-in classes of the frameworks call it, with its default there."""
    heads, columns = [f"`steepest.{entry.name}`"], [{name: f"`{default!r}`" for name, default in entry.defaults.items()}]
    for face, title in frameworks.TITLES.items():
        call = frameworks.call(entry.build(), face, "")
        if call.names[0] == frameworks.ANY[face]:
            continue
        heads.append(f"`steepest.{face}.{call.names[0]}` ({title})")
        columns.append(_theirs(face, call.names[0], frameworks.NAMES[face]))
    if len(heads) == 1:
        return ""
    rows = [(f"`{n}`", *(c.get(n, "–") for c in columns)) for n in entry.defaults if any(n in c for c in columns[1:])]
    return "Arguments and defaults; a drop-in class has those of its framework, or of the authors:\n\n" + table(("argument", *heads), rows)


def _theirs(face: str, name: str, names: Mapping[str, str]) -> dict[str, str]:
    """Neutral name of an argument to its name and default in a framework."""
    given = {p.name: None if p.default is None else str(p.default) for p in _signature(face, name)}
    found = {}
    for neutral in {*names, *given}:
        theirs = names.get(neutral, neutral)
        word, _, index = theirs.partition("[")
        if word in given:
            found[neutral] = f"`{theirs}`{_default(given[word], index.rstrip(']'))}"
    return found


def _default(text: str | None, index: str) -> str:
    if text is None:
        return " is to be given"
    if index:
        text = repr(ast.literal_eval(text)[int(index)])
    return "" if text == "None" else f" = `{text}`"


def _signature(face: str, name: str) -> griffe.Parameters:
    """Read off the source, so that no framework is imported."""
    it = _package()[f"{reference.names(f'steepest.{face}')[name]}.{name}".removeprefix("steepest.")]
    return it.members["__init__"].parameters if it.is_class else it.parameters


@cache
def _package() -> griffe.Object:
    loaded = griffe.load("steepest", search_paths=[ROOT / "src"])
    assert isinstance(loaded, griffe.Object)
    return loaded


def _measured(entry: Registration) -> list[str]:
    """The rows of docs/parity.md for this name."""
    same, different = _tables()
    found = [row for row in same[2:] if row[0] == entry.title]
    faces = [(face, *c.split(": ", 1)) for row in found for face, c in zip(same[0][1:], row[1:], strict=True) if c]
    apart = [row for row in different[2:] if row[0].partition(",")[0] == entry.title]
    parts = []
    if faces:
        parts += ["Our class of this name beside another's, over 200 steps, as the largest difference relative to the weights:\n"]
        parts += [table(("in", "beside", "difference"), faces)]
    if apart:
        parts += ["How far the frameworks themselves come apart in 200 steps with the same arguments and gradients:\n"]
        parts += [table(different[0], apart)]
    return parts


@cache
def _tables() -> list[list[list[str]]]:
    text = (ROOT / "docs" / "parity.md").read_text()
    blocks = re.findall(r"((?:^\|.*\n)+)", text, re.M)
    return [[[c.strip() for c in line.strip()[1:-1].split("|")] for line in block.splitlines()] for block in blocks]
