"""Which optimizer for which model, from the tables that `steepest advise` goes by: for one optimizer, and for all kinds of model."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from scripts.site.evidence import linked, said
from scripts.site.markdown import bullets, table
from steepest import registry

FIRST, WORTH, RATHER_NOT = 9.0, 5.0, 0.0
"""Merits from which a candidate is a first choice, worth racing, or up to which it is rather left out."""
RANKS = {"first to try": (FIRST, 99.0), "worth a race": (WORTH, FIRST), "rather something else": (-99.0, RATHER_NOT)}


def overview() -> str:
    """The table: your model, what to try first, what to race it against, why, and what speaks against it."""
    rows = []
    for family, about_it in _table("families").items():
        first, *rest = _candidates(family)
        others = [c["optimizer"] for c in rest if c["merit"] >= WORTH] + [o["name"] for o in _outsiders(family)]
        why, but = (said(first[side][0], figure=False) for side in ("for", "against"))
        rows.append((f"[{about_it['title']}](#{family})", f"**{_linked([first['optimizer']])}**", _linked(others), why, but))
    return table(("your model", "first try", "race it against", "because", "what speaks against it"), rows)


def in_full() -> str:
    """Every candidate for every kind of model, with all that speaks for and against it."""
    parts = []
    for family, about_it in _table("families").items():
        parts.append(f"### {about_it['title'][0].upper()}{about_it['title'][1:]} {{ #{family} }}\n")
        for c in [*_candidates(family), *_outsiders(family)]:
            rank = next((title for title, (low, high) in RANKS.items() if low <= c.get("merit", 7) < high), "if nothing better is at hand")
            foreign = "; in another package" if c.get("peer") else "; in no package that we race" if "peer" not in c and "name" in c else ""
            reasons = [f"for: {said(f)}" for f in c["for"]] + [f"against: {said(f)}" for f in c["against"]]
            parts.append(f"**{_linked([c.get('optimizer') or c['name']])}** ({rank}{foreign})\n\n{bullets(reasons)}")
    return "\n".join(parts)


def circumstances() -> str:
    """The table of what changes the choice."""
    rows = []
    for a in _table("adjustments")["adjustment"]:
        rows.append(
            (
                a["when"],
                _linked(a["optimizers"]) if a["merit"] > 0 else "",
                _linked(a["optimizers"]) if a["merit"] < 0 else "",
                ", ".join(_families(a.get("families", ()))) or "any model",
                "; ".join(said(f, figure=False) for f in a["facts"]),
            )
        )
    return table(("if there is", "rather", "rather not", "for", "because"), rows)


def about(name: str) -> str:
    """When to use one optimizer, and when not."""
    mine = [c for c in _table("choices")["choice"] if c["optimizer"] == name]
    parts = []
    for title, (low, high) in RANKS.items():
        found = [c for c in mine if low <= c["merit"] < high]
        if found:
            parts += [f"**{title.capitalize()}** for\n", bullets(_reason(c, "against" if high <= RATHER_NOT else "for") for c in found)]
    if not any(c["merit"] >= WORTH for c in mine):
        parts.insert(0, "No benchmark that we know gives a reason to begin with it. Race it, if you have a budget for more than one.\n")
    changes = [a for a in _table("adjustments")["adjustment"] if name in a["optimizers"]]
    if changes:
        parts += ["**What changes that**\n", bullets(_change(a) for a in changes)]
    return "\n".join([*parts, "[How to choose](../choose.md) has the others beside it.\n"])


def _reason(choice: dict[str, Any], side: str) -> str:
    return f"a {_families([choice['family']])[0]}: " + "; ".join(said(f, "../", figure=False) for f in choice[side])


def _change(a: dict[str, Any]) -> str:
    where = f" ({', '.join(_families(a['families']))})" if a.get("families") else ""
    return f"{a['when']}{where}: rather {'so' if a['merit'] > 0 else 'not'}. " + "; ".join(said(f, "../", figure=False) for f in a["facts"])


@cache
def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((files("steepest.guide") / "tables" / f"{name}.toml").read_text(encoding="utf-8"))


def _candidates(family: str) -> list[dict[str, Any]]:
    return sorted((c for c in _table("choices")["choice"] if c["family"] == family), key=lambda c: -c["merit"])


def _outsiders(family: str) -> list[dict[str, Any]]:
    return [o for o in _table("outsiders")["outsider"] if family in o["families"]]


def _linked(names: Sequence[str]) -> str:
    """Optimizers in a line, ours as links, others by the names that people know."""
    titles = {name: c["title"] for name, c in _table("candidates").items()} | {o["name"]: o["title"] for o in _table("outsiders")["outsider"]}
    return ", ".join(linked([n]) if n in registry.optimizers() else titles[n] for n in dict.fromkeys(names))


def _families(names: Sequence[str]) -> list[str]:
    return [_table("families")[name]["title"] for name in names]
