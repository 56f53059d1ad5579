"""A task from a file: what `Task.supervised` decides, and what is said when something is wrong."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from steepest.errors import SteepestError, TaskError
from steepest.race import tasks
from steepest.race.tasks import TASKS, Data, Metric, Task, user
from steepest.race.tasks.data import Examples
from tests.race.tasks import checks

RANDOM = np.random.RandomState(1)
X, CLASSES = RANDOM.randn(200, 5), RANDOM.randint(0, 3, 200)
HEAD = "import torch\nfrom torch import nn\nfrom steepest.race.tasks import Task\n"
DATA = "def data():\n    g = torch.Generator().manual_seed(0)\n    return torch.randn(100, 3, generator=g), torch.arange(100) % 2\n"
MODEL = "def model():\n    return nn.Linear(3, 2)\n"
MAKE = "def make():\n    return Task.supervised('mine', model, data, batch=10, steps=50)\n"


def classes():
    return X, CLASSES


def numbers():
    return X, X[:, 0] * 2 + 1


def linear(outputs: int = 3) -> nn.Module:
    return nn.Linear(5, outputs)


def one_number() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 1), nn.Flatten(0))


# -- Task.supervised ---------------------------------------------------------------------------------------------


def test_classes() -> None:
    task = user.checked(Task.supervised("t", linear, classes))
    assert task.metric.name == "error"
    data = task.load()
    assert [len(part) for part in data] == [120, 40, 40]
    checks.no_example_is_in_two_parts(data)
    most = torch.bincount(checks.targets(data.train)).argmax()
    assert task.guess == pytest.approx((checks.targets(data.validation) != most).double().mean().item())
    counts = [torch.bincount(checks.targets(part)) for part in data]
    assert (counts[1] - counts[2]).abs().max() <= 2
    checks.every_parameter_gets_a_gradient(task)


def test_regression() -> None:
    task = user.checked(Task.supervised("t", one_number, numbers, split=(0.8, 0.1, 0.1)))
    assert task.metric.name == "RMSE"
    data = task.load()
    assert [len(part) for part in data] == [160, 20, 20]
    y = checks.targets(data.validation)
    assert task.guess == pytest.approx((y - checks.targets(data.train).mean()).square().mean().sqrt().item(), rel=1e-5)
    (x, answers), model = next(data.validation.all(100)), checks.seeded(task)
    assert task.metric.value(model, data.validation, 3) == pytest.approx((model(x) - answers).square().mean().sqrt().item(), rel=1e-5)


def test_a_loss_and_a_metric_of_ones_own() -> None:
    metric = Metric("mean output", True, of=lambda model, batch: (model(batch[0]).sum().item(), len(batch[1])))
    task = user.checked(Task.supervised("t", linear, classes, loss=nn.functional.multi_margin_loss, metric=metric, target=0.5))
    assert (task.metric, task.target, task.target_reason) == (metric, 0.5, "given with the task")
    with pytest.raises(TaskError, match=r"metric='accuracy' is no metric: write one of 'error', 'RMSE', or give a Metric"):
        Task.supervised("t", linear, classes, metric="accuracy")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: (X, CLASSES[:-1]), "200 rows of X but 199 answers y"),
        (lambda: X, r"data\(\) gave ndarray, not a pair: end it with `return X, y`"),
        (lambda: (X, 1.0), "y of data.. has no rows"),
        (lambda: (X[:2], CLASSES[:2]), "2 examples cannot be divided into parts of"),
    ],
)
def test_data_that_cannot_be(data, message) -> None:
    with pytest.raises(TaskError, match=message):
        Task.supervised("t", linear, data)


@pytest.mark.parametrize("split", [(0.5, 0.5), (0.9, 0.1, 0.0), (0.8, 0.8, 0.8)])
def test_a_split_that_cannot_be(split) -> None:
    with pytest.raises(TaskError, match=r"give the shares of training, validation and test"):
        Task.supervised("t", linear, classes, split=split)


def test_outputs_and_answers_of_different_shapes() -> None:
    """Torch would compare each of the 64 outputs with each of the 64 answers, and learn the mean."""
    with pytest.raises(TaskError, match=r"The model gives \(64, 1\) where the answers are \(64,\): end the model with nn.Flatten\(0\)"):
        user.checked(Task.supervised("t", lambda: linear(1), numbers))


# -- from a file -------------------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> str:
    (folder / "my_task.py").write_text(HEAD + text)
    return f"{folder / 'my_task.py'}:make"


def test_a_file(tmp_path: Path, monkeypatch) -> None:
    source = written(tmp_path, DATA + MODEL + MAKE)
    task = tasks.task(source)
    assert (task.name, task.steps, task.source) == ("mine", 50, source)
    monkeypatch.chdir(tmp_path)
    assert tasks.task("my_task.py:make") is task


def test_it_may_import_what_lies_beside_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside_the_task.py").write_text(HEAD + DATA + MODEL)
    assert tasks.task(written(tmp_path, "from beside_the_task import data, model\n" + MAKE)).name == "mine"


def test_two_files_of_the_same_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert tasks.task(written(tmp_path / name, DATA + MODEL + MAKE.replace("mine", name))).name == name


def test_what_was_changed_survives_pickling(tmp_path: Path) -> None:
    task = replace(tasks.task(written(tmp_path, DATA + MODEL + MAKE)), steps=7, looks=1, target=0.25)
    (tmp_path / "task").write_bytes(pickle.dumps(task))
    program = "import pickle; t = pickle.load(open('task', 'rb')); print(t.name, t.steps, t.target, t.clip_norm, len(t.load().train))"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert run.stdout.split() == ["mine", "7", "0.25", "None", "60"]


MISTAKES = {
    "no function": (DATA + MODEL + "def main(): ...\n", r"my_task.py has no function 'make'. It has: data, model, main\."),
    "no task": (
        DATA + MODEL + "def make(): ...\n",
        r"make\(\) in .*my_task.py gave NoneType, not a Task: end it with `return Task.supervised",
    ),
    "syntax": ("def make(:\n", r"my_task.py cannot be imported: line 4, "),
    "import": ("import surely_not_installed\n", r"cannot be imported: line 4, ModuleNotFoundError: No module named 'surely_not_installed'"),
    "in make": ("def make():\n    return 1 / 0\n", r"make\(\) in .*my_task.py failed: line 5, ZeroDivisionError"),
    "in data": ("def data():\n    return 1 / 0\n" + MODEL + MAKE, r"make\(\) in .* failed: line 5, ZeroDivisionError"),
    "in the model": (
        DATA + "def model():\n    return nn.Linear(4, 2)\n" + MAKE,
        r"loss\(model, batch\) of the task 'mine' failed: RuntimeError: mat1 and",
    ),
    "in make_model": (
        DATA + "def model():\n    return nn.Oops()\n" + MAKE,
        r"make_model\(\) of the task 'mine' failed: line 8, AttributeError",
    ),
    "no module": (
        DATA + "def model():\n    return 3\n" + MAKE,
        r"make_model\(\) of the task 'mine' must give a torch.nn.Module with parameters",
    ),
    "NaN in the data": (
        "def data():\n    return torch.full((100, 3), torch.nan), torch.arange(100) % 2\n" + MODEL + MAKE,
        r"The loss of the task 'mine' is nan on the first batch, before any step. The batch itself holds NaN or infinity: drop these rows",
    ),
    "NaN in the loss": (
        DATA + MODEL + MAKE.replace("batch=10", "batch=10, loss=lambda out, y: (out * 0).log().mean() * 0"),
        r"The loss of the task 'mine' is nan .* The batch is finite, so the model or the loss makes it: scale the inputs",
    ),
    "no scalar": (
        DATA + MODEL + MAKE.replace("batch=10", "batch=10, loss=lambda out, y: out[:, 0]"),
        r"gave a tensor of shape \(10,\), requires_grad=True. It must give one number that depends on the model: end it with .mean\(\)",
    ),
    "no gradient": (
        DATA + MODEL + MAKE.replace("batch=10", "batch=10, loss=lambda out, y: out.mean().detach()"),
        r"requires_grad=False. It must give one number that depends on the model",
    ),
    "a float": (DATA + MODEL + MAKE.replace("batch=10", "batch=10, loss=lambda out, y: 1.0"), r"loss\(model, batch\) .* gave float\."),
    "a large batch": (DATA + MODEL + MAKE.replace("batch=10", "batch=61"), r"wants batches of 61, but there are only 60 .* set batch=15\."),
    "no steps": (DATA + MODEL + MAKE.replace("steps=50", "steps=0"), r"steps=0 of the task 'mine' cannot be: it must be at least 1"),
    "many looks": (DATA + MODEL + MAKE.replace("steps=50", "steps=5"), r"wants 20 looks in 5 steps: at most one look a step"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_explained(name: str, tmp_path: Path) -> None:
    text, message = MISTAKES[name]
    with pytest.raises(TaskError, match=message):
        tasks.task(written(tmp_path, text))


def test_a_missing_file_and_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"There is no file .*nowhere.py: give the path of a Python file and a function in it"):
        tasks.task("nowhere.py:make")
    with pytest.raises(TaskError, match=r"'make\(\)' is no name of a function: write my_task.py:make"):
        tasks.task(written(tmp_path, DATA + MODEL + MAKE) + "()")
    (tmp_path / "my_task.txt").write_text("")
    with pytest.raises(TaskError, match=r"is no Python file: its name must end in .py"):
        tasks.task(f"{tmp_path}/my_task.txt:make")


def test_a_mistake_that_was_mended_is_forgotten(tmp_path: Path) -> None:
    with pytest.raises(SteepestError):
        tasks.task(written(tmp_path, "import surely_not_installed\n"))
    assert tasks.task(written(tmp_path, DATA + MODEL + MAKE)).name == "mine"


def test_empty_parts_and_metrics_that_are_no_numbers() -> None:
    task = TASKS["digits-mlp"]
    data = task.load()
    empty = data._replace(test=Examples(torch.arange(0), data.test.take))
    with pytest.raises(TaskError, match=r"must give three parts with examples"):
        user.checked(replace(task, load=lambda: Data(*empty)))
    with pytest.raises(TaskError, match=r"is .* before training and nan for a guess"):
        user.checked(replace(task, guess=float("nan")))
    with pytest.raises(TaskError, match=r"the metric of the task 'digits-mlp' failed: ZeroDivisionError"):
        user.checked(replace(task, metric=Metric("m", False, lambda model, batch: (1.0, 0))))


def test_a_look_changes_nothing() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    task = TASKS["digits-mlp"]
    assert user.checked(task) is task
    assert torch.equal(before, torch.random.get_rng_state())
