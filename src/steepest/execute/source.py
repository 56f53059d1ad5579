"""From printed Triton to a kernel: the text becomes a module of its own, whose lines Triton can look up."""

import linecache
from hashlib import sha256
from types import ModuleType
from typing import Any

compiled: dict[str, Any] = {}
"""Every module of kernels that was made in this process, by its text."""


def kernel(text: str, name: str) -> Any:
    """The function `name` of a printed module, made once for each text.

    Triton compiles when it first launches it, and keeps what it compiled on disk, by the text.
    """
    module = compiled.get(text)
    if module is None:
        file = f"<steepest {sha256(text.encode()).hexdigest()[:16]}.py>"
        # triton.jit reads a function's source through `inspect`, which finds it here; None: never looked for on a disk.
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        module = ModuleType("steepest.printed")
        exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102  (the text is printed from a verified graph)
        compiled[text] = module
    return getattr(module, name)
