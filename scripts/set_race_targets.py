"""Measures the validation targets of the race by the rule of AlgoPerf, and writes them to scripts/race_targets.json.

    python scripts/set_race_targets.py [TASK ...]

The rule: of the baselines AdamW, NAdamW and SGD with Nesterov's momentum, each with its own learning rates, the one with the
best final validation metric on one seed is trained anew on five other seeds; the median of its five final values is the target.
Where the best learning rate of a baseline is the smallest or the largest tried, further ones are tried until it is not.
Every run has full length, five percent of warm-up and a cosine decay to zero. All of these seeds are used for nothing else: those of
races begin at 1,000,000. The value is rounded up in the fourth decimal and copied by hand into the file of the task.
"""

import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from steepest.race import tasks
from steepest.race.tasks import Task

RESULTS = Path(__file__).parent / "race_targets.json"
CHOOSING, FINAL = 910_000, (910_001, 910_002, 910_003, 910_004, 910_005)
WARMUP = 0.05

Parameters = Iterator[nn.Parameter]
BASELINES: dict[str, tuple[Callable[[Parameters, float], torch.optim.Optimizer], tuple[float, ...]]] = {
    "AdamW": (lambda p, lr: torch.optim.AdamW(p, lr, weight_decay=0.01), (1e-3, 3e-3, 1e-2, 3e-2)),
    "NAdamW": (lambda p, lr: torch.optim.NAdam(p, lr, weight_decay=0.01, decoupled_weight_decay=True), (1e-3, 3e-3, 1e-2, 3e-2)),
    "SGD-Nesterov": (lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True, weight_decay=1e-4), (0.01, 0.03, 0.1, 0.3)),
}


def final(task: Task, baseline: str, lr: float, seed: int) -> float:
    """The validation metric at the end of one run."""
    data = task.load()
    torch.manual_seed(seed)
    model = task.make_model()
    opt = BASELINES[baseline][0](model.parameters(), lr)
    warmup = WARMUP * task.steps
    schedule = LambdaLR(opt, lambda step: min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / task.steps)))
    batches = data.train.random(task.batch, seed)
    for _ in range(task.steps):
        opt.zero_grad()
        loss = task.loss(model, next(batches))
        loss.backward()
        if task.clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), task.clip_norm)
        opt.step()
        schedule.step()
        if not math.isfinite(loss.item()):
            return task.guess
    return task.metric.value(model, data.validation)


def measured(task: Task) -> dict[str, Any]:
    """The target of one task, and all that it rests on."""
    sign = -1 if task.metric.higher_is_better else 1
    tried: dict[tuple[str, float], float] = {}
    for name, (_, rates) in BASELINES.items():
        open_rates = list(rates)
        while open_rates:
            tried |= {(name, rate): final(task, name, rate, CHOOSING) for rate in open_rates}
            mine = [rate for other, rate in tried if other == name]
            best = min(mine, key=lambda rate: sign * tried[name, rate])
            further = {min(mine): best / 3.16, max(mine): best * 3.16}  # 0.03 is followed by 0.09, 0.001 preceded by 0.0003
            open_rates = [float(f"{further[best]:.0e}")] if best in further else []
    winner, lr = min(tried, key=lambda which: sign * tried[which])
    finals = [final(task, winner, lr, seed) for seed in FINAL]
    rounded = sign * math.ceil(round(sign * median(finals) * 1e4, 6)) / 1e4
    return {
        "target": rounded,
        "baseline": winner,
        "lr": lr,
        "finals": finals,
        "tried": [{"baseline": name, "lr": rate, "value": value} for (name, rate), value in tried.items()],
        "steps": task.steps,
        "batch": task.batch,
        "torch": torch.__version__,
    }


def main(names: list[str]) -> None:
    """Measure the named tasks, or all, and keep what is known of the others."""
    torch.set_num_threads(1)
    for name in names or list(tasks.TASKS):
        result = measured(tasks.TASKS[name])
        known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.write_text(json.dumps({**known, name: result}, indent=1) + "\n")
        print(
            f"{name}: {result['target']} ({result['baseline']}, lr {result['lr']}; finals {[round(v, 4) for v in result['finals']]})",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
