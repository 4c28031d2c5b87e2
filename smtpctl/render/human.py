"""The live view of many targets at once. The one home of rich, imported only when this view is opened.

Screens that stand still are drawn by `canvas`; rich earns its import where rows move: it keeps what other threads
write apart from the live rows and restores the cursor, also after Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from smtpctl.model.report import Report
from smtpctl.model.transcript import Stage
from smtpctl.render.canvas import Canvas, columns
from smtpctl.render.text import summary

if TYPE_CHECKING:
    from rich.text import Text

_ROWS = 8  # targets shown at a time; more are counted
_FRAMES = ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\")


class LiveProgress:
    """A counter line, and below it a row for each target that is being worked on."""

    def __init__(self, stream: TextIO, targets: Sequence[str], canvas: Canvas) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=stream, force_terminal=True, no_color=not canvas.colour, width=canvas.width)
        self._canvas = canvas
        self._total = len(targets)
        self._finished = {"passed": 0, "warning": 0, "failed": 0}
        self._running: dict[str, tuple[Stage, float]] = {}
        self._began = monotonic()
        self._lock = Lock()
        self._live = Live(get_renderable=self._view, console=console, transient=True, refresh_per_second=10)

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def stage(self, target: str, stage: Stage) -> None:
        """Show where `target` is, and since when it is worked on."""
        with self._lock:
            _, since = self._running.get(target, (stage, monotonic()))
            self._running[target] = (stage, since)

    def done(self, report: Report) -> None:
        """Take the row away and count it."""
        with self._lock:
            self._running.pop(report.target, None)
            self._finished[summary(report)[0]] += 1

    def _view(self) -> Text:
        """What is shown now; rich calls it at each refresh."""
        from rich.text import Text

        now = monotonic()
        with self._lock:
            running = list(self._running.items())
            finished = dict(self._finished)
        canvas = self._canvas
        frames = _FRAMES[0 if canvas.unicode else 1]
        spin = frames[int((now - self._began) * 10) % len(frames)]
        lines = [self._counter(finished, now)]
        names = [canvas.clip(canvas.text(target), canvas.width // 2) for target, _ in running[:_ROWS]]
        width = max(map(columns, names), default=0)
        for name, (_, (stage, since)) in zip(names, running, strict=False):
            lines.append(f"  {spin} {canvas.pad(name, width)}  {stage:<10}{now - since:>6.1f} s")
        if len(running) > _ROWS:
            lines.append(f"    and {len(running) - _ROWS} more")
        return Text("\n".join(lines), no_wrap=True, overflow="crop")

    def _counter(self, finished: dict[str, int], now: float) -> str:
        """`2 of 12 done, 1 failed   1.2 s`."""
        done = sum(finished.values())
        failed = f", {finished['failed']} failed" if finished["failed"] else ""
        return f"{done} of {self._total} done{failed}   {now - self._began:.1f} s"
