"""Starting hyperparameters for this batch, size and length, from the rates at which they are known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steepest.guide.advise import candidates, tables
from steepest.guide.advise.situation import Situation
from steepest.guide.advise.tables import Family, Follows, Rates
from steepest.transforms import Cosine, Linear

B2_AT_REFERENCE = 0.95
B2_LEAST, B2_MOST = 0.95, 0.9999
B2_IN_LONG_RUNS = 0.999
LEAST_FACTOR = 1 / 64
"""No rule is trusted further than this from the batch at which it was measured."""
WITHOUT_BATCH_NORM = 0.1
"""BatchNorm lets SGD take long steps; without it a tenth is a usual beginning."""
LONGEST_WARMUP = 0.25
_LION_LM = {"b1": 0.95, "b2": 0.98}
FLOORS = {"Cosine": 0.01, "Linear": 0.001}


@dataclass(frozen=True)
class Note:
    """How a number came about, in words, with the facts it rests on."""

    says: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Axis:
    """What to tune, and over which range."""

    name: str
    low: float
    high: float
    log: bool


@dataclass(frozen=True)
class Start:
    """Where to begin."""

    arguments: Mapping[str, Any]
    """Of the optimizer; `lr` is the peak."""
    schedule: Cosine | Linear
    clip: float | None
    notes: tuple[Note, ...]
    axes: tuple[Axis, ...]
    tuning: tuple[str, ...]
    """Facts behind what to tune."""


def start(name: str, s: Situation, circumstances: frozenset[str], tuned: tuple[str, Mapping[str, float]] | None = None) -> Start:
    """The beginning for one candidate; from `tuned`, what has been found for one of its kind already, where that is given."""
    row, own = tables.families()[s.family], tables.candidates()[name]
    rates: Rates = row.adam if own.follows == "adam" else row.sgd
    anchored = _anchored(own, tuned)
    notes: list[Note] = []
    if tuned is not None and anchored is not None:
        lr, decay = anchored[0], rates.decay * own.decay if anchored[1] is None else anchored[1]
        notes.append(Note(f"from your {tables.candidates()[tuned[0]].title}", own.facts))
    else:
        lr, decay = _lr(own, row, rates, s, circumstances, notes), rates.decay * own.decay
    arguments: dict[str, Any] = {"lr": rounded(lr), **_means(name, own, row, s, circumstances, notes), **(own.arguments or {})}
    if "weight_decay" in candidates.defaults(name):
        arguments["weight_decay"] = rounded(decay)
        if row.b2_batch and "short run" in circumstances and decay:
            notes.append(Note("a short run: more decay, up to 5 times this, may be better", ("decay-never-zero",)))
    schedule = _schedule(name, own, rates, arguments, s, notes)
    axes, facts = _axes(name, own, arguments, decay, s)
    return Start(arguments, schedule, row.clip, tuple(notes), axes, facts)


def rounded(value: float, digits: int = 2) -> float:
    """A number that a person would type."""
    return float(f"{value:.{digits}g}")


def _anchored(own: Follows, tuned: tuple[str, Mapping[str, float]] | None) -> tuple[float, float | None] | None:
    """Learning rate and decay from those of another candidate of the same kind."""
    if tuned is None:
        return None
    name, values = tuned
    theirs = tables.candidates()[name]
    if theirs.follows != own.follows:
        return None
    decay = values["weight_decay"] / theirs.decay * own.decay if "weight_decay" in values and theirs.decay else None
    return values["lr"] / theirs.lr * own.lr, decay


def _lr(own: Follows, row: Family, rates: Rates, s: Situation, circumstances: frozenset[str], notes: list[Note]) -> float:
    k = s.tokens / (rates.batch * row.usual_sequence)
    k = k if s.sequence > 1 or row.usual_sequence == 1 else s.batch / rates.batch
    by_batch = max(k if own.rule == "linear" else math.sqrt(k), LEAST_FACTOR)
    power = row.size_power if own.size_power is None else own.size_power
    by_size = (s.parameters / row.size) ** power if row.size and own.follows == "adam" else 1.0
    where = f"lr {rates.lr * own.lr:g} at a batch of {rates.batch}"
    notes.append(Note(f"begins at {where}" if row.facts else f"begins at {where}, a convention: no benchmark says where", row.facts))
    if abs(math.log(k)) > 0.01:
        rule = "in proportion" if own.rule == "linear" else "by its root"
        notes.append(Note(f"batch {k:.3g} x that: lr x {by_batch:.2g}, {rule}", _batch_facts(own)))
    if abs(math.log(by_size)) > 0.01:
        notes.append(Note(f"size {s.parameters / row.size:.3g} x {row.size / 1e6:.0f} M: lr x {by_size:.2g}", _size_facts(own)))
    lr = rates.lr * own.lr * by_batch * by_size
    if own.follows == "sgd" and "no batch norm" in circumstances:
        lr *= WITHOUT_BATCH_NORM
        notes.append(Note("no BatchNorm: a tenth of the rate that is usual with it", ()))
    ceiling = rates.ceiling * (own.lr if own.follows == "adam" else 1.0)
    if lr > ceiling:
        notes.append(Note(f"held at {ceiling:g}: the rule is not known to hold beyond", _batch_facts(own)))
    if "long run" in circumstances:
        notes.append(Note("a long run: look below this lr too", ("longer-run-lower-lr", "lr-transfers-to-longer-runs")))
    return min(lr, ceiling)


def _batch_facts(own: Follows) -> tuple[str, ...]:
    return ("linear-scaling-of-sgd",) if own.rule == "linear" else ("sqrt-scaling-of-adam",)


def _size_facts(own: Follows) -> tuple[str, ...]:
    return ("lr-falls-slowly-with-size",) if own.size_power is None else ("sign-methods-lr-falls-faster",)


def _means(name: str, own: Follows, row: Family, s: Situation, circumstances: frozenset[str], notes: list[Note]) -> dict[str, float]:
    """How long means are remembered: in language models so many tokens."""
    usual = candidates.defaults(name)
    if "b2" not in usual or not row.b2_batch:
        return {}
    if own.tuning == "lion":
        return dict(_LION_LM)
    share = s.tokens / (row.b2_batch * row.usual_sequence)
    b2 = min(max(B2_AT_REFERENCE**share, B2_LEAST), B2_MOST)
    facts = ("b2-half-life-in-tokens",)
    if "long run" in circumstances and b2 < B2_IN_LONG_RUNS:
        b2, facts = B2_IN_LONG_RUNS, (*facts, "b2-long-runs")
    b2 = min(b2, max(1 - 2 / (LONGEST_WARMUP * s.steps), 0.9))  # the memory must be shorter than the run
    b2 = 1 - rounded(1 - b2)
    b2 = round(b2, 6)
    notes.append(Note(f"b2 {b2:g}: remembers as many tokens as .95 does at {row.b2_batch} sequences of {row.usual_sequence}", facts))
    return {"b2": b2}


def _schedule(name: str, own: Follows, rates: Rates, arguments: Mapping[str, Any], s: Situation, notes: list[Note]) -> Cosine | Linear:
    """Warm-up and decay over the run."""
    warmup = max(rates.warmup, own.warmup) * s.steps
    b2 = arguments.get("b2", candidates.defaults(name).get("b2"))
    if b2 is not None and not own.tuning and 2 / (1 - b2) > warmup:
        warmup = 2 / (1 - b2)
        notes.append(Note(f"warm-up over 2 / (1 - b2) = {warmup:,.0f} steps, at most a quarter of the run", ("untuned-warmup-rule",)))
    taken = min(round(min(warmup, LONGEST_WARMUP * s.steps)), s.steps - 1)
    kind = Cosine if own.schedule == "Cosine" else Linear
    return kind(arguments["lr"], s.steps, taken, FLOORS[own.schedule])


def _axes(name: str, own: Follows, arguments: Mapping[str, Any], decay: float, s: Situation) -> tuple[tuple[Axis, ...], tuple[str, ...]]:
    """What to tune with this budget."""
    kind = own.tuning or own.follows
    rows = [t for t in tables.tunings() if t.kind == kind and t.runs <= s.budget]
    if not rows:
        return (), ("several-at-defaults",)
    chosen = max(rows, key=lambda t: t.runs)
    low, high = own.tune
    if s.budget < 4:  # three runs: one each side
        low, high = math.sqrt(low), math.sqrt(high)
    lr = arguments["lr"]
    ranges = {
        "lr": Axis("lr", rounded(lr * low), rounded(lr * high), True),
        "weight_decay": Axis("weight_decay", rounded(decay / 10) or 1e-6, rounded(min(decay * 5, 1.0)) or 1e-3, True),
        "b1": Axis("b1", 0.8, 0.98, False),
        "momentum": Axis("momentum", 0.8, 0.98, False),
        "eps": Axis("eps", 1e-10, 1e-6, True),
        "warmup": Axis("warmup", 0.02, LONGEST_WARMUP, False),
    }
    known = {"lr", "warmup", "weight_decay", *(key for key, usual in candidates.defaults(name).items() if usual)}
    return tuple(ranges[a] for a in chosen.axes if a in known), chosen.facts
