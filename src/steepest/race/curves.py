"""Curves of runs, as Parquet: what any tool that reads tables can plot.

Beside a local `race.db` every finished run puts its own small file into `race.curves/`, whole or not at all; when
the race is done they become one table, `race.parquet`. Machines that share a PostgreSQL server share no folder as
a rule: there a curve (about 2 kB) goes into the database with its run, unless `--curves` names a folder that they
do share.
"""

import base64
import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from steepest.errors import RaceError
from steepest.files import whole
from steepest.race import address
from steepest.race.extra import NeedsExtra
from steepest.race.record import Curve

with NeedsExtra():
    import pyarrow as pa
    import pyarrow.parquet as pq

KEYS = ("task", "optimizer", "purpose", "study", "number", "seed")
_COLUMNS = ("step", "train_loss", "validation", "lr")


def folder_of(url: str, given: str | None) -> Path | None:
    """Where the files of single runs go; None: into the database."""
    if given is not None:
        return Path(given)
    path = address.file_of(url)
    return None if path is None else path.with_suffix(".curves")


def table_of(url: str) -> Path | None:
    """The one file of a race that is done."""
    path = address.file_of(url)
    return None if path is None else path.with_suffix(".parquet")


def keep(folder: Path | None, run: int, keys: Mapping[str, Any], curve: Curve) -> str | None:
    """Write the curve of a run into the folder; without one return it as text for the database."""
    content = io.BytesIO()
    pq.write_table(_table(run, keys, curve), content, compression="zstd")
    if folder is None:
        return base64.b64encode(content.getvalue()).decode("ascii")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole(folder / f"{run:05d}.parquet") as partial:
            partial.write_bytes(content.getvalue())
    except OSError as error:
        raise RaceError(
            f"The curve of a run cannot be written to {folder}: {error.strerror}. "
            "Make room or choose another folder, and start `steepest race` again: every finished run is kept."
        ) from error
    return None


def _table(run: int, keys: Mapping[str, Any], curve: Curve) -> pa.Table:
    columns: dict[str, Any] = {"run": [run] * len(curve.marks), **{k: [keys[k]] * len(curve.marks) for k in KEYS}}
    values = (curve.marks, curve.train_loss, curve.validation, curve.lr)
    return pa.table(columns | dict(zip(_COLUMNS, map(list, values), strict=True)))


def pack(url: str, folder: Path | None, runs: Sequence[int]) -> Path | None:
    """Make one table of a finished local race's files, then delete them. Does nothing for a race in a server."""
    goal = table_of(url)
    if goal is None or folder is None or not folder.is_dir():
        return goal if goal is not None and goal.exists() else None
    # ParquetFile: read_table would guess partitions from the folder's name.
    tables = [pq.ParquetFile(folder / f"{run:05d}.parquet").read() for run in runs]
    with whole(goal) as partial:
        pq.write_table(pa.concat_tables(tables), partial, compression="zstd")
    shutil.rmtree(folder)
    return goal


def packed(url: str) -> dict[int, Curve]:
    """All curves of a race that is done, by run, from one reading of its table; none where there is no such table."""
    goal = table_of(url)
    if goal is None or not goal.exists():
        return {}
    rows = pq.read_table(goal, columns=["run", *_COLUMNS]).to_pydict()
    found: dict[int, Curve] = {}
    for run, *row in zip(rows["run"], *(rows[name] for name in _COLUMNS), strict=True):
        mine = found.setdefault(run, Curve([], [], [], []))
        for values, value in zip((mine.marks, mine.train_loss, mine.validation, mine.lr), row, strict=True):
            cast("list[Any]", values).append(value)
    return found


def read(url: str, folder: Path | None, run: int, blob: str | None) -> Curve:
    """The curve of a run, from wherever it is."""
    goal = table_of(url)
    if blob is not None:
        table = pq.ParquetFile(io.BytesIO(base64.b64decode(blob))).read()
    elif folder is not None and (folder / f"{run:05d}.parquet").exists():
        table = pq.ParquetFile(folder / f"{run:05d}.parquet").read()
    elif goal is not None and goal.exists():
        table = pq.read_table(goal, filters=[("run", "=", run)])
    else:
        raise RaceError(f"The curves of {address.shown(url)} are missing: {goal or folder or 'they'} should be beside it.")
    marks, *values = (table.column(name).to_pylist() for name in _COLUMNS)
    return Curve(marks, *values)
