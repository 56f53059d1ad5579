"""The textbook's statements beside what we measured."""

from scripts.site.markdown import bullets, cell, table
from steepest import registry
from steepest.guide.claims import Verdict, verdicts


def about(name: str) -> str:
    """The claims that concern one optimizer, for its page."""
    mine = [v for v in verdicts() if name in v.about]
    if not mine:
        return "None of the [textbook's statements](../claims.md) that we tested is about it.\n"
    return bullets(f"[{v.claim.rstrip('.')}](../claims.md#{v.id}): **{v.verdict}**, {_interval(v)}." for v in mine)


def overview() -> str:
    """The table of all claims, for the page that explains them."""
    rows = [(f"[{v.claim.rstrip('.')}](#{v.id})", f"**{v.verdict}**", _interval(v)) for v in verdicts()]
    return table(("what is said", "verdict", "measured, with its 95 % interval"), rows)


def details() -> str:
    """Each claim with its design, data and limits."""
    return "\n".join(_one(v) for v in verdicts())


def _one(v: Verdict) -> str:
    optimizers = ", ".join(f"[{registry.registration(n).title}](optimizers/{n}.md)" for n in v.about if n in registry.optimizers())
    rows = [
        ("Verdict", f"**{v.verdict}**: {_interval(v)}"),
        ("Hypothesis", v.hypothesis),
        ("Design", v.design),
        ("Data", v.data),
        ("Limits", v.limits),
        *([("About", optimizers)] if optimizers else []),
    ]
    return f"### {cell(v.claim.rstrip('.'))} {{ #{v.id} }}\n\n" + table(("", ""), rows)


def _interval(v: Verdict) -> str:
    return f"{v.estimate:.3g} ({v.low:.3g} to {v.high:.3g}) {v.unit}"
