"""200 steps of every optimizer beside its reference: two groups with settings of their own, weight decay, a schedule."""

import pytest
import torch

from tests.parity import record
from tests.torch_face.cases import OF_AUTHORS, OF_TORCH, Case, dtypes, over
from tests.torch_face.trajectory import Schedule, same_trajectory, warmup_then_cosine


@over([*OF_TORCH, *OF_AUTHORS])
@dtypes(torch.float32, torch.float64)
@pytest.mark.parametrize("schedule", [warmup_then_cosine, None], ids=["scheduled", "constant"])
def test_same_trajectory(case: Case, dtype: torch.dtype, schedule: Schedule | None) -> None:
    """Constant as well: what is rounded at every step in the same direction adds up only then."""
    apart = same_trajectory(case.make, case.make_reference, dtype, schedule=schedule)
    if dtype is torch.float64:
        record("torch", case.name.partition(",")[0], case.of, apart, "float64", case.name)
