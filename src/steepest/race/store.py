"""Where a race lives while it runs: one Optuna study in a database, one Optuna trial for each run of the plan.

The number of a trial is its place in the plan, so a run cannot be there twice, and WAITING, RUNNING and COMPLETE
say all about it. Claiming moves a trial from WAITING to RUNNING in one transaction, giving back the other way;
what a run has shown is written before COMPLETE, which can happen once only.

Optuna brings the tables, heartbeats and both databases. What is different here:

1. A dead worker's trial goes back to WAITING. Optuna fails it and queues a copy: killed between the two, it would
   lose the run, and two workers doing it at once would double it.
2. The heartbeat is written before the claim; in Optuna a worker killed between claim and first heartbeat is never noticed.
3. SQLite transactions take the write lock at their beginning. Without that two workers can claim the same trial
   (optuna issues 4002 and 4621), for which reason Optuna advises against SQLite with several workers.
"""

import os
import random
import sqlite3
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from steepest.errors import RaceError
from steepest.race import address
from steepest.race.extra import NeedsExtra
from steepest.race.record import SCHEMA, check_schema

with NeedsExtra():
    import optuna
    import sqlalchemy
    from optuna.distributions import FloatDistribution
    from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, StorageInternalError, UpdateFinishedTrialError
    from optuna.storages import RDBStorage
    from optuna.trial import TrialState, create_trial
    from sqlalchemy.event import listen
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

T = TypeVar("T")

STUDY = "steepest race"
PATIENCE = 60.0
"""Seconds for which a database that does not answer is asked again."""
BUSY = 30.0
"""Seconds that SQLite waits for another program's lock before it says so."""
MOST_DEATHS = 3
"""So often may a run kill its worker before the race stops and says so."""


class Row(NamedTuple):
    """One trial, as far as planning goes."""

    id: int
    state: str
    """WAITING, RUNNING or COMPLETE."""


