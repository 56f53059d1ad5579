"""How fast a step is on the device and on the host, turn by turn with its peers and with a copy.

Device time: the device is put to sleep, all work is queued behind that, and events measure from the first kernel
to the last: what the host takes to queue it is not in it. Host time: the call of `step`, the device idle.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch

from benchmarks import contenders, sets
from steepest.execute import cuda

Action = Callable[[], Any]
REPEAT = 5


class Copy:
    """b = a, far larger than any cache: 8 bytes for each number."""

    N = 50_000_000

    def __init__(self) -> None:
        self.a, self.b = torch.rand(self.N, device="cuda"), torch.empty(self.N, device="cuda")

    def __call__(self) -> None:
        self.b.copy_(self.a)


def device_time(action: Action) -> float:
    """Seconds of device time of one call."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    torch.cuda._sleep(30_000_000)  # about 20 ms: enough to queue what follows
    start.record()
    for _ in range(REPEAT):
        action()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3 / REPEAT


def host_time(action: Action) -> float:
    """Seconds until one call returns."""
    torch.cuda.synchronize()
    start = perf_counter()
    action()
    return perf_counter() - start


def compare(actions: Mapping[str, Action], turns: int) -> dict[str, dict[str, float]]:
    """Median device and host seconds of each, turn by turn."""
    names = list(actions)
    times: dict[str, dict[str, list[float]]] = {n: {"device": [], "host": []} for n in names}
    for action in actions.values():
        for _ in range(3):
            action()
    for turn in range(turns):
        for i in range(len(names)):
            name = names[(i + turn) % len(names)]
            times[name]["device"].append(device_time(actions[name]))
            times[name]["host"].append(host_time(actions[name]))
    return {n: {kind: median(t) for kind, t in both.items()} for n, both in times.items()}


def peers(optimizer: str) -> dict[str, contenders.Make]:
    """The peers that are installed here."""
    try:
        found = contenders.peers(optimizer)
    except ImportError:
        found = {}
    if optimizer in ("AdamW", "RMSProp") and not found:
        modes: dict[str, dict[str, bool]] = {"torch foreach": {"foreach": True}}
        if optimizer == "AdamW":
            modes["torch fused"] = {"fused": True}
        make: Any = torch.optim.AdamW if optimizer == "AdamW" else torch.optim.RMSprop
        found = {name: lambda p, mode=mode: make(p, **mode) for name, mode in modes.items()}
    if optimizer == "Lion" and "lion-pytorch" in found:
        import lion_pytorch

        found["lion-pytorch Triton"] = lambda p: lion_pytorch.Lion(p, use_triton=True)
    return {name: make for name, make in found.items() if "loop" not in name}


def steps(optimizer: str, name: str) -> tuple[dict[str, Action], dict[str, str]]:
    """`step` of ours and of every peer that runs here; and why the others do not."""
    actions: dict[str, Action] = {"ours": contenders.OURS[optimizer](sets.make(name, "cuda")).step}
    missing: dict[str, str] = {}
    for peer, make in peers(optimizer).items():
        try:
            action = make(sets.make(name, "cuda")).step
            action()
            actions[peer] = action
        except Exception as error:  # a peer that does not run here is no reason to measure nothing
            missing[peer] = repr(error)[:200]
    return actions, missing


def replay(optimizer: Any) -> dict[str, float]:
    """Host and device seconds of one replay of a captured step."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            optimizer.step()
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        optimizer.step()
    captured.replay()
    return {
        "host": median(host_time(captured.replay) for _ in range(50)),
        "device": median(device_time(captured.replay) for _ in range(10)),
    }


def blocks() -> dict[str, float]:
    """Device seconds of AdamW on A for several sizes of chunk: what `cuda.BLOCK` and `cuda.WARPS` should be here."""
    kept = cuda.BLOCK, cuda.WARPS
    found: dict[str, float] = {}
    try:
        for cuda.BLOCK, cuda.WARPS in ((1024, 4), (2048, 4), (2048, 8), (4096, 8), (8192, 8), (8192, 16)):
            step = contenders.OURS["AdamW"](sets.make("A", "cuda")).step
            step()
            found[f"{cuda.BLOCK} by {cuda.WARPS} warps"] = median(device_time(step) for _ in range(7))
    finally:
        cuda.BLOCK, cuda.WARPS = kept
    return found


_FIRST = """
import time, torch
from benchmarks import contenders, sets
opt = contenders.OURS["AdamW"](sets.make("B", "cuda"))
torch.cuda.synchronize()
start = time.perf_counter()
opt.step()
torch.cuda.synchronize()
print(time.perf_counter() - start)
"""


def first_step() -> float:
    """Seconds of the very first step on B in a new process with an empty Triton cache."""
    with TemporaryDirectory() as cache:
        out = subprocess.run(
            [sys.executable, "-c", _FIRST], check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"TRITON_CACHE_DIR": cache}
        )
    return float(out.stdout)
