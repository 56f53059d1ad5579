"""Whole races in this process: what is in the record, and that an interruption leaves no trace in it."""

import math
from collections import Counter

import pytest

from steepest.race import record
from steepest.race.store import Store
from tests.race.engine.helpers import TINY, begin, race, settings, timeless, work

BOTH = settings(tasks=(f"{TINY}:make", f"{TINY}:other"), optimizers=("adamw", "lion", "again=adamw"), studies=2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "race.db"
    return path, race(path, BOTH)


def test_every_run_is_there_once(whole):
    _, found = whole
    keys = Counter((t.task, t.optimizer, t.purpose, t.study, t.number) for t in found.trials)
    assert set(keys.values()) == {1}
    # 2 tasks x 3 optimizers x (2 studies x (3 + 2) + 3 multiples) + 2 runs of the baseline for the target of one task
    assert len(keys) == 2 * 3 * (2 * 5 + 3) + 2 == found.settings["runs"]


def test_budgets_are_equal(whole):
    _, found = whole
    for task in found.tasks:
        counts = {o: Counter((t.purpose, t.study) for t in found.trials if t.optimizer == o and t.task == task) for o in found.entrants}
        for count in counts.values():
            count.pop(("target", 0), None)
        assert counts["adamw"] == counts["lion"] == counts["again"]


def test_runs_are_paired_by_seed_and_seeds_of_different_purposes_never_meet(whole):
    _, found = whole
    for purpose in ("tuning", "evaluation", "sensitivity"):
        seeds = {
            o: {(t.task, t.study, t.number): t.seed for t in found.trials if t.optimizer == o and t.purpose == purpose}
            for o in found.entrants
        }
        assert seeds["adamw"] == seeds["lion"] == seeds["again"]
    purposes = {p: {t.seed for t in found.trials if t.purpose == p} for p in ("tuning", "evaluation", "sensitivity", "target")}
    assert sum(map(len, purposes.values())) == len(set.union(*purposes.values()))


def test_a_copy_under_another_name_does_exactly_the_same(whole):
    _, found = whole
    first, second = ([t for t in timeless(found) if t.optimizer == o and t.purpose != "target"] for o in ("adamw", "again"))
    assert [(t.point, t.seed, t.validation, t.test, t.diverged_at) for t in first] == [
        (t.point, t.seed, t.validation, t.test, t.diverged_at) for t in second
    ]


def test_evaluation_is_at_the_best_tuned_point_and_alone_sees_the_test_data(whole):
    _, found = whole
    for t in found.trials:
        assert (t.test is not None) == (t.purpose == "evaluation")
        tuned = [u for u in found.trials if (u.task, u.optimizer, u.study, u.purpose) == (t.task, t.optimizer, t.study, "tuning")]
        chosen = min(tuned, key=lambda u: (u.validation, u.number)).point
        if t.purpose in ("evaluation", "target"):
            assert t.point == chosen
        if t.purpose == "sensitivity":
            assert t.point == {**chosen, "lr": chosen["lr"] * (0.5, 1, 2)[t.number]}


def test_points_differ_between_studies_and_tasks_and_cover_the_space(whole):
    _, found = whole
    points = {(t.task, t.study, t.number, t.point["lr"]) for t in found.trials if t.optimizer == "adamw" and t.purpose == "tuning"}
    assert len({lr for *_, lr in points}) == len(points) == 2 * 2 * 3
    space = {a.name: a for a in found.entrants["adamw"].space}
    assert all(
        space[name].low <= v <= space[name].high
        for t in found.trials
        if t.purpose == "tuning" and t.optimizer == "adamw"
        for name, v in t.point.items()
    )


def test_a_missing_target_is_the_median_of_the_baselines_best(whole):
    path, found = whole
    runs = [t for t in found.trials if t.purpose == "target"]
    assert {(t.task, t.optimizer) for t in runs} == {("other", "adamw")}
    bests = [min(record.curves(path, t).validation[1:]) for t in runs]
    assert found.tasks["other"].target == pytest.approx(sum(bests) / 2)
    assert "adamw" in found.tasks["other"].target_reason
    assert found.tasks["tiny"].target == 0.3


def test_times_to_target_are_those_of_the_curve(whole):
    path, found = whole
    for t in found.trials[:20]:
        curve, target = record.curves(path, t), found.tasks[t.task].target
        hit = next((m for m, v in zip(curve.marks[1:], curve.validation[1:], strict=True) if v <= target), math.inf)
        assert t.steps_to_target == hit
        assert t.samples_to_target == hit * 32
        assert 0 < t.seconds_to_target <= t.seconds or math.isinf(hit)
        assert curve.lr[-1] == pytest.approx(0.01 * t.point["lr"])
        assert curve.marks[0] == 0
        assert curve.marks[-1] == found.tasks[t.task].steps


def test_curves_are_one_table_beside_the_database(whole):
    import pyarrow.parquet as pq

    path, found = whole
    assert sorted(p.name for p in path.parent.iterdir()) == ["race.db", "race.parquet"]
    table = pq.read_table(path.with_suffix(".parquet"))
    assert set(table.column("run").to_pylist()) == set(range(len(found.trials)))
    assert {"task", "optimizer", "seed", "step", "train_loss", "validation", "lr"} <= set(table.column_names)


def test_the_record_says_what_it_ran_on(whole):
    _, found = whole
    (machine,) = found.environment
    assert {"python", "packages", "processor", "threads", "code", "commit", "cores", "machine"} <= set(machine)
    assert {"torch", "optuna", "numpy"} <= set(machine["packages"])
    assert len(machine["code"]) == 16
    assert {"trials", "sampler", "order", "schedule_floor", "precision", "routing"} <= set(found.settings)


@pytest.mark.parametrize("cuts", [(0, 1, 2), (7, 5), (40,)])
def test_a_race_that_was_killed_and_went_on_equals_one_that_was_not(whole, cuts, tmp_path):
    path = tmp_path / "race.db"
    for runs in cuts:
        store = begin(path, BOTH)
        work(store, runs)
        assert [row.state for row in store.rows()].count("RUNNING") == 1
        for _, row, _ in store.held():  # what the engine does for processes that are gone
            store.give_back(row)
        store.close()
    found = race(path, BOTH)
    assert timeless(found) == timeless(whole[1])
    assert found.tasks == whole[1].tasks
    assert found.settings == whole[1].settings


def test_two_races_over_the_same_tasks_join(whole, tmp_path):
    from steepest.errors import RaceError
    from steepest.race.reading import joined

    second = tmp_path / "sgd.db"
    race(second, settings(tasks=(f"{TINY}:make",), optimizers=("adamw", "sgd")))
    found = joined(whole[0], second)
    assert list(found.tasks) == ["tiny"]
    assert list(found.entrants) == ["adamw (race)", "lion", "again", "adamw (sgd)", "sgd"]
    assert found.baseline == "adamw (race)"
    assert {t.optimizer for t in found.trials} == set(found.entrants)
    third = tmp_path / "third.db"
    race(third, settings(tasks=(f"{TINY}:other",), optimizers=("sgd",), trials=1, seeds=1, multiples=(), target_seeds=1))
    with pytest.raises(RaceError, match="no task in common"):
        joined(second, third)


def test_curves_may_go_to_a_folder_that_machines_share(tmp_path):
    from steepest.race.worker import Worker

    path, shared = tmp_path / "race.db", tmp_path / "shared"
    store = begin(path, settings(trials=1, seeds=1, multiples=()))
    store.note("curves", str(shared))
    assert Worker(store, lambda _: None, curve_folder=str(shared)).work()
    store.close()
    assert len(list(shared.iterdir())) == 4
    assert all(record.curves(path, t).marks[-1] == 30 for t in record.load(path).trials)


def test_defaults_are_a_mode_of_their_own(tmp_path):
    found = race(tmp_path / "race.db", settings(defaults=True, seeds=2, tasks=(f"{TINY}:other",)))
    assert Counter(t.purpose for t in found.trials) == {"defaults": 4, "target": 2}
    assert {t.point["lr"] for t in found.trials if t.optimizer == "adamw"} == {1e-3}
    assert all((t.test is not None) == (t.purpose == "defaults") for t in found.trials)
    assert found.tasks["other"].target is not None


def test_a_race_that_goes_on_is_readable(tmp_path):
    path = tmp_path / "race.db"
    store = begin(path, settings())
    work(store, 4)
    assert len(record.load(path).trials) == 4
    store.close()
    assert isinstance(Store.open(store.url, read_only=True).header(), dict)
