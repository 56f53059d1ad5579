"""How good the range test's suggestions are: `python -m benchmarks.tune`.

For each optimizer on each task of a standard race (the shipped record, or another), the suggestion of `steepest tune` and the optimizer's
default are put on the curve that the race measured: the validation metric after a full run over multiples of the best learning rate.

    off       how many times too high or too low, beside the rate that tuning found
    lost      of what the best rate learns, beyond guessing, the share that a full run at this rate loses

A range test costs three times 200 steps; the race's search, five full runs.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from steepest.guide import records
from steepest.race import tasks
from steepest.race.entrants import entrants
from steepest.race.record import Race
from steepest.race.statistics import sensitivity
from steepest.registry import optimizers
from steepest.tune.on_task import on_task


@dataclass(frozen=True)
class Row:
    """One optimizer on one task; None: no suggestion."""

    task: str
    optimizer: str
    best: float
    suggested: float | None
    default: float
    lost_suggested: float | None
    lost_default: float


def row(race: Race, task: str, optimizer: str) -> Row:
    """Measure it."""
    (entrant,) = entrants((optimizer,), 1, ()).values()
    found, default = sensitivity(race, optimizer, task), entrant.defaults["lr"]
    said = on_task(tasks.task(task), entrant).suggestion.rate

    def lost(rate: float) -> float:
        facts = race.tasks[task]
        values = np.array([p.metric for p in found.points])
        best = values.max() if facts.higher_is_better else values.min()
        shares = (values - best) / (facts.guess - best)
        return float(np.interp(math.log10(rate / found.lr), [math.log10(p.multiple) for p in found.points], shares))

    return Row(task, optimizer, found.lr, said, default, None if said is None else lost(said), lost(default))


@dataclass(frozen=True)
class Summary:
    """Of all pairs of optimizer and task."""

    pairs: int
    off: float
    """The median factor between the rate and the best one."""
    within_3: float
    within_10: float
    """Shares of the pairs."""
    lost: float
    lost_worst: float
    """The median and the ninth decile of the share lost."""

    def line(self, name: str) -> str:
        """As printed."""
        near = f"within 3 times {self.within_3:.0%}, within 10 times {self.within_10:.0%}"
        return (
            f"{name:12}{self.pairs} pairs; off by {self.off:.2g}; {near}; lost {self.lost:.1%}, one in ten more than {self.lost_worst:.0%}"
        )


def summary(found: Sequence[tuple[float, float, float]]) -> Summary:
    """Of (rate, best rate, share lost)."""
    off = np.array([10 ** abs(math.log10(rate / best)) for rate, best, _ in found])
    lost = np.array([share for *_, share in found])
    shares = (float(np.mean(off <= limit * (1 + 1e-9))) for limit in (3, 10))
    return Summary(len(found), float(np.median(off)), *shares, float(np.median(lost)), float(np.quantile(lost, 0.9)))


def main() -> None:
    """Print a line for each, and the summary; write them as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune", description=__doc__)
    parser.add_argument("--record", default="standard", help="a race with runs at multiples of the best learning rate (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "tune.json", help="(%(default)s)")
    args = parser.parse_args()
    race = records.load(args.record)
    known = [name for name in optimizers() if name in race.entrants]
    rows: list[Row] = []
    for task in race.tasks:
        for optimizer in known:
            rows.append(row(race, task, optimizer))
            r = rows[-1]
            said = "no suggestion" if r.suggested is None else f"suggested {r.suggested:.2g}, loses {r.lost_suggested:.1%}"
            print(f"{task:14} {optimizer:10} best {r.best:.2g}; {said}; default {r.default:.2g}, loses {r.lost_default:.1%}", flush=True)
    told = {
        "suggestion": summary([(r.suggested, r.best, r.lost_suggested) for r in rows if r.suggested and r.lost_suggested is not None]),
        "default": summary([(r.default, r.best, r.lost_default) for r in rows]),
    }
    content = {"race": args.record, "rows": [asdict(r) for r in rows], "summary": {name: asdict(s) for name, s in told.items()}}
    args.out.write_text(json.dumps(content, indent=1) + "\n")
    print(*(s.line(name) for name, s in told.items()), sep="\n")


if __name__ == "__main__":
    main()
