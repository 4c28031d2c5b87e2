"""What is shown on stderr while several targets are worked on: live rows on a terminal, a line a target elsewhere.

Both may be called from any thread. Nothing is shown for one target: its stages are printed as they happen.
While a long text is read, `reading` keeps a row on a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Protocol, TextIO

from smtpctl.model.report import Report
from smtpctl.model.transcript import Stage
from smtpctl.render.canvas import Canvas, duration
from smtpctl.render.text import summary

_PAUSE = 0.25  # seconds between two states of the row that tells how far a text is read
_LINES = 256  # lines after which the clock is looked at


class Progress(Protocol):
    """Told what happens; open from `__enter__` to `__exit__`, which leaves the cursor at the start of a line."""

    def __enter__(self) -> Progress:
        """Begin to show."""

    def __exit__(self, *exc: object) -> None:
        """Take the live rows away."""

    def stage(self, target: str, stage: Stage) -> None:
        """`target` has reached `stage`."""

    def done(self, report: Report) -> None:
        """The target of `report` is finished."""


def progress(stream: TextIO, targets: Sequence[str], canvas: Canvas, *, live: bool, quiet: bool = False) -> Progress:
    """The right one: `live` where `stream` is a terminal and TERM not `dumb`, silent for one target or `quiet`."""
    if quiet or len(targets) < 2:
        return _Silent()
    if live:
        from smtpctl.render.human import LiveProgress

        return LiveProgress(stream, targets, canvas)
    return LineProgress(stream, targets, canvas)


class _Silent:
    """Shows nothing."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def stage(self, target: str, stage: Stage) -> None:
        pass

    def done(self, report: Report) -> None:
        pass


class LineProgress:
    """One line when a target is finished: `[2/3] x shop  1229 ms  The server does not offer STARTTLS here`."""

    def __init__(self, stream: TextIO, targets: Sequence[str], canvas: Canvas) -> None:
        self._stream = stream
        self._total = len(targets)
        self._canvas = canvas
        self._done = 0
        from threading import Lock

        self._lock = Lock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def stage(self, target: str, stage: Stage) -> None:
        """A log is not a place for steps."""

    def done(self, report: Report) -> None:
        """Write the line."""
        canvas = self._canvas
        state, target, ms, reason = summary(report)
        with self._lock:
            self._done += 1
            words = canvas.text(f"{target}  {duration(ms)}  {reason}".rstrip())
            count = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
            room = canvas.width - len(count) - 3
            self._stream.write(f"{count} {canvas.status(state)} {canvas.clip(words, room)}\n")
            self._stream.flush()


def reading(
    lines: Iterable[str],
    stream: TextIO,
    canvas: Canvas,
    done: Callable[[], float] | None = None,
    clock: Callable[[], float] = monotonic,
) -> Iterator[str]:
    """The same lines. Where they take long, a row on `stream` (a terminal) tells how many were read, and where `done` knows
    which part of all that is (0 to 1), how long it takes still; in the end it is gone."""
    began = shown = clock()
    try:
        for number, line in enumerate(lines, 1):
            yield line
            if number % _LINES == 0 and (now := clock()) - shown >= _PAUSE:
                shown = now
                row = _row(number, now - began, done() if done else 0.0)
                stream.write(f"\r{canvas.clip(canvas.text(row), canvas.width - 1)}\x1b[K")
                stream.flush()
    finally:
        if shown > began:
            stream.write("\r\x1b[K")
            stream.flush()


def _row(number: int, seconds: float, part: float) -> str:
    """`1,204,113 lines read, 210,000 a second, 38 %, 9 s left`."""
    row = f"{number:,} lines read, {number / seconds:,.0f} a second"
    return f"{row}, {part:.0%}, {seconds / part - seconds:.0f} s left".replace("%", " %") if part else row
