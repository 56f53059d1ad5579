"""The database: claims, heartbeats, half-made plans, records of other versions, files that are something else."""

import json
import multiprocessing
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from steepest.errors import MissingExtra, RaceError
from steepest.race import address, store
from steepest.race.store import Row, Store

RESULT = {"point": {"lr": 0.1}, "validation": 0.5}


def made(path, count=5, **how) -> Store:
    return Store.create(address.of_file(path), {"settings": {}}, count, **how)


def grab(url: str, barrier, name: str, queue) -> None:
    mine = Store.open(url)
    barrier.wait(120)
    queue.put([i for i, row in enumerate(mine.rows()) if mine.claim(row, name)])
    mine.close()


def test_of_many_processes_each_run_is_claimed_by_one(tmp_path):
    url = made(tmp_path / "race.db", 60).url
    context = multiprocessing.get_context("spawn")
    queue, barrier = context.Queue(), context.Barrier(4)
    workers = [context.Process(target=grab, args=(url, barrier, str(i), queue)) for i in range(4)]
    for one in workers:
        one.start()
    taken = [queue.get(timeout=120) for _ in workers]
    for one in workers:
        one.join()
    assert sorted(i for part in taken for i in part) == list(range(60))
    assert sum(map(bool, taken)) > 1, "they did not meet"


def test_a_run_is_finished_once_and_by_then_it_cannot_be_claimed_or_given_back(tmp_path):
    one = made(tmp_path / "race.db")
    row = one.rows()[2]
    assert one.claim(row, "a")
    assert not one.claim(row, "b")
    assert one.held() == [(2, row._replace(state="RUNNING"), "a")]
    assert one.finish(row, RESULT, {"lr": (0.01, 1.0, True)})
    assert not one.finish(row, RESULT | {"validation": 0.1}, {})
    assert not one.claim(row, "b")
    one.give_back(row)
    assert [r.state for r in one.rows()] == ["WAITING", "WAITING", "COMPLETE", "WAITING", "WAITING"]
    assert one.results() == [(2, RESULT)]
    one.close()


def test_what_is_given_back_is_there_for_others(tmp_path):
    one = made(tmp_path / "race.db")
    row = one.rows()[0]
    assert one.claim(row, "a")
    one.give_back(row)
    assert one.deaths(row) == 0
    assert one.claim(row, "b")
    one.give_back(row, died=True)
    assert one.deaths(row) == 1
    one.forgive()
    assert one.deaths(row) == 0


def test_a_silent_worker_loses_its_run_and_one_that_beats_does_not(tmp_path):
    one = made(tmp_path / "race.db", heartbeat=1)
    silent, beating = one.rows()[:2]
    assert one.claim(silent, "a")
    assert one.claim(beating, "b")
    assert one.give_back_stale() == 0
    end = time.monotonic() + 6.5
    while time.monotonic() < end:
        one.beat(beating)
        time.sleep(0.3)
    assert one.give_back_stale() == 1
    assert [r.state for r in one.rows()[:2]] == ["WAITING", "RUNNING"]
    # Taken by another, it is alive again at once: the heartbeat comes before the claim.
    assert one.claim(silent, "c")
    assert one.give_back_stale() == 0


def test_a_plan_whose_writing_was_cut_short_is_completed(tmp_path, monkeypatch):
    path = tmp_path / "race.db"
    create, calls = store.RDBStorage.create_new_trial, []

    def cut(self, *args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return create(self, *args)

    monkeypatch.setattr(store.RDBStorage, "create_new_trial", cut)
    with pytest.raises(KeyboardInterrupt):
        made(path)
    assert list(tmp_path.iterdir()) == [], "a SQLite file is there whole or not at all"
    calls[:] = [1] * 5
    begun = made(path, 3)  # as on a server, where others see a plan being written
    begun._fill({}, 5)
    assert len(begun.rows()) == 5
    assert begun.header()["count"] == 3


def changed(path, **header):
    with closing(sqlite3.connect(path)) as connection:
        (text,) = connection.execute("SELECT value_json FROM study_user_attributes WHERE key = 'race'").fetchone()
        connection.execute("UPDATE study_user_attributes SET value_json = ? WHERE key = 'race'", (json.dumps(json.loads(text) | header),))
        connection.commit()


def test_a_record_of_another_version_is_refused(tmp_path):
    path = tmp_path / "race.db"
    made(path).close()
    changed(path, schema=store.SCHEMA + 1)
    before = path.read_bytes()
    with pytest.raises(RaceError, match=rf"has record format {store.SCHEMA + 1}, .* reads {store.SCHEMA}: update Steepest"):
        Store.open(address.of_file(path), read_only=True)
    changed(path, schema=1)
    with pytest.raises(RaceError, match="use the version that wrote it"):
        Store.open(address.of_file(path), read_only=True)
    assert before != path.read_bytes()


def test_files_that_are_no_race_are_refused(tmp_path):
    text = tmp_path / "race.db"
    text.write_text("once upon a time " * 1000)
    with pytest.raises(RaceError, match="is not the record of a race"):
        Store.open(address.of_file(text))
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE cats (name TEXT)")
    with pytest.raises(RaceError, match="holds no race"):
        Store.open(address.of_file(other))
    with pytest.raises(RaceError, match="There is no race at"):
        Store.open(address.of_file(tmp_path / "none.db"))


def test_reading_needs_no_right_to_write(tmp_path):
    path = tmp_path / "race.db"
    made(path).close()
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        one = Store.open(address.of_file(path), read_only=True)
        assert len(one.rows()) == 5
        one.close()
    finally:
        tmp_path.chmod(0o700)
    assert [p.name for p in tmp_path.iterdir()] == ["race.db"]


def test_a_file_that_another_program_keeps_locked(tmp_path, monkeypatch):
    path = tmp_path / "race.db"
    one = made(path)
    one.patience = 0.0
    monkeypatch.setattr(store, "BUSY", 0.1)
    one.close()
    one = Store(address.of_file(path), patience=0.0)
    one._study_id = 1
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(RaceError, match="stays locked by another program"):
            one.claim(Row(1, "WAITING"), "a")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("a/race.db", "sqlite:///a/race.db"),
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("postgresql://me@host/db", "postgresql+psycopg://me@host/db"),
        ("postgres://me@host/db", "postgresql+psycopg://me@host/db"),
    ],
)
def test_addresses(given, url):
    assert address.url_of(given) == url


def test_addresses_that_cannot_be(monkeypatch):
    with pytest.raises(RaceError, match=r"mysql://me:\*\*\*@host/db: give the path"):
        address.url_of("mysql://me:secret@host/db")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="steepest\\[race-postgres\\]"):
        address.url_of("postgresql://me@host/db")


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_file_whose_writer_was_killed_in_the_middle_of_a_transaction_is_read(journal, tmp_path):
    path = tmp_path / "race.db"
    one = made(path)
    assert one.claim(one.rows()[0], "a")
    assert one.finish(one.rows()[0], RESULT, {})
    one._storage.engine.dispose()
    one._journal(journal)
    program = f"""
import os, sqlite3
connection = sqlite3.connect({str(path)!r}, isolation_level=None)
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN IMMEDIATE")
for i in range(3000):
    connection.execute("INSERT INTO study_user_attributes (study_id, key, value_json) VALUES (1, ?, ?)", (str(i), "x" * 500))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == -9
    two = Store.open(address.of_file(path), read_only=True)
    assert two.results() == [(0, RESULT)]
    assert list(two.attributes()) == ["race"]
    two.close()
