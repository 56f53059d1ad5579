"""The command: what its arguments mean, and that a mistake is one clear message before anything is written."""

import argparse
import importlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from steepest.errors import MissingExtra
from steepest.race import command, presets, store
from steepest.race.tasks import NAMES
from tests.race.engine.helpers import TINY


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def run(*words: str) -> int:
    return command.run(arguments(*words))


SMALL = ("--task", f"{TINY}:make", "--optimizers", "sgd,adamw", "--trials", "2", "--seeds", "1", "--workers", "1")


# -- mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--optimizers", "adm"], "No optimizer is called 'adm'. Did you mean 'adam'?"),
        (["--optimizers", "adam,zzz*"], "No optimizer is called 'zzz*'."),
        (["--optimizers", ","], "at least one optimizer"),
        (["--with", "torch.optim:Adaam"], "torch.optim has no Adaam"),
        (["--with", "sgd"], "is in the race already. For a second copy give it a name: --with again=sgd"),
        (["--tasks", "imagenet"], "No task is called 'imagenet'. There are: digits-mlp"),
        (["--tasks", ","], "at least one task"),
        (["--task", "nowhere.py:make"], "There is no file"),
        (["--task", f"{TINY}:nan"], "loss"),
        (["--task", f"{TINY}:make", "--task", f"{TINY}:make"], "Two tasks are called tiny"),
        (["--trials", "0"], "--trials 0: give 1 to 1000."),
        (["--seeds", "-1"], "--seeds -1: give 1 to 1000."),
        (["--workers", "-1"], "--workers -1: give 1 or more"),
        (["--space", "sgd:lr=1..0.1"], "upside down"),
        (["--storage", "mysql://host/db"], "give the path of a SQLite file, or postgresql://"),
        (["--with", "torch.optim:LBFGS"], "LBFGS cannot train tiny: TypeError"),
    ],
)
def test_a_mistake_is_one_clear_message_and_nothing_is_written(words, message, capsys, tmp_path):
    task = [] if any(w.startswith("--task") for w in words) else ["--task", f"{TINY}:make"]
    who = [] if "--optimizers" in words else ["--optimizers", "sgd"]
    assert run(*task, *who, *words, "--out", str(tmp_path / "new")) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("steepest race: ")
    assert "Traceback" not in said
    assert not (tmp_path / "new").exists()


