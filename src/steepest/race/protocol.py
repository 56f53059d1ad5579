"""The rules of a race: which learning rates are tried, on which seeds, and which one is taken.

Every optimizer gets the same number of full-length trials on a logarithmic grid of its own; the learning
rate that does best at the end of its runs on validation data is trained again from other seeds, and only
then is the test data looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from steepest.errors import HyperparameterError
from steepest.race.record import Edge, Job, Run
from steepest.registry import registration

DECADES = 2.0
"""How wide every grid is. More trials make it denser, not wider."""

CENTRES: Mapping[str, float] = {
    "sgd": 0.1,
    "momentum": 0.032,
    "nesterov": 0.032,
    "rmsprop": 0.0032,
    "adam": 0.01,
    "adamw": 0.01,
    "adabelief": 0.032,
    "lookahead": 0.01,
    "lion": 0.001,
}
"""The middle of an optimizer's grid, for small networks trained from scratch in some hundreds of steps.

From one coarse sweep on `digits-cnn` by validation accuracy: six or seven learning rates for each, half a
decade apart, three seeds that no race uses. Short runs of small networks want larger learning rates than
the defaults, which are meant for long runs. An optimizer without an entry has its default in the middle.
"""

TUNING_SEEDS = (0, 1, 2)
FIRST_EVALUATION_SEED = 100
FLOOR = 0.01
"""The learning rate falls along half a cosine to this share of its peak."""


@dataclass(frozen=True)
class Settings:
    """Who races, and how much."""

    optimizers: tuple[str, ...]
    trials: int = 5
    seeds: int = 5

    def __post_init__(self) -> None:
        """Refuse a race that cannot be run."""
        if not self.optimizers:
            raise HyperparameterError("A race needs at least one optimizer, as in --optimizers adam,lion.")
        for name, value in (("trials", self.trials), ("seeds", self.seeds)):
            if value < 1:
                raise HyperparameterError(f"--{name} {value}: at least 1 is needed.")
        for name in self.optimizers:
            grid(name, self.trials)

    @property
    def evaluation_seeds(self) -> list[int]:
        """Seeds that no choice was made on."""
        return [FIRST_EVALUATION_SEED + i for i in range(self.seeds)]

    def tuning_jobs(self) -> list[Job]:
        """The trials: every learning rate on every tuning seed."""
        return [Job(o, lr, seed, "tuning") for o in self.optimizers for lr in grid(o, self.trials) for seed in TUNING_SEEDS]

    def evaluation_jobs(self, chosen: Mapping[str, float]) -> list[Job]:
        """The runs that make the result, at the chosen learning rates."""
        return [Job(o, chosen[o], seed, "evaluation") for o in self.optimizers for seed in self.evaluation_seeds]

    @property
    def runs(self) -> int:
        """How many runs there will be."""
        return len(self.optimizers) * (self.trials * len(TUNING_SEEDS) + self.seeds)


def grid(optimizer: str, trials: int) -> list[float]:
    """The learning rates to try, ascending, evenly spaced on a logarithmic scale, to two digits.

    >>> grid("lion", 5)
    [0.0001, 0.00032, 0.001, 0.0032, 0.01]
    >>> grid("lion", 1)
    [0.001]
    """
    registered = registration(optimizer)
    centre = CENTRES.get(optimizer, registered.defaults.get("lr"))
    if not isinstance(centre, (int, float)) or centre <= 0:
        raise HyperparameterError(f"{optimizer} cannot race: its argument lr has no positive number as its default, but {centre!r}.")
    where = [0.0] if trials == 1 else [DECADES * (i / (trials - 1) - 0.5) for i in range(trials)]
    return [float(f"{centre * 10**exponent:.2g}") for exponent in where]


class Choice(NamedTuple):
    """The learning rate that was taken, and whether it lies at an end of the grid."""

    lr: float
    edge: Edge


def choose(runs: Sequence[Run], guess: float) -> Choice:
    """The learning rate with the best validation accuracy at the end, on average over the tuning seeds.

    Equal accuracies are common on small validation sets: the lower validation loss decides. A diverged run
    counts as guessing.
    """
    grid = sorted({run.lr for run in runs})

    def merit(lr: float) -> tuple[float, float]:
        mine = [run for run in runs if run.lr == lr]
        loss = fmean(float("inf") if run.diverged_at is not None else run.validation_loss[-1] for run in mine)
        return fmean(final_accuracy(run, guess) for run in mine), -loss

    best = max(grid, key=merit)
    return Choice(best, "only" if len(grid) == 1 else "low" if best == grid[0] else "high" if best == grid[-1] else "")


def final_accuracy(run: Run, guess: float) -> float:
    """The validation accuracy at the end of a run."""
    return guess if run.diverged_at is not None else run.validation_accuracy[-1]
