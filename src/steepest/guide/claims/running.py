"""Runs the experiments again, as races that go on where they were interrupted, and judges the claims by them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from steepest.guide.claims import judging
from steepest.guide.claims.catalogue import Claim
from steepest.guide.claims.experiments import EXPERIMENTS
from steepest.guide.claims.verdict import Verdict
from steepest.race.extra import NeedsExtra

with NeedsExtra():
    from rich.console import Console

    from steepest.race import address, archive, engine, reading
    from steepest.race.progress import Progress, duration

WITH_CURVES = ("late",)
"""Experiments whose claims look at what happened on the way."""


def run(claims: Sequence[Claim], out: Path, workers: int, *, quick: bool, console: Console) -> tuple[Verdict, ...]:
    """Run what these claims need, write records and verdicts into `out`, and return the verdicts.

    Raises engine.Interrupted after Ctrl-C: what is done is kept, and the same call goes on from there.
    """
    names = [name for name in EXPERIMENTS if any(name in claim.experiments for claim in claims)]
    for i, name in enumerate(names, 1):
        experiment = EXPERIMENTS[name]
        url = address.of_file(out / f"{name}.db")
        plan = engine.prepare(url, experiment.quick if quick else experiment.settings, _silent)
        count = len(plan.field.jobs)
        about = f", about {duration(plan.seconds / workers)}" if plan.new else ""
        console.print(f"{i} of {len(names)}, {name}: {experiment.says}; {count} runs{about}.", soft_wrap=True)
        engine.Engine(url, plan, workers, _progress(console)).run()
        _export(out / f"{name}.db", judging.record_of(out, name), with_curves=name in WITH_CURVES)
    judged = judging.recomputed(out, claims)
    judging.write(out, judged)
    return judged


def _silent(_: str) -> None:
    pass


def _progress(console: Console) -> Callable[[int, int], Progress]:
    return lambda runs, done: Progress(console, runs, done)


def _export(path: Path, goal: Path, *, with_curves: bool) -> None:
    """The record as one file, in which our tasks have the names of their file, not of somebody's folder."""
    reading.export(path, goal, with_curves=with_curves)
    content = archive.read(goal)
    settings = content.header["settings"]
    settings["tasks"] = [Path(task).name for task in settings["tasks"]]
    archive.write(goal, content)
