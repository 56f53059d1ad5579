"""What the race trains, and what a reviewer demands of it."""

from scripts.site.markdown import table
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
