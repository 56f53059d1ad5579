"""The curves of a range test, as an SVG file for the eye and as lines of text for a terminal."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from steepest.tune.suggest import Sweep, smooth

if TYPE_CHECKING:
    from steepest.tune.range_test import RangeTest

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 64, 20, 56, 52

STYLE = """
  svg { background: #fff; font: 13px system-ui, sans-serif }
  text { fill: #333 } .title { font-size: 16px; font-weight: 600 } .quiet { fill: #666 }
  .axis { stroke: #bbb } .grid { stroke: #eee }
  .seen { fill: #0072b2; opacity: .25 } .smoothed { fill: none; stroke: #0072b2; stroke-width: 2 }
  .band { fill: #d55e00; opacity: .15 } .rate { stroke: #d55e00; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181d } text { fill: #ddd } .quiet { fill: #999 } .axis { stroke: #555 } .grid { stroke: #2a2d34 }
    .seen { fill: #56b4e9 } .smoothed { stroke: #56b4e9 } .band { fill: #e69f00 } .rate { stroke: #e69f00 }
  }
"""


class _Frame:
    """From rates and losses to places in the picture; losses above the frame are drawn at its top."""

    def __init__(self, sweeps: Sequence[Sweep]) -> None:
        rates = [rate for s in sweeps for rate in s.rates]
        self.low, self.high = math.log10(min(rates)), math.log10(max(rates))
        curves = [smooth(s.rates, s.losses) for s in sweeps]
        self.floor = min(float(c.min()) for c in curves)
        start = max(float(c[0]) for c in curves)
        self.floor, self.ceiling = self.floor - 0.08 * (start - self.floor), start + 0.25 * (start - self.floor) + 1e-12

    def x(self, rate: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(rate) - self.low) / max(self.high - self.low, 1e-12)

    def y(self, loss: float) -> float:
        share = (min(max(loss, self.floor), self.ceiling) - self.floor) / (self.ceiling - self.floor)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def svg(result: "RangeTest", title: str) -> str:
    """The picture: every loss as a dot, the smoothed curves, the suggestion with its uncertainty. Light or dark, as the reader's screen."""
    drawn = [s for s in result.sweeps if len(s.rates) > 1]
    said = result.suggestion
    words = _sentence(result)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}: {escape(words)}</title><style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text><text class="quiet" x="{LEFT}" y="42">{escape(words)}</text>',
    ]
    if drawn:
        frame = _Frame(drawn)
        parts += _axes(frame)
        if said.rate is not None and said.low is not None and said.high is not None:
            left, right = frame.x(said.low), frame.x(said.high)
            parts.append(f'<rect class="band" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{HEIGHT - TOP - BOTTOM}"/>')
            parts.append(_line("rate", frame.x(said.rate), TOP, frame.x(said.rate), HEIGHT - BOTTOM))
        for s in drawn:
            parts += [
                f'<circle class="seen" cx="{frame.x(r):.1f}" cy="{frame.y(v):.1f}" r="2"/>' for r, v in zip(s.rates, s.losses, strict=True)
            ]
        for s in drawn:
            points = " ".join(f"{frame.x(r):.1f},{frame.y(float(v)):.1f}" for r, v in zip(s.rates, smooth(s.rates, s.losses), strict=True))
            parts.append(f'<polyline class="smoothed" points="{points}"/>')
    return "\n".join([*parts, "</svg>\n"])


def _axes(frame: _Frame) -> list[str]:
    parts: list[str] = []
    for power in range(math.ceil(frame.low), math.floor(frame.high) + 1):
        x = frame.x(10.0**power)
        parts.append(_line("grid", x, TOP, x, HEIGHT - BOTTOM))
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10.0**power:g}</text>')
    for loss in np.linspace(frame.floor, frame.ceiling, 5):
        y = frame.y(float(loss))
        parts.append(_line("grid", LEFT, y, WIDTH - RIGHT, y))
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{loss:.3g}</text>')
    parts.append(_line("axis", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM))
    parts.append(f'<text class="quiet" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">learning rate</text>')
    parts.append(f'<text class="quiet" x="{LEFT - 8}" y="{TOP - 14}" text-anchor="end">loss</text>')
    return parts


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _sentence(result: "RangeTest") -> str:
    said = result.suggestion
    if said.rate is None:
        return f"no suggestion: {said.why}"
    return f"start with {said.rate:.2g}; the noise allows {said.low:.2g} to {said.high:.2g}"


def text(result: "RangeTest", columns: int = 72, rows: int = 10) -> str:
    """The middle of the smoothed curves in characters, the suggestion marked below. Empty, if there is nothing to draw."""
    drawn = [s for s in result.sweeps if len(s.rates) > 1]
    if not drawn:
        return ""
    frame = _Frame(drawn)
    at = np.logspace(frame.low, frame.high, columns)
    curves = [np.interp(np.log10(at), np.log10(s.rates), smooth(s.rates, s.losses), right=math.inf) for s in drawn]
    middle = np.median(curves, axis=0)
    step = (frame.ceiling - frame.floor) / rows
    lines: list[str] = []
    for row in range(rows - 1, -1, -1):
        label = f"{frame.floor + (row + 0.5) * step:.3g}" if row in (0, rows - 1) else ""
        inside = [frame.floor + row * step <= min(v, frame.ceiling - 1e-9 * step) < frame.floor + (row + 1) * step for v in middle]
        lines.append(f"{label:>8} │{''.join('•' if here else ' ' for here in inside)}".rstrip())
    marks = [" "] * columns
    if (rate := result.suggestion.rate) is not None:
        marks[int(np.argmin(abs(np.log10(at) - math.log10(rate))))] = "▲"
    ends = f"{10**frame.low:.3g}{f'{10**frame.high:.3g}':>{columns - len(f'{10**frame.low:.3g}')}}"
    return "\n".join([*lines, f"{'':8} └{'─' * columns}", f"{'':10}{''.join(marks).rstrip()}", f"{'':10}{ends}"]) + "\n"
