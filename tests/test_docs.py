"""What the documents say runs."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: its blocks are files of a user, and are run as such: tests/race/tasks/test_docs_race_your_own.py
ELSEWHERE = {"race-your-own.md"}
BLOCKS = [
    pytest.param(block, id=f"{name}-{i}")
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in ELSEWHERE),
    )
    for i, block in enumerate(re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.S))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_code_block_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "block.py"
    program.write_text(block)
    exec(compile(block, str(program), "exec"), {"__name__": "block"})


def test_docstring_examples_run() -> None:
    import doctest

    import torch

    from steepest.optax import lookahead as optax_lookahead
    from steepest.optax import transform
    from steepest.torch import lookahead, optimizer
    from steepest.transforms import schedule

    for module in (schedule, optimizer, lookahead, sys.modules[transform.__module__], sys.modules[optax_lookahead.__module__]):
        result = doctest.testmod(module, extraglobs={"torch": torch})
        assert result.attempted
        assert not result.failed


def test_the_makefile_has_what_the_readme_names() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()))
    assert named <= targets
