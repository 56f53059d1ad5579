"""The textbook's statements beside what we measured."""

from dataclasses import astuple

from scripts.site.evidence import linked
from scripts.site.markdown import bullets, cell, cited, table
from steepest import registry
from steepest.guide.claims import SLIPS, Verdict, verdicts
from steepest.guide.claims.text import WORDS, by_task, figure, number


def about(name: str) -> str:
    """The claims that concern one optimizer, for its page."""
    mine = [v for v in verdicts() if name in v.about]
    if not mine:
        return "None of the [textbook's statements](../claims.md) that we tested is about it.\n"
    return bullets(f"[{v.claim.rstrip('.')}](../claims.md#{v.id}): **{v.verdict}**, {figure(v)}." for v in mine)


def overview() -> str:
    """The table of all claims, for the page that explains them."""
    rows = [(f"[{v.claim.rstrip('.')}](#{v.id})", f"**{v.verdict}**", figure(v), *astuple(v.by_task)) for v in verdicts()]
    counts = ", ".join(f"{sum(v.verdict == word for v in verdicts())} {said}" for word, said in WORDS.items())
    both = sum(v.by_task.supported > 0 < v.by_task.contradicted for v in verdicts())
    head = ("what is said", "verdict", "measured, with its 95 % interval", "tasks for it", "against", "open")
    return (
        f"Of {len(rows)} statements: {counts}. Task by task, each with its own interval, {both} of them hold on some and fail on others:\n"
        "what is said without a condition depends on one.\n\n" + table(head, rows, wide=(1, 3))
    )


def details() -> str:
    """Each claim with its design, data and limits."""
    return "\n".join(_one(v) for v in verdicts())


def slips() -> str:
    """What needs no experiment."""
    return "\n".join(f'**Said: "{slip.said}"** {slip.right} ({cited(slip.source)})\n' for slip in SLIPS)


def _one(v: Verdict) -> str:
    ours = [n for n in v.about if n in registry.optimizers()]
    rows = [
        ("Verdict", f"**{WORDS[v.verdict]}**: {figure(v)}; the hypothesis says {v.side} {number(v.threshold)} {v.unit}"),
        ("Tasks", by_task(v)),
        ("Hypothesis", v.hypothesis),
        ("Design", v.design),
        ("Data", v.data),
        *(("Beside", f"{b.what}: {number(b.estimate)} ({number(b.low)} to {number(b.high)})") for b in v.beside),
        ("Limits", v.limits),
        *([("About", linked(ours))] if ours else []),
        ("Again", f"`steepest claims --run {v.id}`"),
    ]
    return f"### {cell(v.claim.rstrip('.'))} {{ #{v.id} }}\n\n" + table(("", ""), rows, wide=(2,))
