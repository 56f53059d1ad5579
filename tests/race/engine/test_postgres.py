"""Several workers on one PostgreSQL server, a real one that the test starts; and its connections cut in mid-race."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from steepest.errors import RaceError
from steepest.race import reading, record
from steepest.race.store import Store
from tests.race.engine.helpers import TINY, begin, finish, race, settings, start, timeless, until, work

MINE = settings(tasks=(f"{TINY}:slow",), trials=2, seeds=1, multiples=())
WORDS = ("--task", f"{TINY}:slow", "--optimizers", "adamw,sgd", "--trials", "2", "--seeds", "1", "--heartbeat", "1")
RUNS = 6


def binaries() -> Path:
    """Where the server's programs are; Debian keeps them out of the path."""
    places = [Path(found).parent for found in [shutil.which("initdb")] if found] + sorted(Path("/usr/lib/postgresql").glob("*/bin"))[::-1]
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    pytest.fail("PostgreSQL is not installed, and the race's promise about it is untested: apt-get install -y postgresql")


def as_server(*words: str) -> None:
    """Run as the user postgres if we are root, as which no server starts."""
    who = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*who, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, timeout=60)


@pytest.fixture(scope="module")
def server():
    """Address of a server whose files are in a temporary folder; it listens on a socket there and on no port."""
    place = binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # sockets have short names
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    try:
        as_server(f"{place}/initdb", "-D", f"{folder}/data", "-U", "race", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        as_server(f"{place}/pg_ctl", "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql://race@/{{}}?host={folder}"
        finally:
            as_server(f"{place}/pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server, request):
    """A fresh database."""
    name = request.node.name.lower()[:40]
    ask(server.format("postgres"), f'CREATE DATABASE "{name}"')
    return server.format(name)


def ask(url: str, sql: str) -> list:
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(sql)
        return done.fetchall() if done.description else []


def states(url: str) -> list[str]:
    try:
        return [state for (state,) in ask(url, "SELECT state::text FROM trials ORDER BY number")]
    except psycopg.errors.UndefinedTable:
        return []


def cut(url: str) -> int:
    """End all connections of the race, as a server that restarts does."""
    return len(
        ask(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    )


def test_two_workers_on_one_server(url, tmp_path):
    engine = start(*WORDS, "--storage", url, "--workers", "0", "--out", str(tmp_path))
    until(lambda: len(states(url)) == RUNS)
    workers = [start("worker", "--storage", url) for _ in range(2)]
    said = finish(engine)
    assert engine.returncode == 0, said
    assert [finish(one) and one.returncode for one in workers] == [0, 0]
    found = record.load(url)
    assert len(found.trials) == RUNS == len({(t.optimizer, t.purpose, t.number) for t in found.trials})
    done_by = {worker for (worker,) in ask(url, "SELECT value_json FROM trial_user_attributes WHERE key = 'worker'")}
    assert len(done_by) == 2, "one worker did it all"
    assert timeless(found) == timeless(race(tmp_path / "alone.db", MINE))
    curve = record.curves(url, found.trials[0])
    assert len(curve.marks) == len(curve.validation) == 3
    assert reading.export(url, tmp_path / "home.parquet") == RUNS
    assert record.load(tmp_path / "home.parquet") == found
    assert "***" not in said  # no password to hide


@pytest.mark.slow
def test_connections_that_are_cut_in_mid_race(url, tmp_path):
    engine = start(*WORDS, "--storage", url, "--workers", "1", "--out", str(tmp_path))
    for done in (1, 3):
        until(lambda done=done: states(url).count("COMPLETE") >= done)
        assert cut(url) > 0
    said = finish(engine)
    assert engine.returncode == 0, said
    assert states(url) == ["COMPLETE"] * RUNS
    assert len(record.load(url).trials) == RUNS


def test_a_claim_whose_connection_is_cut_is_not_lost(url):
    store = begin(url, MINE)
    for _ in range(5):
        cut(url)
        assert len(store.rows()) == RUNS
    cut(url)
    assert store.claim(store.rows()[0], "a")
    cut(url)
    store.beat(store.rows()[0])
    cut(url)
    store.give_back(store.rows()[0])
    cut(url)
    work(store)
    assert {row.state for row in store.rows()} == {"COMPLETE"}
    store.close()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("postgresql://race@/nowhere?host={}", 'database "nowhere" does not exist'),
        ("postgresql://race:secret@127.0.0.1:1/race", "cannot be reached"),
    ],
)
def test_a_server_that_is_not_there(server, address, message):
    folder = server.partition("host=")[2]
    began = time.monotonic()
    with pytest.raises(RaceError, match=message) as caught:
        Store.open(address.format(folder).replace("postgresql:", "postgresql+psycopg:"), patience=1.0)
    assert time.monotonic() - began < 30
    assert "secret" not in str(caught.value)
