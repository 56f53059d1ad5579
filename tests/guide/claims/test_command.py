"""`steepest claims`, as a person types it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from steepest import cli
from steepest.guide.claims import experiments, verdicts
from steepest.guide.claims.catalogue import CLAIMS
from steepest.guide.claims.text import figure
from steepest.race.protocol import Settings

TINY = Path(__file__).parents[2] / "race" / "tiny.py"


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = cli.main(["claims", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_one_line_a_claim(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ran(capsys)
    *lines, explained = out.split("\n\n")[0].splitlines()
    assert status == 0
    assert [line.split()[1] for line in lines] == [c.id for c in CLAIMS]
    assert all(line.split()[0] in ("supported", "contradicted", "undecided") for line in lines)
    assert explained.startswith("The last column: on how many tasks")
    assert "\x1b" not in out  # colours are for terminals
    assert "EvoLved Sign Momentum" in out
    assert "hypergradients" in out


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_one_in_full(claim, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = ran(capsys, claim.id)
    assert status == 0
    for name in ("Verdict", "Estimate", "Hypothesis", "Design", "Data", "Limits", "About", "Again"):
        assert f"\n{name} " in out
    assert claim.hypothesis.split()[0] in out
    assert f"steepest claims --run {claim.id}" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "nan" not in out.split()
    assert "inf" not in out.split()


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ran(capsys, "--json")
    found = json.loads(out)
    assert status == 0
    assert [one["id"] for one in found] == [v.id for v in verdicts()]
    assert {"claim", "hypothesis", "design", "data", "verdict", "estimate", "low", "high", "unit", "limits", "about"} <= found[0].keys()
    status, out, _ = ran(capsys, "no-best", "--json")
    assert json.loads(out)["id"] == "no-best"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["adam-fast"], "Did you mean 'adam-fast-early'?"),
        (["Lion_Memory"], "Did you mean 'lion-memory'?"),
        (["zebra"], "No claim is called 'zebra'. `steepest claims` lists them."),
        (["--run", "no-best,lion-tim"], "Did you mean 'lion-time'?"),
        (["no-best", "--run"], "write `steepest claims --run no-best`"),
        (["--quick"], "--quick goes with --run: `steepest claims --run`."),
        (["no-best", "--workers", "2"], "`steepest claims --run no-best`"),
        (["--run", "no-best", "--workers", "0"], "--workers 0: give 1 or more."),
        (["--from", "/nowhere/at/all"], "There are no verdicts in /nowhere/at/all"),
    ],
)
def test_mistakes(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = ran(capsys, *words)
    assert (status, out) == (2, "")
    assert err.startswith("steepest claims: ")
    assert says in err
    assert "Traceback" not in err


def test_reading_verdicts_needs_neither_torch_nor_parquet() -> None:
    program = "import sys; from steepest.guide.claims import verdicts; verdicts(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "pyarrow", "scipy", "sklearn", "optuna", "rich"} & set(loaded)


def test_a_run_writes_records_and_verdicts_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """End to end, with a task of a hundredth of a second in the place of the experiment's."""
    settings = Settings(tasks=(f"{TINY}:make",), optimizers=("adamw", "lion"), trials=1, seeds=2)
    small = experiments.Experiment("size", "a tiny task", settings, settings)
    monkeypatch.setitem(experiments.EXPERIMENTS, "size", small)  # type: ignore[arg-type]
    words = ["--run", "lion-memory", "--out", str(tmp_path / "mine"), "--workers", "1", "--json"]
    status, out, err = ran(capsys, *words)
    assert status == 0
    (found,) = json.loads(out)
    assert found["verdict"] == "supported"
    assert found["estimate"] == found["low"] == found["high"] == 0.5
    assert "1 of 1, size: a tiny task; 6 runs" in err
    record = tmp_path / "mine" / "claims-size.parquet"
    assert record.exists()
    assert str(TINY.parent).encode() not in record.read_bytes()

    status, again, err = ran(capsys, *words)  # nothing is left to run
    assert (status, again) == (0, out)
    status, out, _ = ran(capsys, "--from", str(tmp_path / "mine"), "lion-memory")
    assert status == 0
    assert "0.5 times the bytes (0.5 to 0.5)" in out
    status, _, err = ran(capsys, "--from", str(tmp_path / "mine"), "no-best")
    assert status == 2
    assert "has no verdict on no-best" in err


@pytest.mark.parametrize(
    ("estimate", "unit", "said"),
    [
        (14.2, "% less error", "14 % less error (-8 to 22)"),
        (-3.1, "% more error", "3.1 % less error (-22 to 8)"),
        (-2.0, "points fewer stuck", "2 points more stuck (-22 to 8)"),
        (0.5, "times the bytes", "0.5 times the bytes (-8 to 22)"),
        (-1.0, "% lost", "-1 % lost (-8 to 22)"),
    ],
)
def test_a_negative_figure_is_said_the_other_way_round(estimate, unit, said):
    assert figure(replace(verdicts()[0], estimate=estimate, low=-8.0, high=22.0, unit=unit)) == said
