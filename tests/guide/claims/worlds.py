"""Records of experiments that never ran: what would be measured in a world where a claim is true, false, or a matter of chance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from steepest.guide.claims.experiments import EXPERIMENTS
from steepest.guide.claims.record import Record, Run
from steepest.race.record import TaskFacts

SIX = ("mnist-mlp", "digits-cnn", "vowels-lstm", "diamonds-mlp", "names-gru", "molecules-gnn")
TASKS = {
    "course": ("mnist-mlp", "digits-cnn", "vowels-lstm", "names-gru", "diamonds-mlp", "molecules-gnn"),
    "sprint": tuple(f"{t}-sprint" for t in ("digits-mlp", "vowels-lstm", "diamonds-mlp", "mnist-cnn", "names-lstm", "molecules-gnn")),
    "dash": tuple(f"{kind}-sprint" for kind in SIX),
    "rates": SIX,
    "spikes": tuple(
        f"{kind}{situation}"
        for kind in ("mnist-mlp", "vowels-lstm", "diamonds-mlp", "names-gru")
        for situation in ("", "-clipped", "-spiked", "-spiked-clipped")
    ),
    "late": tuple(f"{kind}-watched" for kind in SIX),
    "minima": ("xor", "parity", "parity4", "xor-roomy", "parity-roomy", "parity4-roomy"),
    "long": ("mnist-mlp-long", "digits-cnn-long", "diamonds-mlp-long"),
    "size": ("wide",),
}
GUESS, LEVEL, LOOKS = 1.0, 0.1, 40


@dataclass(frozen=True)
class World:
    """The truth. What is not said is 1 (or 0) for everybody."""

    error: Mapping[str, float] = field(default_factory=dict)
    """Of an optimizer, times the level; of `optimizer on task`, on that task alone."""
    suffix: Mapping[str, float] = field(default_factory=dict)
    """Times the error on tasks whose name ends so."""
    width: Mapping[str, float] = field(default_factory=dict)
    """Decades of learning rate off the best at which everything is lost; otherwise 1.5."""
    rise: Mapping[str, float] = field(default_factory=dict)
    """The lowest validation metric, as a share of the last."""
    rest: Mapping[str, float] = field(default_factory=dict)
    """Times the restlessness."""
    step: Mapping[str, float] = field(default_factory=dict)
    state: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.02
    """Of the logarithm of each run."""
    luck: float = 0.0
    """Of the logarithm of each optimizer's search on each task."""


def record(experiment: str, world: World, seed: int = 0) -> Record:
    """What the experiment measures in that world."""
    settings = EXPERIMENTS[experiment].settings
    rng = np.random.default_rng(seed)
    names = [spec.partition("=")[0] for spec in settings.optimizers]
    runs = [
        run
        for task in TASKS[experiment]
        for name in names
        for study in range(settings.studies)
        for run in _search(world, task, name, study, settings.trials, settings.seeds, rng)
    ]
    return Record({task: facts(task) for task in TASKS[experiment]}, runs, settings.as_json())


def facts(name: str) -> TaskFacts:
    return TaskFacts(name, "made up", name, "", "error", False, 1000, 10, 10, 10, 2, 100, LOOKS, 0.5, "", GUESS, None)


def _search(w: World, task: str, name: str, study: int, trials: int, seeds: int, rng: np.random.Generator) -> list[Run]:
    luck = rng.normal(0, w.luck)
    ends = math.prod(factor for end, factor in w.suffix.items() if task.endswith(end))
    base = LEVEL * w.error.get(name, 1.0) * w.error.get(f"{name} on {task}", 1.0) * ends * math.exp(luck)

    def run(purpose: str, number: int, seed: int, lr: float) -> Run:
        lost = min(1.0, abs(math.log10(lr)) / w.width.get(name, 1.5)) if purpose == "tuning" else 0.0
        value = min(GUESS, (base + (GUESS - base) * lost**2) * math.exp(rng.normal(0, w.noise)))
        looks = value * np.exp(rng.normal(0, 0.05 * w.rest.get(name, 1.0), LOOKS + 1))
        test = value if purpose == "evaluation" else None
        step, state = w.step.get(name, 1.0) * math.exp(rng.normal(0, w.noise)), w.state.get(name, 8.0)
        low = value * w.rise.get(name, 1.0)
        return Run(task, name, purpose, study, number, seed, lr, value, test, low, tuple(looks), step, state)

    tried = [10 ** (4 * i / trials - 2) for i in range(trials)] if trials > 1 else [1.0]
    tuning = [run("tuning", i, 1000 + study, lr) for i, lr in enumerate(tried)]
    return tuning + [run("evaluation", i, 2000 + 1000 * study + i, 1.0) for i in range(seeds)]
