"""The table, the verdict and the audit of whole races."""

import ast
import json
import math
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import steepest.race.statistics as package
from steepest.race.record import Race
from steepest.race.statistics import audit, compare_finals, race_budget, sensitivity, speedups, standings, trial_times, verdict
from tests.race.synthetic import SPACE, Racer, race, task

THREE = [Racer("adamw"), Racer("nadamw", quality=0.3), Racer("sgd-nesterov", quality=0.4)]


def status(record: Race) -> dict[int, str]:
    return {f.number: f.status for f in audit(record)}


def test_a_planted_winner() -> None:
    record = race([*THREE, Racer("good", quality=-0.2, speed=1.5)])
    table = standings(record)
    assert [s.name for s in table] == ["good", "adamw", "nadamw", "sgd-nesterov"]
    assert [s.place for s in table] == [1, 2, 3, 4]
    assert [s.winner for s in table] == [True, False, False, False]
    first = table[0]
    assert first.against_best is None
    assert first.score.middle > 0.95
    assert first.speedup is not None
    assert 1.4 < first.speedup.factor.low < first.speedup.factor.high < 2.3
    assert table[1].speedup is None, "the baseline"
    assert set(first.finals) == set(record.tasks)
    said = verdict(record)
    assert said.winner == "good"
    assert said.quality.startswith("Good ends best on 8 tasks and is told apart from all others: the next, Adamw, is ")
    assert "Good scores highest" in said.speed
    assert "of 8 tasks that both finish" in said.speed


def test_copies_share_the_first_place() -> None:
    record = race([Racer("adamw"), Racer("copy"), *THREE[1:]], seed=3)
    table = standings(record)
    assert {s.name for s in table if s.tied_with_best} == {"adamw", "copy"}
    assert [s.place for s in table] == [1, 1, 3, 4]
    assert not any(s.winner for s in table), "nobody is set in bold inside the noise"
    said = verdict(record, table)
    assert said.winner is None
    assert "and cannot be told from " in said.quality
    assert said.quality.endswith("; behind it are Nadamw and Sgd Nesterov.")


def test_nobody_can_be_told_apart() -> None:
    said = verdict(race([Racer(f"r{i}") for i in range(4)]))
    assert "comes first on 8 tasks, and cannot be told from any of the others: " in said.quality


@pytest.mark.parametrize("layout", [{}, {"tasks": 1, "studies": 1, "trials": 2, "seeds": 2}, {"trials": 0, "tasks": 2}], ids=str)
@pytest.mark.parametrize("others", [THREE, THREE[:1], [Racer("worse", quality=9.0)]], ids=len)
def test_who_always_diverges_is_last_and_visible(layout: dict[str, int], others: list[Racer]) -> None:
    record = race([Racer("wreck", diverges=1.0), *others], sensitivity=True, **layout)  # type: ignore[arg-type]
    table = standings(record)
    last = table[-1]
    assert last.name == "wreck"
    assert last.failed
    assert not last.tied_with_best, "however few the runs"
    assert last.place == len(table)
    assert last.score.middle == 0
    assert last.costs.diverged_final.share == 1
    assert all(i.middle == 0.9 for i in last.finals.values())
    said = verdict(record, table)
    assert said.failed == ["wreck"]
    assert "Wreck" in said.quality
    assert set(speedups(trial_times(record), others[0].name)["wreck"]) == set(record.tasks)
    for w in record.tasks:
        assert all(p.diverged for p in sensitivity(record, "wreck", w).points)
        assert all(b.mean == pytest.approx(0.9) for b in race_budget(record, "wreck", w))


def test_everybody_diverges() -> None:
    record = race([Racer("a", diverges=1.0), Racer("b", diverges=1.0)], tasks=2)
    assert all(s.failed and not s.winner for s in standings(record))
    said = verdict(record)
    assert said.quality == "No entrant finished its runs on 2 tasks, so that there is nothing to compare."
    assert said.speed == "No entrant reached a target often enough to say who is fast."
    assert len(audit(record)) == 20


def test_an_unfinished_race() -> None:
    """One has not run at all, one on half of the tasks: both are in the table, behind those that ran everywhere."""
    record = race([*THREE, Racer("half", quality=-1.0), Racer("absent", quality=-1.0)])
    done = tuple(t for t in record.trials if t.optimizer != "absent" and not (t.optimizer == "half" and t.task >= "task-4"))
    table = standings(replace(record, trials=done))
    assert [s.name for s in table][-2:] == ["half", "absent"]
    assert [s.tasks for s in table] == [8, 8, 8, 4, 0]
    assert not table[-2].tied_with_best
    assert math.isnan(table[-1].excess)
    assert verdict(replace(record, trials=done)).winner == "adamw"
    empty = replace(record, trials=())
    assert [s.tasks for s in standings(empty)] == [0] * 5
    assert len(audit(empty)) == 20
    assert verdict(empty).winner is None


