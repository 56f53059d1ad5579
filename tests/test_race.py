"""The race: real small races through the command, and its rules one by one."""

import argparse
import importlib
import json
import math
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from steepest import registry
from steepest.errors import HyperparameterError, MissingExtra, SteepestError, UnknownOptimizer
from steepest.race import command, protocol, record, report, runner, statistics, tasks, training
from steepest.race.protocol import Settings, choose, grid
from steepest.race.record import Job, Race, Run
from steepest.tree import slots

TINY = replace(tasks.task("digits-cnn"), name="tiny", steps=24, every=8, target=0.5)
GRIDS = {"sgd": [0.1, 1e30], "adamw": [0.003, 0.01]}
MINE = """
from steepest import ScaleByLearningRate, Trace, chain, optimizer

@optimizer(title="Mine </script>", paper="none")
def mine(lr=0.02):
    '''One that no table of the race knows.'''
    return chain(Trace(0.5), ScaleByLearningRate(lr))
"""


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same small race, run twice: three optimizers, one of them a stranger, one with an absurd learning rate."""
    home = tmp_path_factory.mktemp("home")
    (home / "my_rules.py").write_text(MINE)
    out = [tmp_path_factory.mktemp("race") / "new" for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(home)
        patch.setattr(registry, "_registered", dict(registry._registered))
        importlib.import_module("my_rules")
        patch.setitem(tasks.TASKS, "tiny", TINY)
        patch.setattr(protocol, "TUNING_SEEDS", (0, 1))
        patch.setattr(protocol, "grid", lambda o, trials: GRIDS.get(o) or grid(o, trials))
        for folder in out:
            words = ("--task", "tiny", "--optimizers", "sgd,mi*,adamw", "--trials", "2", "--seeds", "2", "--out", str(folder))
            assert command.run(arguments(*words)) == 0
    return out


@pytest.fixture(scope="module")
def race(folders) -> Race:
    return record.load(folders[0] / "race.json")


# -- the race as a whole ------------------------------------------------------------------------


def test_the_record_says_everything(folders, race):
    content = json.loads((folders[0] / "race.json").read_text())
    assert content["schema"] == record.SCHEMA
    assert list(content["entries"]) == ["sgd", "mine", "adamw"]
    assert {"processor", "torch", "steepest", "python"} <= set(content["environment"])
    assert content["task"]["parameters"] == 9930
    assert content["task"]["steps"] == 24
    assert [s["optimizer"] for s in content["summary"]] == [s.optimizer for s in statistics.standings(race)]
    evaluation = race.of("adamw", "evaluation")
    assert all(run.marks == [0, 8, 16, 24] for run in evaluation)
    assert all(len(run.train_loss) == len(run.validation_accuracy) == len(run.validation_loss) == 4 for run in evaluation)
    assert all(run.train_loss[-1] < run.train_loss[0] for run in evaluation)
    assert "ScaleByAdam" in race.entries["adamw"].strategy


def test_the_record_survives_writing_and_reading(race, tmp_path):
    record.save(race, tmp_path / "again.json", [])
    assert record.load(tmp_path / "again.json") == race
    (tmp_path / "other.json").write_text('{"schema": 0}')
    with pytest.raises(SteepestError, match="schema 0"):
        record.load(tmp_path / "other.json")


def test_the_same_race_gives_the_same_numbers(folders):
    def content(race: Race) -> list[Run]:
        return [replace(run, seconds=0.0) for run in race.runs]

    first, second = (record.load(folder / "race.json") for folder in folders)
    assert content(first) == content(second)
    assert {o: e.lr for o, e in first.entries.items()} == {o: e.lr for o, e in second.entries.items()}


def test_every_optimizer_has_the_same_budget_and_seeds(race):
    for purpose, count in (("tuning", 4), ("evaluation", 2)):
        assert {o: len(race.of(o, purpose)) for o in race.entries} == dict.fromkeys(race.entries, count)
        assert len({tuple(run.seed for run in race.of(o, purpose)) for o in race.entries}) == 1
    assert {run.seed for run in race.runs if run.purpose == "tuning"} == set(race.tuning_seeds)
    assert {run.seed for run in race.runs if run.purpose == "evaluation"} == set(race.evaluation_seeds)
    assert not set(race.tuning_seeds) & set(race.evaluation_seeds)


def test_tuning_never_sees_the_test_data(race):
    assert all((run.test_accuracy is None) == (run.purpose == "tuning") for run in race.runs)


def test_a_seed_gives_every_optimizer_the_same_start(race):
    first = {seed: {run.train_loss[0] for run in race.runs if run.seed == seed} for seed in (*race.tuning_seeds, *race.evaluation_seeds)}
    assert all(len(losses) == 1 for losses in first.values())
    assert len(set.union(*first.values())) == len(first)


def test_diverged_trials_are_kept_and_counted(race):
    lost = [run for run in race.of("sgd", "tuning") if run.lr == 1e30]
    assert [run.diverged_at is not None for run in lost] == [True, True]
    assert race.entries["sgd"].lr == 0.1
    (standing,) = (s for s in statistics.standings(race) if s.optimizer == "sgd")
    assert (standing.diverged_in_tuning, standing.diverged_in_evaluation) == (2, 0)
    assert any("2 runs diverged in tuning" in note for note in report.legend(statistics.standings(race), race))


def test_a_best_learning_rate_at_the_end_of_the_grid_is_flagged(race):
    assert race.entries["sgd"].edge == "low"
    found = statistics.standings(race)
    shown = {row[0]: row[-1] for row in report.rows(found, race)}
    assert shown["SGD"] == "! 0.1"
    assert any(note.startswith("!") for note in report.legend(found, race))


def test_an_optimizer_that_no_table_knows_races_around_its_default(race):
    assert race.entries["mine"].grid == [0.002, 0.2]


# -- the report -----------------------------------------------------------------------------------


class _Loads(HTMLParser):
    """Everything in a page that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: Counter[str] = Counter()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.found += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]


