"""`steepest tune` as a user types it."""

import json

import pytest

from steepest.cli import main
from tests.race.engine.helpers import TINY

SHORT = ("--steps", "60", "--repeats", "1")


def test_a_suggestion_with_picture_and_what_to_do_next(tmp_path, capsys):
    assert main(["tune", f"{TINY}:make", "adamw", *SHORT, "--out", str(tmp_path / "curve.svg")]) == 0
    said = capsys.readouterr().out
    assert "AdamW on tiny: start with a learning rate of" in said
    assert f"steepest race --task {TINY}:make --optimizers 'adamw' --space adamw:lr=" in said
    assert "▲" in said
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


def test_json_and_an_optimizer_of_torch(capsys):
    assert main(["tune", f"{TINY}:make", "torch.optim:NAdam", *SHORT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["suggestion"]["low"] <= found["suggestion"]["rate"] <= found["suggestion"]["high"]
    assert len(found["sweeps"][0]["rates"]) == len(found["sweeps"][0]["losses"])


def test_the_same_twice(capsys):
    said = []
    for _ in range(2):
        main(["tune", f"{TINY}:make", "sgd", *SHORT])
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_no_suggestion_has_its_own_status(capsys):
    assert main(["tune", f"{TINY}:make", "adamw", *SHORT, "--low", "1e-12", "--high", "1e-10"]) == 1
    assert "no suggestion, since the loss did not fall" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["imagenet"], "No task is called 'imagenet'"),
        ([f"{TINY}:make", "adamm"], "Did you mean 'adam'?"),
        ([f"{TINY}:make", "--low", "1", "--high", "0.1"], "give low above 0 and high above low"),
        ([f"{TINY}:make", "--out", "curve.png"], "Write curve.svg"),
    ],
)
def test_a_mistake_is_one_clear_message(words, message, capsys):
    assert main(["tune", *words]) == 2
    assert message in capsys.readouterr().err
