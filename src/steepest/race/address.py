"""Where a record is: a SQLite file by its path, or a PostgreSQL database by its address."""

import re
from pathlib import Path

from steepest.errors import MissingExtra, RaceError


def url_of(given: str | Path) -> str:
    """The address for SQLAlchemy of what a user typed: `race.db`, `sqlite:///race.db`, `postgresql://host/name`."""
    text = str(given)
    if "://" not in text:
        path = Path(text)
        return of_file(path / "race.db" if path.is_dir() else path)
    if text.startswith("sqlite:///"):
        return text
    if text.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        from importlib.util import find_spec

        if find_spec("psycopg") is None:
            raise MissingExtra("--storage postgresql://... needs psycopg, which is not installed: pip install 'steepest[race-postgres]'")
        return "postgresql+psycopg://" + text.partition("://")[2]
    raise RaceError(f"--storage {shown(text)}: give the path of a SQLite file, or postgresql://USER@HOST/DATABASE.")


def of_file(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{path.as_posix()}"


def file_of(url: str) -> Path | None:
    """The file, if the race is in one."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def shown(url: str) -> str:
    """The address for messages: a path, or a server without the password."""
    path = file_of(url)
    return (
        str(path) if path is not None else re.sub(r"(?<=://)([^:/@]*):[^@]*@", r"\1:***@", url).replace("postgresql+psycopg", "postgresql")
    )