def figures(page: str) -> dict:
    return json.loads(re.search(r"^const figures = (.*);$", page, re.MULTILINE)[1].replace("<\\/", "</"))


def test_the_report_loads_nothing(folders):
    page = (folders[0] / "race.html").read_text()
    loads = _Loads()
    loads.feed(page)
    assert loads.found == []
    assert loads.tags["link"] == 0
    assert loads.tags["script"] == 2
    assert "default-src 'none'" in page
    assert "@import" not in page[: page.index("<script>")]
    assert "Mine &lt;/script&gt;" in page


def test_the_report_draws_what_was_measured(folders, race):
    drawn = figures((folders[0] / "race.html").read_text())
    assert set(drawn) == {"result", "validation", "training", "sensitivity"}

    def of(figure: str, part: str, optimizer: str) -> list[dict]:
        return [t for t in drawn[figure]["data"] if t["meta"]["optimizer"] == optimizer and t["meta"]["part"] == part]

    for o in race.entries:
        runs = race.of(o, "evaluation")
        (line,), (band,) = of("training", "line", o), of("training", "band", o)
        assert line["x"] == [0, 8, 16, 24]
        assert line["y"] == pytest.approx([sum(losses) / 2 for losses in zip(*(r.train_loss for r in runs), strict=True)], rel=1e-3)
        assert max(band["y"]) == pytest.approx(max(r.train_loss[0] for r in runs), rel=1e-3)
        seeds, mean = of("result", "point", o)
        assert seeds["x"] == pytest.approx([100 * r.test_accuracy for r in runs])
        assert mean["x"] == pytest.approx([sum(seeds["x"]) / 2])
    (valley,) = of("sensitivity", "line", "sgd")
    assert valley["x"] == GRIDS["sgd"]
    assert valley["y"][1] == pytest.approx(90.0)
    assert ["open" in symbol for symbol in valley["marker"]["symbol"]] == [False, True]
    assert "2 of 2 diverged" in valley["text"][1]


def test_a_race_that_goes_wrong_everywhere_has_a_report(race):
    wreck = training.train(TINY, Job("sgd", 1e30, 100, "evaluation"))
    kept = [run for run in race.runs if run.optimizer == "sgd" and run.purpose == "tuning"]
    lost = replace(race, entries={"sgd": race.entries["sgd"]}, evaluation_seeds=[100], runs=[*kept, wreck])
    found = statistics.standings(lost)
    assert found[0].test_accuracies == [TINY.guess]
    assert math.isinf(found[0].test_accuracy.half_width)
    page = report.page(lost, found)
    assert "never (0 of 1)" in page
    assert "one seed, no interval" in page
    assert figures(page)["validation"]["data"][1]["y"] == pytest.approx(
        [100 * (1 - a) for a in wreck.validation_accuracy] + [90.0] * 3, rel=1e-3
    )
    assert "None reached" in report.pace(found, lost)


