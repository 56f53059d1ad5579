"""Formulas: LaTeX becomes MathML while the site is built. Browsers draw it; there is no script and no font to fetch."""

from typing import Any

from latex2mathml.converter import convert


def mathml(lines: str) -> str:
    """Equations, one a line, as blocks."""
    return "".join(f'<div class="formula">{convert(line, display="block")}</div>' for line in lines.splitlines() if line.strip())


def inline(latex: str) -> str:
    """A letter or a term within a line of text."""
    return convert(latex)


def fence(source: str, *_: Any, **__: Any) -> str:
    """A block ```math, for pymdownx.superfences."""
    return mathml(source)
