"""Which optimizer for which model, from the tables that `steepest advise` goes by: for one optimizer, and for all kinds of model."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from scripts.site.evidence import families, linked, said, table_of
from scripts.site.markdown import bullets, folded, table
from steepest import registry

FIRST, WORTH, RATHER_NOT = 9.0, 5.0, 0.0
"""Merits from which a candidate is a first choice, worth racing, or up to which it is rather left out."""
RANKS = {"first to try": (FIRST, 99.0), "worth a race": (WORTH, FIRST), "rather something else": (-99.0, RATHER_NOT)}


def overview() -> str:
    """The table: your model, what to try first, what to race it against, why, and what speaks against it."""
    rows = []
    for family, about_it in table_of("families").items():
        first, *rest = _candidates(family)
        others = [c["optimizer"] for c in rest if c["merit"] >= WORTH] + [o["name"] for o in _outsiders(family)]
        why, but = (said(first[side][0], figure=False) for side in ("for", "against"))
        rows.append((f"[{about_it['title']}](#{family})", f"**{_linked([first['optimizer']])}**", _linked(others), why, but))
    return table(("your model", "first try", "race it against", "because", "what speaks against it"), rows)


def in_full() -> str:
    """Every candidate for every kind of model, with all that speaks for and against it."""
    parts: list[str] = []
    for family, about_it in table_of("families").items():
        parts.append(f"### {_capital(about_it['title'])} {{ #{family} }}\n")
        for c in [*_candidates(family), *_outsiders(family)]:
            reasons = [f"for: {said(f)}" for f in c["for"]] + [f"against: {said(f)}" for f in c["against"]]
            name = c.get("optimizer") or c["name"]
            parts.append(folded(f"{_title(name)}: {_rank(c)}", bullets(reasons)))
    return "\n".join(parts)


def circumstances() -> str:
    """The table of what changes the choice."""
    rows = []
    for a in table_of("adjustments")["adjustment"]:
        where = f" ({', '.join(families(a['families']))})" if a.get("families") else ""
        which = _linked(a["optimizers"])
        reasons = "; ".join(said(f, figure=False) for f in a["facts"])
        rows.append((a["when"] + where, *((which, "") if a["merit"] > 0 else ("", which)), reasons))
    return table(("if there is", "rather", "rather not", "because"), rows)


def about(name: str) -> str:
    """When to use one optimizer, and when not."""
    mine = [c for c in table_of("choices")["choice"] if c["optimizer"] == name]
    parts: list[str] = []
    for title, (low, high) in RANKS.items():
        found = [c for c in mine if low <= c["merit"] < high]
        if found:
            parts += [f"**{_capital(title)}**: {', '.join(families([c['family'] for c in found]))}.\n"]
            parts += [bullets(_reasons(found, "against" if high <= RATHER_NOT else "for"))]
    if not any(c["merit"] >= WORTH for c in mine):
        parts.insert(0, "No benchmark that we know gives a reason to begin with it. Race it, if you have a budget for more than one.\n")
    changes = [a for a in table_of("adjustments")["adjustment"] if name in a["optimizers"]]
    if changes:
        parts += ["**What changes that**\n", bullets(_change(a) for a in changes)]
    return "\n".join([*parts, "[How to choose](../choose.md) has the others beside it.\n"])


def _reasons(found: Sequence[dict[str, Any]], side: str) -> list[str]:
    """Each fact once, with the kinds of model for which it is a reason, where these are not all of them."""
    reason_for: dict[str, list[str]] = {}
    for c in found:
        for name in c[side]:
            reason_for.setdefault(name, []).append(c["family"])
    return [
        said(name, "../", figure=False) + (f", for: {', '.join(families(where))}" if len(where) < len(found) else "")
        for name, where in reason_for.items()
    ]


def _change(a: dict[str, Any]) -> str:
    where = f" ({', '.join(families(a['families']))})" if a.get("families") else ""
    return f"{_capital(a['when'])}{where}: rather {'so' if a['merit'] > 0 else 'not'}. " + "; ".join(
        said(f, "../", figure=False) for f in a["facts"]
    )


def _rank(c: dict[str, Any]) -> str:
    if "merit" in c:
        return next((title for title, (low, high) in RANKS.items() if low <= c["merit"] < high), "if nothing better is at hand")
    return f"in another package: `--with '{c['peer']}'`" if c.get("peer") else f"not in the race: {c.get('note', 'no package has it')}"


def _candidates(family: str) -> list[dict[str, Any]]:
    return sorted((c for c in table_of("choices")["choice"] if c["family"] == family), key=lambda c: -c["merit"])


def _outsiders(family: str) -> list[dict[str, Any]]:
    return [o for o in table_of("outsiders")["outsider"] if family in o["families"]]


def _linked(names: Sequence[str]) -> str:
    """Optimizers in a line, ours as links."""
    return ", ".join(linked([n]) if n in registry.optimizers() else _title(n) for n in dict.fromkeys(names))


@cache
def _title(name: str) -> str:
    """An optimizer's name as people write it, also of one that is not ours."""
    titles = {n: c["title"] for n, c in table_of("candidates").items()} | {o["name"]: o["title"] for o in table_of("outsiders")["outsider"]}
    return titles[name]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
