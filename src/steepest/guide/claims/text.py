"""What `steepest claims` prints."""

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from steepest.guide.claims.slips import SLIPS
from steepest.guide.claims.verdict import Beside, Verdict

WORDS = {"supported": "supported", "contradicted": "contradicted", "undecided": "undecided at this scale"}
_SIGNS = {"supported": "+", "contradicted": "-", "undecided": "?"}
_OPPOSITES = {"more": "less", "less": "more", "fewer": "more"}
_COLOURS = {"supported": 32, "contradicted": 31, "undecided": 33}


def listing(verdicts: Sequence[Verdict], *, colour: bool = False) -> str:
    """One line a claim."""
    names = max((len(v.id) for v in verdicts), default=0)
    claims = max((len(v.claim) for v in verdicts), default=0)
    figures = max((len(figure(v)) for v in verdicts), default=0)
    lines = [f"{_word(v, colour)}  {v.id:{names}}  {v.claim:{claims}}  {figure(v):{figures}}  {_signs(v)}" for v in verdicts]
    told = "The last column: on how many tasks, each by itself, it is supported (+), contradicted (-), undecided (?).\n"
    return "".join(f"{line}\n" for line in lines) + (told if lines else "")


def _signs(v: Verdict) -> str:
    return " ".join(f"{n}{_SIGNS[word]}" for word, n in asdict(v.by_task).items() if n)


def by_task(v: Verdict) -> str:
    """`supported on 5 tasks, contradicted on 3, undecided on 4: it depends on the task`."""
    said = [f"{word} on {n}" for word, n in asdict(v.by_task).items() if n]
    depends = ": it depends on the task" if v.by_task.supported and v.by_task.contradicted else ""
    return f"each by itself: {', '.join(said) or 'none'}{depends}"


def slips() -> str:
    """What needs no experiment."""
    return "".join(_paragraph("", f'"{s.said}" {s.right} {s.source}', indent=2) for s in SLIPS)


def page(v: Verdict) -> str:
    """One claim in full."""
    asked = f"{v.side} {number(v.threshold)} {v.unit}"
    parts = [
        ("Verdict", WORDS[v.verdict]),
        ("Estimate", f"{figure(v)}, 95 % interval; the hypothesis says {asked}"),
        ("Tasks", by_task(v)),
        ("Hypothesis", v.hypothesis),
        ("Design", v.design),
        ("Data", v.data),
        *(("Beside", f"{one.what}: {_interval(one)}") for one in v.beside),
        ("Limits", v.limits),
        ("About", ", ".join(v.about)),
        ("Again", f"steepest claims --run {v.id}"),
    ]
    return f"{v.id}: {v.claim}\n\n" + "".join(_paragraph(name, text) for name, text in parts)


def figure(v: Verdict) -> str:
    """`14 % less error (6 to 22)`; what is negative is said the other way round, `3 % more error (-8 to 14)`."""
    unit, estimate, low, high = v.unit, v.estimate, v.low, v.high
    if estimate < 0 and (turned := _turned(unit)) != unit:
        unit, estimate, low, high = turned, -estimate, -high, -low
    return f"{number(estimate)} {unit} ({number(low)} to {number(high)})"


def _turned(unit: str) -> str:
    return " ".join(_OPPOSITES.get(word, word) for word in unit.split(" "))


def _interval(one: Beside) -> str:
    return f"{number(one.estimate)} ({number(one.low)} to {number(one.high)})"


def number(value: float) -> str:
    """Two digits, three from 100 on.

    >>> [number(x) for x in (123.4, 14.26, 0.4567, -0.05, 0.0)]
    ['123', '14', '0.46', '-0.05', '0']
    """
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _word(v: Verdict, colour: bool) -> str:
    word = f"{v.verdict:12}"
    return f"\x1b[{_COLOURS[v.verdict]}m{word}\x1b[0m" if colour else word


def _paragraph(name: str, text: str, indent: int = 12) -> str:
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    return textwrap.fill(text, width, initial_indent=f"{name:{indent}}", subsequent_indent=" " * indent, break_on_hyphens=False) + "\n"
