"""`make gpu` where there is no GPU: it says so. What it would run can at least be imported."""

import subprocess
import sys
from importlib import import_module

import pytest
import torch


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU: `make gpu` would run")
def test_without_a_gpu_it_says_so() -> None:
    run = subprocess.run([sys.executable, "-m", "benchmarks.gpu"], capture_output=True, text=True, check=False)
    assert run.returncode == 3
    assert "no CUDA GPU" in run.stderr
    assert not run.stdout


def test_what_it_would_run() -> None:
    right, main = import_module("benchmarks.gpu.right"), import_module("benchmarks.gpu.__main__")
    names = [name for name, _ in right.checks()]
    assert len(set(names)) == len(names) > 100
    assert import_module("benchmarks.gpu.fast").REPEAT > 1
    assert set(main.PROMISED) <= set(import_module("benchmarks.sets").SETS)


def test_the_largest_set_is_gpt2() -> None:
    assert 124_000_000 < import_module("benchmarks.sets").elements("E") < 125_000_000
