"""Writing a file whole or not at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole(path: Path) -> Generator[Path]:
    """Give a place beside `path` to write to; what is there at the end of the block becomes `path`.

    If the block fails, what was at `path` stays, and nothing else is left.
    """
    partial = path.with_name(f".{path.name}-{os.getpid()}-{uuid4().hex[:8]}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):  # it was moved to its place, or never begun
            partial.unlink()
