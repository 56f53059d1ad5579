"""What all parts of the report need, worked out once: the statistics of the race and how each entrant looks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from steepest.race import statistics as figures
from steepest.race.record import Curve, Race, TaskFacts, Trial
from steepest.race.report.looks import Look, distinct, looks
from steepest.race.statistics.times import Times

Curves = Callable[[Trial], Curve]


@dataclass(frozen=True)
class Facts:
    """A race with its statistics, each worked out when it is first asked for."""

    race: Race
    curves: Curves | None = None

    @classmethod
    def of(cls, race: Race, curves: Curves | None = None) -> "Facts":
        """Of a record; titles that clash are made distinct."""
        return cls(distinct(race), curves)

    @cached_property
    def comparisons(self) -> list[figures.Comparison]:
        """Of all pairs of entrants."""
        return figures.compare_finals(self.race)

    @cached_property
    def table(self) -> list[figures.Standing]:
        """The standings, best first."""
        return figures.standings(self.race, self.comparisons)

    @cached_property
    def verdict(self) -> figures.Verdict:
        """Two sentences and their limits."""
        return figures.verdict(self.race, self.table)

    @cached_property
    def looks(self) -> dict[str, Look]:
        """Of each entrant."""
        return looks(self.race)

    @cached_property
    def order(self) -> list[str]:
        """Entrants, best first."""
        return [s.name for s in self.table]

    @cached_property
    def tasks(self) -> list[TaskFacts]:
        """In the order of the record; their place here is their key in the page."""
        return list(self.race.tasks.values())

    @cached_property
    def keys(self) -> dict[str, str]:
        """Task name → key in the page."""
        return {name: str(i) for i, name in enumerate(self.race.tasks)}

    def times(self, measure: figures.Measure) -> Times:
        """Entrant → task → study → time of each trial."""
        return self._times[measure]

    @cached_property
    def _times(self) -> dict[figures.Measure, Times]:
        return {m: figures.trial_times(self.race, m) for m in figures.MEASURES}

    @cached_property
    def tuned(self) -> bool:
        """Whether there was a search at all."""
        return any(t.purpose == "tuning" for t in self.race.trials)

    @cached_property
    def has_targets(self) -> bool:
        """Whether any task has one."""
        return any(task.target is not None for task in self.tasks)

    def label(self, entrant: str) -> str:
        """What the entrant is called in the page."""
        return self.looks[entrant].label
