"""What is known, from `steepest.guide.facts`: the page of all, those about one optimizer, those that contradict each other."""

from collections.abc import Iterable, Sequence

from scripts.site.markdown import bullets, capital, table
from steepest import registry
from steepest.guide.advise import tables
from steepest.guide.facts import Fact, Source, about, fact, facts

GRADES = {
    "A": "two or more independent benchmarks agree",
    "B": "one independent benchmark",
    "C": "the authors of the method alone",
    "D": "anecdote, advice without figures, or a small race of our own",
}

#: names that the tables of choices do not have, and that are not written like words
SPELLED = {"psgd": "PSGD", "radam": "RAdam", "lamb": "LAMB", "caspr": "CASPR", "evograd": "EvoGrad", "adamw-ema": "AdamW, weights averaged"}
TOPICS = {"tuning", "schedule", "run length", "warm-up", "comparing", "defaults", "weight decay", "batch size", "misses"}


def page() -> str:
    """Every fact, by what it is about."""
    parts = [
        "# Evidence\n",
        "What the guide rests on, one statement at a time: the figure, the conditions, where it is from, how far it is to be\n"
        "trusted, and which other facts say otherwise. [How to choose](choose.md) and the pages of the\n"
        "[optimizers](optimizers/index.md) refer to here.\n",
        "| grade | means |\n|---|---|\n" + "".join(f"| **{g}** | {said} |\n" for g, said in GRADES.items()),
    ]
    for subject, found in _by_subject():
        parts.append(f"\n## {subject}\n")
        parts += [_entry(f) for f in found]
    return "\n".join(parts)


def for_and_against(name: str) -> str:
    """The facts about one optimizer, for its page."""
    mine = about(name)
    if not mine:
        return "We know of no comparison that we could cite. [Race it](../race/index.md).\n"
    stances = {"for": "What speaks for it", "against": "What speaks against it", "neutral": "What else is known"}
    parts: list[str] = []
    for stance, heading in stances.items():
        found = sorted((f for f in mine if f.stance == stance), key=lambda f: f.grade)
        if found:
            parts += [f"**{heading}**\n", bullets(f"{_short(f)}" for f in found)]
    return "\n".join(parts)


def conflicts() -> str:
    """Facts that contradict each other, side by side."""
    pairs = {tuple(sorted((f.id, other))) for f in facts() for other in f.conflicts}
    return table(("one says", "another says"), [(said(a), said(b)) for a, b in sorted(pairs)], wide=(1, 2))


def lessons() -> str:
    """What benchmarks have found about tuning, schedules and comparing, whatever the optimizer."""
    known = {*registry.optimizers()}
    found = [f for f in facts() if f.grade in "AB" and f.about[0] in TOPICS and not known & {*f.about}]
    return bullets(said(f.id, figure=False) for f in found)


def said(name: str, up: str = "", *, figure: bool = True) -> str:
    """A fact in one line, with its grade and the way to its source."""
    f = fact(name)
    number = f": {f.figure}" if figure else ""
    return f"{f.statement.rstrip('.')}{number} ([{f.grade}]({up}evidence.md#{f.id}))"


def _by_subject() -> list[tuple[str, Sequence[Fact]]]:
    """Each fact once, under the first thing that it is about: our optimizers, others', topics; what is most to be trusted first."""
    found: dict[str, list[Fact]] = {}
    for one in sorted(facts(), key=lambda f: f.grade):
        found.setdefault(one.about[0], []).append(one)
    ours = [n for n in registry.optimizers() if n in found]
    rest = sorted(set(found) - set(ours))
    return [(title(n), found[n]) for n in [*ours, *rest]]


def families(names: Iterable[str]) -> list[str]:
    """Kinds of model, in words."""
    return [tables.families()[name].title for name in names]


def title(name: str) -> str:
    """What a fact is about as people write it: an optimizer, ours or not, or a topic."""
    others = {n: c.title for n, c in tables.candidates().items()} | {o.name: o.title for o in tables.outsiders()}
    return registry.registration(name).title if name in registry.optimizers() else others.get(name) or SPELLED.get(name) or capital(name)


def linked(names: Iterable[str], up: str = "") -> str:
    """Optimizers and topics in a line; our optimizers are links."""
    ours = registry.optimizers()
    return ", ".join(f"[{registry.registration(n).title}]({up}optimizers/{n}.md)" if n in ours else n for n in names)


def source(origin: Source) -> str:
    """Where a fact is from, as a link."""
    if origin.record:
        return f"[our own race](race/our-own.md), `{origin.query}`"
    place = f", {origin.place}" if origin.place else ""
    return f"[{origin.title}]({origin.url}){place}"


def _entry(f: Fact) -> str:
    conditions = "; ".join(f"{k}: {v}" for k, v in f.conditions.items())
    rows = [
        ("Figure", f.figure),
        ("About", f"{linked(f.about)} ({f.stance})"),
        *([("Holds for", ", ".join(families(f.families)))] if f.families else []),
        *([("Conditions", conditions)] if conditions else []),
        ("Source", "; ".join(source(s) for s in (f.source, *f.also))),
        *([("Says otherwise", ", ".join(f"[{fact(o).statement.rstrip('.')}](#{o})" for o in f.conflicts))] if f.conflicts else []),
    ]
    details = bullets(f"*{k}*: {v}" for k, v in rows)
    return f'<div class="fact" id="{f.id}" markdown>\n**{f.grade}** {f.statement}\n\n{details}</div>\n'


def _short(f: Fact) -> str:
    where = f" For: {', '.join(families(f.families))}." if f.families else ""
    against = "".join(f" [Another source says otherwise](../evidence.md#{o})." for o in f.conflicts)
    return f"{f.statement.rstrip('.')}: {f.figure}.{where} Grade {f.grade}, [source](../evidence.md#{f.id}).{against}"
