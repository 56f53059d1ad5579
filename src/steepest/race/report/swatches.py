"""The line and marker of an entrant as a small picture, for the legend and the tables: the shapes that plotly draws."""

import math
from collections.abc import Sequence

from steepest.race.report.looks import Look

_DASHES = {"solid": "none", "dash": "5 3", "dot": "2 3", "dashdot": "6 3 2 3"}
_Points = Sequence[tuple[float, float]]


def _ring(corners: int, radius: float, turn: float = 0.0) -> list[tuple[float, float]]:
    return [
        (radius * math.sin(turn + 2 * math.pi * i / corners), -radius * math.cos(turn + 2 * math.pi * i / corners)) for i in range(corners)
    ]


def _star(corners: int, outer: float, inner: float, turn: float = 0.0) -> list[tuple[float, float]]:
    tips, dents = _ring(corners, outer, turn), _ring(corners, inner, turn + math.pi / corners)
    return [point for pair in zip(tips, dents, strict=True) for point in pair]


def _turned(points: _Points, quarters: int) -> list[tuple[float, float]]:
    for _ in range(quarters):
        points = [(-y, x) for x, y in points]
    return list(points)


_CROSS: list[tuple[float, float]] = [
    (-1.6, -5),
    (1.6, -5),
    (1.6, -1.6),
    (5, -1.6),
    (5, 1.6),
    (1.6, 1.6),
    (1.6, 5),
    (-1.6, 5),
    (-1.6, 1.6),
    (-5, 1.6),
    (-5, -1.6),
    (-1.6, -1.6),
]
_HALF = math.sqrt(0.5)
_SHAPES: dict[str, _Points] = {
    "circle": _ring(24, 4.6),
    "square": _ring(4, 6, math.pi / 4),
    "diamond": _ring(4, 5.8),
    "triangle-up": _ring(3, 5.4),
    "triangle-down": _turned(_ring(3, 5.4), 2),
    "triangle-left": _turned(_ring(3, 5.4), 3),
    "triangle-right": _turned(_ring(3, 5.4), 1),
    "cross": _CROSS,
    "x": [(_HALF * (x - y), _HALF * (x + y)) for x, y in _CROSS],
    "star": _star(5, 6, 2.5),
    "pentagon": _ring(5, 5.4),
    "hexagon2": _ring(6, 5.4, math.pi / 6),
    "hourglass": [(-4.5, -5), (4.5, -5), (-4.5, 5), (4.5, 5)],
    "bowtie": [(-5, -4.5), (-5, 4.5), (5, -4.5), (5, 4.5)],
    "star-diamond": _star(4, 6, 3),
    "star-square": _star(4, 6, 3, math.pi / 4),
}


def swatch(look: Look) -> str:
    """A piece of its line with its marker."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _SHAPES[look.symbol])
    colour = f"var(--o{look.colour})"
    return (
        f'<svg class="swatch" viewBox="-16 -7 32 14" aria-hidden="true"><line x1="-16" x2="16" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{_DASHES[look.dash]}"/><polygon points="{points}" fill="{colour}"/></svg>'
    )
