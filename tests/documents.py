"""Documents as programs: the blocks of a page run in order, in one namespace, and do what the page says they do.

```python                  runs
<!-- NAME.py -->           before a block: it is that file, which later blocks may import
<!-- raises -->            before a block: it raises what the next block says, word for word
<!-- prints -->            before a block that is not Python: what the block before it has printed

python -m tests.documents PAGE...    runs pages in a process of their own, such as those of Keras with one backend
"""

import contextlib
import importlib
import io
import linecache
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^(?P<indent> *)```(?P<language>[a-z]*)[^\n]*\n(?P<text>.*?)^ *```", re.S | re.M)


class Block(NamedTuple):
    mark: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    """Every block of code, also those behind tabs."""
    found = []
    for match in _BLOCK.finditer(page):
        indent = len(match["indent"])
        text = "".join(line[indent:] if line.strip() else line for line in match["text"].splitlines(keepends=True))
        found.append(Block(match["mark"] or "", match["language"], text))
    return found


def words(text: str) -> str:
    return " ".join(text.split())


def run(page: str, folder: Path) -> int:
    """Run the blocks of a page in an empty folder; how many there were."""
    with contextlib.chdir(folder), _importable(folder):
        return _run(blocks(page), folder)


def _run(found: list[Block], folder: Path) -> int:
    namespace: dict[str, object] = {"__name__": "mine"}
    printed, ran = "", 0
    for i, block in enumerate(found):
        if block.mark == "prints":
            assert words(printed) == words(block.text), printed
        if block.language != "python":
            continue
        ran += 1
        program = folder / (block.mark if block.mark.endswith(".py") else "block.py")
        program.write_text(block.text)
        linecache.checkcache(str(program))  # errors quote their line
        compiled = compile(block.text, str(program), "exec")
        out = io.StringIO()
        if block.mark.endswith(".py"):
            importlib.import_module(program.stem)
        elif block.mark == "raises":
            want = words(found[i + 1].text)
            raised = None
            try:
                exec(compiled, namespace)
            except Exception as error:
                raised = f"{type(error).__name__}: {error}"
            assert raised, f"nothing was raised, and the page says: {want}"
            assert words(raised) == want, raised
        else:
            with contextlib.redirect_stdout(out):
                exec(compiled, namespace)
        printed = out.getvalue()
    return ran


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


def wants_keras(page: str) -> bool:
    """Whether a page needs Keras, which has one backend in a process."""
    return any(re.search(r"\b(import|from) (keras|steepest\.keras)", b.text) for b in blocks(page) if b.language == "python")


if __name__ == "__main__":
    failed = 0
    for path in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as empty:
            try:
                print(path, run(path.read_text(), Path(empty)))
            except BaseException as error:
                failed += 1
                print(f"{path}: {type(error).__name__}: {error}")
    sys.exit(bool(failed))
