"""Quality at the end of training: every run, the median, its interval. One view a task."""

from steepest.race.report.charts.chart import Chart, Trace, View, log_axis, marks, names_axis
from steepest.race.report.facts import Facts
from steepest.race.report.words import interval, number
from steepest.race.statistics.values import final_metric, final_purpose, of


def finals(facts: Facts) -> Chart:
    """Of all tasks."""
    test = "test data" if any(t.test is not None for t in facts.race.trials) else "validation data"
    return Chart(
        heading="Quality at the end",
        read="Each thin tick is one run on a fresh seed, the large mark is their median, the bar its 95 % interval. "
        + "Hollow ticks are runs that diverged, which count as guessing.",
        selectors={"task": {facts.keys[t.name]: t.title for t in facts.tasks}},
        views={facts.keys[t.name]: _view(facts, t.name, test) for t in facts.tasks if _runs(facts, t.name)},
        empty="" if any(_runs(facts, t.name) for t in facts.tasks) else "No run for the result is finished yet.",
    )


def _runs(facts: Facts, task: str) -> bool:
    return any(task in s.finals for s in facts.table)


def _view(facts: Facts, task: str, test: str) -> View:
    race, about = facts.race, facts.race.tasks[task]
    sign = -1.0 if about.higher_is_better else 1.0
    there = sorted((s for s in facts.table if task in s.finals), key=lambda s: sign * s.finals[task].middle)
    data: list[Trace] = []
    seen: list[float] = []
    rows: list[tuple[str, ...]] = []
    for row, s in enumerate(there):
        look, result = facts.looks[s.name], s.finals[task]
        runs = of(race, final_purpose(race), s.name, task)
        for hollow in (False, True):
            some = [t for t in runs if (t.diverged_at is not None) == hollow]
            if some:
                said = [f"{look.label}, search {t.study + 1}, seed {t.seed}: {number(final_metric(t), 4)}" for t in some]
                ticks = marks(look, [final_metric(t) for t in some], [row] * len(some), said, hollow=hollow, size=11)
                ticks["marker"]["symbol"] = "circle-open" if hollow else "line-ns-open"
                data.append(ticks | {"opacity": 0.55})
        seen += [final_metric(t) for t in runs] + [result.middle]
        middle = marks(look, [result.middle], [row], [f"{look.label}: {interval(result, 4)}, median of {len(runs)} runs"], size=13)
        if result.known:
            up, down = result.high - result.middle, result.middle - result.low
            middle["error_x"] = {"type": "data", "array": [up], "arrayminus": [down], "thickness": 2.5, "width": 5, "symmetric": False}
            seen += [result.low, result.high]
        data.append(middle)
        diverged = sum(t.diverged_at is not None for t in runs)
        rows.append((look.label, number(result.middle, 4), interval(result, 4), str(len(runs)), str(diverged)))
    best = there[0]
    axis = log_axis(seen, f"{about.metric} on the {test} ({'higher' if about.higher_is_better else 'lower'} is better)")
    if about.higher_is_better:
        axis = _linear(axis)
    return View(
        title=f"{best.title} has the best median {about.metric} on {about.title}: {interval(best.finals[task])}.",
        data=data,
        layout={"xaxis": axis, "yaxis": names_axis([facts.label(s.name) for s in there])},
        head=("optimizer", f"median {about.metric}", "with 95 % interval", "runs", "diverged"),
        rows=rows,
    )


def _linear(axis: dict[str, object]) -> dict[str, object]:
    """An accuracy near 1 has its differences at the top end, where a logarithm squeezes them."""
    return {"title": axis["title"]}
