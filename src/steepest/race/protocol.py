"""The rules of a race: who is trained on what, how often, with which seeds, in which order.

    tuning       `trials` full-length runs of every optimizer on every task, at quasi-random points of its own space
    target       for a task without a target: the baseline at its chosen point; their median best value is the target
    evaluation   `seeds` runs at the chosen point, on seeds that no choice was made on; only these see the test data
    sensitivity  runs at multiples of each one's own chosen learning rate
    defaults     instead of all these: `seeds` runs at each one's default arguments

The whole search is repeated `studies` times with other points and other seeds. The plan is a list in a fixed
order, a function of the settings alone: on every machine run number 17 is the same run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any, NamedTuple

from steepest.errors import RaceError
from steepest.race.record import Purpose

BASELINE = "adamw"
"""What speed-ups are measured against, and who sets a missing target; the first entrant, if it does not race."""

FLOOR = 0.01
SCHEDULE = "linear warm-up over the tuned share of the run, then half a cosine down to 1 % of the peak at the last step"

TUNING_SEED, EVALUATION_SEED, SENSITIVITY_SEED, TARGET_SEED = 1_000_000, 2_000_000, 3_000_000, 4_000_000
"""First seeds of ranges that never meet: a study takes a thousand of its range."""

MULTIPLES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32)
"""Of each one's own best learning rate (Wortsman et al. 2023 sweep absolute ones, whose meaning differs from optimizer to optimizer)."""


@dataclass(frozen=True)
class Settings:
    """Who races on what, and how much."""

    tasks: tuple[str, ...]
    """Names of ours, or FILE:FUNCTION."""
    optimizers: tuple[str, ...]
    """As `entrants` reads them."""
    trials: int
    studies: int = 1
    seeds: int = 5
    multiples: tuple[float, ...] = ()
    target_seeds: int = 5
    spaces: tuple[str, ...] = ()
    defaults: bool = False

    def __post_init__(self) -> None:
        """Refuse a race that cannot be run."""
        for name, most in (("trials", 1000), ("studies", 1000), ("seeds", 1000)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                raise RaceError(f"--{name} {value}: give 1 to {most}.")
        if not self.tasks or not self.optimizers:
            raise RaceError("A race needs at least one task and one optimizer.")

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the record."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Settings":
        """The reverse of `as_json`."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in content.items() if name in known}
        return cls(**values)


class Group(NamedTuple):
    """One search: what a choice is made within."""

    task: str
    optimizer: str
    study: int


class Job(NamedTuple):
    """One run of the plan."""

    task: str
    optimizer: str
    purpose: Purpose
    study: int
    number: int
    seed: int

    @property
    def group(self) -> Group:
        """The search whose best point it runs at, or that it belongs to."""
        return Group(self.task, self.optimizer, self.study)

    def __str__(self) -> str:
        """As in messages."""
        return f"{self.optimizer} on {self.task}, {self.purpose} {self.number}" + (f" of study {self.study}" if self.study else "")


def plan(settings: Settings, tasks: Mapping[str, bool], optimizers: Sequence[str]) -> list[Job]:
    """All runs, in the order in which they are begun.

    Args:
        settings: how much.
        tasks: task name -> whether its target is to be set.
        optimizers: names of the entrants.

    Within a phase, blocks come in random order; a block holds all optimizers, in random order, on one task with
    one seed. So a slow hour of the machine hits all alike, and the two runs of a pair are neighbours in time.
    """
    s = settings
    phases: list[list[tuple[str, Purpose, int, int, int]]] = []

    def phase(purpose: Purpose, studies: int, numbers: int, seed: int, fresh: bool, only: Sequence[str] = tuple(tasks)) -> None:
        # With `fresh`, each number has a seed of its own; without, all runs of a study share one, so that they differ in their point alone.
        phases.append(
            [(t, purpose, i, n, seed + 1000 * i + (n if fresh else 0)) for t in only for i in range(studies) for n in range(numbers)]
        )

    if s.defaults:
        phase("defaults", 1, s.seeds, EVALUATION_SEED, fresh=True)
    else:
        phase("tuning", s.studies, s.trials, TUNING_SEED, fresh=False)
    phase("target", 1, s.target_seeds, TARGET_SEED, fresh=True, only=[t for t, unset in tasks.items() if unset])
    if not s.defaults:
        phase("evaluation", s.studies, s.seeds, EVALUATION_SEED, fresh=True)
        phase("sensitivity", 1, len(s.multiples), SENSITIVITY_SEED, fresh=False)
    jobs: list[Job] = []
    for blocks in phases:
        for task, purpose, study, number, seed in sorted(blocks, key=_random):
            racing = [baseline(optimizers)] if purpose == "target" else optimizers
            block = [Job(task, o, purpose, study, number, seed) for o in racing]
            jobs += sorted(block, key=_random)
    return jobs


def _random(key: object) -> bytes:
    """A random order that is the same everywhere and for good."""
    return sha256(repr(tuple(key) if isinstance(key, tuple) else key).encode()).digest()


def baseline(optimizers: Sequence[str]) -> str:
    """The yardstick among these."""
    return BASELINE if BASELINE in optimizers else optimizers[0]


def rate_at(step: int, steps: int, warmup: float) -> float:
    """The share of the peak learning rate at a step, counted from 1: linear up, half a cosine down to `FLOOR` at the last.

    >>> [round(rate_at(step, 5, 0.4), 3) for step in (1, 2, 3, 4, 5)]
    [0.333, 0.667, 1.0, 0.505, 0.01]
    """
    rising = min(round(warmup * steps), max(steps - 2, 0))
    if step <= rising:
        return step / (rising + 1)
    falling = steps - rising - 1
    return FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * (step - rising - 1) / falling)) / 2 if falling else FLOOR


def looks(steps: int, count: int) -> list[int]:
    """The steps after which the validation data is looked at: evenly spaced, the last at the end."""
    count = min(count, steps)
    return [round(steps * i / count) for i in range(1, count + 1)]
