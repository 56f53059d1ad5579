"""How much to race: three sizes, and what the arguments change about them."""

from collections.abc import Mapping
from dataclasses import dataclass

from steepest.race.protocol import MULTIPLES
from steepest.race.tasks import NAMES, QUICK

OUTSIDERS = ("nadamw=torch.optim:NAdam(decoupled_weight_decay=True)", "radam=torch.optim:RAdam(decoupled_weight_decay=True)")
"""Torch's own in the larger sizes, so that the race is not about ourselves; decay decoupled, as everybody uses it who tunes it."""


@dataclass(frozen=True)
class Preset:
    """One size of race."""

    says: str
    tasks: tuple[str, ...]
    optimizers: str
    outsiders: tuple[str, ...]
    trials: int
    studies: int
    seeds: int
    multiples: tuple[float, ...]
    target_seeds: int


PRESETS: Mapping[str, Preset] = {
    "quick": Preset("a first look, at most 4 minutes on 2 cores", QUICK, "*", (), 4, 1, 3, (), 3),
    # Three searches of five trials, as AlgoPerf has them; nine runs, each with a seed of its own, at the points that they chose.
    "standard": Preset("two hours on 2 cores", NAMES, "*", OUTSIDERS, 5, 3, 3, (1 / 16, 1 / 4, 1, 4, 16), 5),
    "full": Preset("days, or several machines", NAMES, "*", OUTSIDERS, 25, 3, 10, MULTIPLES, 20),
}
