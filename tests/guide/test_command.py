"""`steepest advise` as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from steepest import cli
from steepest.guide.advise import command

LM = ["advise", "--family", "transformer-lm", "--params", "124M", "--batch", "256", "--memory", "24GB", "--steps", "20000"]
MODEL = """
import torch

def make():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.BatchNorm2d(8))

def broken():
    return torch.nn.Linear("3", 3)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_model_for_advise.py"
    path.write_text(MODEL)
    return path


def test_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*LM, "--tuning-budget", "10"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("AdamW for a Transformer language model, 124 M parameters, batch 256, 20,000 steps\n")
    assert "--sequence-length 512" in out, "what was assumed is said as it is typed"
    assert "--long" in out


def test_json_is_the_same_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*LM, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [p["optimizer"] for p in data["short_list"]] == ["adamw", "nadamw", "lion"]
    assert "optimizer.init" in data["short_list"][0]["code"]["optax"]


def test_long_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*LM, "--long"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Independently tuned, Lion is about as good as AdamW" in out
    assert "AGAINST" in out
    assert "Every reason in full" not in out


def test_a_model_from_a_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["advise", f"{file}:make", "--batch", "256"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Nesterov for a convolutional network, 96 parameters")
    assert "seen" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--family", "mlp", "--params", "12Q"], "--params 12Q: this is no number. Write --params 124M."),
        (["--family", "mlp"], "How many parameters has the model? Write --params 124M."),
        (["--params", "1M"], "Write --family cnn, for example"),
        (["--family", "lm", "--params", "124M", "--memory", "100MB"], "--memory 100MB does not hold the weights alone"),
        (["--family", "lm", "--params", "124M", "--memory", "600MB"], "Ways out: --dtype bf16, --lora, more memory."),
        (["--family", "cnn", "--params", "1M", "--steps", "0"], "--steps 0: it must be 1 or more. Write --steps 20000."),
        (["--family", "cnn", "--params", "1M", "--batch", "-4"], "--batch -4: it must be 1 or more"),
        (["--family", "cnn", "--params", "1M", "--tuning-budget", "-1"], "--tuning-budget -1: it must be 0 or more"),
        (["--family", "cnn", "--params", "1M", "--json", "--race"], "--json and --race contradict each other"),
        (["--family", "recommender", "--params", "1M", "--race"], "--race: no task of the race is a recommender"),
        (["nowhere.py:make"], "there is no file nowhere.py"),
        (["make"], "write the file and a function in it"),
        (["--family", "cnn", "--params", "1M", "--tuned", "adamw lr"], "--tuned \"adamw lr\": 'lr' is neither"),
    ],
)
def test_mistakes_get_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["advise", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("steepest: ")
    assert error.count("\n") == 1
    assert said in error


def test_a_file_that_does_not_work_says_why(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for function, said in (("broken", "it cannot be made: TypeError"), ("nobody", "AttributeError")):
        assert cli.main(["advise", f"{file}:{function}"]) == 2
        assert said in capsys.readouterr().err
    text = file.with_suffix(".txt")
    text.write_text(MODEL)
    assert cli.main(["advise", f"{text}:make"]) == 2
    assert "must end in .py" in capsys.readouterr().err


def test_race_starts_the_race_that_it_prints(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    started = []
    from steepest.race import command as racing

    monkeypatch.setattr(racing, "run", lambda args: started.append(racing.settings_of(args)) or 0)
    arguments = ["advise", "--family", "recurrent", "--params", "1M", "--tuning-budget", "12", "--race"]
    assert cli.main(arguments) == 0
    (settings,) = started
    assert settings.tasks == ("names-lstm", "vowels-lstm")
    assert settings.optimizers == ("adamw", "rmsprop", "nadamw=torch.optim:NAdam(decoupled_weight_decay=True)")
    assert (settings.trials, settings.seeds) == (12, 5)
    assert "steepest race --tasks names-lstm,vowels-lstm --optimizers adamw,rmsprop" in capsys.readouterr().out
    assert cli.main([*arguments[:-2], "0", "--race"]) == 0
    assert started[1].defaults, "without a budget, everybody at the defaults"


def test_every_race_that_is_advised_can_be_raced() -> None:
    from steepest.guide.advise import tables
    from steepest.guide.advise.advising import advise
    from steepest.race.entrants import entrants

    for family, row in tables.families().items():
        advice = advise(family=family, params="1M")
        assert bool(advice.race) == bool(row.tasks)
        words = list(advice.race_arguments)
        given = [words[i + 1] for i, w in enumerate(words) if w == "--with"] + [
            n for w in words if w.startswith("adam") for n in w.split(",")
        ]
        assert entrants(given or ["adamw"], 5)


def test_asking_imports_no_framework() -> None:
    program = "import sys; from steepest import cli; cli.main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program, *LM], check=True, capture_output=True, text=True, env=os.environ.copy())
    loaded = set(done.stderr.split())
    assert not loaded & {"torch", "keras", "tensorflow", "jax", "optax", "rich", "optuna", "scipy", "pyarrow"}


def test_help_names_every_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["advise", "--help"])
    assert "--tuning-budget" in capsys.readouterr().out
    assert command.add_arguments.__doc__
