"""What the properties are held against: every registered optimizer with its options, and chains of users."""

from typing import Annotated

import steepest
from steepest import (
    AddDecayedWeights,
    At,
    Cautious,
    ClipByGlobalNorm,
    ClipByValue,
    Cosine,
    Lookahead,
    ScaleByAdam,
    ScaleByBelief,
    ScaleByLearningRate,
    ScaleByLion,
    ScaleByTrustRatio,
    ShrinkWeights,
    Slot,
    Step,
    Trace,
    Transform,
    Value,
    chain,
    maximum,
    minimum,
    sqrt,
    where,
)
from steepest.transform import Within


class ScaleByPast(Transform):
    """A rule of our own, as a user would write one: two slots, a static choice, a test per element and per step."""

    decay: Annotated[float, Within(0, 1)] = 0.9
    floor: float = 1e-3
    warm: int = 3
    signed: bool = False

    past = Slot()
    anchor = Slot(init="param")

    def update(self, u: Value, at: At, past: Value, anchor: Value) -> Step:
        new = self.decay * past + (1 - self.decay) * abs(u)
        size = maximum(minimum(new, 10.0), self.floor)
        step = where((u > 0) & ~(new < self.floor), u / sqrt(size), 0.5 * u)
        if self.signed:
            step = where(u != 0, step, at.param)
        return Step(where(at.count <= self.warm, step * 0.1, step) + 1e-3 * (at.param - anchor), past=new, anchor=anchor)


REGISTERED = [variant for name in steepest.optimizers() for variant in steepest.registration(name).variants()]

USERS = [
    ("clipped belief", chain(ClipByGlobalNorm(1.0), ScaleByBelief(), AddDecayedWeights(0.1), ScaleByLearningRate(3e-4))),
    ("lamb", chain(ScaleByAdam(), AddDecayedWeights(0.01), ScaleByTrustRatio(), ScaleByLearningRate(1e-2))),
    ("cautious lion", chain(ClipByValue(0.7), ScaleByLion(), Cautious(), ScaleByLearningRate(Cosine(1e-3, 10, warmup=2)))),
    ("own rule", chain(ScaleByPast(), ScaleByLearningRate(0.1))),
    ("own rule, signed", chain(Trace(0.5), ScaleByPast(signed=True, warm=1), Trace(0.9), ScaleByLearningRate(0.1))),
    (
        "lookahead over lookahead",
        Lookahead(Lookahead(chain(ScaleByAdam(), ScaleByLearningRate(0.1), ShrinkWeights(0.1, 0.1)), 2, 0.5), 3, 0.9),
    ),
    ("everything", Lookahead(chain(ClipByGlobalNorm(0.5), ScaleByAdam(), Cautious(), ScaleByTrustRatio(), ScaleByLearningRate(0.1)), k=2)),
]

ALL = REGISTERED + USERS
