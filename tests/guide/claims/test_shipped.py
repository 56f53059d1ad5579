"""What is shipped: the verdicts are those that the records give, and they say what a reader needs."""

import math
from pathlib import Path

import pytest

from steepest.errors import ClaimError
from steepest.guide.claims import judging, verdicts
from steepest.guide.claims.catalogue import CLAIMS
from steepest.guide.claims.experiments import EXPERIMENTS
from steepest.guide.claims.record import RECORDS, load
from steepest.registry import optimizers

TOPICS = {"tuning", "run length", "weight decay", "clipping", "memory", "speed", "choice"}


def test_the_shipped_verdicts_are_those_of_the_shipped_records() -> None:
    shipped, again = verdicts(), judging.recomputed(RECORDS)
    assert [v.id for v in shipped] == [c.id for c in CLAIMS]
    for one, other in zip(shipped, again, strict=True):
        assert (one.verdict, one.design, one.data, one.limits) == (other.verdict, other.design, other.data, other.limits)
        assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high), rel=1e-9, abs=1e-9)
        assert one.by_task == other.by_task
        assert [b.what for b in one.beside] == [b.what for b in other.beside]
        for a, b in zip(one.beside, other.beside, strict=True):
            assert (a.estimate, a.low, a.high) == pytest.approx((b.estimate, b.low, b.high), rel=1e-9, abs=1e-9)


def test_every_verdict_says_what_it_is_about() -> None:
    for v in verdicts():
        assert v.about
        assert set(v.about) <= set(optimizers()) | TOPICS
        assert math.isfinite(v.estimate)
        assert v.low <= v.estimate <= v.high
        assert v.claim.endswith(".")
        assert v.hypothesis.endswith(".")
        assert "weights, runs of" in v.limits
        assert f"{v.threshold:g}".lstrip("0") in v.hypothesis or {"decade": "quarter", "% lost": "half"}.items()


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_each_record_is_of_its_experiment(name: str) -> None:
    record, settings = load(judging.record_of(RECORDS, name)), EXPERIMENTS[name].settings
    kept = {key: value for key, value in settings.as_json().items() if key not in ("tasks", "target_seeds")}
    assert {key: record.settings[key] for key in kept} == kept
    assert record.settings["tasks"] == [Path(task).name for task in settings.tasks]
    tuned = {r.seed for r in record.runs if r.purpose == "tuning"}
    assert not tuned & {r.seed for r in record.runs if r.purpose == "evaluation"}
    for task in record.tasks:
        seeds = [{(r.study, r.seed) for r in record.of("evaluation", o, task)} for o in record.optimizers()]
        assert all(s == seeds[0] for s in seeds), "runs are pairs"


def test_the_records_are_small() -> None:
    assert sum(path.stat().st_size for path in RECORDS.glob("claims*")) < 1_000_000


def test_a_missing_record(tmp_path: Path) -> None:
    with pytest.raises(ClaimError, match=r"There is no record .*claims-course\.parquet: `steepest claims --run --out"):
        judging.recomputed(tmp_path, [c for c in CLAIMS if c.id == "no-best"])


def test_tasks_are_counted_one_by_one() -> None:
    for v in verdicts():
        counted = v.by_task.supported + v.by_task.contradicted + v.by_task.undecided
        assert counted >= 1
        if v.verdict == "supported" and counted > 1:
            assert v.by_task.supported >= v.by_task.contradicted
        if v.verdict == "contradicted" and counted > 1:
            assert v.by_task.contradicted >= v.by_task.supported
