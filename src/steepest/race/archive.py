"""A whole race in one small file: what is shipped, mailed, and taken home from a server.

Parquet, one row a run with its curve as lists; the header and the machines are in the file's metadata. Nothing is
rounded but the curves (float32). A race goes on in its database alone: an archive is only read.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from steepest.errors import RaceError
from steepest.files import whole
from steepest.race.extra import NeedsExtra
from steepest.race.record import Curve, check_schema

with NeedsExtra():
    import pyarrow as pa
    import pyarrow.parquet as pq

SUFFIX = ".parquet"
_MARK = b"steepest race"
_AS_TEXT = ("point", "best")
"""Nested values, written as JSON."""
_CURVE = ("marks", "train_loss", "validation", "lr")
_SCHEMA = pa.schema(
    [("run", pa.int32())]
    + [(name, pa.string()) for name in ("task", "optimizer", "purpose", "worker", *_AS_TEXT)]
    + [(name, pa.int64()) for name in ("study", "number", "seed", "diverged_at")]
    + [(name, pa.float64()) for name in ("validation", "test", "seconds", "cpu_seconds", "step_ms", "state_bytes_per_parameter")]
    + [(name, pa.float64()) for name in ("began", "wall")]
    + [("curve_marks", pa.list_(pa.int32()))]
    + [(f"curve_{name}", pa.list_(pa.float32())) for name in _CURVE[1:]]
)


class Content(NamedTuple):
    """What is in the file. `curves` is empty where it was written without."""

    header: dict[str, Any]
    environment: list[dict[str, Any]]
    results: list[tuple[int, dict[str, Any]]]
    """Place in the plan, and what the run has shown."""
    curves: dict[int, Curve]


def is_archive(path: str | Path) -> bool:
    """Whether a path is meant as one, by its name."""
    return str(path).endswith(SUFFIX) and "://" not in str(path)


def write(path: Path, content: Content) -> None:
    """Write the file, whole or not at all."""
    if path.suffix != SUFFIX:
        raise RaceError(f"{path}: the file of an exported race ends in {SUFFIX}. Write {path.with_suffix(SUFFIX).name}.")
    if path.exists() and _metadata(path) is None:
        raise RaceError(f"{path} is there already and is not an exported race (race{SUFFIX} has the curves): choose another name.")
    rows = [_row(run, result, content.curves.get(run)) for run, result in content.results]
    about = {"header": content.header, "environment": content.environment}
    table = pa.Table.from_pylist(rows, schema=_SCHEMA).replace_schema_metadata({_MARK: json.dumps(about)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as partial:
            pq.write_table(table, partial, compression="zstd", compression_level=19)
    except OSError as error:
        raise RaceError(f"{path} cannot be written: {error.strerror}. Choose another place, or make room.") from error


def _row(run: int, result: Mapping[str, Any], curve: Curve | None) -> dict[str, Any]:
    row = {name: json.dumps(value) if name in _AS_TEXT else value for name, value in result.items() if name in _SCHEMA.names}
    drawn = {} if curve is None else {f"curve_{name}": list(getattr(curve, name)) for name in _CURVE}
    return row | drawn | {"run": run}


def read(path: str | Path) -> Content:
    """Everything that is in the file. Raises RaceError if it is no exported race."""
    about = _metadata(Path(path))
    if about is None:
        raise RaceError(f"{path} is not an exported race. `steepest race export race.db FILE{SUFFIX}` writes one.")
    check_schema(about["header"].get("schema"), str(path))
    results: list[tuple[int, dict[str, Any]]] = []
    curves: dict[int, Curve] = {}
    for row in pq.ParquetFile(path).read().to_pylist():
        drawn: Sequence[Any] = [row.pop(f"curve_{name}") for name in _CURVE]
        run = row.pop("run")
        if drawn[0] is not None:
            curves[run] = Curve(*drawn)
        results.append((run, row | {name: json.loads(row[name]) for name in _AS_TEXT}))
    return Content(about["header"], about["environment"], results, curves)


def _metadata(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        raise RaceError(f"There is no file {path}.")
    try:
        found = (pq.read_metadata(path).metadata or {}).get(_MARK)
    except (pa.ArrowInvalid, OSError):
        return None
    return None if found is None else json.loads(found)
