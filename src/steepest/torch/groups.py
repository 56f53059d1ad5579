"""What stands in a parameter group: its values as numbers, and the plan that was made of them."""

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor

from steepest.torch import placement
from steepest.torch.roster import GroupPlan


class Made:
    """The plan that was made of a group's values. It is good as long as they are the same objects and cannot
    change, or are tensors that kernels read where they are.
    """

    def __init__(self, values: list[Any], plan: GroupPlan, capturable: bool) -> None:
        self.values, self.plan = values, plan
        self.mutable = any(
            isinstance(x, list) or (isinstance(x, Tensor) and not (capturable and placement.reads(x)))
            for v in values
            for x in (v if isinstance(v, tuple) else [v])
        )


def numbers(group: Mapping[str, Any]) -> dict[str, Any]:
    """The group with numbers in place of one-element tensors."""
    return {k: number(v) for k, v in group.items() if k != "params"}


def number(value: Any) -> Any:
    """A number in place of a one-element tensor, also inside a tuple."""
    if isinstance(value, Tensor):
        return value.item() if value.numel() == 1 else value
    if isinstance(value, (tuple, list)):
        return tuple(number(v) for v in cast("list[Any]", value))
    return value
