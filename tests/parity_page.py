"""The parity page: what the tests measured, as docs/parity.md. `make parity` runs them and then this.

    python -m tests.parity_page measurements.jsonl

Two tables. The first is from the trajectory tests, which wrote down how close each rule of each face came to its
reference (`tests.parity.record`). The second compares the frameworks' compositions with each other, on the same
gradients: what changes if a model moves to an optimizer of the same name in another framework.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import steepest
from steepest import Cosine, ScaleByLearningRate, Trace, Transform
from steepest.conventions import keras, optax, torch
from steepest.execute import eager
from steepest.tree import float_leaves, slots, walk

PAGE = Path(__file__).parent.parent / "docs" / "parity.md"
FACES = {
    "torch": "PyTorch",
    "keras-torch": "Keras on PyTorch",
    "keras-jax": "Keras on JAX",
    "keras-tensorflow": "Keras on TensorFlow",
    "optax": "optax",
}
STEPS = 200
_LR = Cosine(0.01, STEPS)
_ADAM: Mapping[str, Any] = {"lr": _LR, "b1": 0.9, "b2": 0.999, "eps": 1e-8}
_RMS: Mapping[str, Any] = {"lr": _LR, "decay": 0.9, "eps": 1e-8}
_L2: Mapping[str, Any] = {"weight_decay": 0.1}

#: one name in three frameworks, with the same arguments; and why they part
COMPOSITIONS: Mapping[str, Mapping[str, Transform]] = {
    "SGD": {"PyTorch": torch.sgd(_LR), "Keras": keras.sgd(_LR), "optax": optax.sgd(_LR)},
    "SGD, momentum 0.9": {"PyTorch": torch.sgd(_LR, 0.9), "Keras": keras.sgd(_LR, 0.9), "optax": optax.sgd(_LR, 0.9)},
    "RMSProp": {"PyTorch": torch.rmsprop(**_RMS), "Keras": keras.rmsprop(**_RMS), "optax": optax.rmsprop(**_RMS)},
    "RMSProp, momentum 0.9": {
        "PyTorch": torch.rmsprop(**_RMS, momentum=0.9),
        "Keras": keras.rmsprop(**_RMS, momentum=0.9),
        "optax": optax.rmsprop(**_RMS, momentum=0.9),
    },
    "Adam": {"PyTorch": torch.adam(**_ADAM), "Keras": keras.adam(**_ADAM), "optax": optax.adam(**_ADAM)},
    "Adam, weight_decay 0.1": {
        "PyTorch": torch.adam(**_ADAM, **_L2),
        "Keras": steepest.chain(*keras.adam(**_ADAM), steepest.ShrinkWeights(_LR, 0.1)),
    },
    "AMSGrad": {
        "PyTorch": torch.adam(**_ADAM, amsgrad=True),
        "Keras": keras.adam(**_ADAM, amsgrad=True),
        "optax": optax.amsgrad(**_ADAM),
    },
    "AdaBelief": {
        "PyTorch": torch.adabelief(**_ADAM, rectify=True),
        "Keras": keras.adabelief(**_ADAM, rectify=True),
        "optax": optax.adabelief(**_ADAM, eps_root=1e-8),
    },
    "Lion": {"PyTorch": torch.lion(_LR, 0.9, 0.99), "Keras": keras.lion(_LR, 0.9, 0.99), "optax": optax.lion(_LR, 0.9, 0.99)},
}
WHY = {
    "eps_hat": "eps before the bias correction",
    "eps_in_sqrt": "eps inside the root",
    "correct_first": "the maximum is taken of corrected means",
    "rectify": "rectified while the variance is young",
}


def apart(a: Transform, b: Transform) -> float:
    """How far two strategies come apart in 200 steps, relative to the parameter's norm, in float64."""
    rng = np.random.default_rng(0)
    start = rng.standard_normal(500)
    scale = 10 ** (4 * rng.uniform(size=500) - 5)  # gradients from 1e-5 to 0.1: eps matters to the smallest
    noise = rng.standard_normal((STEPS, 500)) * scale
    ends: list[Any] = []
    for strategy in (a, b):
        param, state = start, {name: start * (slot.init == "param") for name, slot in slots(strategy).items()}
        for count in range(1, STEPS + 1):
            values = {leaf.name: getattr(leaf.own, leaf.field) for leaf in float_leaves(strategy)}
            now = {name: value(count - 1) if callable(value) else value for name, value in values.items()}
            (new,) = eager.step(strategy, [eager.Leaf(param, noise[count - 1] + 1e-3 * scale * param, state, now, count)])
            param, state = new["param"], {name: new[name] for name in state}
        ends.append(param)
    return float(np.linalg.norm(ends[0] - ends[1]) / np.linalg.norm(start))


