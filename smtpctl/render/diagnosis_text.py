"""`diagnose` for people: what stopped it, the likeliest cause and what to do, and at the end two lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from smtpctl.model.finding import Cause, Finding
from smtpctl.render.blocks import evidence_lines, remedy_lines, title
from smtpctl.render.canvas import Canvas

_OTHERS = 3  # causes that are named besides the likeliest where nobody chooses
_LABEL = 17  # columns of what stands before the two last lines


def seen(canvas: Canvas, finding: Finding) -> str:
    """What stopped it, with the evidence."""
    return canvas.joined(["", *title(canvas, finding), *evidence_lines(canvas, finding.evidence)])


def likely(canvas: Canvas, cause: Cause, number: int, count: int) -> str:
    """One cause and what to do about it; `number` of `count`, from 1."""
    lead = (
        "Likely cause"
        if count == 1
        else f"Most likely of {count} causes"
        if number == 1
        else f"Cause {number} of {count}"
    )
    return canvas.joined([
        "",
        "  " + canvas.paint("title", lead),
        *canvas.prose(cause.text, "    "),
        *(line for remedy in cause.remedies for line in remedy_lines(canvas, remedy, "    ", "    ")),
    ])  # fmt: skip


def others(canvas: Canvas, causes: Sequence[Cause]) -> str:
    """What else it can be, in a line each."""
    shown = causes[:_OTHERS]
    lines = [line for cause in shown for line in canvas.prose(cause.text, "      ", first="    - ")]
    left = len(causes) - len(shown)
    lines += ["    " + canvas.paint("dim", f"and {left} more")] if left else []
    return canvas.joined(["", "  " + canvas.paint("title", "If it is not that"), *lines]) if shown else ""


def open_question(canvas: Canvas, name: str, ask: str, answers: Mapping[str, str]) -> str:
    """A question that nobody was there to answer, and how to answer it with an option."""

    def lines() -> Iterator[str]:
        yield ""
        yield "  " + canvas.paint("title", "An answer would tell more")
        yield from canvas.prose(ask, "    ")
        for answer, words in answers.items():
            option = canvas.paint("command", f"--answer {name}={answer}")
            yield f"      {option}{f'  {canvas.text(words)}' if words else ''}"

    return canvas.joined(lines())


def ending(canvas: Canvas, lines: Mapping[str, str]) -> str:
    """The last lines: what was wrong, what to do or what mended it. A command of ours stays on one line."""

    def folded() -> Iterator[str]:
        yield ""
        for label, words in lines.items():
            lead = canvas.paint("title", canvas.pad(f"{label}:", _LABEL))
            if words.startswith("smtpctl "):
                yield lead + canvas.paint("command", canvas.text(words))
            else:
                yield from canvas.prose(words, " " * _LABEL, first=lead)

    return canvas.joined(folded())
