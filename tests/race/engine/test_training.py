"""One run: what depends on the seed alone, what is timed, what divergence does, what state costs."""

import math
import time
from dataclasses import replace

import pytest
import torch

from steepest import registry
from steepest.race import tasks, training
from steepest.race.entrants import entrant
from steepest.tree import slots
from tests.race.engine.helpers import TINY

TASK = tasks.task(f"{TINY}:make")
POINT = {"lr": 0.01, "weight_decay": 0.01, "warmup": 0.1}
STILL = {"lr": 1e-30, "weight_decay": 0.0, "warmup": 0.0}


def train(task, name, point, seed=0, reveal=False):
    return training.train(task, entrant(name, 3), point, seed, reveal)


def test_a_seed_gives_every_optimizer_the_same_weights_batches_and_dropout():
    """With steps too small to change a weight, curves can differ in nothing else."""
    still = [train(TASK, name, STILL, seed).curve for seed in (0, 1) for name in ("sgd", "lion", "torch.optim:Adam")]
    assert still[0].train_loss == still[1].train_loss == still[2].train_loss
    assert still[0].validation == still[1].validation
    assert still[3].train_loss == still[4].train_loss
    assert still[0].train_loss != still[3].train_loss


def test_the_same_run_twice_is_the_same_and_leaves_no_trace():
    torch.manual_seed(5)
    torch.set_num_threads(2)
    state = torch.random.get_rng_state()
    first, second = (train(TASK, "adamw", POINT, 3, reveal=True) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == 2
    assert (first.curve, first.validation, first.test) == (second.curve, second.validation, second.test)


def test_rehearsing_changes_nothing(monkeypatch):
    with_it = train(TASK, "adamw", POINT)
    monkeypatch.setattr(training._Run, "_rehearse", lambda *_: 0.0)
    assert train(TASK, "adamw", POINT).curve == with_it.curve


def test_the_curve_follows_the_looks_and_the_schedule():
    curve = train(TASK, "adamw", POINT).curve
    assert list(curve.marks) == [0, 5, 10, 15, 20, 25, 30]
    assert len(curve.train_loss) == len(curve.validation) == len(curve.lr) == 7
    assert curve.lr[-1] == pytest.approx(0.01 * POINT["lr"])
    assert curve.train_loss[-1] < curve.train_loss[0]


def test_a_diverged_run_stops_and_counts_as_guessing():
    run = train(TASK, "sgd", {"lr": 1e30, "weight_decay": 0.0, "warmup": 0.0}, reveal=True)
    assert run.diverged_at is not None
    assert run.diverged_at <= 5
    assert run.validation == run.test == TASK.guess
    assert len(run.curve.marks) == len(run.curve.train_loss) == len(run.curve.validation)


def test_a_metric_that_is_no_number_counts_as_divergence():
    broken = replace(TASK, metric=replace(TASK.metric, finish=lambda mean: mean if mean > 0.5 else math.nan))
    run = train(broken, "adamw", POINT)
    assert run.diverged_at is not None
    assert run.validation == TASK.guess


def test_looks_are_not_timed(monkeypatch):
    look = training._Run._look
    monkeypatch.setattr(training._Run, "_look", lambda self, part=None: time.sleep(0.1) or look(self, part))
    run = train(TASK, "sgd", POINT, reveal=True)
    assert 0 < run.seconds < 0.5
    assert all(0 < seconds <= run.seconds for _, _, seconds in run.best)


def test_the_optimizer_counts_as_training_time():
    slow = entrant("sgd", 3)

    def make(params, point):
        made = slow.make(params, point)
        step = made.step
        made.step = lambda: time.sleep(0.01) or step()
        return made

    run = training.train(TASK, replace(slow, make=make), POINT, 0)
    assert run.seconds > 30 * 0.01
    assert run.step_ms > 10


def test_the_best_so_far_only_gets_better():
    run = train(TASK, "adamw", POINT)
    values = [value for _, value, _ in run.best]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)
    assert values[-1] == min(run.curve.validation[1:])
    upside = replace(TASK, metric=replace(TASK.metric, higher_is_better=True))
    values = [value for _, value, _ in train(upside, "adamw", POINT).best]
    assert values == sorted(values)


@pytest.mark.parametrize("name", registry.optimizers())
def test_measured_state_is_that_of_the_slots(name):
    short = replace(TASK, steps=1, looks=1)
    point = {"lr": 1e-3, "warmup": 0.0}
    assert train(short, name, point).state_bytes_per_parameter == 4 * len(slots(registry.registration(name).build()))


def test_clipping_is_the_tasks():
    norms = []

    def spied(params, point):
        made = entrant("sgd", 3).make(params, point)
        step = made.step

        def step_spied():
            norms.append(torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in made.param_groups[0]["params"]])).item())
            return step()

        made.step = step_spied
        return made

    training.train(replace(TASK, clip_norm=1e-3), replace(entrant("sgd", 3), make=spied), POINT, 0)
    assert max(norms) == pytest.approx(1e-3, rel=1e-3)


def test_optimizers_with_other_weights_for_looking_are_switched():
    calls = []

    class Averaged(torch.optim.SGD):
        """It refuses to step before it was told to train, as the schedulefree package does."""

        def train(self):
            calls.append("train")

        def eval(self):
            calls.append("eval")

        def step(self, closure=None):
            assert calls[-1] == "train"
            super().step(closure)

    training.train(TASK, replace(entrant("sgd", 3), make=lambda params, point: Averaged(params, lr=point["lr"])), POINT, 0)
    assert calls == ["train", *["eval", "train"] * 7]
