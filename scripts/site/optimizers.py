"""A page for each registered optimizer, from its registration, its docstring and its graph; and the table of all."""

import inspect
import re
from collections.abc import Mapping

import griffe

from scripts.site import choices, claims, evidence, formulas, frameworks, parity
from scripts.site.markdown import cited, code, table, tabs
from steepest import registry
from steepest.codegen import latex, python
from steepest.plan import Plan, plan
from steepest.race.entrants import entrant
from steepest.race.spaces import EPS_FROM_TRIALS
from steepest.registry import Registration


def pages() -> dict[str, str]:
    """Every page by its path."""
    return {"optimizers/index.md": overview(), **{f"optimizers/{name}.md": page(name) for name in registry.optimizers()}}


def overview() -> str:
    """The table of all optimizers."""
    rows = []
    for name in registry.optimizers():
        entry = registry.registration(name)
        p = plan(entry.build())
        rows.append((f"[{entry.title}]({name}.md)", entry.summary, p.state_bytes(), p.ordinary().traffic(), cited(entry.paper)))
    return (
        "# The optimizers\n\n"
        "Each page is made from the rule itself: formula, loop, memory, hyperparameters and code follow from its graph,\n"
        "what speaks for and against it from the [evidence](../evidence.md). Bytes are for float32.\n\n"
        + table(
            ("optimizer", "what it is", "bytes of state per parameter", "bytes moved per parameter and step", "source"), rows, wide=(2,)
        )
        + "\nA rule of your own has the same standing: [your own strategy](../strategy.md). Which one to take:\n"
        "[how to choose](../choose.md).\n"
    )


def page(name: str) -> str:
    """All about one optimizer."""
    entry = registry.registration(name)
    p = plan(entry.build())
    said = docstring(entry)
    return "\n".join(
        [
            f"# {entry.title}\n",
            f"{entry.summary}\n",
            f"{said['text']}\n",
            f"Source: {cited(entry.paper)}.\n",
            "## When to use it, and when not\n",
            choices.about(name),
            "## In three frameworks\n",
            tabs(frameworks.tabbed(entry.build(), f"steepest.{name}()")),
            "## Hyperparameters\n",
            _hyperparameters(entry, said["arguments"]),
            "## Memory\n",
            _memory(p),
            "## Formula\n",
            _formulas(p),
            "## The loop it becomes\n",
            "What the fused kernel does, one element after the other; printed from the same graph.\n",
            _loops(name, p),
            "## As a strategy\n",
            _strategy(entry),
            "## Evidence\n",
            evidence.for_and_against(name),
            "## Claims tested\n",
            claims.about(name),
            "## The same name elsewhere\n",
            said["differs"],
            parity.notes(entry),
        ]
    )


def docstring(entry: Registration) -> dict:
    """An optimizer's docstring after its first line: the paragraphs, the arguments by name, "Differs from ..."."""
    text, arguments, differs = entry.notes, dict[str, str](), ""
    for section in griffe.Docstring(inspect.getdoc(entry.build) or "").parse("google", warnings=False):
        if section.kind is griffe.DocstringSectionKind.parameters:
            arguments = {a.name: a.description for a in section.value}
    text, _, rest = text.partition("Args:\n")
    _, _, differs = (rest or text).partition("Differs from:\n")
    differs = f"Steepest's differs from\n\n{differs.strip()}\n" if differs else ""
    return {"text": text.partition("Differs from:")[0].strip(), "arguments": arguments, "differs": differs}


def _memory(p: Plan) -> str:
    ordinary, heaviest = p.ordinary(), max(v.traffic() for v in p.variants.values())
    more = f"; {heaviest} where `{' or '.join(map(python.readable, p.tests))}`" if heaviest > ordinary.traffic() else ""
    slots = ", ".join(f"`{s}`" for s in p.slots) or "none"
    sizes = {"1 M": 1e6, "124 M": 124e6, "7 B": 7e9}
    bytes_ = p.state_bytes()
    rows = [
        ("state per parameter", f"{bytes_} bytes ({slots})"),
        ("memory traffic per parameter and step", f"{ordinary.traffic()} bytes{more}"),
        ("passes over memory in a step", f"{len(ordinary.passes)}"),
        *((f"state of {title} parameters", _size(bytes_ * count)) for title, count in sizes.items()),
    ]
    return table(("in float32", ""), rows) + "\nbfloat16 and float16 parameters keep their state in their own dtype: half of it.\n"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def _cases(p: Plan) -> list[tuple[str, object]]:
    """The variants of a step, ordinary ones first, with when each is taken."""
    items = sorted(p.variants.items(), key=lambda item: item[1] is not p.ordinary())
    found = []
    for truth, variant in items:
        tests = [python.readable(t) if so else f"not ({python.readable(t)})" for t, so in zip(p.tests, truth, strict=True)]
        found.append((f"Where `{' and '.join(tests)}`:\n\n" if tests else "", variant))
    return found


def _formulas(p: Plan) -> str:
    letters = {name: formulas.inline(latex.letter(name)) for name in (*p.scalars, *p.slots)}
    blocks = "\n".join(when + code("math", "\n".join(latex.formula(variant))) for when, variant in _cases(p))
    return blocks + "\nIn the code, " + ", ".join(f"`{name}` is {letter}" for name, letter in letters.items()) + ".\n"


def _loops(name: str, p: Plan) -> str:
    return "\n".join(when + code("python", python.loop(name, variant, p.scalars, list(p.slots))) for when, variant in _cases(p))


def _strategy(entry: Registration) -> str:
    strategy = entry.build()
    names = sorted({*re.findall(r"\b([A-Z]\w+)\(", repr(strategy)), *re.findall(r"\b(chain)\(", repr(strategy)), entry.name}, key=str.lower)
    text = f"from steepest import {', '.join(names)}\n\nstrategy = {frameworks.laid_out(repr(strategy))}\nassert strategy == {entry.name}()"
    return f"`steepest.{entry.name}(...)` returns this value, to build on:\n\n{code('python', text)}"


def _hyperparameters(entry: Registration, meanings: Mapping[str, str]) -> str:
    raced = entrant(entry.name, EPS_FROM_TRIALS)
    ranges = {a.name: f"{a.low:g} to {a.high:g}{', log' if a.log else ''}" for a in raced.space}
    rows = [(f"`{name}`", f"`{default!r}`", meanings.get(name, ""), ranges.pop(name, "")) for name, default in entry.defaults.items()]
    rest = "; ".join(f"{name} {text} of the run" for name, text in ranges.items())
    return (
        table(("name", "default", "what it does", "where to search"), rows, wide=(3,))
        + "\nThe ranges are those of the [race](../race/index.md), by one rule from the published default"
        + (f"; it also searches the {rest.replace('warmup', 'linear warm-up, from')}" if rest else "")
        + ".\n"
    )
