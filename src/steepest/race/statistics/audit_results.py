"""Points 10 to 20 of the audit: was it measured and told completely?"""

import math

from steepest.race.record import Race
from steepest.race.statistics.audit_protocol import Answer, status_of
from steepest.race.statistics.comparing import LEVEL, TIE_ZONE, compare_finals
from steepest.race.statistics.costs import BUSY, core_share
from steepest.race.statistics.sensitivity import sensitivity
from steepest.race.statistics.values import final_purpose, of
from steepest.race.statistics.words import count, percent


def uncertainty(race: Race) -> Answer:
    """10. There are enough runs for the tests to decide anything."""
    comparisons = compare_finals(race)
    if not comparisons:
        return "not kept", "fewer than two entrants"
    units = {c.unit for c in comparisons}
    said = f"{count(len(comparisons), 'pair')} tested, Holm's correction at {100 * LEVEL:g} %, practical ties within {100 * TIE_ZONE:g} %"
    if units == {"cells"}:
        return "kept", f"{said}; one observation a task and search"
    if "none" in units:
        return "not kept", f"{said}; some pair has fewer than two runs in common"
    if "t" in units:
        return "partly", f"{said}; so few runs that normal noise has to be assumed"
    return "partly", f"{said}; one observation a run, since tasks times searches are too few: the luck of the search is estimated"


def targets(race: Race) -> Answer:
    """11. Every task has a target and the rule it came from; tuning trials have no test metric."""
    without = [name for name, task in race.tasks.items() if task.target is None]
    unexplained = [name for name, task in race.tasks.items() if task.target is not None and not task.target_reason]
    peeked = [t for t in race.trials if t.purpose in ("tuning", "sensitivity") and t.test is not None]
    said = f"targets on {len(race.tasks) - len(without)} of {count(len(race.tasks), 'task')}"
    said += f"; no reason recorded for {', '.join(unexplained)}" if unexplained else ", each with its rule in the table of tasks"
    said += f"; {count(len(peeked), 'tuning trial')} looked at the test data" if peeked else "; tuning never looked at the test data"
    return status_of(not without, not unexplained, not peeked), said


def times(race: Race) -> Answer:
    """12. The three times agree on what was hit, and runs of different optimizers were interleaved."""
    hits = [t for t in race.trials if math.isfinite(t.steps_to_target)]
    whole = all(0 <= t.samples_to_target < math.inf and 0 <= t.seconds_to_target < math.inf for t in hits)
    order = str(race.settings.get("order", ""))
    threads = [m.get("threads") for m in race.environment]
    said = "steps, samples and seconds of every run that hit" if whole else "some runs lack one of the three times"
    said += f"; order of runs: {order or 'not recorded'}"
    said += f"; threads: {', '.join(sorted({str(t) for t in threads}))}" if threads and all(threads) else "; threads are not recorded"
    share = core_share(race)
    said += f"; the machine was busy: a run had {percent(share)} of a core" if share < BUSY else ""
    return status_of(whole and bool(hits), order in ("interleaved", "random"), bool(threads) and all(map(bool, threads))), said


def misses(race: Race) -> Answer:
    """13. Missing runs: none; diverged runs: counted as guessing, infinitely late, in all figures."""
    gone = [t for t in race.trials if t.diverged_at is not None]
    flattered = [t for t in gone if not _is_guess(t.validation, race.tasks[t.task].guess)]
    missed = sum(math.isinf(t.steps_to_target) for t in race.trials if race.tasks[t.task].target is not None)
    final = of(race, final_purpose(race))
    counts = {sum(t.optimizer == e for t in final) for e in race.entrants}
    said = f"{missed} of {len(race.trials)} runs missed the target and {len(gone)} diverged; all are in the figures"
    if flattered:
        said += f"; but {count(len(flattered), 'diverged run is', 'diverged runs are')} recorded with a metric other than guessing"
    if len(counts) > 1:
        said += f"; entrants have from {min(counts)} to {max(counts)} final runs"
    return status_of(not flattered, len(counts) == 1), said


def families(race: Race) -> Answer:
    """14. Three families or more, and a baseline that is fixed."""
    found = sorted({task.family for task in race.tasks.values()})
    said = f"{count(len(race.tasks), 'task')} of {count(len(found), 'family', 'families')}: {', '.join(found)}"
    said += f"; baseline {race.baseline}; scores depend on the field"
    return ("kept" if len(found) >= 3 else "partly" if len(found) == 2 else "not kept"), said


