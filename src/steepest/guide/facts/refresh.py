"""Facts from our own races, recomputed: `python -m steepest.guide.facts.refresh`.

    python -m steepest.guide.facts.refresh                    compare every figure with its record; status 1 if one differs
    python -m steepest.guide.facts.refresh --draft standard   print the facts of a record as TOML, to be written to a file here:
                                                              ... --draft standard > src/steepest/guide/facts/measured.toml

`--draft` takes the name of a shipped record, or the path of one.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from steepest.guide import records
from steepest.guide.advise import tables
from steepest.guide.facts import facts, queries

if TYPE_CHECKING:
    from steepest.race.record import Race

ABOUT_OPTIMIZERS = {
    "difference": "{title} beside {baseline} at the end of training, over all tasks of our race of small models.",
    "speedup": "{title}'s pace to the targets of our race of small models.",
    "lr_width": "How wrong {title}'s learning rate may be in our race of small models, in the median over the tasks.",
    "diverged": "How many of {title}'s runs diverged at quasi-random points of its own space, in our race of small models.",
    "state_bytes": "The state that {title} keeps, as our race measured it.",
    "step_time": "How long a step of {title} takes on models as small as those of our race.",
}
TOPICS = {"lr_width": "tuning", "state_bytes": "memory", "diverged": "instability"}
ABOUT_TASKS = "Who ends best in our race of small models on {description}."
RELATIVE = ("difference", "speedup", "step_time")
"""Queries that compare with the baseline, and say nothing of the baseline itself."""


def differing() -> Iterator[tuple[str, str, str]]:
    """Each fact whose figure is not what its record says: id, figure, what it is."""
    for one in facts():
        if one.source.record:
            now = queries.answer(one.source.query, records.load(one.source.record))
            if now != one.figure:
                yield one.id, one.figure, now


def draft(name: str) -> str:
    """All facts of a record as TOML."""
    race = records.load(name)
    return "# Facts of our own races, written by `python -m steepest.guide.facts.refresh --draft`.\n" + "".join(
        [*_of_optimizers(name, race), *_of_tasks(name, race)]
    )


def _of_optimizers(name: str, race: "Race") -> Iterator[str]:
    conditions = _conditions(race)
    for query, statement in ABOUT_OPTIMIZERS.items():
        for entrant, found in race.entrants.items():
            if entrant == race.baseline and query in RELATIVE:
                continue
            call = f"{query}({entrant!r})"
            figure = queries.answer(call, race)
            about = [entrant, *([TOPICS[query]] if query in TOPICS else [])]
            yield _entry(
                f"measured-{query.replace('_', '-')}-{entrant}",
                statement.format(title=found.title, baseline=race.entrants[race.baseline].title),
                figure,
                about,
                _stance(query, figure),
                [],
                conditions,
                name,
                call,
            )


def _of_tasks(name: str, race: "Race") -> Iterator[str]:
    families = {task: family for family, row in tables.families().items() if family != "other" for task in row.tasks}
    for task, facts_of in race.tasks.items():
        call = f"best_on({task!r})"
        tied = queries.tied_on(race, task)
        telling = 0 < len(tied) <= len(race.entrants) / 2
        conditions = {**_conditions(race), "model": facts_of.title, "scale": f"{facts_of.parameters:,} parameters"}
        yield _entry(
            f"measured-best-on-{task}",
            ABOUT_TASKS.format(description=facts_of.description),
            queries.answer(call, race),
            tied if telling else ["comparing"],
            "for" if telling else "neutral",
            [families[task]] if task in families else [],
            conditions,
            name,
            call,
        )


def _conditions(race: "Race") -> dict[str, str]:
    sizes = [t.parameters for t in race.tasks.values()]
    trials = {t.number for t in race.trials if t.purpose == "tuning"}
    studies = {t.study for t in race.trials if t.purpose == "tuning"}
    return {
        "scale": f"{min(sizes):,} to {max(sizes):,} parameters, {len(sizes)} tasks",
        "budget": f"{len(trials)} trials a search, searches: {len(studies)}" if trials else "defaults",
    }


def _stance(query: str, figure: str) -> str:
    """Only what a race can tell apart speaks for or against."""
    if query == "difference" and ", told apart" in figure:
        return "for" if figure.startswith("error -") else "against"
    return "neutral"


def _entry(
    id_: str,
    statement: str,
    figure: str,
    about: Sequence[str],
    stance: str,
    families: Sequence[str],
    conditions: dict[str, str],
    record: str,
    query: str,
) -> str:
    written = ", ".join(f"{key} = {_text(value)}" for key, value in conditions.items())
    lines = [
        "\n[[fact]]",
        f"id = {_text(id_)}",
        f"statement = {_text(statement)}",
        f"figure = {_text(figure)}",
        'grade = "D"',
        f"about = [{', '.join(map(_text, about))}]",
        f"stance = {_text(stance)}",
        *([f"families = [{', '.join(map(_text, families))}]"] if families else []),
        f"conditions = {{ {written} }}",
        f"source = {{ record = {_text(record)}, query = {_text(query)} }}",
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what differs, or a draft. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m steepest.guide.facts.refresh", description="Facts from our own races, recomputed.")
    parser.add_argument("--draft", metavar="RECORD", help="print all facts of this record as TOML")
    args = parser.parse_args(arguments)
    if args.draft:
        sys.stdout.write(draft(args.draft))
        return 0
    wrong = list(differing())
    for id_, was, now in wrong:
        sys.stdout.write(f"{id_}\n    was     {was}\n    figure = {_text(now)}\n")
    many = sum(bool(one.source.record) for one in facts())
    sys.stdout.write(f"{many} facts from our own races, {len(wrong)} to be written anew.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