class Store:
    """The database of one race."""

    def __init__(self, url: str, *, heartbeat: int = 10, read_only: bool = False, patience: float = PATIENCE) -> None:
        self.url, self.patience, self.read_only = url, patience, read_only
        self.heartbeat = heartbeat
        self.local = address.file_of(url)
        self._storage = self._do(lambda: _connected(url, heartbeat, read_only))
        self._study_id = 0

    # -- beginning -------------------------------------------------------------------------------

    @classmethod
    def create(cls, url: str, header: Mapping[str, Any], count: int, *, heartbeat: int = 10) -> "Store":
        """Write the plan: a header and `count` waiting trials. What an interrupted `create` began is completed.

        A SQLite file is made under another name and moved to its place when it is whole.
        """
        path = address.file_of(url)
        if path is not None and not path.exists():
            partial = path.with_name(f"{path.name}.new-{os.getpid()}")
            try:
                store = cls(address.of_file(partial), heartbeat=heartbeat)
                store._journal("WAL")
                store._fill(header, count)
                store.close()
                partial.rename(path)
            finally:
                for left in path.parent.glob(f"{partial.name}*"):
                    left.unlink(missing_ok=True)
        store = cls(url, heartbeat=heartbeat)
        store._journal("WAL")
        store._fill(header, count)
        return store

    def _fill(self, header: Mapping[str, Any], count: int) -> None:
        try:
            self._study_id = self._do(lambda: self._storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], STUDY))
        except DuplicatedStudyError:
            self._study_id = self._do(lambda: self._storage.get_study_id_from_name(STUDY))
        if "race" not in self.attributes():
            self.note("race", {"schema": SCHEMA, "count": count, **header})
        for _ in range(len(self.rows()), count):
            self._do(lambda: self._storage.create_new_trial(self._study_id, create_trial(state=TrialState.WAITING)))

    @classmethod
    def open(cls, url: str, *, heartbeat: int = 10, read_only: bool = False, patience: float = PATIENCE) -> "Store":
        """A race that is there. Raises RaceError if there is none, or one that a newer version wrote."""
        path = address.file_of(url)
        if path is not None and not path.exists():
            raise RaceError(f"There is no race at {path}. `steepest race --out {path.parent}` starts one.")
        store = cls(url, heartbeat=heartbeat, read_only=read_only, patience=patience)
        try:
            store._study_id = store._do(lambda: store._storage.get_study_id_from_name(STUDY))
        except KeyError:
            raise RaceError(f"{address.shown(url)} holds no race.") from None
        check_schema(store.header().get("schema"), address.shown(url))
        store._journal("WAL")
        return store

    @classmethod
    def exists(cls, url: str) -> bool:
        """Whether a race is there already."""
        path = address.file_of(url)
        if path is not None and not path.exists():
            return False
        store = cls(url, read_only=path is not None)
        try:
            store._study_id = store._do(lambda: store._storage.get_study_id_from_name(STUDY))
            return "race" in store.attributes()
        except KeyError:
            return False
        finally:
            store.close()

    def close(self) -> None:
        """Let go of the database. The last one out leaves one plain file, without SQLite's write-ahead log beside it."""
        self._storage.remove_session()
        self._storage.engine.dispose()
        self._journal("DELETE")

    def _journal(self, mode: str) -> None:
        """How SQLite writes: ahead (WAL) while there is work, which needs one sync where the classic journal needs four."""
        if self.local is not None and not self.read_only:
            with suppress(sqlite3.Error), closing(sqlite3.connect(self.local, timeout=0.1)) as connection:
                connection.execute(f"PRAGMA journal_mode={mode}")  # refused while others are at work: then it stays as it is

    # -- the plan --------------------------------------------------------------------------------

    def attributes(self) -> dict[str, Any]:
        """What is noted about the race as a whole."""
        return self._do(lambda: self._storage.get_study_user_attrs(self._study_id))

    def header(self) -> dict[str, Any]:
        """Settings, tasks, entrants: as `create` got them."""
        found = self.attributes().get("race")
        if not isinstance(found, dict):
            raise RaceError(f"{address.shown(self.url)} holds a race whose plan was never finished: run `steepest race` again.")
        return found

    def note(self, key: str, value: Any) -> None:
        """Write something about the race as a whole."""
        self._do(lambda: self._storage.set_study_user_attr(self._study_id, key, value))

    def rows(self) -> list[Row]:
        """All runs, by their place in the plan.

        One query of three columns: Optuna's own way reads every attribute of every trial, seconds instead of milliseconds.
        """
        query = sqlalchemy.text("SELECT trial_id, number, state FROM trials WHERE study_id = :study ORDER BY number")

        def read() -> list[Row]:
            with self._storage.engine.connect() as connection:
                return [Row(int(i), str(state)) for i, _, state in connection.execute(query, {"study": self._study_id})]

        return self._do(read)

    # -- one run ---------------------------------------------------------------------------------

    def claim(self, row: Row, worker: str) -> bool:
        """Take a waiting run. False: somebody else has."""

        def take() -> bool:
            self._storage.record_heartbeat(row.id)
            try:
                return self._storage.set_trial_state_values(row.id, TrialState.RUNNING)
            except UpdateFinishedTrialError:
                return False

        taken = self._do(take)
        if taken:
            self._do(lambda: self._storage.set_trial_user_attr(row.id, "worker", worker))
        return taken

    def beat(self, row: Row) -> None:
        """Say that the run is alive."""
        self._do(lambda: self._storage.record_heartbeat(row.id))

    def give_back(self, row: Row, *, died: bool = False) -> None:
        """Let others take the run again. `died`: its worker was killed; that is counted."""

        def back() -> None:
            try:
                if died:
                    self._storage.set_trial_user_attr(row.id, "deaths", self.deaths(row) + 1)
                self._storage.set_trial_state_values(row.id, TrialState.WAITING)
            except UpdateFinishedTrialError:
                pass  # it was finished after all

        self._do(back)

    def give_back_stale(self) -> int:
        """Give back the runs whose workers have been silent for four heartbeats; how many."""
        stale = self._do(lambda: self._storage._get_stale_trial_ids(self._study_id))
        for trial_id in stale:
            self.give_back(Row(trial_id, "RUNNING"), died=True)
        return len(stale)

    def held(self) -> list[tuple[int, Row, str]]:
        """The running runs: place in the plan, row, worker's name."""
        return [(i, row, self._attributes_of(row).get("worker", "")) for i, row in enumerate(self.rows()) if row.state == "RUNNING"]

    def deaths(self, row: Row) -> int:
        """How often a run has killed its worker."""
        return int(self._attributes_of(row).get("deaths", 0))

    def forgive(self) -> None:
        """Forget how often runs killed their workers: somebody has started the race again, with more memory perhaps."""
        for row in self.rows():
            if row.state == "WAITING" and self.deaths(row):
                self._do(lambda row=row: self._storage.set_trial_user_attr(row.id, "deaths", 0))

    def finish(self, row: Row, result: Mapping[str, Any], axes: Mapping[str, tuple[float, float, bool]]) -> bool:
        """Write what a run has shown. False: it was finished by another worker, which had taken this one for dead.

        `axes` are noted as Optuna's parameters, for its own plots of a search.
        """

        def write() -> bool:
            try:
                for name, (low, high, log) in axes.items():
                    self._storage.set_trial_param(row.id, name, result["point"][name], FloatDistribution(low, high, log=log))
                self._storage.set_trial_user_attr(row.id, "run", dict(result))
                return self._storage.set_trial_state_values(row.id, TrialState.COMPLETE, [float(result["validation"])])
            except UpdateFinishedTrialError:
                return False

        return self._do(write)

    def result(self, row: Row) -> dict[str, Any]:
        """What a finished run has shown."""
        return self._attributes_of(row)["run"]

    def results(self) -> list[tuple[int, dict[str, Any]]]:
        """All finished runs with their places in the plan."""
        done = self._do(lambda: self._storage.get_all_trials(self._study_id, deepcopy=False, states=(TrialState.COMPLETE,)))
        return sorted((trial.number, trial.user_attrs["run"]) for trial in done)

    def _attributes_of(self, row: Row) -> dict[str, Any]:
        return self._do(lambda: self._storage.get_trial_user_attrs(row.id))

    # -- a database that does not answer ---------------------------------------------------------

    def _do(self, call: Callable[[], T]) -> T:
        """Call, and call again while the database is away or busy; say what to do if it stays so."""
        started, pause = time.monotonic(), 0.05
        while True:
            try:
                return call()
            except (StorageInternalError, SQLAlchemyError, sqlite3.Error) as error:
                cause = _cause(error)
                advice = _hopeless(cause, address.shown(self.url), self.local)
                if advice or time.monotonic() - started > self.patience:
                    raise RaceError(advice or _unreachable(cause, address.shown(self.url), self.local)) from error
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311
            pause = min(2 * pause, 2.0)


