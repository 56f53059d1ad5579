"""What must hold for every task, and what the tests of tasks share. A task that breaks one of these is no task."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from steepest.race.tasks import Data, Task
from steepest.race.tasks.measures import NO_TARGET

PARTS = ("train", "validation", "test")


def tensors(batch: Any) -> Iterator[Tensor]:
    """Every tensor of a batch; numbers as tensors too."""
    if isinstance(batch, tuple):
        for item in batch:
            yield from tensors(item)
    else:
        yield torch.as_tensor(batch)


def equal(one: Any, other: Any) -> bool:
    mine, theirs = list(tensors(one)), list(tensors(other))
    return len(mine) == len(theirs) and all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))


def digests(part: Any, inputs_only: bool = False) -> list[str]:
    """A hash of each example."""
    batches = part.all(1) if isinstance(next(part.all(1))[0], tuple) else ((x[i], y[i]) for x, y in part.all(512) for i in range(len(y)))
    kept = (one[0] if inputs_only else one for one in batches)
    return [hashlib.sha256(b"".join(t.numpy().tobytes() for t in tensors(one))).hexdigest() for one in kept]


def targets(part: Any) -> Tensor:
    return torch.cat([one[1] for one in part.all(512)])


class Constant(nn.Module):
    """Answers the best constant of the training part to everything, in the shape of the task's own model."""

    def __init__(self, task: Task, data: Data) -> None:
        super().__init__()
        self.model = seeded(task)
        y = targets(data.train)
        if y.is_floating_point():
            self.constant = y.mean()
        else:
            counts = torch.bincount(y[y != NO_TARGET].flatten(), minlength=self.model(first(task, data)[0]).shape[-1])
            self.constant = ((counts + 1e-9) / counts.sum()).log()

    def forward(self, inputs: Any) -> Tensor:
        return self.constant.expand_as(self.model(inputs))


def first(task: Task, data: Data, seed: int = 0) -> Any:
    return next(data.train.random(task.batch, seed))


def seeded(task: Task, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return task.make_model()


def trained(task: Task, steps: int, lr: float = 3e-3) -> tuple[nn.Module, list[float]]:
    """A model after some steps of AdamW, and the losses on the way."""
    model, data = seeded(task), task.load()
    opt = torch.optim.AdamW(model.parameters(), lr=lr)
    batches, losses = data.train.random(task.batch, 0), []
    for _ in range(steps):
        opt.zero_grad()
        loss = task.loss(model, next(batches))
        loss.backward()
        if task.clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), task.clip_norm)
        opt.step()
        losses.append(loss.item())
    assert all(map(math.isfinite, losses))
    return model, losses


# -- the checks, each of which raises AssertionError; test_the_checks.py holds tasks that they must reject -----------


def no_example_is_in_two_parts(data: Data) -> None:
    seen = [set(digests(part, inputs_only=True)) for part in data]
    for i in range(3):
        for j in range(i):
            assert not seen[i] & seen[j], f"{len(seen[i] & seen[j])} inputs of {PARTS[i]} are in {PARTS[j]} as well"


def batches_depend_on_the_seed_alone(task: Task, data: Data) -> None:
    one, same, other = (data.train.random(task.batch, seed) for seed in (5, 5, 6))
    pairs = [(next(one), next(same), next(other)) for _ in range(3)]
    assert all(equal(a, b) for a, b, _ in pairs)
    assert not any(equal(a, c) for a, _, c in pairs)


def a_pass_sees_every_example_once(data: Data, batch: int) -> None:
    count = len(data.train) // batch
    batches = data.train.random(batch, 0)
    seen = Counter(one for _ in range(count) for one in _examples(next(batches)))
    there = Counter(one for some in data.train.all(512) for one in _examples(some))
    assert seen.total() == count * batch
    assert seen <= there, "an example comes twice before another has come once"


def _examples(batch: Any) -> list[str]:
    """A hash of each example of a batch. Of graphs, whose atoms lie in one heap, the target must do."""
    rows = [t for t in tensors(batch) if t.dim() and len(t) == len(batch[1])]
    return [hashlib.sha256(b"".join(t[i].numpy().tobytes() for t in rows)).hexdigest() for i in range(len(batch[1]))]


def weights_depend_on_the_seed_alone(task: Task) -> None:
    one, same, other = (list(seeded(task, seed).parameters()) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert any(not torch.equal(a, c) for a, c in zip(one, other, strict=True))


def every_parameter_gets_a_gradient(task: Task) -> None:
    model = seeded(task)
    task.loss(model, first(task, task.load())).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{name} is not used"
        assert parameter.grad.abs().max() > 0, f"{name} has no influence on the loss"


def the_guess_is_that_of_a_constant(task: Task) -> None:
    data = task.load()
    value = task.metric.value(Constant(task, data), data.validation)
    assert abs(value - task.guess) <= 0.05 * task.guess, f"a constant has {value}, the task says {task.guess}"


def the_loss_falls(task: Task) -> None:
    _, losses = trained(task, 30)
    assert sum(losses[-5:]) / 5 < 0.9 * losses[0]


def evaluation_sees_every_example_once(task: Task, data: Data) -> None:
    """The value does not depend on how the part is cut into batches, and leaves mode and random numbers as they were."""
    for batch in (150, 512):
        assert sum(len(one[1]) for one in data.validation.all(batch)) == len(data.validation)
    model = seeded(task).train()
    state = torch.random.get_rng_state()
    values = [task.metric.value(model, data.validation, batch) for batch in (150, 512)]
    assert math.isclose(*values, rel_tol=1e-4)
    assert model.training
    assert torch.equal(state, torch.random.get_rng_state())
