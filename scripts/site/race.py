"""What the race trains, and what a reviewer demands of it."""

from scripts.site.markdown import table
from steepest.guide import records
from steepest.race.statistics import verdict
from steepest.race.statistics.audit import POINTS
from steepest.race.tasks import TASKS


def workloads() -> str:
    """The table of workloads."""
    rows = [
        (f"`{name}`", task.family, task.description, f"{task.steps:,} of {task.batch}", task.metric.name) for name, task in TASKS.items()
    ]
    return table(("task", "family", "what is trained", "steps", "metric"), rows, wide=(3,))


def points() -> str:
    """The twenty points, numbered."""
    return "".join(f"{i}. {demand}.\n" for i, (demand, _) in enumerate(POINTS, 1))


def our_own() -> str:
    """The page of the race that comes with Steepest: what it says, its limits, the report."""
    said = verdict(records.load("standard"))
    limits = "".join(f"- {limit}\n" for limit in said.limits)
    return (
        "# Our own race\n\n"
        "The preset `standard`: the nine optimizers of the registry and two guests from PyTorch on eight kinds of model,\n"
        f"all tuned alike.\n\n{said.quality} {said.speed}\n\n{limits}\n"
        "Its record comes with the package; facts about it on [Evidence](../evidence.md) are recomputed from it. `steepest race report`\n"
        "makes this page of it ([open it alone](standard.html)):\n\n"
        "```sh\nsteepest race report src/steepest/guide/records/standard.parquet --out standard.html\n```\n\n"
        '<iframe class="whole" src="standard.html" title="The report of our own race"></iframe>\n'
    )
