"""Curves for synthetic races: deterministic, ending at the validation metric of their trial."""

import math
from random import Random

from steepest.race.record import Curve, Trial
from tests.race.synthetic import STEPS


def curve(trial: Trial) -> Curve:
    random = Random(f"{trial.task} {trial.optimizer} {trial.study} {trial.seed}")  # a text seeds alike in every process
    marks = list(range(50, STEPS + 1, 50))
    warm = trial.point["warmup"] * STEPS
    falls = [trial.validation * (STEPS / m) ** 0.8 * math.exp(random.gauss(0, 0.03)) for m in marks[:-1]] + [trial.validation]
    lr = [
        trial.point["lr"] * (m / warm if m < warm else 0.01 + 0.495 * (1 + math.cos(math.pi * (m - warm) / (STEPS - warm)))) for m in marks
    ]
    if trial.diverged_at is not None:
        kept = sum(m < trial.diverged_at for m in marks)
        marks, falls, lr = marks[: kept + 1], [*falls[:kept], math.nan], lr[: kept + 1]
    return Curve(marks, [3 * v for v in falls], falls, lr)
