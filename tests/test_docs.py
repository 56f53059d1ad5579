"""What the documents at the root say runs, and the Korean README says the same. Pages of the site: tests/site."""

import re
import sys
from pathlib import Path

import pytest

from tests import documents

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.ko.md")
BLOCKS = [
    pytest.param(block.text, id=f"{name}-{i}")
    for name in (*READMES, "CONTRIBUTING.md")
    for i, block in enumerate(documents.blocks((ROOT / name).read_text()))
    if block.language == "python"
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


def test_the_makefile_has_what_the_documents_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for name in (*READMES, "CONTRIBUTING.md"):
        assert set(re.findall(r"\bmake ([a-z-]+)", (ROOT / name).read_text())) <= targets


@pytest.fixture(scope="module")
def both() -> list[str]:
    return [(ROOT / name).read_text() for name in READMES]


def test_the_readmes_point_to_each_other(both: list[str]) -> None:
    for text, other in zip(both, reversed(READMES), strict=True):
        assert f"]({other})" in "\n".join(text.splitlines()[:4])


def test_the_korean_readme_has_the_same_code(both: list[str]) -> None:
    english, korean = map(documents.blocks, both)
    assert english == korean


def test_the_korean_readme_has_the_same_shape(both: list[str]) -> None:
    """Headings by level, rows of tables, numbered points, links, words in bold."""
    for pattern in (r"^(#+) ", r"^\|.*\|$", r"^\d+\. ", r"\]\((?!README)([^)]+)\)", r"\*\*[^*]+\*\*"):
        english, korean = (re.findall(pattern, without_code(text), re.M) for text in both)
        assert len(english) == len(korean), pattern
        if "](" in pattern or pattern.startswith("^(#"):
            assert english == korean


def test_the_korean_readme_has_the_same_figures(both: list[str]) -> None:
    """Row by row of its tables, and what is written as code anywhere."""
    english, korean = (re.findall(r"^\|.*\|$", text, re.M) for text in both)
    for row, same in zip(english, korean, strict=True):
        assert numbers(row) == numbers(same)
    assert spans(both[0]) == spans(both[1])


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.S)


def numbers(row: str) -> list[str]:
    return sorted(n for n in re.findall(r"\d+(?:\.\d+)?", row) if n != "1")  # "one tensor" is "텐서 1개"


def spans(text: str) -> list[str]:
    return sorted(re.findall(r"`([^`]+)`", without_code(text)))
