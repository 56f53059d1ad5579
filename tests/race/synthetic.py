"""Races that never ran: the record of one, made from entrants of known quality, for tests of statistics and report.

    race([Racer("adamw"), Racer("good", quality=-0.1), Racer("wreck", diverges=1.0)])

A run's metric is `level of the task * exp(quality + bowl in log lr + noise)`, capped at guessing. Tuning draws points
from a scrambled Sobol sequence, the same for every entrant, and the best on validation is evaluated on fresh
seeds: the luck of the search is in the record as it would be in a real one. Two racers that differ in name alone get
other noise, as two implementations of one optimizer would.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import qmc

from steepest.race.record import AxisFacts, EntrantFacts, Purpose, Race, TaskFacts, Trial

SPACE = (
    AxisFacts("lr", 1e-4, 1e-1, log=True),
    AxisFacts("weight_decay", 1e-4, 1e-1, log=True),
    AxisFacts("warmup", 0.0, 0.1, log=False),
)
MULTIPLES = tuple(10 ** (k / 3) for k in range(-4, 5))
STEPS = 1000
BATCH = 32


@dataclass(frozen=True)
class Racer:
    """One entrant and the truth about it."""

    name: str
    quality: float = 0.0
    """Added to the logarithm of its metric at the best point: -0.1 is about 10 % less error."""
    by_task: tuple[float, ...] = ()
    """Quality added on the first, second, ... task."""
    speed: float = 1.0
    """How many times as fast it reaches the target."""
    lr: float = 3e-3
    width: float = 1.0
    """Decades of learning rate off the best one at which the metric is e^0.5 times as large."""
    diverges: float = 0.0
    """The chance that a run diverges."""
    diverges_above: float = math.inf
    """Multiple of the best learning rate from which every run diverges."""
    misses: float = 0.0
    """The chance that a run misses a target that it would have hit."""
    state_bytes: float = 8.0
    step_ms: float = 1.0
    space: tuple[AxisFacts, ...] = SPACE


def task(i: int, **changes: object) -> TaskFacts:
    """The i-th task: an error of which 0.9 is guessing, at another level each."""
    families = ("image", "text", "tabular", "graph")
    level = 0.02 * 2 ** (i % 4)
    facts = TaskFacts(
        name=f"task-{i}",
        family=families[i % 4],
        title=f"Task {i}",
        description="Made up.",
        metric="error",
        higher_is_better=False,
        parameters=30_000 * (i + 1),
        train=4000,
        validation=500,
        test=500,
        batch=BATCH,
        steps=STEPS,
        looks=20,
        target=level * 1.5,
        target_reason="The median of the baseline's best errors over 5 seeds.",
        guess=0.9,
        clip_norm=None,
    )
    return replace(facts, **changes)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Noise:
    """Standard deviations of the logarithm of the metric."""

    run: float = 0.03
    """Of each run by itself."""
    shared: float = 0.05
    """Of a seed, the same for all entrants: what pairing takes out."""
    time: float = 0.05
    """Of the logarithm of the time to the target."""


def race(
    racers: Sequence[Racer],
    *,
    tasks: int | Sequence[TaskFacts] = 8,
    studies: int = 3,
    trials: int = 12,
    seeds: int = 5,
    noise: Noise | None = None,
    seed: int = 0,
    sensitivity: bool = False,
    defaults: bool = False,
    baseline: str | None = None,
    shared_points: bool = False,
) -> Race:
    """The record of such a race. `trials=0` races with defaults alone; `shared_points` tries the same ones on every task."""
    facts = [task(i) for i in range(tasks)] if isinstance(tasks, int) else list(tasks)
    maker = _Maker(noise or Noise(), seed, shared_points)
    made: list[Trial] = []
    for w, t in enumerate(facts):
        for racer in racers:
            for study in range(studies if trials else 1):
                made += maker.study(racer, t, w, study, trials, seeds, sensitivity)
            if defaults or not trials:
                made += [maker.run(racer, t, w, "defaults", 0, i, 1000 + i, maker.default(racer)) for i in range(seeds)]
    return Race(
        tasks={t.name: t for t in facts},
        entrants={
            r.name: EntrantFacts(r.name.replace("-", " ").title(), "arXiv:0000.00000", r.space, f"{r.name}(lr=0.001)") for r in racers
        },
        baseline=baseline or racers[0].name,
        trials=tuple(made),
        settings={
            "sampler": "sobol",
            "schedule_floor": 0.0,
            "order": "interleaved",
            "precision": "float32",
            "routing": "every optimizer treats all tensors",
        },
        environment=[{"python": "3.12", "packages": {"torch": "2.13"}, "processor": "made up", "threads": 1, "code": "0.1.0"}],
        schedule="linear warm-up, then cosine to 0",
    )


class _Maker:
    def __init__(self, noise: Noise, seed: int, shared_points: bool) -> None:
        self.noise, self.seed, self.shared_points = noise, seed, shared_points
        self.rng = np.random.default_rng(seed)

    def study(self, racer: Racer, t: TaskFacts, w: int, study: int, trials: int, seeds: int, sensitivity: bool) -> list[Trial]:
        if not trials:
            return []
        points = self.points(racer, -1 if self.shared_points else w, study, trials)
        tuning = [self.run(racer, t, w, "tuning", study, k, study, p) for k, p in enumerate(points)]
        sign = -1 if t.higher_is_better else 1
        chosen = min(tuning, key=lambda x: sign * x.validation).point
        made = tuning + [self.run(racer, t, w, "evaluation", study, i, 1000 + i, chosen) for i in range(seeds)]
        if sensitivity:
            sweep = [{**chosen, "lr": chosen["lr"] * m} for m in MULTIPLES]
            made += [self.run(racer, t, w, "sensitivity", study, i, study, p) for i, p in enumerate(sweep)]
        return made

    def points(self, racer: Racer, w: int, study: int, trials: int) -> list[dict[str, float]]:
        """Each axis of its own space mapped from a point of the unit cube that is the same for all entrants."""
        exponent = max(1, math.ceil(math.log2(trials)))
        cube = qmc.Sobol(len(racer.space), rng=np.random.default_rng([self.seed, w + 1, study])).random_base2(exponent)[:trials]
        return [{a.name: _place(a, float(u)) for a, u in zip(racer.space, row, strict=True)} for row in cube]

    def default(self, racer: Racer) -> dict[str, float]:
        return {a.name: _place(a, 0.5) for a in racer.space}

    def run(
        self, racer: Racer, t: TaskFacts, w: int, purpose: Purpose, study: int, number: int, seed: int, point: dict[str, float]
    ) -> Trial:
        own, common = self.rng, np.random.default_rng([self.seed, w, study, seed])
        decades = math.log10(point["lr"] / racer.lr)
        offset = racer.quality + (racer.by_task[w] if w < len(racer.by_task) else 0.0) + 0.5 * (decades / racer.width) ** 2
        shared = common.normal(0, self.noise.shared)
        level = abs(t.target or 0.03) / 1.5
        values = [level * math.exp(offset + shared + own.normal(0, self.noise.run)) for _ in range(2)]
        gone = own.random() < racer.diverges or decades >= math.log10(racer.diverges_above)
        unlucky = own.random() < racer.misses
        late = own.normal(0, self.noise.time)
        if t.higher_is_better:  # the same gaps, counted down from 1
            values = [1 - v for v in values]
        cost = 1 - values[0] if t.higher_is_better else values[0]
        # Error falls like level * (STEPS / step) until the end: how early it passes the target follows from its end.
        goal = level * 1.5
        steps = STEPS * (cost / goal) / racer.speed * math.exp(late)
        hit = not gone and not unlucky and t.target is not None and steps <= STEPS and cost < t.guess
        steps = float(max(1, round(steps))) if hit else math.inf
        validation, test = (t.guess, t.guess) if gone else (_capped(values[0], t), _capped(values[1], t))
        return Trial(
            task=t.name,
            optimizer=racer.name,
            purpose=purpose,
            study=study,
            number=number,
            seed=seed,
            point=point,
            validation=validation,
            test=test if purpose in ("evaluation", "defaults") else None,
            steps_to_target=steps,
            samples_to_target=steps * BATCH,
            seconds_to_target=steps * racer.step_ms / 1000,
            seconds=STEPS * racer.step_ms / 1000,
            diverged_at=int(own.integers(1, STEPS)) if gone else None,
            state_bytes_per_parameter=racer.state_bytes,
            step_ms=racer.step_ms * math.exp(own.normal(0, 0.02)),
        )


def _place(axis: AxisFacts, u: float) -> float:
    return axis.low * (axis.high / axis.low) ** u if axis.log else axis.low + u * (axis.high - axis.low)


def _capped(value: float, t: TaskFacts) -> float:
    return max(value, t.guess) if t.higher_is_better else min(value, t.guess)
