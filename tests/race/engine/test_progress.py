"""The remaining time: honest from the first run on; bars in a terminal, plain lines elsewhere."""

import io

import pytest
from rich.console import Console

from steepest.race import progress
from steepest.race.progress import Forecast, Progress, duration
from steepest.race.protocol import Job

JOBS = [Job(task, o, "tuning", 0, n, 1) for task in ("a", "b") for o in ("sgd", "lion") for n in range(2)]
CHECKED = {"a": {"sgd": 1.0, "lion": 2.0}, "b": {"sgd": 10.0, "lion": 20.0}}


def test_at_first_the_check_counts_then_what_runs_took():
    forecast = Forecast(JOBS, CHECKED)
    assert forecast.left(range(8), 1) == pytest.approx(66)
    assert forecast.left(range(8), 2) == pytest.approx(33)
    forecast.saw(0, 2.0, diverged=False)  # twice what the check said
    assert forecast.run(1) == 2.0
    assert forecast.run(2) == 4.0
    assert forecast.run(6) == 40.0
    forecast.saw(6, 30.0, diverged=False)
    assert forecast.run(7) == 30.0
    assert forecast.run(2) == pytest.approx(2.0 * (2 + 1.5) / 2)


def test_a_diverged_run_was_short_and_says_nothing():
    forecast = Forecast(JOBS, CHECKED)
    forecast.saw(0, 0.01, diverged=True)
    assert forecast.left(range(8), 1) == pytest.approx(66)


def test_times_in_words():
    assert [duration(s) for s in (0.4, 42, 99, 100, 600, 5600, 9000)] == ["0 s", "42 s", "99 s", "2 min", "10 min", "93 min", "2.5 h"]


def test_plain_lines_in_a_log_and_a_bar_in_a_terminal(monkeypatch):
    monkeypatch.setattr(progress, "QUIET", 0.0)
    for terminal in (False, True):
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, width=120, highlight=False)
        with Progress(console, 8, 2) as shown:
            shown.show("tuning: sgd, a", 3, 120.0)
            shown.say("A worker was killed")
        text = out.getvalue()
        assert "A worker was killed" in text
        assert ("3 of 8 runs done, about 2 min left" in text) is not terminal
        assert ("2 min left" in text and "3/8" in text) is (terminal or "3/8" in text)
        assert ("\x1b[" in text) is terminal
