"""The answer for a terminal: what to do in the first five lines, then why, what speaks against it, and the code.

Short by default: the first place has all of its reasons with their figures, the others one for and one against.
"""

import textwrap

from steepest.guide.advise import code, racing
from steepest.guide.advise.advice import Advice, Pick
from steepest.guide.advise.scaling import Axis, Note
from steepest.guide.facts import Fact
from steepest.guide.model.memory import written

WIDTH = 100
CONFLICTS = 5
"""How many are named in the short page."""
_INDENT = " " * 10
_NAMES = {"weight_decay": "weight decay", "decay": "mean of squares", "warmup": "warm-up (share of the run)"}
_KINDS = {"Cosine": "cosine", "Linear": "straight line"}


def page(a: Advice, long: bool = False) -> str:
    """The whole answer."""
    parts = (_short(a), _list(a), _why(a, long), _conflicts(a, long), _notes(a), _code(a), _race(a, long))
    return "\n".join(part for part in parts if part)


def _short(a: Advice) -> str:
    """Five rows for who is in a hurry."""
    best, s = a.best, a.situation
    trained = f", {quantity(s.trainable)} of them trained" if s.trainable < s.parameters else ""
    outside = [o.title for o in a.others]
    race = " and ".join([", ".join(p.title for p in a.picks[1:])] * bool(a.picks[1:]))
    race += f"{'; ' if race else ''}outside Steepest {' and '.join(outside[:2])}" if outside else ""
    return "".join(
        [
            _wrapped(f"{best.title} for {a.title}, {quantity(s.parameters)} parameters{trained}, batch {s.batch:,}, {s.steps:,} steps", ""),
            _row("start", begin(best)),
            _row("memory", _memory(best, s.memory)),
            _row("tune", _tune(best, s.budget)),
            *([_row("race", race)] if race else []),
        ]
    )


def begin(p: Pick) -> str:
    """The numbers to begin with: `lr 0.001, b2 0.987; warm-up 1,000 steps, cosine to 1 %`."""
    start, schedule = p.start, p.start.schedule
    numbers = ", ".join(f"{_NAMES.get(k, k)} {v:g}" for k, v in start.arguments.items() if k != "weight_decay" or v)
    warm = f"warm-up {schedule.warmup:,} steps, " if schedule.warmup else ""
    clip = f"; clip to norm {start.clip:g}" if start.clip else ""
    return f"{numbers}; {warm}{_KINDS[type(schedule).__name__]} to {100 * schedule.floor:g} %{clip}"


def _memory(p: Pick, limit: int | None) -> str:
    m = p.memory
    parts = f"weights {written(m.weights)}, gradients {written(m.gradients)}, state {written(m.state)}"
    if limit is None:
        return f"{written(m.total)}: {parts}; activations come on top"
    return f"{written(m.total)} of {written(limit)}: {parts}; activations have {written(limit - m.total)}"


def _tune(p: Pick, budget: int) -> str:
    if not p.start.axes:
        return "nothing: with no run to spare, race several at their defaults rather than one"
    return f"{', '.join(map(_axis, p.start.axes))}; in {budget} full-length run{'s' if budget > 1 else ''}"


def _axis(a: Axis) -> str:
    return f"{_NAMES.get(a.name, a.name)} {a.low:g} to {a.high:g}"


