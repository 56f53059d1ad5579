"""What a run ran on: versions, hardware, the code itself. Noted with every record."""

import os
import platform
import socket
import subprocess
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

import steepest

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "llvmlite", "optuna", "SQLAlchemy", "pyarrow")


def environment(modules: Iterable[str] = ()) -> dict[str, Any]:
    """Of this machine and process. `modules`: of outsiders in the race, whose packages' versions matter too."""
    names = [*PACKAGES, *(d for m in modules for d in packages_distributions().get(m.partition(".")[0], ())[:1])]
    return {
        "machine": socket.gethostname(),
        "processor": _processor(),
        "cores": cores(),
        "memory_gb": _memory(),
        "threads": 1,
        "system": platform.platform(),
        "python": platform.python_version(),
        "steepest": steepest.__version__,
        "code": code(),
        "commit": commit(),
        "packages": {name: v for name in dict.fromkeys(names) if (v := _version(name))},
    }


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def alive(pid: int) -> bool:
    """Whether a process of this machine still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def worker_name() -> str:
    """A name for a worker in this process that tells machine and process: `host/1234/5f2a...`."""
    return f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"


@cache
def code() -> str:
    """A hash of the package's own source, which names the code exactly even where there is no Git."""
    root = Path(steepest.__file__).parent
    found = sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


@cache
def commit() -> str:
    """The Git commit of a checkout, with `+` if its source has been changed since; empty elsewhere."""
    root = Path(steepest.__file__).parent
    try:
        head = _git(root, "rev-parse", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--", str(root)) else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=10)  # noqa: S603, S607
    return done.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> float:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return 0.0