def reasons(a: Transform, b: Transform) -> list[str]:
    """What in the two compositions is not the same, in words."""
    fields: list[dict[str, Any]] = [{n: getattr(t, n) for _, t in walk(s) for n in t._kinds if n in WHY} for s in (a, b)]
    found = [WHY[name] for name in WHY if fields[0].get(name, False) != fields[1].get(name, False)]
    orders = [[type(t) for _, t in walk(s) if isinstance(t, (Trace, ScaleByLearningRate))] for s in (a, b)]
    if orders[0] != orders[1]:
        found.append("the learning rate inside the momentum buffer (as long as it is constant there is no difference)")
    decays = [[type(t).__name__ for _, t in walk(s) if "weight_decay" in t._kinds and t.weight_decay] for s in (a, b)]  # type: ignore[attr-defined]
    if decays[0] != decays[1]:
        found.append("weight decay enters the gradient (L2) in the one, shrinks the weights in the other")
    return found


def same(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first table: a line for each rule, a column for each face."""
    named: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        named.setdefault(_rule(str(row["rule"])), []).append(row)
    lines = [f"| rule | {' | '.join(FACES.values())} |", "|---|" + "---|" * len(FACES)]
    for rule in sorted(named, key=lambda rule: (rule == _ANY, rule.lower())):
        cells: list[str] = []
        for face in FACES:
            mine = [row for row in named[rule] if row["face"] == face]
            references = sorted({str(row["reference"]) for row in mine})
            worst = max((float(row["difference"]) for row in mine), default=0.0)
            dtypes = "/".join(sorted({str(row["dtype"]) for row in mine}))
            cells.append(f"{', '.join(references)}: {worst:.0e} ({len(mine)} x, {dtypes})" if mine else "")
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    return lines


_ANY = "any strategy"
_TITLES = {
    "adabelief": "AdaBelief",
    "sgd": "SGD",
    "rmsprop": "RMSProp",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "NAdam",
    "nadamw": "NAdamW",
    "amsgrad": "AMSGrad",
}


def _rule(said: str) -> str:
    """The row of a measurement: chains share one, and so does Lookahead around whatever."""
    if said.startswith(("chain(", "Lookahead(inner=", "a strategy")):
        return _ANY
    return "Lookahead" if said.lower().startswith("lookahead") else _TITLES.get(said.lower(), said[0].upper() + said[1:])


def different() -> list[str]:
    """The second table: for each name, how far PyTorch's, Keras' and optax's come apart, and why."""
    lines = ["| name and arguments | PyTorch and Keras | PyTorch and optax | Keras and optax | why |", "|---|---|---|---|---|"]
    for name, of in COMPOSITIONS.items():
        pairs = [(a, b) for a, b in (("PyTorch", "Keras"), ("PyTorch", "optax"), ("Keras", "optax"))]
        cells, why = [], dict[str, None]()
        for a, b in pairs:
            if a not in of or b not in of:
                cells.append("optax has none")
                continue
            distance = apart(of[a], of[b])
            cells.append("same" if distance < 1e-12 else f"{distance:.0e}")
            why |= dict.fromkeys(reasons(of[a], of[b]) if distance >= 1e-12 else [])
        lines.append(f"| {name} | {' | '.join(cells)} | {'; '.join(why)} |")
    return lines


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """The page as Markdown."""
    return "\n".join(
        [
            "# Parity: the same numbers, rule by rule and framework by framework",
            "",
            "Written by `make parity` from the tests' own measurements; edit the tests, not this page.",
            "",
            "## Same trajectory as",
            "",
            "Each cell names what the rule was run beside, over 200 steps, and the largest difference relative to the largest norm of",
            "the parameter, over all compared settings (their number in brackets). Keras on TensorFlow is compared in float32, since Keras",
            "itself passes Python numbers through float32 there.",
            "",
            *same(rows),
            "",
            "## The same name in another framework",
            "",
            "How far the parameters come apart in 200 steps with the same arguments and the same gradients (from 1e-5 to 0.1 in size),",
            "with a cosine schedule, relative to their norm; and why. Compared are the compositions of `steepest.conventions`, which the",
            "first table shows to be the frameworks' own. `steepest.checkpoint.convert` carries a run across these differences, or says",
            "why it cannot.",
            "",
            *different(),
            "",
        ]
    )


def main() -> None:
    """Write the page."""
    measured = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    absent = set(FACES) - {row["face"] for row in measured}
    if absent:
        raise SystemExit(f"There are no measurements of {', '.join(sorted(absent))}: run `make parity`, which runs the tests of all faces.")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(measured))
    print(f"{PAGE}: {len(measured)} measurements")


if __name__ == "__main__":
    main()
