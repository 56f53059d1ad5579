"""Where a parameter is stepped: by the CPU's kernel, by Triton's on its device, or by the rule itself, eagerly."""

import logging
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from steepest.torch.roster import Member

Place = Literal["cpu", "triton", "eager"]

cpu_by_interpreter = False
"""For tests without a GPU: take parameters on the CPU as if they were on one. Needs TRITON_INTERPRET=1."""

_PLAIN_TENSORS = (Tensor, torch.nn.Parameter)
_log = logging.getLogger("steepest")
_said: set[str] = set()


def place(m: Member, group: Mapping[str, Any]) -> Place:
    """Where this parameter is stepped."""
    if group["differentiable"] or type(m.param) not in _PLAIN_TENSORS or type(m.grad) not in _PLAIN_TENSORS:
        return "eager"
    return device_place(m.param.device)


def device_place(device: torch.device) -> Place:
    """Where plain parameters on a device are stepped; what is not as fast as it could be is said, once."""
    if device.type == "cpu" and not cpu_by_interpreter:
        return "cpu"
    if device.type not in ("cuda", "cpu"):
        _say(f"parameters on {device.type} are stepped operation by operation: there are kernels for CPUs and CUDA devices")
        return "eager"
    from steepest.execute import cuda

    if not cuda.available():
        _say("parameters on a GPU are stepped operation by operation: for one fused kernel, pip install 'steepest[gpu]'")
        return "eager"
    return "triton"


def reads(value: Any) -> bool:
    """Whether this is a tensor that Triton's kernels can be given where it is."""
    return isinstance(value, Tensor) and device_place(value.device) == "triton"


def _say(what: str) -> None:
    if what not in _said:
        _said.add(what)
        _log.warning("steepest: %s", what)