# -- one run --------------------------------------------------------------------------------------


def test_a_diverged_run_stops_and_is_recorded():
    run = training.train(TINY, Job("sgd", 1e30, 0, "evaluation"))
    assert run.diverged_at is not None
    assert run.diverged_at <= TINY.every
    assert run.test_accuracy is None
    assert all(map(math.isfinite, (*run.train_loss, *run.validation_loss)))


def test_a_seed_gives_every_optimizer_the_same_batches():
    """With steps too small to change a weight, curves can differ in nothing but start and batches."""
    still = [training.train(TINY, Job(o, 1e-30, seed, "tuning")) for seed in (0, 1) for o in ("sgd", "lion")]
    assert still[0].train_loss == still[1].train_loss
    assert still[2].train_loss == still[3].train_loss
    assert still[0].train_loss != still[2].train_loss


def test_measured_state_is_that_of_the_slots():
    short = replace(TINY, steps=1)
    for name in registry.optimizers():
        run = training.train(short, Job(name, 1e-3, 0, "tuning"))
        assert run.state_bytes_per_parameter == 4 * len(slots(registry.registration(name).build())), name


def test_every_step_time_is_measured_and_threads_are_put_back(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(training, "BLOCKS", 2)
    before = torch.get_num_threads()
    times = training.step_times(TINY, {"sgd": 0.1, "adam": 1e-3}, seed=0)
    assert list(times) == ["sgd", "adam"]
    assert all(0 < ms < 1000 for ms in times.values())
    assert torch.get_num_threads() == before


def test_the_data_is_divided_without_overlap():
    data = tasks.digits()
    assert [len(part.inputs) for part in data] == [1000, 397, 400]
    images = [{image.numpy().tobytes() for image in part.inputs} for part in data]
    assert not images[0] & images[1]
    assert not images[0] & images[2]
    assert not images[1] & images[2]
    assert all(len(part.targets.unique()) == 10 for part in data)


# -- the rules ------------------------------------------------------------------------------------


def test_every_registered_optimizer_has_the_same_budget():
    settings = Settings(tuple(registry.optimizers()), trials=5, seeds=5)
    jobs = settings.tuning_jobs()
    assert set(Counter(job.optimizer for job in jobs).values()) == {5 * len(protocol.TUNING_SEEDS)}
    assert len(jobs) + len(settings.evaluation_jobs(dict.fromkeys(settings.optimizers, 0.1))) == settings.runs
    assert not set(settings.evaluation_seeds) & set(protocol.TUNING_SEEDS)
    for name in settings.optimizers:
        ratios = [b / a for a, b in zip(grid(name, 5), grid(name, 5)[1:], strict=False)]
        assert ratios == pytest.approx([10**0.5] * 4, rel=0.03), name
        assert len(grid(name, 1)) == 1


def _run(lr: float, accuracy: float, loss: float = 1.0, diverged_at: int | None = None) -> Run:
    return Run("sgd", lr, 0, "tuning", [0], [2.0], [loss], [accuracy], None, None, diverged_at, 0.0, 0.0)


@pytest.mark.parametrize(
    ("runs", "choice"),
    [
        ([_run(1, 0.5), _run(2, 0.9), _run(3, 0.6)], (2, "")),
        ([_run(1, 0.9, 0.3), _run(2, 0.9, 0.2), _run(3, 0.9, 0.4)], (2, "")),
        ([_run(1, 0.5), _run(1, 0.7), _run(2, 0.8), _run(2, 0.3)], (1, "low")),
        ([_run(1, 0.2), _run(2, 0.4)], (2, "high")),
        ([_run(1, 0.2), _run(2, 0.9, diverged_at=3)], (1, "low")),
        ([_run(1, 0.9, diverged_at=3), _run(2, 0.1)], (2, "high")),
        ([_run(1, 0.9)], (1, "only")),
    ],
)
def test_choice_of_the_learning_rate(runs, choice):
    assert choose(runs, guess=0.1) == choice


def test_intervals_and_medians_by_hand():
    found = statistics.interval([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half_width == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)  # t(0.975, 2) * 1 / sqrt(3)
    assert statistics.interval([4.0]) == statistics.Interval(4.0, math.inf)
    assert statistics.median_steps([10, None, 30]) == 30
    assert statistics.median_steps([10, 20, 30, None]) == 25
    assert math.isinf(statistics.median_steps([10, None, None]))
    assert math.isinf(statistics.median_steps([10, 20, None, None]))


def test_optimizers_whose_intervals_overlap_are_tied(race):
    def with_accuracies(run: Run) -> Run:
        return replace(run, test_accuracy=accuracies[run.optimizer][run.seed - 100]) if run.purpose == "evaluation" else run

    # For two values the half width is t(0.975, 1) / 2 = 6.35 times their distance: 0.0635, 0.0127 and 0.
    accuracies = {"adamw": [0.92, 0.93], "sgd": [0.848, 0.850], "mine": [0.87, 0.87]}
    found = {s.optimizer: s for s in statistics.standings(replace(race, runs=[with_accuracies(r) for r in race.runs]))}
    assert list(found) == ["adamw", "mine", "sgd"]
    assert found["adamw"].test_accuracy.half_width == pytest.approx(0.0635, abs=1e-4)
    assert {o: s.tied for o, s in found.items()} == {"adamw": True, "mine": True, "sgd": True}
    accuracies["sgd"] = [0.846, 0.848]  # 0.847 + 0.0127 < 0.925 - 0.0635
    standings = statistics.standings(replace(race, runs=[with_accuracies(r) for r in race.runs]))
    assert [s.tied for s in standings] == [True, True, False]
    assert report.verdict(standings) == "AdamW has the best mean test accuracy, 92.5 %, but this race cannot tell it from Mine </script>."


# -- mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--optimizers", "adm"], "No optimizer is called 'adm'. Did you mean 'adam'?"),
        (["--optimizers", "adam,zzz*"], "No optimizer is called 'zzz*'."),
        (["--optimizers", ","], "at least one optimizer"),
        (["--task", "imagenet"], "No task is called 'imagenet'. There are: digits-cnn."),
        (["--trials", "0"], "--trials 0: at least 1 is needed."),
        (["--seeds", "-1"], "--seeds -1: at least 1 is needed."),
    ],
)
def test_a_mistake_is_one_clear_message(words, message, capsys, tmp_path):
    assert command.run(arguments(*words, "--out", str(tmp_path / "new"))) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_refused_before_the_race(capsys, tmp_path):
    (tmp_path / "file").touch()
    assert command.run(arguments("--out", str(tmp_path / "file"))) == 2
    assert "no folder can be made there" in capsys.readouterr().err