def test_one_entrant() -> None:
    record = race([Racer("adamw")], tasks=2)
    assert [s.place for s in standings(record)] == [1]
    assert verdict(record).quality == "Adamw is the only one that finished its runs on 2 tasks."
    assert status(record)[10] == "not kept"


def test_a_baseline_that_is_not_in_the_race() -> None:
    table = standings(race(THREE, tasks=2, baseline="elsewhere"))
    assert all(s.speedup is None and math.isnan(s.step_ratio) for s in table)
    assert verdict(race(THREE, tasks=2, baseline="elsewhere"), table).speed.endswith(".")


def test_order_of_trials_and_entrants_changes_nothing() -> None:
    record = race([*THREE, Racer("wreck", diverges=1.0)], tasks=3)
    turned = replace(record, trials=tuple(reversed(record.trials)), entrants=dict(reversed(record.entrants.items())))
    one, other = standings(record), standings(turned)
    for a, b in zip(one, other, strict=True):
        assert (a.place, a.name, a.excess, a.finals, a.score, a.winner) == (b.place, b.name, b.excess, b.finals, b.score, b.winner)


def test_limits_are_said() -> None:
    small = verdict(race(THREE, tasks=2, studies=1, trials=4, seeds=2)).limits
    assert small[0] == "Models of 30 thousand to 60 thousand parameters: this does not predict the order for larger ones."
    assert "1 search of 4 trials each and 2 seeds a result." in small
    assert "With fewer than 3 searches the luck of the search is only estimated." in small
    assert "With fewer than 3 tasks this says little about others." in small
    assert "Nobody was tuned: this compares defaults." in verdict(race(THREE, trials=0)).limits
    edged = race([Racer("adamw", space=(replace(SPACE[0], high=1e-4, low=1e-6), *SPACE[1:])), *THREE[1:]])
    assert any("learning rate of Adamw lies at an edge" in limit for limit in verdict(edged).limits)


def test_a_race_by_the_book_keeps_all_points_but_one() -> None:
    record = race(THREE, sensitivity=True, defaults=True)
    found = audit(record)
    assert [f.number for f in found] == list(range(1, 21))
    assert {f.number: f.status for f in found if f.status != "kept"} == {17: "partly"}
    assert "the peak of memory was not" in found[16].how
    assert "12 trials in each of 24 searches per entrant, 864 in all" in found[0].how


def without(record: Race, key: str) -> Race:
    return replace(record, settings={k: v for k, v in record.settings.items() if k != key})


def drop(record: Race, **match: object) -> Race:
    return replace(record, trials=tuple(t for t in record.trials if any(getattr(t, k) != v for k, v in match.items())))