def sensitivities(race: Race) -> Answer:
    """15. From which trials the curves are."""
    sources = [sensitivity(race, e, w).source for e in race.entrants for w in race.tasks]
    swept, drawn = sources.count("sensitivity"), sources.count("tuning")
    said = f"{swept} of {len(sources)} curves from sweeps over the learning rate alone, {drawn} from the best tuning trials near each rate"
    if not drawn and not swept:
        return "not kept", "no learning rates were varied"
    return ("kept" if swept == len(sources) else "partly"), said


def budgets(race: Race) -> Answer:
    """16. Several trials to draw from, and runs with defaults to start the curve."""
    tuning, defaults = of(race, "tuning"), of(race, "defaults")
    trials = max((t.number for t in tuning), default=-1) + 1
    ran = {(t.optimizer, t.task) for t in defaults}
    everywhere = all((e, w) in ran for e in race.entrants for w in race.tasks)
    said = f"exact expectation over all choices of k of {trials} trials" if trials > 1 else "no trials to choose among"
    said += "; the defaults were run as well" if everywhere else "; the defaults were not run everywhere"
    return status_of(trials > 1, everywhere), said


def resources(race: Race) -> Answer:
    """17. State and step time are there for every run. The peak of memory depends on the framework's allocator: not measured."""
    state = all(math.isfinite(t.state_bytes_per_parameter) for t in race.trials)
    step = all(t.step_ms > 0 and t.seconds > 0 for t in race.trials if t.diverged_at is None)
    said = "bytes of state per parameter" + (" measured" if state else " missing in some runs")
    said += ", time of a step and of the run measured" if step else ", some times of steps are missing"
    if "peak_memory" in race.settings:
        return status_of(state, step), f"{said}, peak memory as well"
    return ("partly" if state or step else "not kept"), f"{said}; the peak of memory was not"


def batches(race: Race) -> Answer:
    """18. One batch size a task, stated."""
    sizes = sorted({task.batch for task in race.tasks.values()})
    if not sizes or min(sizes) < 1:
        return "not kept", "the batch size is not recorded"
    return (
        "kept",
        f"one for each task, the same for all entrants: {', '.join(map(str, sizes))}; at another batch size the order may be another",
    )


def sameness(race: Race) -> Answer:
    """19. Every entrant ran the same (task, study, seed), in a stated precision, with its routing of tensors printed."""
    final = of(race, final_purpose(race))
    pairs = {e: frozenset((t.task, t.study, t.seed) for t in final if t.optimizer == e) for e in race.entrants}
    same = len(set(pairs.values())) == 1 and bool(final)
    code = all(facts.code for facts in race.entrants.values())
    precision, routing = race.settings.get("precision"), race.settings.get("routing")
    said = (
        "start and data order of a run follow from its seed, and all entrants ran the same"
        if same
        else "entrants did not run the same seeds"
    )
    said += f"; precision: {precision or 'not recorded'}; clipping is part of the task"
    said += "; the code of each optimizer is printed" if code else "; the code of some optimizer is not recorded"
    said += f"; routing: {routing}" if routing else "; which tensors an optimizer treats is not recorded"
    return status_of(same, bool(precision), code, bool(routing)), said


def reproducibility(race: Race) -> Answer:
    """20. Versions, hardware and code of every machine; the scale of the models."""
    wanted = ("python", "packages", "processor", "code")
    missing = sorted({k for m in race.environment for k in wanted if not m.get(k)} or ([] if race.environment else wanted))
    sizes = [task.parameters for task in race.tasks.values()]
    said = f"{count(len(race.environment), 'machine')} recorded" + (
        f", without {', '.join(missing)}" if missing else " with versions, hardware and code"
    )
    said += f"; all {len(race.trials)} runs are kept, failed ones included"
    if sizes:
        said += f"; models of {min(sizes)} to {max(sizes)} parameters, which predict no order at larger scale"
    return ("kept" if not missing else "partly" if len(missing) < len(wanted) else "not kept"), said


def _is_guess(value: float, guess: float) -> bool:
    return math.isnan(value) or math.isclose(value, guess, rel_tol=1e-6, abs_tol=1e-12)
