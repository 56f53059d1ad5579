"""The file: whole or not at all, read without running anything, refused where it is not ours."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

import steepest
import steepest.torch
from steepest import checkpoint
from steepest.checkpoint import Held, TrainingState
from steepest.checkpoint.file import FORMAT
from steepest.errors import HyperparameterError, StateError


def some_state() -> TrainingState:
    rng = np.random.default_rng(0)
    strategy = steepest.Lookahead(steepest.adamw(steepest.Cosine(0.1, 100, warmup=5)), k=3)
    slots = {name: rng.standard_normal((2, 3)).astype(np.float32) for name in ("mu", "nu", "slow")}
    return TrainingState((strategy,), {"layer/weight": Held(0, 12, slots, "float32"), "new": Held(0, 0, {}, "float32")}, "torch")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    state = some_state()
    checkpoint.save(tmp_path / "run.safetensors", state)
    read = checkpoint.load(tmp_path / "run.safetensors")
    assert read.strategies == state.strategies
    assert (read.face, read.optimizer, read.options) == (state.face, state.optimizer, state.options)
    for name, held in state.params.items():
        assert (read.params[name].group, read.params[name].count, read.params[name].dtype) == (held.group, held.count, held.dtype)
        assert all(np.array_equal(read.params[name].slots[s], a) for s, a in held.slots.items())
    assert set(load_file(tmp_path / "run.safetensors")) == {"layer/weight:mu", "layer/weight:nu", "layer/weight:slow"}


def test_bfloat16_comes_back_as_it_was(tmp_path: Path) -> None:
    p = torch.nn.Parameter(torch.randn(7).bfloat16())
    p.grad = torch.randn(7).bfloat16()
    optimizer = steepest.torch.Adam([p])
    optimizer.step()
    checkpoint.save(tmp_path / "run", steepest.torch.export(optimizer))
    other = steepest.torch.Adam([p])
    steepest.torch.restore(other, checkpoint.load(tmp_path / "run"))
    for key in ("exp_avg", "exp_avg_sq"):
        assert other.state[p][key].dtype is torch.bfloat16
        assert torch.equal(other.state[p][key], optimizer.state[p][key])


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.safetensors"
    checkpoint.save(path, some_state())
    before = path.read_bytes()

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, some_state())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_function_cannot_be_written(tmp_path: Path) -> None:
    state = TrainingState((steepest.sgd(lambda taken: 0.1 / (1 + taken)),), {})
    with pytest.raises(HyperparameterError, match=r"is a function, which a configuration cannot hold.*Cosine, Linear"):
        checkpoint.save(tmp_path / "run", state)
    assert not list(tmp_path.iterdir())


def broken(header: dict[str, Any]) -> dict[str, str]:
    return {
        "steepest": json.dumps({"format": FORMAT, "face": "", "optimizer": "", "options": {}, "strategies": [], "params": [], **header})
    }


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({}, "no training state of Steepest"),
        ({"steepest": "{"}, "cannot be read"),
        ({"steepest": "[]"}, "cannot be read"),
        (broken({"format": FORMAT + 1}), "pip install -U steepest"),
        (broken({"strategies": [{"transform": "ScaleByMagic"}]}), "newer version"),
        (broken({"strategies": [{"transform": "mine:ScaleByMine"}]}), "import mine first"),
        (broken({"strategies": [{"transform": "ScaleByAdam", "b3": 0.5}]}), "no field b3"),
        (broken({"strategies": [{"transform": "ScaleByAdam", "b1": 7}]}), "out of range"),
        (broken({"strategies": [{"transform": "ScaleByLearningRate", "lr": {"schedule": "Magic"}}]}), "no schedule"),
        (broken({"params": [{"name": "w", "group": 0, "count": 1, "slots": ["mu"], "dtype": "float32"}]}), "cannot be read"),
        (
            broken({"params": [{"name": "w", "group": 0, "count": 1, "slots": [], "dtype": "float32"}]}),
            "group that the header does not have",
        ),
    ],
)
def test_what_is_not_ours_is_refused(tmp_path: Path, metadata: dict[str, str], why: str) -> None:
    save_file({"x": np.ones(2, np.float32)}, tmp_path / "run", metadata)
    with pytest.raises(StateError, match=why):
        checkpoint.load(tmp_path / "run")


def test_what_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    checkpoint.save(path, some_state())
    content = path.read_bytes()
    for cut in (0, 5, 100, len(content) - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(StateError, match=r"no safetensors file, or a damaged one"):
            checkpoint.load(path)
    with pytest.raises(FileNotFoundError, match="There is no checkpoint"):
        checkpoint.load(tmp_path / "other")


def test_the_command(tmp_path: Path) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    optimizer = steepest.torch.SGD([("w", p)], lr=0.1, momentum=0.9)
    optimizer.step()
    checkpoint.save(tmp_path / "run.safetensors", steepest.torch.export(optimizer))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "steepest", "convert", *arguments], capture_output=True, text=True, check=False)

    done = run(str(tmp_path / "run.safetensors"), "--to", "keras")
    assert done.returncode == 0, done.stderr
    assert "steepest.keras.SGD(learning_rate=0.1, momentum=0.9)" in done.stdout
    converted = checkpoint.load(tmp_path / "run.keras.safetensors")
    np.testing.assert_allclose(converted.params["w"].slots["trace"], -0.1 * np.ones(3), rtol=1e-6)
    missing = run(str(tmp_path / "nothing"), "--to", "keras")
    assert missing.returncode == 2
    assert missing.stderr.startswith("steepest: There is no checkpoint")
