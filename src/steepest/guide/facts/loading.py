"""From the TOML files to facts; whatever does not hold together is refused."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from steepest.errors import GuideError
from steepest.guide.facts.fact import FAMILIES, Fact, Source
from steepest.registry import optimizers

FOLDER = Path(__file__).parent
_REQUIRED = {"id", "statement", "figure", "grade", "about", "stance", "source"}
_OPTIONAL = {"families", "conditions", "conflicts", "also"}
_STANCES = ("for", "against", "neutral")


@dataclass(frozen=True)
class Paper:
    """An entry of `sources.toml`."""

    title: str
    url: str
    kind: str
    """comparison: of methods of others; authors: of a method or rule of their own; guide: advice without measurements."""
    authors_of: tuple[str, ...] = ()
    """A comparison by an author of one of the methods is not independent of that one."""
    study: str = ""
    """Papers and logs of one benchmark are one study."""


def load(folder: Path = FOLDER) -> tuple[Fact, ...]:
    """The facts in the TOML files of a folder.

    Raises:
        GuideError: something does not hold together; says which file and fact.
    """
    papers, words = _papers(_read(folder / "sources.toml")), _read(folder / "words.toml")
    known = {*optimizers(), *words["others"], *words["topics"]}
    found: list[Fact] = []
    for path in sorted(folder.glob("*.toml")):
        if path.name in ("sources.toml", "words.toml"):
            continue
        content = _read(path)
        if set(content) - {"fact"}:
            raise GuideError(f"{path.name}: unknown {', '.join(sorted(set(content) - {'fact'}))}; it has [[fact]] tables only.")
        found += [_fact(path.name, entry, papers, known) for entry in content.get("fact", [])]
    _check_together(found)
    return tuple(found)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise GuideError(f"{path.name} is no TOML: {error}.") from None


def _papers(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Paper]:
    papers: dict[str, Paper] = {}
    for key, entry in content.items():
        unknown = set(entry) - set(Paper.__dataclass_fields__)
        missing = {"title", "url", "kind"} - set(entry)
        if unknown or missing:
            raise GuideError(f"sources.toml: [{key}] {_wrong_keys(unknown, missing)}.")
        if entry["kind"] not in ("comparison", "authors", "guide"):
            raise GuideError(f"sources.toml: [{key}] is of kind {entry['kind']!r}; there are comparison, authors and guide.")
        papers[key] = Paper(entry["title"], entry["url"], entry["kind"], tuple(entry.get("authors_of", ())), entry.get("study", key))
    return papers


def _fact(file: str, entry: Mapping[str, Any], papers: Mapping[str, Paper], known: set[str]) -> Fact:
    where = f"{file}: {entry.get('id', entry)}"
    unknown, missing = set(entry) - _REQUIRED - _OPTIONAL, _REQUIRED - set(entry)
    if unknown or missing:
        raise GuideError(f"{where} {_wrong_keys(unknown, missing)}.")
    for key, allowed in (("about", known), ("families", FAMILIES)):
        strange = [word for word in entry.get(key, ()) if word not in allowed]
        if strange:
            raise GuideError(
                f"{where}: {key} has {', '.join(map(repr, strange))}, unknown words: words.toml and FAMILIES have the known ones."
            )
    if entry["stance"] not in _STANCES:
        raise GuideError(f"{where}: stance {entry['stance']!r} is none of {', '.join(_STANCES)}.")
    references = [entry["source"], *entry.get("also", ())]
    source, *also = (_source(where, reference, papers) for reference in references)
    bears = _grade(references, papers, entry["about"])
    if entry["grade"] not in ("A", "B", "C", "D"):
        raise GuideError(f"{where}: grade {entry['grade']!r} is none of A, B, C and D.")
    if entry["grade"] != bears:
        raise GuideError(f"{where}: its sources bear out grade {bears}, not {entry['grade']}: see the rule in steepest.guide.facts.")
    return Fact(
        id=entry["id"],
        statement=entry["statement"],
        figure=entry["figure"],
        grade=entry["grade"],
        about=tuple(entry["about"]),
        stance=entry["stance"],
        source=source,
        families=tuple(entry.get("families", ())),
        conditions=entry.get("conditions", {}),
        conflicts=tuple(entry.get("conflicts", ())),
        also=tuple(also),
    )


def _source(where: str, reference: Any, papers: Mapping[str, Paper]) -> Source:
    given = cast("dict[str, Any]", reference) if isinstance(reference, dict) else {}
    if set(given) == {"record", "query"}:
        return Source(record=given["record"], query=given["query"])
    if "paper" not in given or set(given) - {"paper", "place"}:
        raise GuideError(f"{where}: a source is {{ paper = ..., place = ... }} or {{ record = ..., query = ... }}, not {reference!r}.")
    if given["paper"] not in papers:
        raise GuideError(f"{where}: sources.toml has no paper {given['paper']!r}.")
    paper = papers[given["paper"]]
    return Source(paper.title, paper.url, given.get("place", ""))


def _grade(references: Iterable[Mapping[str, Any]], papers: Mapping[str, Paper], about: Sequence[str]) -> str:
    """The grade by the rule: how many independent benchmarks say it; failing these, whether its authors measured it."""
    cited = [papers[r["paper"]] for r in references if "paper" in r]
    independent = {p.study for p in cited if p.kind == "comparison" and not set(p.authors_of) & set(about)}
    if independent:
        return "A" if len(independent) > 1 else "B"
    return "C" if any(p.kind != "guide" for p in cited) else "D"


def _check_together(found: Sequence[Fact]) -> None:
    by_id: dict[str, Fact] = {}
    for one in found:
        if one.id in by_id:
            raise GuideError(f"Two facts are called {one.id}.")
        by_id[one.id] = one
    for one in found:
        for other in one.conflicts:
            if other not in by_id:
                raise GuideError(f"{one.id} conflicts with {other}, which does not exist.")
            if one.id not in by_id[other].conflicts:
                raise GuideError(f"{one.id} conflicts with {other}, which does not say so: name {one.id} in its conflicts.")


def _wrong_keys(unknown: Iterable[str], missing: Iterable[str]) -> str:
    said = [f"has unknown {', '.join(sorted(unknown))}"] * bool(unknown) + [f"lacks {', '.join(sorted(missing))}"] * bool(missing)
    return " and ".join(said)
