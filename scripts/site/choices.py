"""Which optimizer for which model, from the tables that `steepest advise` goes by: for one optimizer, and for all kinds of model."""

from collections.abc import Sequence

from scripts.site.evidence import families, linked, said, title
from scripts.site.markdown import bullets, capital, folded, table
from steepest import registry
from steepest.guide.advise import tables
from steepest.guide.advise.tables import Adjustment, Choice, Outsider

FIRST, WORTH, RATHER_NOT = 9.0, 5.0, 0.0
"""Merits from which a candidate is a first choice, worth racing, or up to which it is rather left out."""
RANKS = {"first to try": (FIRST, 99.0), "worth a race": (WORTH, FIRST), "rather something else": (-99.0, RATHER_NOT)}


def overview() -> str:
    """The table: your model, what to try first, what to race it against, why, and what speaks against it."""
    rows = []
    for family, it in tables.families().items():
        first, *rest = _candidates(family)
        others = [c.optimizer for c in rest if c.merit >= WORTH] + [o.name for o in _outsiders(family)]
        why, but = (said(reasons[0], figure=False) for reasons in (first.in_favour, first.against))
        rows.append((f"[{it.title}](#{family})", f"**{_linked([first.optimizer])}**", _linked(others), why, but))
    return table(("your model", "first try", "race it against", "because", "what speaks against it"), rows, wide=(4, 5))


def in_full() -> str:
    """Every candidate for every kind of model, with all that speaks for and against it."""
    parts: list[str] = []
    for family, it in tables.families().items():
        parts.append(f"### {capital(it.title)} {{ #{family} }}\n")
        for c in _candidates(family):
            rank = next((words for words, (low, high) in RANKS.items() if low <= c.merit < high), "if nothing better is at hand")
            parts.append(folded(f"{title(c.optimizer)}: {rank}", _for_and_against(c)))
        for o in _outsiders(family):
            told = filter(None, (o.peer and f"race it with `--with '{o.peer}'`", o.note))
            race = f"- {'; '.join(told)}\n"
            parts.append(folded(f"{o.title}: not one of ours", race + _for_and_against(o)))
    return "\n".join(parts)


def circumstances() -> str:
    """The table of what changes the choice."""
    rows = []
    for a in tables.adjustments():
        which = _linked(a.optimizers)
        reasons = "; ".join(said(f, figure=False) for f in a.facts)
        rows.append((a.when + _where(a), *((which, "") if a.merit > 0 else ("", which)), reasons))
    return table(("if there is", "rather", "rather not", "because"), rows, wide=(1, 4))


def about(name: str) -> str:
    """When to use one optimizer, and when not."""
    mine = [c for c in tables.choices() if c.optimizer == name]
    parts: list[str] = []
    for words, (low, high) in RANKS.items():
        found = [c for c in mine if low <= c.merit < high]
        if found:
            parts += [f"**{capital(words)}**: {', '.join(families(c.family for c in found))}.\n"]
            parts += [bullets(_reasons([(c.family, c.against if high <= RATHER_NOT else c.in_favour) for c in found]))]
    if not any(c.merit >= WORTH for c in mine):
        parts.insert(0, "No benchmark that we know gives a reason to begin with it. Race it, if you have a budget for more than one.\n")
    changes = [a for a in tables.adjustments() if name in a.optimizers]
    if changes:
        parts += ["**What changes that**\n", bullets(_change(a) for a in changes)]
    return "\n".join([*parts, "[How to choose](../choose.md) has the others beside it.\n"])


def _reasons(found: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Each fact once, with the kinds of model for which it is a reason, where these are not all of them."""
    reason_for: dict[str, list[str]] = {}
    for family, facts in found:
        for name in facts:
            reason_for.setdefault(name, []).append(family)
    return [
        said(name, "../", figure=False) + (f", for: {', '.join(families(where))}" if len(where) < len(found) else "")
        for name, where in reason_for.items()
    ]


def _change(a: Adjustment) -> str:
    reasons = "; ".join(said(f, "../", figure=False) for f in a.facts)
    return f"{capital(a.when)}{_where(a)}: rather {'so' if a.merit > 0 else 'not'}. {reasons}"


def _where(a: Adjustment) -> str:
    return f" ({', '.join(families(a.families))})" if a.families else ""


def _for_and_against(c: Choice | Outsider) -> str:
    return bullets([*(f"for: {said(f)}" for f in c.in_favour), *(f"against: {said(f)}" for f in c.against)])


def _candidates(family: str) -> list[Choice]:
    return sorted((c for c in tables.choices() if c.family == family), key=lambda c: -c.merit)


def _outsiders(family: str) -> list[Outsider]:
    return [o for o in tables.outsiders() if family in o.families]


def _linked(names: Sequence[str]) -> str:
    """Optimizers in a line, ours as links."""
    return ", ".join(linked([n]) if n in registry.optimizers() else title(n) for n in dict.fromkeys(names))
