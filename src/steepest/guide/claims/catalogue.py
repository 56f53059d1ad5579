"""The textbook's claims as data: what each was taken to mean, as one figure with a threshold, before anything was run.

The thresholds are those of practice: a per cent or more at the end of training, five or ten per cent where speed or steadiness is
claimed, a quarter of a decade of learning rates. The interval decides by a fixed rule (`verdict.decide`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from steepest.guide.claims import measures as m
from steepest.guide.claims.experiments import RECURRENT
from steepest.guide.claims.verdict import Side


@dataclass(frozen=True)
class Claim:
    """One statement and its test."""

    id: str
    claim: str
    hypothesis: str
    design: str
    experiments: tuple[str, ...]
    """Whose records it is read from."""
    also: tuple[str, ...]
    """Records of larger races that answer it too, where they are there: their tasks count like the others."""
    measure: m.Measure
    side: Side
    threshold: float
    unit: str
    limits: str
    about: tuple[str, ...]
    beside: Mapping[str, m.Measure]
    """The same figure for others, shown for comparison."""
    needs: int
    """With fewer tasks than this nothing is decided, however alike the runs are."""


def _claim(
    id: str,
    claim: str,
    hypothesis: str,
    experiments: str,
    measure: m.Measure,
    side: Side,
    threshold: float,
    unit: str,
    *about: str,
    design: str,
    limits: str = "",
    beside: Mapping[str, m.Measure] | None = None,
    also: tuple[str, ...] = (),
    needs: int = 3,
) -> Claim:
    records = tuple(experiments.split())
    return Claim(id, claim, hypothesis, design, records, also, measure, side, threshold, unit, limits, about, beside or {}, needs)


_STANDARD = ("standard",)
"""`steepest race --preset standard`: eight workloads, three searches of five trials, nine runs for each result."""
_ADAPTIVE = ("rmsprop", "adam", "lion")
_SPRINT = (
    "Each optimizer is tuned for a run of a tenth of the usual length, so that each is as fast as it can be. A task on which nobody is by "
    "then better than guessing is left out."
)
_COURSE = "Each is tuned for the whole run, weight decay included where it has one; what counts is the error on the test data at the end."
_RATES = (
    "Learning rates over four decades around the published default, without weight decay (in the standard race: from a sixteenth to "
    "sixteen times the best one); the result as a curve over the rate."
)
_LATE = (
    "The learning rate is constant. Restlessness is how much the validation loss changes between looks, five or ten steps apart, in the "
    "second half."
)
_SPIKES = "The same tasks with and without clipping to norm 1, each tuned on its own; runs with the same seed are pairs."

CLAIMS = (
    _claim(
        "adam-fast-early",
        "Adam converges fast early.",
        "After a tenth of the steps Adam's error is at least 5 % below that of SGD with momentum.",
        "sprint dash",
        m.against("momentum", "adam"),
        "at least",
        5.0,
        "% less error",
        "adam",
        "momentum",
        design=_SPRINT,
        beside={"Lookahead, against the same": m.against("momentum", "lookahead")},
    ),
    _claim(
        "adam-easy-to-tune",
        "Adam is easy to tune.",
        "The learning rates that end at most a quarter worse than the best span at least a quarter of a decade more for Adam than for "
        "SGD with momentum.",
        "rates",
        m.wider("adam", "momentum"),
        "at least",
        0.25,
        "decades more",
        "adam",
        "momentum",
        "tuning",
        design=_RATES,
        also=_STANDARD,
        limits="Ten rates a curve, one run each.",
        beside={"Adam, against SGD": m.wider("adam", "sgd"), "Lion, against Momentum": m.wider("lion", "momentum")},
    ),
    _claim(
        "adam-overfits",
        "Adam overfits in long training.",
        "In long training on few examples, some of them wrong, Adam's validation loss ends at least 10 % above its lowest.",
        "long",
        m.rise("adam"),
        "at least",
        10.0,
        "% above the lowest",
        "adam",
        "run length",
        design="Tuned for the end of the long run, which gives every optimizer the chance to choose a rate that does not overfit.",
        limits="A fifth of the answers is wrong on purpose: with clean data there is less to overfit to.",
        beside={"Momentum": m.rise("momentum")},
    ),
    _claim(
        "adam-overfits-more",
        "Adam overfits more than SGD does.",
        "In the same training Adam's loss rises at least 5 points more than that of SGD with momentum.",
        "long",
        m.rises_more("adam", "momentum"),
        "at least",
        5.0,
        "points more",
        "adam",
        "momentum",
        "run length",
        design="Tuned for the end of the long run; the rise of a run is compared with that of its pair.",
    ),
    _claim(
        "adamw-beats-l2",
        "AdamW generalises better than Adam with L2 regularisation.",
        "AdamW's test error is at least 1 % below that of Adam with L2.",
        "course",
        m.against("adam", "adamw"),
        "at least",
        1.0,
        "% less error",
        "adamw",
        "adam",
        "weight decay",
        design=_COURSE,
        also=_STANDARD,
    ),
    _claim(
        "adamw-beats-plain",
        "AdamW generalises better than Adam without weight decay.",
        "AdamW's test error is at least 1 % below that of Adam without any decay.",
        "course",
        m.against("plain", "adamw"),
        "at least",
        1.0,
        "% less error",
        "adamw",
        "adam",
        "weight decay",
        design=_COURSE,
        beside={"Adam with L2, against the same": m.against("plain", "adam")},
    ),
    _claim(
        "adabelief-steadier",
        "AdaBelief is steadier than Adam.",
        "At a constant learning rate, each at its own best, Adam's loss is at least 10 % more restless than AdaBelief's.",
        "late",
        m.calmer("adabelief", "adam"),
        "at least",
        10.0,
        "% less restless",
        "adabelief",
        "adam",
        design=_LATE,
        beside={"both at the same rate": m.calmer("adabelief", "adam", same_rate=True)},
    ),
    _claim(
        "lookahead-late",
        "Lookahead lowers the variance late in training.",
        "At the same constant learning rate Adam's loss is at least 5 % more restless alone than inside Lookahead.",
        "late",
        m.calmer("lookahead", "adam", same_rate=True),
        "at least",
        5.0,
        "% less restless",
        "lookahead",
        "adam",
        design=_LATE + " All rates that were tried and learned something; k = 5, alpha = 0.8; looks are at slow weights.",
        beside={"each at its own best rate": m.calmer("lookahead", "adam")},
    ),
    _claim(
        "lookahead-early",
        "Lookahead loses no speed early.",
        "After a tenth of the steps the error of Lookahead around Adam is at most 3 % above Adam's.",
        "sprint dash",
        m.against("lookahead", "adam"),
        "at most",
        3.0,
        "% more error",
        "lookahead",
        "adam",
        design=_SPRINT,
    ),
    _claim(
        "sgd-slow",
        "Plain SGD is slow.",
        "After a tenth of the steps SGD's error is at least 10 % above Adam's.",
        "sprint dash",
        m.against("sgd", "adam"),
        "at least",
        10.0,
        "% more error",
        "sgd",
        design=_SPRINT,
        beside={"against Momentum": m.against("sgd", "momentum")},
    ),
    _claim(
        "sgd-unstable",
        "Plain SGD is unstable.",
        "From its best learning rate up to the one that ruins the run SGD has at least a quarter of a decade less room than Adam.",
        "rates",
        m.less_room("sgd", "adam"),
        "at least",
        0.25,
        "decades less",
        "sgd",
        "tuning",
        design=_RATES + " A run is ruined if it loses half of what the best run has learned.",
        also=_STANDARD,
        beside={"Momentum, against Adam": m.less_room("momentum", "adam")},
    ),
    _claim(
        "momentum-faster",
        "Momentum speeds SGD up.",
        "After a tenth of the steps the error with momentum is at least 5 % below that of plain SGD.",
        "sprint dash",
        m.against("sgd", "momentum"),
        "at least",
        5.0,
        "% less error",
        "momentum",
        "sgd",
        design=_SPRINT + " SGD may use ten times the rate, since momentum 0.9 lengthens steps tenfold.",
    ),
    _claim(
        "momentum-escapes",
        "Momentum escapes poor minima.",
        "Of tiny networks that can get stuck, momentum leaves at least 3 percentage points fewer stuck than plain SGD.",
        "minima",
        m.points("sgd", "momentum"),
        "at least",
        3.0,
        "points fewer stuck",
        "momentum",
        "sgd",
        design="128 networks a run, with as many hidden units as the problem needs at least; each tuned by the share that gets stuck.",
        limits="Made-up problems (XOR and parity): large networks hardly have such minima.",
    ),
    _claim(
        "nesterov-better",
        "Nesterov's momentum is better than the classical one.",
        "Its test error is at least 1 % lower.",
        "course",
        m.against("momentum", "nesterov"),
        "at least",
        1.0,
        "% less error",
        "nesterov",
        "momentum",
        design=_COURSE,
        also=_STANDARD,
    ),
    _claim(
        "rmsprop-recurrent",
        "RMSProp suits recurrent networks.",
        "On recurrent networks RMSProp's test error is at least 5 % below that of SGD with momentum.",
        "course",
        m.against("momentum", "rmsprop", RECURRENT),
        "at least",
        5.0,
        "% less error",
        "rmsprop",
        needs=2,
        design=_COURSE,
        also=_STANDARD,
        beside={"Adam, against the same": m.against("momentum", "adam", RECURRENT)},
    ),
    _claim(
        "rmsprop-recurrent-adam",
        "For recurrent networks RMSProp is as good as Adam.",
        "On recurrent networks RMSProp's test error is at most 3 % above Adam's.",
        "course",
        m.against("rmsprop", "adam", RECURRENT),
        "at most",
        3.0,
        "% more error",
        "rmsprop",
        "adam",
        needs=2,
        design=_COURSE,
        also=_STANDARD,
    ),
    _claim(
        "lion-unclipped",
        "Lion needs no gradient clipping.",
        "In ordinary training Lion's error without clipping is at most 3 % above its error with clipping.",
        "spikes",
        m.without("lion", "", "-clipped"),
        "at most",
        3.0,
        "% more error",
        "lion",
        "clipping",
        design=_SPIKES,
        limits="Lion's authors left clipping as it was. On a language model of 130 million weights Wen et al. 2025 report a loss of "
        "3.559 without it and 3.552 with it (arXiv:2509.02046).",
        beside={"AdamW": m.without("adamw", "", "-clipped"), "Momentum": m.without("momentum", "", "-clipped")},
    ),
    _claim(
        "lion-unclipped-spikes",
        "Lion needs no clipping even where gradients spike.",
        "With gradients a thousand times too large at 1 % of the steps its error without clipping is at most 10 % above that with it.",
        "spikes",
        m.without("lion", "-spiked", "-spiked-clipped"),
        "at most",
        10.0,
        "% more error",
        "lion",
        "clipping",
        design=_SPIKES,
        limits="Spikes of a thousand times at planted steps, the same for everybody.",
        beside={"AdamW": m.without("adamw", "-spiked", "-spiked-clipped"), "Momentum": m.without("momentum", "-spiked", "-spiked-clipped")},
    ),
    _claim(
        "lion-memory",
        "Lion is cheap in memory.",
        "Its state takes at most 0.6 of the bytes of AdamW's.",
        "size",
        m.ratio("lion", "adamw", lambda run: run.state_bytes),
        "at most",
        0.6,
        "times the bytes",
        "lion",
        "memory",
        needs=1,
        design="Bytes of the state for each weight, counted after a step.",
    ),
    _claim(
        "lion-time",
        "Lion is cheap in time.",
        "Its step takes at most 0.9 of the time of AdamW's.",
        "size",
        m.ratio("lion", "adamw", lambda run: run.step_ms),
        "at most",
        0.9,
        "times the time",
        "lion",
        "speed",
        needs=1,
        design="4.3 million weights on one core; the median over the steps of a run, the two in turn, both fused kernels of Steepest.",
        limits="One machine, busy with other work. The step alone: forward and backward, which take most of the time, are the same.",
    ),
    _claim(
        "wrong-rate-ruins",
        "A wrong learning rate ruins adaptive methods.",
        "At ten times their best learning rate RMSProp, Adam and Lion lose in the mean at least half of what they have learned.",
        "rates",
        m.lost_at_ten_times(_ADAPTIVE),
        "at least",
        50.0,
        "% lost",
        *_ADAPTIVE,
        "tuning",
        design=_RATES + " What is lost is measured on the way from the best result to guessing.",
        also=_STANDARD,
        beside={"Momentum": m.lost_at_ten_times(["momentum"]), "SGD": m.lost_at_ten_times(["sgd"])},
    ),
    _claim(
        "no-best",
        "No optimizer is best everywhere.",
        "Who uses one optimizer for all tasks ends with at least 2 % more error than who uses the best one for each.",
        "course",
        m.gain_of_choosing,
        "at least",
        2.0,
        "% more error",
        "choice",
        design=_COURSE + " Both are chosen by one search and compared on the other, so that luck earns nothing.",
        also=_STANDARD,
    ),
)
"""In the order in which they are listed."""
