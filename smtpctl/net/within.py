"""A limit of time for work of a library that has none for the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
TICK = 1.0  # seconds


def within(seconds: float, work: Callable[[], T], wait: Callable[[float], None] | None = None) -> T:
    """What `work` gives, or what it raises; TimeoutError when it takes longer. `wait` is told each second for how long.

    A library limits each read and not the whole, so a peer that drips could hold it for long. It cannot be interrupted:
    what is slow is left behind in a daemon thread.
    """
    import threading
    import time

    box: list[T | Exception] = []

    def attempt() -> None:
        try:
            box.append(work())
        except Exception as error:
            box.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    began = time.monotonic()
    while thread.is_alive() and (passed := time.monotonic() - began) < seconds:
        if wait and passed >= TICK:
            wait(passed)
        thread.join(min(TICK, seconds - passed))
    if not box:
        raise TimeoutError
    if isinstance(box[0], Exception):
        raise box[0]
    return box[0]
