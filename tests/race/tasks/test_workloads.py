"""What must hold for each of the workloads."""

import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from steepest.errors import TaskError
from steepest.race import tasks
from steepest.race.tasks import TASKS, Task
from steepest.race.tasks.data import vendored
from steepest.race.tasks.measures import NO_TARGET
from tests.race.tasks import checks

ROOT = Path(__file__).parent.parent.parent.parent
EVERY = pytest.mark.parametrize("task", [pytest.param(TASKS[name], id=name) for name in TASKS])


@EVERY
def test_parts(task: Task) -> None:
    data = task.load()
    assert task.load() is data
    assert all(len(part) >= 170 for part in data)
    checks.no_example_is_in_two_parts(data)


@EVERY
def test_batches(task: Task) -> None:
    data = task.load()
    checks.batches_depend_on_the_seed_alone(task, data)
    checks.a_pass_sees_every_example_once(data, task.batch)
    assert len(next(data.train.random(task.batch, 0))[1]) == task.batch


@EVERY
def test_model(task: Task) -> None:
    checks.weights_depend_on_the_seed_alone(task)
    checks.every_parameter_gets_a_gradient(task)
    checks.evaluation_sees_every_example_once(task, task.load())


@EVERY
def test_guess_and_target(task: Task) -> None:
    checks.the_guess_is_that_of_a_constant(task)
    record = json.loads((ROOT / "scripts" / "race_targets.json").read_text())[task.name]
    assert task.target == record["target"]
    assert (task.steps, task.batch) == (record["steps"], record["batch"]), "measure the target again: scripts/set_race_targets.py"
    assert f"{record['baseline']} at lr {record['lr']:g}" in task.target_reason
    assert task.target < 0.8 * task.guess
    assert min(record["finals"]) <= task.target <= max(record["finals"]) + 1e-4


@EVERY
def test_the_loss_falls(task: Task) -> None:
    checks.the_loss_falls(task)


@EVERY
def test_pickling(task: Task) -> None:
    again = pickle.loads(pickle.dumps(task))
    assert again == task
    assert again.load() is task.load()
    assert len(pickle.dumps(task)) < 2000, "a task holds no data"


@EVERY
def test_looks_are_evenly_spaced(task: Task) -> None:
    assert task.steps % task.looks == 0


@pytest.mark.parametrize("name", ["digits-mlp", "mnist-cnn", "vowels-lstm"])
def test_classes_are_shared_evenly(name: str) -> None:
    data = TASKS[name].load()
    counts = [torch.bincount(checks.targets(part)).double() for part in data]
    whole = sum(counts)
    for count in counts:
        assert ((count - whole * count.sum() / whole.sum()).abs() <= 1).all()


def test_the_data_is_the_same_in_another_process() -> None:
    program = (
        "from steepest.race.tasks import TASKS\nfrom tests.race.tasks.checks import digests\nimport hashlib\n"
        "print(*(hashlib.sha256(''.join(d for p in TASKS[n].load() for d in digests(p)).encode()).hexdigest() for n in {names!r}))"
    )
    names = ["digits-mlp", "vowels-lstm", "molecules-gnn"]
    run = subprocess.run([sys.executable, "-c", program.format(names=names)], cwd=ROOT, check=True, capture_output=True, text=True)
    here = [[d for part in TASKS[n].load() for d in checks.digests(part)] for n in names]
    assert run.stdout.split() == [hashlib.sha256("".join(d).encode()).hexdigest() for d in here]


def test_sequences_are_cut_off_where_they_end() -> None:
    """What stands after the end of an utterance or a name changes nothing."""
    task = TASKS["vowels-lstm"]
    (heard, _), model = checks.first(task, task.load()), checks.seeded(task)
    after = torch.arange(heard.frames.shape[1]) >= heard.lengths[:, None]
    noisy = heard._replace(frames=heard.frames.masked_fill(after[..., None], 9.0))
    assert after.any()
    assert torch.equal(model(heard), model(noisy))
    task = TASKS["names-lstm"]
    (letters, following), model = checks.first(task, task.load()), checks.seeded(task)
    other = letters.masked_fill(following == -100, 5)
    assert torch.equal(task.loss(model, (letters, following)), task.loss(model, (other, following)))


def test_windows_follow_one_another() -> None:
    """Read one after the other they are the play: no character is trained on twice in a pass."""
    plays = vendored("shakespeare")
    known = sorted({character for play in plays.values() for character in play.tolist()})
    text, _ = next(TASKS["shakespeare-transformer"].load().train.all(1000))
    assert bytes(known[i] for i in text.flatten().tolist()) == plays["coriolanus"].tobytes()[: text.numel()]


def test_a_name_is_spelled_from_its_beginning_to_its_end() -> None:
    names = set(vendored("surnames")["surnames"].tobytes().decode().split())
    letters, following = next(TASKS["names-lstm"].load().test.all(2000))
    for before, after in zip(letters.tolist(), following.tolist(), strict=True):
        end = after.index(0)
        assert "".join(chr(96 + letter) for letter in after[:end]) in names
        assert before[: end + 1] == [0, *after[:end]]
        assert set(after[end + 1 :]) <= {NO_TARGET}


def test_molecules_do_not_hear_each_other() -> None:
    task = TASKS["molecules-gnn"]
    model, part = checks.seeded(task), task.load().validation
    together = model(next(part.all(200))[0])
    alone = torch.cat([model(one[0]) for one in part.all(1)])
    torch.testing.assert_close(together, alone)


def test_no_character_sees_what_follows() -> None:
    task = TASKS["shakespeare-transformer"]
    text, following = checks.first(task, task.load())
    model, later = checks.seeded(task), text.clone()
    later[:, 20:] = 3
    torch.testing.assert_close(model(text)[:, :20], model(later)[:, :20])
    assert torch.equal(text[:, 1:], following[:, :-1])


def test_the_list_of_tasks() -> None:
    assert [TASKS[name].name for name in TASKS] == list(TASKS)
    assert len({task.family for task in TASKS.values()}) == len(TASKS) == 8
    assert len({TASKS[name].family for name in tasks.QUICK}) == 3
    assert tasks.task("names-lstm") is TASKS["names-lstm"]
    with pytest.raises(TaskError, match=r"No task is called 'mnist'. There are: digits-mlp, mnist-cnn.*my_task.py:make"):
        tasks.task("mnist")


def test_naming_the_tasks_imports_no_torch() -> None:
    program = "import sys\nfrom steepest.race.tasks import TASKS\nassert 'mnist-cnn' in TASKS and len(TASKS) == 8\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "sklearn"} & set(loaded)
