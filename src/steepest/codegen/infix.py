"""Infix text: one printer for every language that writes a + b; a language is a table."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from steepest.expr import Expr, walk

Namer = Callable[[Expr], str | None]
"""The name of an expression that has one: an input, a constant, or something assigned before."""


class Spelling(NamedTuple):
    """How one operation is written: `{0}` and `{1}` are the operands, `rank` how tightly it binds."""

    text: str
    rank: int = 100  # 100: a call or a name, which never needs brackets
    inner: tuple[int, ...] = (0, 0, 0)  # the least rank an operand may have without brackets


def left(text: str, rank: int) -> Spelling:
    """An operator that groups to the left: a - b - c is (a - b) - c."""
    return Spelling(text, rank, (rank, rank + 1))


def text(e: Expr, names: Namer, table: Mapping[str, Spelling]) -> str:
    """`e` spelled out down to what `names` knows; `e` itself is spelled out even if it has a name."""

    def write(e: Expr, top: bool) -> tuple[str, int]:
        name = None if top and e.args else names(e)
        if name is not None:
            return name, 60 if name.startswith("-") else 100
        square = e.op == "mul" and e.args[0] is e.args[1] and "square" in table
        spelling = table["square" if square else e.op]
        parts: list[str] = []
        for a, least in zip(e.args, spelling.inner, strict=False):
            part, rank = write(a, False)
            parts.append(part if rank >= least else f"({part})")
        return spelling.text.format(*parts), spelling.rank

    return write(e, True)[0]


def shared(roots: Iterable[Expr], inside: Callable[[Expr], bool]) -> list[Expr]:
    """The operations below `roots` that are used more than once, in order: each deserves a name."""
    roots = list(roots)
    uses: dict[int, int] = {}
    order = list(walk(roots, inside))
    for used in [a for e in order for a in e.args] + roots:
        uses[id(used)] = uses.get(id(used), 0) + 1
    return [e for e in order if e.args and uses[id(e)] > 1]


class Names:
    """Names given so far, and the assignments that gave them."""

    def __init__(self, leaf: Namer, table: Mapping[str, Spelling]) -> None:
        self.leaf, self.table = leaf, table
        self.given: dict[int, str] = {}
        self.lines: list[str] = []

    def __call__(self, e: Expr) -> str | None:
        return self.given.get(id(e)) or self.leaf(e)

    def spell(self, e: Expr) -> str:
        """The name of `e`, or its text."""
        return self(e) or text(e, self, self.table)

    def assign(self, name: str, e: Expr) -> None:
        """`name = e` as the next line; from here on `e` is called `name`."""
        self.lines.append(f"{name} = {text(e, self, self.table) if e.args else self.spell(e)}")
        self.given[id(e)] = name
