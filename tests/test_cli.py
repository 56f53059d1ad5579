"""The command line, as a person types it."""

import subprocess
import sys

import pytest

import steepest
from steepest import cli


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == steepest.optimizers()
    assert cli.main(["list", "ada*"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert cli.main(["list", "zebra"]) == 1
    assert "steepest list" in capsys.readouterr().err


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "lion"]) == 0
    out = capsys.readouterr().out
    for part in (
        "arXiv:2302.06675",
        "4 bytes of state",
        "20 bytes of traffic",
        r"\operatorname{sign}",
        "def lion(param, grad, mu",
        "lr=0.0001",
    ):
        assert part in out
    assert cli.main(["show", "lion", "--code", "llvm"]) == 0
    assert "define void @steepest" in capsys.readouterr().out


def test_unknown_optimizer(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "lyon"]) == 2
    assert capsys.readouterr().err.startswith("steepest: No optimizer is called 'lyon'. Did you mean 'lion'?")


def test_help_names_the_commands() -> None:
    out = subprocess.run([sys.executable, "-m", "steepest", "--help"], check=True, capture_output=True, text=True).stdout
    for command in ("list", "show", "race", "play"):
        assert command in out
    assert (
        subprocess.run([sys.executable, "-m", "steepest", "--version"], check=True, capture_output=True, text=True).stdout
        == f"steepest {steepest.__version__}\n"
    )
