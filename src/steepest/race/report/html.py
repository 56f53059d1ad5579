"""Small pieces of HTML, with everything that comes from outside escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape


def text(value: object) -> str:
    """Any text as itself; a number stays with its unit."""
    return escape(str(value)).replace(" %", "&nbsp;%").replace(" ×", "&nbsp;×")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, *, words: bool = False) -> str:
    """A table of plain texts, the first column the header of its row, which scrolls within itself. `words`: columns of prose."""
    return markup_table([text(h) for h in head], [[text(c) for c in row] for row in rows], caption, words=words)


def markup_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, *, words: bool = False, classes: Sequence[str] = ()
) -> str:
    """The same of cells that are HTML already. `classes`: of the rows."""
    kinds = list(classes) or [""] * len(rows)
    top = "".join(f'<th scope="col">{h}</th>' for h in head)
    body = "".join(
        f"<tr{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>"
        + "".join(f'<th scope="row">{c}</th>' if i == 0 else f"<td>{c}</td>" for i, c in enumerate(row))
        + "</tr>"
        for row, kind in zip(rows, kinds, strict=True)
    )
    kind = ' class="words"' if words else ""
    # A region that scrolls must be reachable by keyboard, and then needs a name.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}"><table{kind}><caption>{text(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def details(summary: str, content: str, *, extra: str = "") -> str:
    """Content that opens on demand."""
    return f"<details{' ' + extra if extra else ''}><summary>{text(summary)}</summary>{content}</details>"


def select(selector: str, options: Mapping[str, str], label: str) -> str:
    """A choice; all those of one name are kept in step by the page. One option is no choice."""
    if len(options) < 2:
        return ""
    inner = "".join(f'<option value="{escape(key)}">{text(said)}</option>' for key, said in options.items())
    return f'<label class="choice"><span>{text(label)}</span> <select data-selector="{escape(selector)}">{inner}</select></label>'


def section(name: str, heading: str, content: str) -> str:
    """One part of the page that the contents list can point at."""
    return f'<section id="{name}" aria-labelledby="{name}-heading"><h2 id="{name}-heading">{text(heading)}</h2>{content}</section>'


def paragraph(said: str, kind: str = "") -> str:
    """One paragraph."""
    return f"<p{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{text(said)}</p>"


def pairs(content: Mapping[str, object]) -> str:
    """A list of names and values."""
    return "<dl>" + "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in content.items()) + "</dl>"
