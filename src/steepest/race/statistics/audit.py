"""The 20 points that an expert reviewer demands of a comparison of optimizers, each checked on the record of the race.

Nothing here is a constant: a point is kept, because the trials show it, and otherwise it says what is missing. What
trials cannot show is read from `Race.settings` and `Race.environment`, and counts as not kept if they do not say it:

    settings     sampler ("sobol" or "halton"), schedule_floor (last learning rate over the peak), order ("interleaved"),
                 precision (of parameters and arithmetic), routing (which tensors an optimizer leaves to another)
    environment  of each machine: python, packages, processor, threads, code (version or commit of Steepest)

The points are those of the published protocols: AlgoPerf (Dahl et al. 2023, arXiv:2306.07179), Choi et al. 2019
(arXiv:1910.05446), Schmidt et al. 2021 (arXiv:2007.01547), Wen et al. 2025 (arXiv:2509.02046), Semenov et al. 2025
(arXiv:2509.01440), and Google's tuning playbook.
"""

from collections.abc import Callable
from dataclasses import dataclass

from steepest.race.record import Race
from steepest.race.statistics import audit_protocol as protocol
from steepest.race.statistics import audit_results as results
from steepest.race.statistics.audit_protocol import Answer, Status


@dataclass(frozen=True)
class Finding:
    """One point."""

    number: int
    demand: str
    status: Status
    how: str


POINTS: list[tuple[str, Callable[[Race], Answer]]] = [
    ("The same tuning budget for every optimizer, the baseline included", protocol.budget),
    ("A search space for each optimizer, written down with its scales, the same on all tasks", protocol.spaces),
    ("Quasi-random joint sampling, repeatable, with other points on each task", protocol.sampling),
    ("Best points at an edge of the space are flagged", protocol.boundary),
    ("Strong baselines: AdamW, NAdamW, SGD with Nesterov momentum, on the same schedule", protocol.baselines),
    ("Learning rate, weight decay and warm-up are tuned; epsilon too from 25 trials on", protocol.axes),
    ("Full-length trials, the learning rate decayed to 1 % of its peak or less, compared only at the end", protocol.schedule),
    ("At least 5 paired seeds for the result, other than those of tuning", protocol.seeds),
    ("The whole search repeated at least 3 times with other points", protocol.studies),
    ("Uncertainty on everything: paired tests corrected for many comparisons, ties shown as ties", results.uncertainty),
    ("Targets on validation data, fixed before the race by a rule; test data only for the result", results.targets),
    ("Time to target in steps, samples and seconds; runs interleaved, evaluation untimed", results.times),
    ("Misses count as infinity, divergence is counted, nothing is dropped", results.misses),
    ("Several families of tasks; profiles and speed-ups over a fixed baseline", results.families),
    ("Sensitivity to the learning rate around each one's own best", results.sensitivities),
    ("Budget curve: expected best of k trials, next to the defaults", results.budgets),
    ("Memory and time of a step, measured", results.resources),
    ("Batch size fixed and stated", results.batches),
    ("The same model, start, data, precision and clipping for all; routing of tensors printed", results.sameness),
    ("Everything to repeat it: code, versions, hardware, all runs, and the limits of its scale", results.reproducibility),
]


def audit(race: Race) -> list[Finding]:
    """The 20 points in order."""
    return [Finding(i + 1, demand, *check(race)) for i, (demand, check) in enumerate(POINTS)]
