"""What was tried beside each other: a line each, the words of the last column wrapped, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.model.report import Comparison, Line
from smtpctl.render.canvas import Canvas, columns, duration, few

_ROW = 100  # columns of a line at most, as a stage's row
_TIME = 9  # columns of its time, with the gap before it
_BESIDE = 20  # columns that the words need to stand beside the other cells; else they go below


def comparison(canvas: Canvas, tried: Comparison) -> Iterator[str]:
    """Its lines; without any only the note."""
    if tried.lines:
        yield canvas.paint("title", canvas.text(tried.title))
    cells = [[canvas.text(cell) for cell in line.cells] for line in tried.lines]
    widths = [min(max(map(columns, column)), canvas.width // 3) for column in zip(*cells, strict=True)][:-1]
    for line, texts in zip(tried.lines, cells, strict=True):
        yield from _line(canvas, line, texts, widths)
    if tried.note:
        yield from canvas.prose(tried.note, "  " if tried.lines else "")


def _line(canvas: Canvas, line: Line, texts: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    *heads, words = texts
    lead = "".join(canvas.pad(cell, width) + "  " for cell, width in zip(heads, widths, strict=True))
    at, whole = 4 + columns(lead), min(canvas.width, _ROW)
    room = whole - at - _TIME
    time = "" if line.ms is None else canvas.paint("dim", duration(line.ms).rjust(_TIME))
    if room < _BESIDE:
        first, more, at = "", few(canvas, words, whole - 6), 6
    else:
        first, *more = few(canvas, words, room)
    yield f"  {canvas.status(line.status)} {lead}{canvas.pad(first, max(room, 0)) if time else first}{time}".rstrip()
    yield from (" " * at + rest for rest in more)
