"""Runs the experiments again, as races that go on where they were interrupted, and judges the claims by them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from steepest.guide.claims import judging
from steepest.guide.claims.catalogue import Claim
from steepest.guide.claims.experiments import EXPERIMENTS
from steepest.guide.claims.verdict import Verdict
from steepest.race.extra import NeedsExtra

with NeedsExtra():
    from rich.console import Console

    from steepest.race import address, archive, engine, reading
    from steepest.race.progress import Progress, duration
    from steepest.race.record import Curve

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
    """The record as one small file, in which our tasks have the names of their file, not of somebody's folder."""
    reading.export(path, goal, with_curves=with_curves)
    content = archive.read(goal)
    settings = content.header["settings"]
    settings["tasks"] = [Path(task).name for task in settings["tasks"]]
    archive.write(goal, slim(content))


def slim(content: archive.Content) -> archive.Content:
    """Without what no claim asks for: all looks but the best, who ran it when, losses and rates of curves, digits of times."""
    results = [(run, result | {key: _KEEP[key](result[key]) for key in _KEEP}) for run, result in content.results]
    curves = {run: Curve(curve.marks, [], curve.validation, []) for run, curve in content.curves.items()}
    return content._replace(results=results, curves=curves)


_KEEP: Mapping[str, Callable[[Any], Any]] = {
    "best": lambda looks: looks[-1:],
    "worker": lambda _: "",
    "began": lambda when: float(round(when, -2)),
    **{key: lambda seconds: float(f"{seconds:.3g}") for key in ("seconds", "cpu_seconds", "wall", "step_ms")},
}
