"""The result of a race in a terminal, from the statistics."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from steepest.race.extra import NeedsExtra
from steepest.race.record import Race

if TYPE_CHECKING:
    from rich.table import Table


def table(race: Race) -> "Table":
    """One row an entrant; the median metric of its final runs on each task."""
    with NeedsExtra():
        from rich import box
        from rich.table import Table
    found: list[Any] = _statistics().standings(race)
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("", no_wrap=True)
    for name, facts in race.tasks.items():
        made.add_column("\n".join([*name.split("-"), facts.metric]), justify="right")
    for head in ("state,\nbytes a\nweight", "ms a\nstep", "diverged"):
        made.add_column(head, justify="right")
    for s in found:
        mine = [t for t in race.trials if t.optimizer == s.name]
        cells = [f"{s.finals[w].middle:.4g}" if w in s.finals else "-" for w in race.tasks]
        bytes_ = max((t.state_bytes_per_parameter for t in mine), default=0.0)
        step = sorted(t.step_ms for t in mine)[len(mine) // 2] if mine else 0.0
        lost = sum(t.diverged_at is not None for t in mine)
        tied = "=" if s.tied_with_best else " "
        made.add_row(f"{tied} {s.title}", *cells, f"{bytes_:.3g}", f"{step:.2f}", f"{lost} of {len(mine)}")
    return made


def notes(race: Race) -> list[str]:
    """What the table says, and what it does not."""
    said = _statistics().verdict(race)
    return ["= cannot be told from the first.", f"{said.quality} {said.speed}", *said.limits]


def _statistics() -> Any:
    with NeedsExtra():
        return import_module("steepest.race.statistics")
