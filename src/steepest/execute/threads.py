"""Several threads in one kernel: PyTorch's own OpenMP pool if it is there, else a small pool of ours.

A kernel takes chunks off a shared counter, so any number of threads may join in and none has a number.
"""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path


@cache
def _callable(worker: int) -> Callable[[int], None]:
    """The machine code at an address as a Python function, which releases the GIL while it runs."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(worker)


SMALL = 1 << 20
"""Bytes below which waking a second thread costs more than it brings."""


def run(worker: int, job: int, threads: int, traffic: int) -> None:
    """Call `worker(job)` on up to `threads` threads, this one among them, and wait for all."""
    if threads <= 1 or traffic < SMALL:
        _callable(worker)(job)
    else:
        (_openmp() or _pool)(worker, job, threads)


@cache
def _openmp() -> Callable[[int, int, int], None] | None:
    """`GOMP_parallel` of the library that is in this process already: never a second one beside it."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return None
    loaded = {line.split()[-1] for line in maps.read_text().splitlines() if "libgomp" in line}
    if not loaded:
        return None
    # scikit-learn and others bring a copy of their own; PyTorch's is the one whose threads are warm.
    parallel = ctypes.CDLL(max(loaded, key=lambda path: "torch" in path)).GOMP_parallel
    parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    parallel.restype = None
    return lambda worker, job, threads: parallel(worker, job, threads, 0)


_pools: dict[int, ThreadPoolExecutor] = {}  # one a process: threads do not survive a fork


def _pool(worker: int, job: int, threads: int) -> None:
    pool = _pools.get(os.getpid())
    if pool is None:
        pool = _pools[os.getpid()] = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="steepest")
    call = _callable(worker)
    waiting = [pool.submit(call, job) for _ in range(threads - 1)]
    call(job)
    for w in waiting:
        w.result()
