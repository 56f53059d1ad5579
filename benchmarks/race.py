"""What the race costs beyond the training it does, and what a second worker brings: `python -m benchmarks.race`.

Three figures, printed and not asserted, since they depend on what else the machine does:

    overhead    the runs of a race by one worker, with rehearsals, heartbeats, curves and database, over the same runs as bare
                loops: model, batches, forward, backward, clipping, step, schedule and looks, nothing else
    second      how much faster two workers are than one, from the first run to the last
    start       seconds from typing the command to the first run: imports, the check of every task and optimizer

Wall-clock figures need a machine with two idle cores; the overhead is printed in processor time too, which others disturb less.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch

from steepest.race import address, engine, tasks, training
from steepest.race.protocol import Settings, looks, rate_at
from steepest.race.store import Store
from steepest.race.worker import Field, Worker

TASKS, OPTIMIZERS, TRIALS, SEEDS = ("digits-mlp", "vowels-lstm"), ("adamw", "sgd", "lion"), 3, 2


class Times(NamedTuple):
    """Seconds."""

    wall: float
    processor: float


def clock() -> Times:
    """Now."""
    return Times(time.perf_counter(), time.process_time())


def since(began: Times) -> Times:
    """Seconds from then to now."""
    return Times(*(b - a for a, b in zip(began, clock(), strict=True)))


def worked(folder: Path) -> tuple[Times, Field, list[dict]]:
    """A race by one worker in this process; what was raced and found."""
    url = address.of_file(folder / "race.db")
    plan = engine.prepare(url, Settings(TASKS, OPTIMIZERS, TRIALS, seeds=SEEDS), lambda _: None)
    store = Store.create(url, plan.header, len(plan.field.jobs))
    began = clock()
    Worker(store, lambda _: None).work()
    took = since(began)
    results = [result for _, result in store.results()]
    store.close()
    return took, plan.field, results


def bare(field: Field, results: list[dict]) -> Times:
    """The same runs as loops that anybody would write."""
    began = clock()
    with training.one_thread():
        for job, result in zip(field.jobs, results, strict=True):
            loop(field.tasks[job.task], field.entrants[job.optimizer], result["point"], job.seed)
    return since(began)


def loop(task: tasks.Task, entrant: training.Entrant, point: dict[str, float], seed: int) -> None:
    """One run."""
    data = task.load()
    torch.manual_seed(seed)
    model = task.make_model()
    optimizer = entrant.make(model.parameters(), point)
    due = set(looks(task.steps, task.looks))
    for step, batch in zip(range(1, task.steps + 1), data.train.random(task.batch, seed), strict=False):
        for group in optimizer.param_groups:
            group["lr"] = point["lr"] * rate_at(step, task.steps, point["warmup"])
        model.train()
        optimizer.zero_grad()
        loss = task.loss(model, batch)
        loss.backward()
        if task.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), task.clip_norm)
        optimizer.step()
        loss.item()
        if step in due:
            task.metric.value(model, data.validation, training.EVALUATION_BATCH)


def commanded(workers: int, folder: Path) -> tuple[float, float]:
    """Seconds from the start of `steepest race` to the first run, and from there to the end of the last."""
    began = time.time()
    words = ["--tasks", ",".join(TASKS), "--optimizers", ",".join(OPTIMIZERS), "--trials", str(TRIALS), "--seeds", str(SEEDS)]
    words += ["--workers", str(workers), "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "steepest", "race", *words], check=True, stdout=subprocess.DEVNULL)
    store = Store.open(address.of_file(folder / "race.db"), read_only=True)
    results = [result for _, result in store.results()]
    store.close()
    first = min(result["began"] for result in results)
    return first - began, max(result["began"] + result["wall"] for result in results) - first


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="measure so often; the smallest figures count")
    raced, loops, alone, both = [], [], [], []
    for _ in range(parser.parse_args().repeat):
        with tempfile.TemporaryDirectory() as place:
            took, field, results = worked(Path(place))
            raced.append(took)
            loops.append(bare(field, results))
            alone.append(commanded(1, Path(place) / "one"))
            both.append(commanded(2, Path(place) / "two"))
    for what, i in (("wall-clock", 0), ("processor time", 1)):
        race, loop_ = min(t[i] for t in raced), min(t[i] for t in loops)
        print(f"overhead in {what}: {100 * (race / loop_ - 1):.1f} % (bare loops {loop_:.1f} s, the race {race:.1f} s; target 10 %)")
    one, two = min(t[1] for t in alone), min(t[1] for t in both)
    print(f"two workers are {one / two:.2f} times as fast as one ({two:.1f} s and {one:.1f} s; target 1.7)")
    print(f"start of the command to the first run: {min(t[0] for t in alone):.1f} s")


if __name__ == "__main__":
    main()
