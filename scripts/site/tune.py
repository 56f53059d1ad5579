"""How good suggestions of `steepest tune` are, as `python -m benchmarks.tune` measured it."""

import json
from pathlib import Path

from scripts.site.markdown import table

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "tune.json"


def tune() -> str:
    """The sentence and the table."""
    found = json.loads(RESULT.read_text())
    tasks, optimizers = (len({row[key] for row in found["rows"]}) for key in ("task", "optimizer"))
    rows = [
        (
            name,
            f"{s['pairs']}",
            f"{s['off']:.2g} times",
            f"{s['within_3']:.0%}",
            f"{s['within_10']:.0%}",
            f"{s['lost']:.1%}",
            f"{s['lost_worst']:.0%}",
        )
        for name, s in (("the suggestion", found["summary"]["suggestion"]), ("the default", found["summary"]["default"]))
    ]
    head = ("learning rate", "pairs", "off, median", "within 3 times", "within 10 times", "lost, median", "lost, one in ten more than")
    return (
        f"Beside {tasks} tasks and {optimizers} optimizers of [our own race](race/our-own.md), where the best learning rates are known\n"
        "(`python -m benchmarks.tune`). *Lost* is, of what a full run at the best rate learns beyond guessing, the share that a full run\n"
        "at this rate loses.\n\n" + table(head, rows)
    )
