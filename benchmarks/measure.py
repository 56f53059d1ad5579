"""Timing: everything that is compared runs in one loop, turn by turn, and the median of each is taken.

Bandwidth is measured in the same loop, by the triad a = b + s * c on 50 M numbers, 12 bytes each. What other
users of the machine do to one turn they do to all contenders, so that ratios hold where times do not.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

import torch

from steepest.execute import threads


class Triad:
    """a = b + s * c, far larger than any cache."""

    N = 50_000_000

    def __init__(self) -> None:
        self.a, self.b, self.c = (torch.rand(self.N) for _ in range(3))

    def __call__(self) -> None:
        torch.add(self.b, self.c, alpha=0.5, out=self.a)

    def bandwidth(self, seconds: float) -> float:
        """Gigabytes a second."""
        return 12 * self.N / seconds / 1e9


def interleaved(actions: Mapping[str, Callable[[], Any]], seconds: float, least: int = 7) -> dict[str, list[float]]:
    """Call all actions turn by turn for about `seconds` and at least `least` turns; the time of a call in each turn.

    A turn is one call, or as many as take 20 ms: a model that fits into the caches is measured there, and not
    on what the others have left of them.
    """
    for action in actions.values():
        action()
    calls = {name: max(1, round(0.02 / _seconds(action))) for name, action in actions.items()}
    times: dict[str, list[float]] = {name: [] for name in actions}
    names = list(actions)
    end = perf_counter() + seconds
    turn = 0
    while perf_counter() < end or turn < least:
        for i in range(len(names)):
            name = names[(i + turn) % len(names)]  # nobody always runs after the same other
            times[name].append(_seconds(actions[name], calls[name]))
        turn += 1
    return times


def _seconds(action: Callable[[], Any], calls: int = 1) -> float:
    """Seconds of one call, the mean of `calls` in a row."""
    start = perf_counter()
    for _ in range(calls):
        action()
    return (perf_counter() - start) / calls


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    """The typical time of each."""
    return {name: median(t) for name, t in times.items()}


def ratio(times: Mapping[str, list[float]], of: str, to: str) -> float:
    """The median over the turns of time(of) / time(to), each pair from one turn."""
    return median(a / b for a, b in zip(times[of], times[to], strict=True))


class KernelClock:
    """Records the time spent inside kernels, so that the rest of a step can be told apart."""

    def __init__(self) -> None:
        self.spent: list[float] = []
        self._run = threads.run

    def __enter__(self) -> "KernelClock":
        def timed(*args: int) -> None:
            start = perf_counter()
            self._run(*args)
            self.spent.append(perf_counter() - start)

        threads.run = timed
        return self

    def __exit__(self, *_: object) -> None:
        threads.run = self._run


def beyond_kernel(step: Callable[[], Any], turns: int) -> tuple[float, float]:
    """Median seconds of a step outside its kernel: as it runs, and with warm caches (the kernel left out)."""
    with KernelClock() as clock:
        outside: list[float] = []
        for _ in range(turns):
            clock.spent.clear()
            start = perf_counter()
            step()
            outside.append(perf_counter() - start - sum(clock.spent))
    kept, threads.run = threads.run, lambda *_: None
    try:
        warm: list[float] = []
        for _ in range(10 * turns):
            start = perf_counter()
            step()
            warm.append(perf_counter() - start)
    finally:
        threads.run = kept
    return median(outside), median(warm)


_FIRST = """
import time, torch
from benchmarks import contenders, sets
torch.set_num_threads({threads})
opt = contenders.OURS[{optimizer!r}](sets.make({set!r}))
start = time.perf_counter()
opt.step()
print(time.perf_counter() - start)
"""


def first_step(optimizer: str, name: str) -> float:
    """Seconds of the very first step in a new process: compiling and allocating the state."""
    program = _FIRST.format(threads=torch.get_num_threads(), optimizer=optimizer, set=name)
    return float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
