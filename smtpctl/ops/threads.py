"""The same work for several servers at once, a thread each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE = 16  # threads at the same time


def at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`work` of each, in the order of `items`; what one raises is raised when all are done. The threads die with the
    process: after Ctrl-C nobody waits for a server that says nothing."""
    jobs = list(enumerate(items))[::-1]
    done: SimpleQueue[tuple[int, R | None, BaseException | None]] = SimpleQueue()

    def work_off() -> None:
        while True:
            try:
                number, item = jobs.pop()
            except IndexError:  # another thread took the last one
                return
            try:
                done.put((number, work(item), None))
            except BaseException as defect:
                done.put((number, None, defect))

    for _ in range(min(AT_ONCE, len(items))):
        Thread(target=work_off, daemon=True).start()
    found: dict[int, R] = {}
    failed: list[BaseException] = []
    while len(found) + len(failed) < len(items):
        try:
            # A Ctrl-C that comes just before a wait is seen only after it.
            number, result, defect = done.get(timeout=1.0)
        except Empty:
            continue
        if defect is not None:
            failed.append(defect)
        else:
            found[number] = result  # type: ignore[assignment]  # without a defect it is what `work` gave
    if failed:
        raise failed[0]
    return [result for _, result in sorted(found.items(), key=lambda pair: pair[0])]
