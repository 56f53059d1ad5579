"""Markdown: tables, code, lists."""

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]], wide: Sequence[int] = ()) -> str:
    """A table; bars and line ends in its cells are made harmless. Columns (from 1) that hold sentences are kept `wide` on a phone."""
    lines = [head, ["---"] * len(head), *rows]
    made = "".join(f"| {' | '.join(cell(c) for c in line)} |\n" for line in lines)
    return f'<div class="{" ".join(f"wide{i}" for i in wide)}" markdown>\n\n{made}\n</div>\n' if wide else made


def cell(text: object) -> str:
    """Text as one cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def code(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def tabs(parts: Iterable[tuple[str, str]]) -> str:
    """Blocks behind tabs."""
    return "\n".join(
        f'=== "{title}"\n\n' + "".join(f"    {line}\n" if line else "\n" for line in text.splitlines()) for title, text in parts
    )


def folded(title: str, text: str) -> str:
    """Text that opens at a click."""
    return f'??? note "{title}"\n\n' + "".join(f"    {line}\n" if line else "\n" for line in text.splitlines())


def bullets(items: Iterable[str]) -> str:
    """A list."""
    return "".join(f"- {item}\n" for item in items)


def capital(text: str) -> str:
    """The same with a capital first letter."""
    return text[:1].upper() + text[1:]


_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def cited(paper: str) -> str:
    """A source with its arXiv numbers as links."""
    return _ARXIV.sub(r"[\g<0>](https://arxiv.org/abs/\1)", paper)
