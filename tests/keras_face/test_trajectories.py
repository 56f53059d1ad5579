"""200 steps of every class beside Keras' own: variables and all state, over the options of both."""

from typing import Any

from tests.keras_face.cases import OPTIONS, RULES, Case, over
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
