"""`oauth inspect` for people: a row a claim, a mark where it matters, and one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.render.canvas import Canvas, columns

_MARKS = {"good": "passed", "wrong": "failed", "open": "warning"}


def inspection(canvas: Canvas, lines: Sequence[tuple[str, str, str, str]], summary: str) -> str:
    """Rows of name, value, verdict and meaning, and the summary."""
    return canvas.joined([*_rows(canvas, lines), *([""] if lines else []), *canvas.prose(summary, "")])


def _rows(canvas: Canvas, lines: Sequence[tuple[str, str, str, str]]) -> Iterator[str]:
    room = max((columns(canvas.text(name)) for name, *_ in lines), default=0)
    below = " " * (room + 6)
    for name, value, verdict, says in lines:
        mark = canvas.status(_MARKS[verdict]) if verdict in _MARKS else " "
        lead = f"  {mark} {canvas.pad(canvas.text(name), room)}  "
        yield from canvas.prose(value or "-", below, first=lead)
        if says:
            yield from (canvas.paint("dim", line) for line in canvas.prose(says, below))