BOOK = race(THREE, tasks=4, sensitivity=True, defaults=True)
TUNING = next(t for t in BOOK.trials if t.purpose == "tuning")
BREAKAGES = {
    "a trial less for one": (1, "not kept", drop(BOOK, purpose="tuning", optimizer="adamw", study=1, number=3, task="task-0")),
    "a search less for one": (1, "not kept", drop(BOOK, purpose="tuning", optimizer="adamw", study=1, task="task-0")),
    "no space": (2, "not kept", replace(BOOK, entrants={n: replace(e, space=()) for n, e in BOOK.entrants.items()})),
    "outside the space": (2, "not kept", replace(BOOK, trials=(replace(TUNING, point={**TUNING.point, "lr": 5.0}), *BOOK.trials))),
    "unknown sampler": (3, "partly", without(BOOK, "sampler")),
    "shared points": (3, "partly", race(THREE, tasks=4, shared_points=True)),
    "nothing tuned": (4, "not kept", race(THREE, tasks=4, trials=0)),
    "no NAdamW": (5, "partly", race([THREE[0], THREE[2]], tasks=4)),
    "none of the baselines": (5, "not kept", race([Racer("lion"), Racer("muon")], tasks=4)),
    "baseline elsewhere": (5, "not kept", replace(BOOK, baseline="elsewhere")),
    "lr alone": (6, "partly", race([replace(r, space=SPACE[:1]) for r in THREE], tasks=4)),
    "30 trials without epsilon": (6, "partly", race(THREE, tasks=1, trials=30, seeds=1)),
    "unknown floor": (7, "not kept", without(BOOK, "schedule_floor")),
    "floor of a tenth": (7, "not kept", replace(BOOK, settings={**BOOK.settings, "schedule_floor": 0.1})),
    "3 seeds": (8, "partly", race(THREE, tasks=4, seeds=3)),
    "unpaired seeds": (8, "partly", drop(BOOK, purpose="evaluation", optimizer="adamw", study=0, task="task-1", number=0)),
    "tuning seeds reused": (8, "partly", replace(BOOK, trials=tuple(replace(t, seed=t.seed % 1000) for t in BOOK.trials))),
    "1 study": (9, "not kept", race(THREE, tasks=4, studies=1)),
    "2 studies": (9, "partly", race(THREE, tasks=4, studies=2)),
    "3 times the same study": (
        9,
        "not kept",
        replace(BOOK, trials=tuple(replace(t, study=s) for t in BOOK.trials if t.study == 0 for s in range(3))),
    ),
    "few runs": (10, "partly", race(THREE, tasks=1, studies=1)),
    "no target": (11, "partly", race(THREE, tasks=[task(0, target=None), task(1)])),
    "unexplained target": (11, "partly", race(THREE, tasks=[task(0, target_reason="")])),
    "tuning saw the test data": (11, "partly", replace(BOOK, trials=tuple(replace(t, test=0.1) for t in BOOK.trials))),
    "no seconds": (12, "partly", replace(BOOK, trials=tuple(replace(t, seconds_to_target=math.inf) for t in BOOK.trials))),
    "one after the other": (12, "partly", replace(BOOK, settings={**BOOK.settings, "order": "sequential"})),
    "a diverged run flattered": (13, "partly", replace(BOOK, trials=(replace(TUNING, diverged_at=7, validation=0.01), *BOOK.trials))),
    "runs dropped": (13, "partly", drop(BOOK, purpose="evaluation", optimizer="adamw", study=0, task="task-1", number=0)),
    "one family": (14, "not kept", race(THREE, tasks=1)),
    "no sweeps": (15, "partly", race(THREE, tasks=4)),
    "sensitivity unknown": (15, "not kept", race(THREE, tasks=4, trials=0)),
    "no defaults": (16, "partly", race(THREE, tasks=4)),
    "no step times": (17, "partly", replace(BOOK, trials=tuple(replace(t, step_ms=math.nan) for t in BOOK.trials))),
    "no batch": (18, "not kept", race(THREE, tasks=[task(0, batch=0)])),
    "precision unknown": (19, "partly", without(BOOK, "precision")),
    "no environment": (20, "not kept", replace(BOOK, environment=[])),
    "no versions": (20, "partly", replace(BOOK, environment=[{k: v for k, v in BOOK.environment[0].items() if k != "packages"}])),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_the_audit_sees_what_is_broken(name: str) -> None:
    number, expected, record = BREAKAGES[name]
    assert status(BOOK)[number] == ("partly" if number == 17 else "kept")
    finding = audit(record)[number - 1]
    assert finding.status == expected, finding.how


def test_the_peak_of_memory_completes_the_audit() -> None:
    assert status(replace(BOOK, settings={**BOOK.settings, "peak_memory": True}))[17] == "kept"


def test_everything_is_plain_data() -> None:
    """The report writes it as JSON."""
    record = race([*THREE, Racer("wreck", diverges=1.0)], tasks=2, studies=1, trials=3, seeds=2)
    json.dumps([[asdict(s) for s in standings(record)], asdict(verdict(record)), [asdict(f) for f in audit(record)]])


def test_neither_torch_nor_files() -> None:
    program = "import sys, steepest.race.statistics; assert not {'torch', 'plotly', 'sklearn', 'optuna'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
    for path in Path(package.__file__).parent.glob("*.py"):
        calls = {n.func.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        assert not {"open", "print"} & calls


def test_the_tied_stand_together_before_all_others() -> None:
    """A noisy entrant whose mean is in between may be told apart while a worse, noisier one is not."""
    record = race([Racer("adamw"), *THREE[1:]], seed=3)
    order = standings(record)
    first, second, third = (s.name for s in order[:3])
    comparisons = [
        replace(c, told_apart=third not in (c.a, c.b), better=None if third in (c.a, c.b) else c.better) for c in compare_finals(record)
    ]
    table = standings(record, comparisons)
    assert [s.name for s in table[:3]] == [first, third, second]
    assert [s.place for s in table[:3]] == [1, 1, 3]


def test_a_busy_machine_is_said() -> None:
    record = race([*THREE], tasks=3)
    busy = replace(record, trials=tuple(replace(t, cpu_seconds=0.6 * t.seconds) for t in record.trials))
    assert any("a run had 60 % of a core" in said for said in verdict(busy).limits)
    assert "60 % of a core" in next(f.how for f in audit(busy) if f.number == 12)
    idle = replace(record, trials=tuple(replace(t, cpu_seconds=0.99 * t.seconds) for t in record.trials))
    assert not any("busy" in said for said in [*verdict(idle).limits, *verdict(record).limits])


def test_counts_are_words() -> None:
    record = race([Racer("adamw")], tasks=1)
    said = " ".join(f.how for f in audit(replace(record, environment=record.environment[:1])))
    assert "1 machine recorded" in said
    assert not re.search(r"\b1 (machines|tasks|families|trials|seeds|searches|axes|pairs)\b", said)
