"""A file is there whole or not at all."""

from contextlib import suppress
from pathlib import Path

import pytest

from steepest.files import whole


def test_a_file_appears_at_the_end(tmp_path: Path) -> None:
    goal = tmp_path / "a.txt"
    with whole(goal) as partial:
        partial.write_text("half")
        assert not goal.exists()
    assert goal.read_text() == "half"
    assert list(tmp_path.iterdir()) == [goal]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    goal = tmp_path / "a.txt"
    goal.write_text("before")
    with suppress(ZeroDivisionError), whole(goal) as partial:
        partial.write_text("half")
        _ = 1 / 0
    assert goal.read_text() == "before"
    assert list(tmp_path.iterdir()) == [goal]


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    goal = tmp_path / "a.txt"
    with whole(goal) as one, whole(goal) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert goal.read_text() == "one"  # the last to end
    assert list(tmp_path.iterdir()) == [goal]


def test_a_place_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole(tmp_path / "no" / "a.txt") as partial:
        partial.write_text("x")
