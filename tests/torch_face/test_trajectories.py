"""200 steps of every optimizer beside its reference: two groups, a schedule, weight decay."""

import torch

from tests.torch_face.cases import OF_AUTHORS, OF_TORCH, Case, dtypes, over
from tests.torch_face.trajectory import same_trajectory


@over([*OF_TORCH, *OF_AUTHORS])
@dtypes(torch.float32, torch.float64)
def test_same_trajectory(case: Case, dtype: torch.dtype) -> None:
    same_trajectory(case.make, case.make_reference, dtype)
