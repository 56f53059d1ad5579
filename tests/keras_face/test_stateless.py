"""`stateless_apply`: every bit of state is in the variables that it is given and gives back."""

from typing import Any

import keras
import numpy as np
import pytest

import steepest
from steepest import keras as face
from tests.keras_face.digits import same, state
from tests.keras_face.trajectory import BACKEND

pytestmark = pytest.mark.skipif(BACKEND == "tensorflow", reason="Keras has no stateless_apply there")

CLIPPED = steepest.chain(steepest.ClipByGlobalNorm(1.0), steepest.ScaleByAdam(), steepest.ScaleByLearningRate(0.1))
MAKE: dict[str, Any] = {
    "SGD": lambda: face.SGD(0.1, momentum=0.9, nesterov=True),
    "RMSprop": lambda: face.RMSprop(0.1, momentum=0.9, centered=True, epsilon=1e-3),
    "Adam": lambda: face.Adam(0.1, amsgrad=True, weight_decay=0.1, use_ema=True, ema_overwrite_frequency=2),
    "AdaBelief": lambda: face.AdaBelief(0.1, gradient_accumulation_steps=2),
    "Lion": lambda: face.Lion(steepest.Cosine(0.1, steps=10)),
    "Lookahead": lambda: face.Lookahead(face.Adam(0.1, gradient_accumulation_steps=2), 2),
    "Optimizer": lambda: face.Optimizer(CLIPPED),
}


@pytest.mark.parametrize("name", MAKE)
def test_equals_apply_and_leaves_all_untouched(name: str) -> None:
    generator = np.random.default_rng(0)
    start = [generator.normal(size=s).astype("float32") for s in ((3, 2), ())]
    mine, theirs = ([keras.Variable(p) for p in start] for _ in range(2))
    stateful, stateless = MAKE[name](), MAKE[name]()
    stateful.build(mine)
    stateless.build(theirs)
    values, kept = [v.value for v in theirs], [v.value for v in stateless.variables]
    before = state(stateless)
    for _ in range(4):
        grads = [keras.ops.convert_to_tensor(np.asarray(generator.normal(size=p.shape), "float32")) for p in start]
        stateful.apply(grads, mine)
        handed = [np.array(keras.ops.convert_to_numpy(v)) for v in [*values, *kept]]
        new, new_kept = stateless.stateless_apply(kept, grads, values)
        same(handed, [keras.ops.convert_to_numpy(v) for v in [*values, *kept]])  # what it was given
        values, kept = new, new_kept
        same([keras.ops.convert_to_numpy(v.value) for v in mine], [keras.ops.convert_to_numpy(v) for v in values], 2e-5)
        same(state(stateful), [keras.ops.convert_to_numpy(v) for v in kept], 2e-5)
    same(before, state(stateless))
    same(start, [keras.ops.convert_to_numpy(v.value) for v in theirs])
