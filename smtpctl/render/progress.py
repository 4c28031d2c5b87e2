"""What is shown on stderr while several targets are worked on: live rows on a terminal, a line a target elsewhere.

Both may be called from any thread. Nothing is shown for one target: its stages are printed as they happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TextIO

from smtpctl.model.report import Report
from smtpctl.model.transcript import Stage
from smtpctl.render.canvas import Canvas, duration
from smtpctl.render.text import summary


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
