"""The records of our own races that facts are recomputed from: what `steepest race export` wrote, one file a race."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from steepest.errors import GuideError

if TYPE_CHECKING:
    from steepest.race.record import Race

FOLDER = Path(__file__).parent


@cache
def load(name: str) -> "Race":
    """The shipped record of that name, or the one in a file.

    Raises:
        GuideError: there is none.
    """
    shipped = FOLDER / f"{name}.parquet"
    path = shipped if shipped.is_file() else Path(name)
    if not path.is_file():
        there = [p.stem for p in sorted(FOLDER.glob("*.parquet"))]
        raise GuideError(f"There is no record {name!r}: shipped are {', '.join(there) or 'none'}; or give the path of a record.")
    from steepest.race import record

    return record.load(path)