def test_folders_that_cannot_be_are_refused_before_the_race(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert run(*SMALL, "--out", str(tmp_path / "file")) == 2
    assert "is a file. Choose another folder with --out" in capsys.readouterr().err
    (tmp_path / "folder" / "race.db").mkdir(parents=True)
    assert run(*SMALL, "--out", str(tmp_path / "folder")) == 2
    assert "is a folder, where the record of the race should be a file" in capsys.readouterr().err


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    assert run(*SMALL, "--out", str(folder)) == 0
    return folder


def test_another_race_in_the_same_place_is_refused(made, capsys):
    before = (made / "race.db").read_bytes()
    assert run(*SMALL, "--trials", "3", "--space", "sgd:lr=0.01..1", "--out", str(made)) == 2
    said = capsys.readouterr().err
    assert "trials 2 there, 3 asked for" in said
    assert "spaces [] there, ['sgd:lr=0.01..1'] asked for" in said
    assert "choose another folder with --out" in said
    assert (made / "race.db").read_bytes() == before


def test_a_race_whose_task_has_changed_since_is_refused(made, capsys, monkeypatch):
    from steepest.race import tasks

    task = tasks.task
    monkeypatch.setattr(tasks, "task", lambda text: __import__("dataclasses").replace(task(text), steps=31))
    assert run(*SMALL, "--out", str(made)) == 2
    assert "would run other trials than the race was planned with" in capsys.readouterr().err


def test_a_record_from_a_newer_version_is_refused_everywhere(made, capsys, tmp_path):
    path = tmp_path / "race.db"
    path.write_bytes((made / "race.db").read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        newer = f'"schema": {store.SCHEMA + 1}'
        connection.execute("UPDATE study_user_attributes SET value_json = replace(value_json, ?, ?)", (f'"schema": {store.SCHEMA}', newer))
        connection.commit()
    before = path.read_bytes()
    for words in (
        [*SMALL, "--out", str(tmp_path)],
        ["report", str(path)],
        ["compare", str(made / "race.db"), str(path)],
        ["worker", "--storage", str(path)],
    ):
        assert run(*words) == 2
        assert "update Steepest" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_run_that_fails_says_which_and_where_and_the_race_goes_on_when_it_is_mended(tmp_path):
    task = tmp_path / "mine.py"
    text = Path(TINY).read_text()
    task.write_text(
        text.replace("def data():", "COUNT = [0]\n\n\ndef data():").replace(
            "    time.sleep(0.02)", "    COUNT[0] += 1\n    if COUNT[0] > 100:\n        raise OSError('the scanner broke')"
        )
    )
    words = ["--task", f"{task}:slow", "--optimizers", "sgd", "--trials", "3", "--seeds", "2", "--workers", "1"]
    words += ["--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-m", "steepest", "race", *words], capture_output=True, text=True, timeout=200)
    assert done.returncode == 2, done.stdout
    assert "The run of sgd on slow" in done.stderr
    assert "OSError: the scanner broke" in done.stderr
    assert "Every finished run is kept" in done.stderr
    with closing(sqlite3.connect(tmp_path / "out" / "race.db")) as connection:
        states = [s for (s,) in connection.execute("SELECT state FROM trials")]
    assert "RUNNING" not in states
    assert "COMPLETE" in states


# -- what it does -----------------------------------------------------------------------------------


def test_a_finished_race_is_shown_again_without_running(made, capsys):
    assert run(*SMALL, "--out", str(made)) == 0
    said = capsys.readouterr().out
    assert "Going on with the race" in said
    assert "AdamW" in said
    assert "cannot be told from the first" in said
    assert "…" not in said


def test_report_and_compare_show_what_was_measured(made, capsys, tmp_path):
    assert run("report", str(made / "race.db"), "--out", str(tmp_path / "race.html")) == 0
    assert "SGD" in capsys.readouterr().out
    other = tmp_path / "other.db"
    other.write_bytes((made / "race.db").read_bytes())
    assert run("compare", str(made / "race.db"), str(other), "--out", str(tmp_path / "compare.html")) == 0
    assert "tiny" in capsys.readouterr().out
    assert run("report", str(tmp_path / "none.db")) == 2
    assert "There is no race at" in capsys.readouterr().err


def test_what_is_raced_is_printed_first(tmp_path, capsys):
    words = ("--task", f"{TINY}:make", "--optimizers", "sgd", "--with", "torch.optim:NAdam", "--trials", "1", "--seeds", "1")
    assert run("run", *words, "--workers", "1", "--out", str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "tiny: 400 examples of your own; 30 steps of 32." in said
    assert "sgd: sgd(lr=..., weight_decay=...); all parameters; L2 weight decay; lr 0.00316 to 1, log; weight_decay 1e-06" in said
    assert "NAdam: torch.optim:NAdam(lr=..., weight_decay=...); all parameters" in said
    assert "1 tuning runs, 1 seeds at the chosen point" in said
    assert "with 1 workers, by steps timed just now" in said
    assert "runs done" in said


def test_presets_are_complete_and_arguments_change_them():
    from steepest.race.command import settings_of

    for name, preset in presets.PRESETS.items():
        made = settings_of(arguments("--preset", name))
        assert set(made.tasks) <= set(NAMES)
        assert made.trials == preset.trials
        assert {"adamw", "sgd", "lion", "nesterov"} <= set(made.optimizers)
    quick = settings_of(arguments())
    assert quick == settings_of(arguments("--preset", "quick"))
    assert settings_of(arguments("--trials", "9", "run")) == settings_of(arguments("run", "--trials", "9"))
    own = settings_of(arguments("--task", "my.py:make"))
    assert own.tasks == ("my.py:make",)
    both = settings_of(arguments("--task", "my.py:make", "--tasks", "digits-mlp"))
    assert both.tasks == ("digits-mlp", "my.py:make")
    standard = settings_of(arguments("--preset", "standard"))
    assert len(standard.tasks) == 8
    assert len(standard.optimizers) == 11
    assert settings_of(arguments("--preset", "standard", "--optimizers", "adam")).optimizers == ("adam",)


@pytest.mark.parametrize(
    ("module", "package"),
    [("training", "torch"), ("store", "optuna"), ("store", "sqlalchemy"), ("curves", "pyarrow")],
)
def test_a_missing_package_says_what_to_install(module, package, monkeypatch):
    monkeypatch.delitem(sys.modules, f"steepest.race.{module}", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"pip install 'steepest\[race\]'"):
        importlib.import_module(f"steepest.race.{module}")


def test_the_arguments_need_no_extra_package(tmp_path):
    """`steepest race --help` works on a base installation, and a race says what is missing."""
    program = f"""
import sys
sys.modules.update(dict.fromkeys(["torch", "sklearn", "scipy", "plotly", "rich", "optuna", "sqlalchemy", "pyarrow"]))
import argparse
from steepest.race import command
parser = argparse.ArgumentParser()
command.add_arguments(parser)
parser.format_help()
sys.exit(command.run(parser.parse_args(["--out", {str(tmp_path)!r}])))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": str(Path(command.__file__).parents[2])}
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr == "steepest race: The race needs rich, which is not installed: pip install 'steepest[race]'\n"
