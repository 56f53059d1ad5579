"""Ctrl-C and SIGTERM, answered instead of obeyed."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def answered(handler: Callable[[int, FrameType | None], None]) -> Generator[None]:
    """Hand both signals to `handler` meanwhile, if this is the main thread, which alone gets them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(s, handler) for s in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for s, old in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(s, old)
