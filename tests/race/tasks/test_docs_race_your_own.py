"""The files in docs/race-your-own.md, as printed: loaded, tried, trained for a few steps, pickled into another process."""

import importlib.util
import pickle
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch
from torch import nn

from steepest.race import tasks
from tests.race.tasks import checks

TEXT = (Path(__file__).parent.parent.parent.parent / "docs" / "race-your-own.md").read_text()
FILES = dict(re.findall(r"<!-- (\w+\.py) -->\n```python\n(.*?)```", TEXT, re.S))


class GPT2Config:
    def __init__(self, **sizes: int) -> None:
        self.__dict__.update(sizes)


class GPT2LMHeadModel(nn.Module):
    """Takes and gives what the one of transformers does: the labels are shifted here."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.last = nn.Linear(config.n_embd, config.vocab_size)

    def forward(self, input_ids, labels=None):
        logits = self.last(self.embedding(input_ids))
        loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return types.SimpleNamespace(loss=loss, logits=logits)


class LightningModule(nn.Module):
    def log(self, name: str, value: torch.Tensor) -> None:
        assert value.numel() == 1


STAND_INS = {
    "transformers": {"GPT2Config": GPT2Config, "GPT2LMHeadModel": GPT2LMHeadModel},
    "lightning": {"LightningModule": LightningModule},
}


@pytest.fixture
def packages(monkeypatch):
    """The real packages where they are installed; otherwise classes with the same interface."""
    for name, classes in STAND_INS.items():
        if importlib.util.find_spec(name) is None:
            module = types.ModuleType(name)
            module.__dict__.update(classes)
            monkeypatch.setitem(sys.modules, name, module)


def test_there_are_three_and_the_first_is_short() -> None:
    assert list(FILES) == ["my_task.py", "my_gpt.py", "my_lightning.py"]
    assert len(FILES["my_task.py"].splitlines()) < 30


@pytest.mark.parametrize("name", FILES)
# What the real packages have to say about themselves is no fault of the example.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_it_runs_as_printed(name: str, tmp_path: Path, monkeypatch, packages) -> None:
    (tmp_path / name).write_text(FILES[name])
    monkeypatch.chdir(tmp_path)
    task = tasks.task(f"{name}:make")
    _, losses = checks.trained(task, 40)
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    assert task.metric.value(checks.seeded(task), task.load().validation) < 2 * task.guess
    assert pickle.loads(pickle.dumps(task)) == task


def test_another_process_gets_the_same_task(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "my_task.py").write_text(FILES["my_task.py"])
    monkeypatch.chdir(tmp_path)
    task = tasks.task("my_task.py:make")
    (tmp_path / "task.pickle").write_bytes(pickle.dumps(task))
    program = "import pickle; t = pickle.load(open('task.pickle', 'rb')); print(t.name, t.guess, len(t.load().train))"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert run.stdout.split() == ["tumours", str(task.guess), str(len(task.load().train))]
