"""The result of a race in a terminal, from the statistics."""

from collections.abc import Sequence
from importlib import import_module
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from steepest.race.extra import NeedsExtra
from steepest.race.record import Race

if TYPE_CHECKING:
    from rich.table import Table


def tables(race: Race, width: int) -> "list[Table]":
    """One row an entrant; the median metric of its final runs on each task. Columns that do not fit are in tables that follow."""
    found: list[Any] = _statistics().standings(race)
    names = [f"{'=' if s.tied_with_best else ' '} {s.title}" for s in found]
    columns = [
        ([*task.split("-"), *wrap(facts.metric, 10)], [f"{s.finals[task].middle:.4g}" if task in s.finals else "-" for s in found])
        for task, facts in race.tasks.items()
    ]
    bills = [_bill(race, s.name) for s in found]
    columns += [(head, [bill[i] for bill in bills]) for i, head in enumerate(_COSTS)]
    return [_table(names, group) for group in _groups(columns, width - max(map(len, names)))]


def _bill(race: Race, entrant: str) -> tuple[str, str, str]:
    """Bytes of state a weight, milliseconds a step, how many runs diverged."""
    mine = [t for t in race.trials if t.optimizer == entrant]
    step = sorted(t.step_ms for t in mine)[len(mine) // 2] if mine else 0.0
    lost = sum(t.diverged_at is not None for t in mine)
    return f"{max((t.state_bytes_per_parameter for t in mine), default=0.0):.3g}", f"{step:.2f}", f"{lost} of {len(mine)}"


_COSTS = (["state,", "bytes a", "weight"], ["ms a", "step"], ["diverged"])
_Column = tuple[list[str], list[str]]
"""The lines of its head, and its cells."""
_BETWEEN = 3
"""Signs between two columns."""


def _groups(columns: Sequence[_Column], width: int) -> list[list[_Column]]:
    """Columns in order, as many together as fit; a single one that does not fit stands alone."""
    found: list[list[_Column]] = []
    left = 0
    for column in columns:
        needed = _BETWEEN + max(map(len, (*column[0], *column[1])))
        if not found or needed > left:
            found.append([])
            left = width
        found[-1].append(column)
        left -= needed
    return found


def _table(names: Sequence[str], columns: Sequence[_Column]) -> "Table":
    with NeedsExtra():
        from rich import box
        from rich.table import Table
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("", no_wrap=True)
    for head, _ in columns:
        made.add_column("\n".join(head), justify="right", no_wrap=True)
    for row in zip(names, *(cells for _, cells in columns), strict=True):
        made.add_row(*row)
    return made


def notes(race: Race) -> list[str]:
    """What the table says, and what it does not."""
    said = _statistics().verdict(race)
    return ["= cannot be told from the first.", f"{said.quality} {said.speed}", *said.limits]


def _statistics() -> Any:
    with NeedsExtra():
        return import_module("steepest.race.statistics")
