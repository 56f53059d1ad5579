"""200 steps of every class beside Keras' own: variables and all state, over the options of both."""

from typing import Any

import pytest

from tests.keras_face.cases import OPTIONS, RULES, SOME, Case, over
from tests.keras_face.trajectory import BACKEND, DTYPE, same_trajectory
from tests.parity import record


def measure(case: Case, note: str = "", **more: Any) -> None:
    apart = same_trajectory(case.ours, case.stock, changes=case.changes, **more)
    record(
        f"keras-{BACKEND}",
        case.rule,
        f"keras.optimizers.{case.rule}",
        apart,
        more.get("dtype", DTYPE),
        ", ".join(filter(None, [case.said, note])),
    )


@over(RULES)
def test_rules(case: Case) -> None:
    measure(case)


@over(OPTIONS)
def test_options(case: Case) -> None:
    measure(case)


@over([Case("AdamW", {"weight_decay": 0.1, "clipnorm": 0.5})])
def test_eagerly(case: Case) -> None:
    """Not compiled, where the others are."""
    measure(case, "eagerly", eager=True)


@pytest.mark.skipif(DTYPE == "float32", reason="all of the above are")
@over(SOME)
def test_single_precision(case: Case) -> None:
    """Keras raises beta to a power in float32, which has four digits left of 1 - beta_2**t at first; the kernel in float64."""
    measure(case, dtype="float32", tolerance=1e-5)
