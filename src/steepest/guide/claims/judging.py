"""From claim and record to verdict, and the verdicts that come with Steepest.

What is shipped are the records of the experiments (`guide/records/claims-*.parquet`) and, worked out from them, the figures of every
claim (`claims.json`), so that reading the verdicts needs no package for Parquet. A test works the figures out again.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from steepest.errors import ClaimError
from steepest.files import whole
from steepest.guide.claims.catalogue import CLAIMS, Claim
from steepest.guide.claims.estimate import estimate
from steepest.guide.claims.measures import Measure, Values
from steepest.guide.claims.record import RECORDS, Record, load
from steepest.guide.claims.verdict import Beside, ByTask, Verdict, decide
from steepest.race.record import TaskFacts

FIGURES = "claims.json"
FEW = 4
"""With fewer tasks than this a bootstrap over tasks is too narrow, and the limits say so."""


def verdicts() -> tuple[Verdict, ...]:
    """The shipped verdicts on all claims, in the order of the catalogue. Nothing is run."""
    return written(RECORDS)


@cache
def written(folder: Path) -> tuple[Verdict, ...]:
    """The verdicts on the claims whose figures are in a folder: the shipped one, or `--out` of a run."""
    path = folder / FIGURES
    if not path.exists():
        raise ClaimError(f"There are no verdicts in {folder}: `steepest claims --run --out {folder}` would measure them.")
    found = json.loads(path.read_text(encoding="utf-8"))
    return tuple(_read(claim, found[claim.id]) for claim in CLAIMS if claim.id in found)


def recomputed(folder: Path, claims: Iterable[Claim] = CLAIMS) -> tuple[Verdict, ...]:
    """The same, worked out from the records there."""
    wanted = tuple(claims)
    own = {name: load(record_of(folder, name)) for name in dict.fromkeys(e for c in wanted for e in c.experiments)}
    races = {name: folder / f"{name}.parquet" for claim in wanted for name in claim.also}
    larger = {name: load(path) for name, path in races.items() if path.exists()}
    return tuple(judge(c, [*(own[e] for e in c.experiments), *(larger[name] for name in c.also if name in larger)]) for c in wanted)


def record_of(folder: Path, experiment: str) -> Path:
    """The file of one experiment's record."""
    return folder / f"claims-{experiment}.parquet"


def write(folder: Path, judged: Sequence[Verdict]) -> None:
    """Write the figures of verdicts; those that were there already stay."""
    path = folder / FIGURES
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found = before | {v.id: _figures(v) for v in judged}
    with whole(path) as partial:
        partial.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    written.cache_clear()


def claim_of(name: str) -> Claim:
    """The claim under this id."""
    known = {claim.id: claim for claim in CLAIMS}
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name.lower().replace("_", "-"), known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ClaimError(f"No claim is called {name!r}.{hint} `steepest claims` lists them.")
    return known[name]


def judge(claim: Claim, records: Sequence[Record]) -> Verdict:
    """The verdict on a claim by the record of its experiment, and by others that answer it too."""
    each = [(record, claim.measure(record)) for record in records]
    together = _together([values for _, values in each])
    middle, low, high = estimate(together)
    enough = sum(any(len(search) for search in searches) for searches in together.values()) >= claim.needs
    return Verdict(
        id=claim.id,
        claim=claim.claim,
        hypothesis=claim.hypothesis,
        design=" ".join((claim.design, *dict.fromkeys(_tuning(record.settings) for record in records))),
        data=" ".join(_data(record, values) for record, values in each),
        verdict=decide(low, high, claim.side, claim.threshold) if enough else "undecided",
        estimate=middle,
        low=low,
        high=high,
        unit=claim.unit,
        limits=_limits(claim, [record.tasks[name] for record, values in each for name in values]),
        about=claim.about,
        side=claim.side,
        threshold=claim.threshold,
        experiments=claim.experiments,
        by_task=_by_task(claim, together),
        beside=tuple(_beside(what, measure, records) for what, measure in claim.beside.items()),
    )


def _by_task(claim: Claim, values: Values) -> ByTask:
    """By the interval of each task; a single figure has none, and decides nothing."""
    words: Counter[str] = Counter()
    for task, searches in values.items():
        if count := sum(map(len, searches)):
            _, low, high = estimate({task: searches})
            words[decide(low, high, claim.side, claim.threshold) if count > 1 else "undecided"] += 1
    return ByTask(**words)


def _beside(what: str, measure: Measure, records: Sequence[Record]) -> Beside:
    return Beside(what, *estimate(_together([measure(record) for record in records])))


def _together(found: Sequence[Values]) -> Values:
    """Tasks of several records, each counting like any other."""
    return {f"{i} {task}": searches for i, values in enumerate(found) for task, searches in values.items()}


_KEPT = ("design", "data", "verdict", "estimate", "low", "high", "limits", "by_task", "beside")
"""What is written; the rest is in the catalogue."""


def _figures(verdict: Verdict) -> dict[str, Any]:
    return {name: value for name, value in asdict(verdict).items() if name in _KEPT}


def _read(claim: Claim, figures: Mapping[str, Any]) -> Verdict:
    same = {name: getattr(claim, name) for name in ("id", "claim", "hypothesis", "unit", "about", "side", "threshold", "experiments")}
    read = {"by_task": ByTask(**figures["by_task"]), "beside": tuple(Beside(**one) for one in figures["beside"])}
    content: dict[str, Any] = {**same, **figures, **read}
    return Verdict(**content)


# -- in words -----------------------------------------------------------------------------------------------


def _tuning(settings: Mapping[str, Any]) -> str:
    trials, studies, seeds = (int(settings[key]) for key in ("trials", "studies", "seeds"))
    if trials == 1:
        return f"Nothing is tuned; {seeds} seeds."
    searches = f"{_count(studies, 'search', 'searches')} of {trials} quasi-random trials for each optimizer on each task"
    return f"{searches}, {_count(seeds, 'fresh seed')} for each search."


def _data(record: Record, values: Values) -> str:
    told = [record.tasks[name].title for name in values]
    figures = sum(len(search) for searches in values.values() for search in searches)
    return f"{'; '.join(told)}: {_count(figures, 'figure')}, from a record of {len(record.runs):,} runs."


def _limits(claim: Claim, facts: Sequence[TaskFacts]) -> str:
    sizes, steps = [f.parameters for f in facts], [f.steps for f in facts]
    scale = f"Networks of {_span(sizes)} weights, runs of {_span(steps)} steps: larger ones may behave otherwise."
    few = f"With {_count(len(facts), 'task')} the interval is narrower than it should be." if 0 < len(facts) < FEW else ""
    return " ".join(filter(None, (claim.limits, scale, few)))


def _span(values: Sequence[int]) -> str:
    low, high = (f"{v:,}" for v in (min(values, default=0), max(values, default=0)))
    return low if low == high else f"{low} to {high}"


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
