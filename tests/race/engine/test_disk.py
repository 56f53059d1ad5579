"""Disks: full in mid-race, full at the start, read-only. Real ones: small file systems in memory."""

import os
import subprocess
from pathlib import Path

import pytest

from steepest.race import record
from tests.race.engine.helpers import TINY, finish, race, settings, start, states, timeless, until

RACE = ("--task", f"{TINY}:slow", "--optimizers", "adamw,sgd", "--trials", "2", "--seeds", "1", "--heartbeat", "1", "--workers", "1")


@pytest.fixture
def disk(tmp_path):
    """A disk of 6 MB: room for a race and its page, which is 2.4."""
    if os.geteuid() != 0:
        pytest.fail("Only root may mount a small disk: run these tests as root, as .ci/run does.")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Use up what room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass
    return ballast


@pytest.mark.slow
def test_a_disk_that_fills_up_in_mid_race(disk, tmp_path):
    process = start(*RACE, "--out", str(disk))
    until(lambda: states(disk / "race.db").count("COMPLETE") >= 2)
    ballast = fill(disk)
    said = finish(process)
    assert process.returncode == 2, said
    assert "Make room" in said
    assert "every finished run is kept" in said
    assert "Traceback" not in said
    ballast.unlink()
    again = start(*RACE, "--out", str(disk))
    said = finish(again)
    assert again.returncode == 0, said
    assert "Going on with the race" in said
    assert states(disk / "race.db") == ["COMPLETE"] * 6
    found = record.load(disk)
    wanted = settings(tasks=(f"{TINY}:slow",), trials=2, seeds=1, multiples=(), target_seeds=3)
    assert timeless(found) == timeless(race(tmp_path / "race.db", wanted))


def test_a_disk_that_is_full_from_the_start(disk):
    ballast = fill(disk)
    process = start(*RACE, "--out", str(disk))
    said = finish(process)
    assert process.returncode == 2, said
    assert "cannot be written" in said
    assert list(disk.iterdir()) == [ballast]


def test_a_disk_that_is_read_only(disk, tmp_path):
    made = race(disk / "race.db", settings(trials=1, seeds=1, multiples=()))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert record.load(disk) == made
    assert record.curves(disk, made.trials[0]).marks[0] == 0
    process = start(*RACE, "--out", str(disk / "new"))
    said = finish(process)
    assert process.returncode == 2, said
    assert "cannot be written: Read-only file system. Choose another folder with --out" in said