def _list(a: Advice) -> str:
    """The short list as a table."""
    head = ("", "", "lr", "weight decay", "warm-up", "then", "state", "in all", "evidence")
    rows = [
        (
            str(i),
            p.title,
            f"{p.start.arguments['lr']:g}",
            f"{p.start.arguments.get('weight_decay', 0):g}",
            f"{p.start.schedule.warmup:,}",
            _KINDS[type(p.start.schedule).__name__],
            written(p.memory.state),
            written(p.memory.total),
            p.grade + (", thin" if p.thin else ""),
        )
        for i, p in enumerate(a.picks, 1)
    ]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "".join("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in (head, *rows))


def _why(a: Advice, long: bool) -> str:
    """Why each has its place, and what speaks against it. What has been said once is named only."""
    said = _Said()
    lines: list[str] = []
    for i, p in enumerate(a.picks, 1):
        full = long or i == 1
        most = None if long else 2 if full else 1
        lines.append(f"{i}  {p.title}\n")
        lines += [_row("here", "; ".join(p.because))] if p.because else []
        lines += [_row("why", said(f, full)) for f in p.in_favour[:most]]
        lines += [_row("but", said(f, full)) for f in p.against[:most]]
        if p.thin:
            lines.append(_row("thin", f"no benchmark that speaks for {p.title} is about this kind of model in particular: race it"))
        if full:
            lines += [_row("scaling", _note(n)) for n in p.start.notes]
    for o in a.others if long else a.others[:2]:
        lines.append(f"-  {o.title}, not in Steepest\n")
        lines += [_row("why", said(f, long)) for f in o.in_favour[: None if long else 1]]
        lines += [_row("but", said(f, long)) for f in o.against[: None if long else 1]]
        lines.append(_row("race", "; ".join(filter(None, (o.peer and f'--with "{o.peer}"', o.note)))))
    return "".join(lines)


class _Said:
    """Says a fact in full, or without its figure, the first time; by name afterwards."""

    def __init__(self) -> None:
        self.before: set[str] = set()

    def __call__(self, f: Fact, full: bool) -> str:
        if f.id in self.before:
            return f"{_name(f)}, above"
        self.before.add(f.id)
        return in_full(f) if full else f"[{f.grade}] {f.statement} ({f.id})"


def in_full(f: Fact) -> str:
    """Its grade, what it says, its figure, its name."""
    return f"[{f.grade}] {f.statement} {f.figure[0].upper()}{f.figure[1:]}. ({f.id})"


def _conflicts(a: Advice, long: bool) -> str:
    if not a.conflicts:
        return ""
    said = [f"{in_full(one)} AGAINST {in_full(two)}" if long else f"{_name(one)} against {_name(two)}" for one, two in a.conflicts]
    more = [] if long or len(said) <= CONFLICTS else [f"and {len(said) - CONFLICTS} more"]
    return "Sources that disagree\n" + "".join(_wrapped(line, "  ") for line in [*(said if long else said[:CONFLICTS]), *more])


def _notes(a: Advice) -> str:
    lines = [_row("seen", f"{a.seen}: {a.title}")] if a.seen else []
    lines += [_row("assumed", "; ".join(a.situation.assumed))] if a.situation.assumed else []
    lines += [_row("left out", f"{name} {why}") for name, why in a.left_out.items()]
    lines += [_row("note", _note(n)) for n in a.notes]
    return "".join(lines)


def _code(a: Advice) -> str:
    lines = [textwrap.indent(code.strategy(a.best), "    ")]
    for framework, title in code.FRAMEWORKS.items():
        lines.append(f"    # {title}\n" + textwrap.indent(code.face(a.best, framework).replace("\n\n", "\n"), "    "))
    return f"Code for {a.best.title}\n" + "".join(lines)


def _race(a: Advice, long: bool) -> str:
    more = "" if long else "Every reason in full: --long. As data: --json.\n"
    if not a.race:
        return f"To settle it, on a task of your own:\n    {racing.on_own_task([p.optimizer for p in a.picks])}\n{more}"
    return f"To settle it, on small models of this kind (or: --race):\n    {a.race}\n{more}"


def _name(f: Fact) -> str:
    return f"[{f.grade}] {f.id}"


def _note(n: Note) -> str:
    return n.says + (f" ({', '.join(n.facts[:2])})" if n.facts else "")


def _row(label: str, text: str) -> str:
    return _wrapped(text, f"  {label:8}", _INDENT)


def _wrapped(text: str, first: str, rest: str | None = None) -> str:
    rest = first if rest is None else rest
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False) + "\n"


def quantity(n: int) -> str:
    """124 M, 1.3 B, 30 k."""
    for unit, name in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if n >= unit * 0.9995:
            return f"{n / unit:.3g} {name}"
    return str(n)
