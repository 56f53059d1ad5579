"""The experiments: eight small races, each of which serves several claims.

Every optimizer of an experiment is tuned alike by the race's own search, and measured on seeds that no choice was made on,
the same seeds for all: the runs are pairs. `quick` is the same experiment with less of everything, to see that it still comes out so.

How many searches: a first round had one or two, and left 20 of 22 claims undecided. More than half of the variance was the luck of a
search, so that everybody got more searches, the long runs more tasks, and all of it was run anew: once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from steepest.race.protocol import Settings

TASKS = Path(__file__).with_name("tasks.py")
OURS = "steepest.guide.claims.optimizers"

KINDS = ("mnist_mlp", "digits_cnn", "vowels_lstm", "names_gru", "diamonds_mlp", "molecules_gnn")
SPRINTS = ("race_digits_mlp", "race_vowels_lstm", "race_diamonds_mlp", "race_mnist_cnn", "race_names_lstm", "race_molecules_gnn")
LONGS = ("mnist_mlp", "digits_cnn", "vowels_lstm", "names_gru", "diamonds_mlp", "race_digits_mlp")
RECURRENT = ("vowels-lstm", "names-gru", "names-lstm")
"""The names of the recurrent ones in a record."""

WIDE_SGD = "sgd:lr=0.0316..10"
"""Momentum of 0.9 makes steps ten times as long in the end: the range of SGD without it lies ten times higher."""


@dataclass(frozen=True)
class Experiment:
    """One race."""

    name: str
    says: str
    settings: Settings
    quick: Settings


def _named(names: Sequence[str], suffix: str = "") -> tuple[str, ...]:
    return tuple(f"{TASKS}:{name}{suffix}" for name in names)


def _own(names: str) -> tuple[str, ...]:
    """Entrants of `optimizers.py`, under their own names or others: `plain=adam`."""
    pairs = [word.partition("=")[::2] for word in names.split()]
    return tuple(f"{name}={OURS}:{what or name}" for name, what in pairs)


def _experiment(name: str, says: str, settings: Settings, *, tasks: Sequence[str] = (), **less: int) -> Experiment:
    return Experiment(name, says, settings, replace(settings, tasks=tuple(tasks) or settings.tasks, studies=1, **less))


_SIX = ("mnist_mlp", "digits_cnn", "vowels_lstm", "diamonds_mlp", "names_gru", "molecules_gnn")
_THREE = ("mnist_mlp", "vowels_lstm", "diamonds_mlp")
_TINY = ("xor", "parity", "parity4", "xor_roomy", "parity_roomy", "parity4_roomy")
_SPIKED = _named([f"{kind}{condition}" for kind in (*_THREE, "names_gru") for condition in ("", "_clipped", "_spiked", "_spiked_clipped")])

_ALL = (
    _experiment(
        "course",
        "eight optimizers on six kinds of networks",
        Settings(
            tasks=_named(KINDS),
            optimizers=("sgd", "momentum", "nesterov", "rmsprop", "adam", *_own("plain=adam"), "adamw", "lion"),
            trials=5,
            studies=5,
            seeds=2,
            spaces=(WIDE_SGD,),
        ),
        tasks=_named(_THREE),
        trials=3,
    ),
    _experiment(
        "sprint",
        "a tenth of the steps of the race's own workloads, for which everybody is tuned anew: who is fast early",
        Settings(
            tasks=_named(SPRINTS, "_sprint"),
            optimizers=("sgd", "momentum", "adam", "lookahead"),
            trials=5,
            studies=6,
            seeds=2,
            spaces=(WIDE_SGD,),
        ),
        tasks=_named(SPRINTS[:3], "_sprint"),
        trials=3,
        seeds=2,
    ),
    _experiment(
        "dash",
        "the same with our own shorter runs, of which a tenth is 12 to 50 steps",
        Settings(
            tasks=_named(KINDS, "_sprint"),
            optimizers=("sgd", "momentum", "adam", "lookahead"),
            trials=6,
            studies=8,
            seeds=3,
            spaces=(WIDE_SGD,),
        ),
        tasks=_named(_THREE, "_sprint"),
        trials=4,
        seeds=2,
    ),
    _experiment(
        "rates",
        "learning rates over four decades, the same four around everybody's published default",
        Settings(
            tasks=_named(_SIX),
            optimizers=_own("sgd momentum rmsprop adam lion"),
            trials=10,
            studies=5,
            seeds=1,
            spaces=tuple(
                f"{name}:lr={low}..{low * 10_000:g}"
                for name, low in (("sgd", 0.003), ("momentum", 0.0003), ("rmsprop", 0.00003), ("adam", 0.00003), ("lion", 0.000003))
            ),
        ),
        tasks=_named(_THREE),
        trials=8,
    ),
    _experiment(
        "spikes",
        "with and without clipping, and with gradients a thousand times too large at planted steps",
        Settings(
            tasks=_SPIKED,
            optimizers=("momentum", "adamw", "lion"),
            trials=4,
            studies=3,
            seeds=2,
        ),
        tasks=_SPIKED[:12],
        trials=2,
        seeds=2,
    ),
    _experiment(
        "late",
        "a constant learning rate: how restless is the loss in the second half of a run",
        Settings(
            tasks=_named(_SIX, "_watched"),
            optimizers=_own("adam=held_adam lookahead=held_lookahead adabelief=held_adabelief"),
            trials=5,
            studies=5,
            seeds=2,
        ),
        trials=4,
        tasks=_named(_THREE, "_watched"),
    ),
    _experiment(
        "minima",
        "128 tiny networks at once, of which some get stuck",
        Settings(tasks=_named(_TINY), optimizers=_own("sgd momentum"), trials=6, studies=6, seeds=2),
        tasks=_named(_TINY[:3]),
        trials=4,
    ),
    _experiment(
        "long",
        "few examples, a fifth of them with wrong answers, five times the steps",
        Settings(tasks=_named(LONGS, "_long"), optimizers=_own("momentum adam"), trials=4, studies=3, seeds=2),
        trials=3,
        seeds=2,
        tasks=_named(("mnist_mlp", "diamonds_mlp"), "_long"),
    ),
    _experiment(
        "size",
        "four million weights: the time of a step, the two optimizers in turn",
        Settings(tasks=_named(("wide",)), optimizers=("adamw", "lion"), trials=1, seeds=8),
        trials=1,
        seeds=3,
    ),
)

EXPERIMENTS: Mapping[str, Experiment] = {one.name: one for one in _ALL}
"""By name, in the order in which they run."""