def _connected(url: str, heartbeat: int, read_only: bool) -> RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = address.file_of(url)
    # Of PostgreSQL's pooled connections one may have been cut meanwhile: each is tried before it is used.
    options: dict[str, Any] = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}
    if path is not None:
        options = {"connect_args": {"timeout": BUSY}}
        if read_only:
            _recover(path)
            # A folder that cannot be written has no room for SQLite's lock files: then nobody else can write either.
            how = "mode=ro" if os.access(path.parent, os.W_OK) else "immutable=1"
            url = f"sqlite:///file:{path.resolve().as_posix()}?{how}&uri=true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # heartbeats have been called experimental since 2021
        storage = RDBStorage(url, options, heartbeat_interval=heartbeat, grace_period=4 * heartbeat, skip_table_creation=read_only)
    if path is not None and not read_only:
        storage.remove_session()
        storage.engine.dispose()
        listen(storage.engine, "connect", _on_connect)
        listen(storage.engine, "begin", _on_begin)
    return storage


def _recover(path: Path) -> None:
    """Where a writer was killed, let SQLite take back what it had half written: a reader alone may not."""
    if path.with_name(f"{path.name}-journal").exists() and os.access(path, os.W_OK):
        with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=BUSY)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _on_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # or sqlite3 begins its own, deferred transactions
    connection.execute("PRAGMA synchronous=NORMAL")  # after a power cut the last runs may be missing, as a whole


def _on_begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _cause(error: BaseException) -> BaseException:
    """The driver's own error below Optuna's and SQLAlchemy's."""
    found: BaseException = error
    while not isinstance(found, DBAPIError) and found.__cause__ is not None:
        found = found.__cause__
    return found.orig if isinstance(found, DBAPIError) and found.orig is not None else found


def _hopeless(cause: BaseException, shown: str, local: Path | None) -> str:
    """What to do about an error that asking again does not mend; empty for one that it may."""
    text = str(cause).lower()
    if local is None:
        words = ("authentication failed", "does not exist", "permission denied", "could not translate host", "no password", "read-only")
        return f"{shown}: {str(cause).strip()}. Check the address after --storage." if any(w in text for w in words) else ""
    if "full" in text or "disk i/o" in text:
        return f"The disk of {shown} is full. Make room and start `steepest race` again: every finished run is kept, and the race goes on."
    if "readonly" in text or "read-only" in text:
        return f"{shown} cannot be written: the file or its disk is read-only. Choose another folder with --out."
    if "not a database" in text or "malformed" in text:
        return f"{shown} is not the record of a race (SQLite says: {cause}). Choose another folder with --out."
    if "unable to open" in text:
        return f"{shown} cannot be opened: its folder is missing or not yours to write in. Choose another folder with --out."
    return ""


def _unreachable(cause: BaseException, shown: str, local: Path | None) -> str:
    first = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    if local is not None:
        return f"{shown} stays locked by another program ({first}): close what has it open, and start `steepest race` again."
    return f"{shown} cannot be reached: {first}. Every finished run is kept; when the server is back start `steepest race` again."


def axes_of(space: Sequence[Any]) -> dict[str, tuple[float, float, bool]]:
    """A search space as `finish` takes it."""
    return {axis.name: (axis.low, axis.high, axis.log) for axis in space}