def test_optimizers_without_a_default_learning_rate_are_refused(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))

    @registry.optimizer(title="No rate", paper="none")
    def no_rate(lr=None):
        """Not one for a race."""

    with pytest.raises(HyperparameterError, match="no_rate cannot race"):
        Settings(("no_rate",))
    with pytest.raises(UnknownOptimizer):
        Settings(("nobody",))


def test_interrupting_ends_quietly(monkeypatch, capsys, tmp_path):
    def interrupted(*_: object) -> Race:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "race", interrupted)
    assert command.run(arguments("--out", str(tmp_path))) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "package"),
    [("training", "torch"), ("runner", "torch"), ("report", "plotly"), ("figures", "plotly"), ("statistics", "scipy")],
)
def test_a_missing_package_says_what_to_install(module, package, monkeypatch):
    monkeypatch.delitem(sys.modules, f"steepest.race.{module}")
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"pip install 'steepest\[race\]'"):
        importlib.import_module(f"steepest.race.{module}")


def test_the_arguments_need_no_extra_package(tmp_path):
    """`steepest race --help` works on a base installation, and a race says what is missing."""
    program = f"""
import sys
sys.modules.update(dict.fromkeys(["torch", "sklearn", "scipy", "plotly", "rich"]))
import argparse
from steepest.race import command
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args(["--out", {str(tmp_path)!r}])))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": str(Path(command.__file__).parents[2])}
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr == "steepest race: The race needs rich, which is not installed: pip install 'steepest[race]'\n"
