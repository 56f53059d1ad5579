"""Real races with real processes and real signals: killed, interrupted, gone on with."""

import os
import signal
import time

import pytest

from steepest.race import record
from tests.race.engine.helpers import TINY, children, finish, race, settings, start, states, timeless, until

RACE = ("--task", f"{TINY}:slow", "--optimizers", "adamw,sgd", "--trials", "2", "--seeds", "1", "--heartbeat", "1")
RUNS = 6


def begin(folder, *words):
    process = start(*RACE, "--out", str(folder), *words)
    until(lambda: states(folder / "race.db").count("COMPLETE") >= 1 and "RUNNING" in states(folder / "race.db"))
    return process


def go_on(folder):
    """The same command again ends the race; its trials."""
    process = start(*RACE, "--out", str(folder), "--workers", "1")
    said = finish(process)
    assert process.returncode == 0, said
    assert "Going on with the race" in said
    found = record.load(folder)
    assert len(found.trials) == RUNS
    assert sorted(p.name for p in folder.iterdir()) == ["race.db", "race.html", "race.parquet"]
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same race in this process."""
    wanted = settings(tasks=(f"{TINY}:slow",), trials=2, seeds=1, multiples=(), target_seeds=3)
    return race(tmp_path_factory.mktemp("undisturbed") / "race.db", wanted)


def test_kill_9_of_a_worker_in_the_middle_of_a_run(undisturbed, tmp_path):
    process = begin(tmp_path, "--workers", "1")
    (worker,) = children(process.pid)
    os.kill(worker, signal.SIGKILL)
    said = finish(process)
    assert process.returncode == 0, said
    assert "A worker was killed (SIGKILL) in the run of" in said
    assert states(tmp_path / "race.db") == ["COMPLETE"] * RUNS
    assert timeless(record.load(tmp_path)) == timeless(undisturbed)


@pytest.mark.slow
def test_kill_9_of_the_whole_race(undisturbed, tmp_path):
    process = begin(tmp_path, "--workers", "1")
    (worker,) = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    os.kill(worker, signal.SIGKILL)
    assert timeless(go_on(tmp_path)) == timeless(undisturbed)


@pytest.mark.slow
def test_a_worker_whose_race_was_killed_gives_its_run_back(tmp_path):
    process = start(
        "--task",
        f"{TINY}:long",
        "--optimizers",
        "sgd",
        "--trials",
        "1",
        "--seeds",
        "1",
        "--heartbeat",
        "1",
        "--workers",
        "1",
        "--out",
        str(tmp_path),
    )
    until(lambda: "RUNNING" in states(tmp_path / "race.db"))
    (worker,) = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    until(lambda: not os.path.exists(f"/proc/{worker}"), timeout=60)
    assert states(tmp_path / "race.db") == ["WAITING"] * 2


def test_ctrl_c_once_finishes_what_is_running(undisturbed, tmp_path):
    process = begin(tmp_path, "--workers", "1")
    done = states(tmp_path / "race.db").count("COMPLETE")
    process.send_signal(signal.SIGINT)
    said = finish(process)
    assert process.returncode == 130, said
    assert "Interrupted: finishing what is running" in said
    assert "the same command goes on from there" in said
    now = states(tmp_path / "race.db")
    assert "RUNNING" not in now
    assert done < now.count("COMPLETE") < RUNS
    assert timeless(go_on(tmp_path)) == timeless(undisturbed)


def test_ctrl_c_twice_leaves_at_once_and_gives_runs_back(tmp_path):
    words = ("--task", f"{TINY}:long", "--optimizers", "sgd", "--trials", "2", "--seeds", "1", "--workers", "1", "--out", str(tmp_path))
    process = start(*words)
    until(lambda: "RUNNING" in states(tmp_path / "race.db"))
    (worker,) = children(process.pid)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two signals at once are one
    process.send_signal(signal.SIGINT)
    said = finish(process, timeout=60)
    assert process.returncode == 130, said
    assert states(tmp_path / "race.db") == ["WAITING"] * 3
    assert not os.path.exists(f"/proc/{worker}")


@pytest.mark.slow
def test_a_worker_of_its_own_joins_in_and_sigterm_gives_its_run_back(tmp_path):
    words = ("--task", f"{TINY}:long", "--optimizers", "sgd", "--trials", "2", "--seeds", "1", "--workers", "0", "--out", str(tmp_path))
    engine = start(*words)
    until(lambda: states(tmp_path / "race.db") == ["WAITING"] * 3)
    worker = start("worker", "--storage", str(tmp_path / "race.db"))
    until(lambda: "RUNNING" in states(tmp_path / "race.db"))
    worker.terminate()
    finish(worker)
    assert worker.returncode == 130
    assert states(tmp_path / "race.db") == ["WAITING"] * 3
    engine.send_signal(signal.SIGINT)
    assert "0 of 3 runs are done" in finish(engine, timeout=60)
    assert engine.returncode == 130


@pytest.mark.slow
def test_a_run_that_kills_every_worker_stops_the_race(tmp_path):
    words = ("--task", f"{TINY}:killer", "--optimizers", "sgd", "--trials", "1", "--seeds", "1", "--workers", "1", "--out", str(tmp_path))
    process = start(*words)
    said = finish(process)
    assert process.returncode == 2, said
    assert said.count("A worker was killed (SIGKILL)") == 3
    assert "The run of sgd on killer, tuning 0 has killed its worker 3 times, most often because memory ran out" in said
    assert states(tmp_path / "race.db") == ["WAITING"] * 2
