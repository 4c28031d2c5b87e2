"""What `explain` prints for people: one cause with its fixes, the meaning of a code, or a log by cause."""

from __future__ import annotations

from collections.abc import Iterator

from smtpctl.model.explanation import Explained, Explanation, LogCause, LogSummary, Meaning
from smtpctl.render.blocks import block
from smtpctl.render.canvas import Canvas, columns

_ENTRIES = 12  # of what is known to come with a code
_AGAIN = {True: "Trying again later can help.", False: "Trying again will not help until it is mended."}


def explain_text(canvas: Canvas, explained: Explained) -> str:
    """The text of any result of `ops.explain`."""
    if isinstance(explained, Explanation):
        return canvas.joined(_explanation(canvas, explained))
    if isinstance(explained, Meaning):
        return canvas.joined(_meaning(canvas, explained))
    return canvas.joined(_summary(canvas, explained))


def _explanation(canvas: Canvas, one: Explanation) -> Iterator[str]:
    yield from block(canvas, one.finding, page=True)
    if one.alternatives:
        yield ""
        yield "  " + canvas.paint("title", "The same words can also mean")
    for other in one.alternatives:
        yield from canvas.prose(f"{other.message} {other.title}.".strip(), "      ", first="    - ")
        yield f"        {canvas.paint('command', canvas.text(f'smtpctl explain {other.id}'))}"
    if one.said and one.retryable is not None:
        yield ""
        yield _AGAIN[one.retryable]


def _meaning(canvas: Canvas, meaning: Meaning) -> Iterator[str]:
    width = max(columns(piece) for piece, _ in meaning.parts)
    for piece, words in meaning.parts:
        lead = canvas.paint("title", canvas.pad(piece, width))
        yield from canvas.prose(words, " " * (width + 2), first=f"{lead}  ")
    if meaning.fix:
        yield ""
        yield from canvas.prose(meaning.fix, "  ")
    if not meaning.entries:
        return
    yield ""
    yield "  " + canvas.paint("title", "Known to come with it")
    shown = meaning.entries[:_ENTRIES]
    room = max(columns(name) for name, _ in shown)
    for name, title in shown:
        yield "    " + canvas.clip(canvas.text(f"{name:<{room}}  {title}"), canvas.width - 4)
    if left := len(meaning.entries) - len(shown):
        yield "    " + canvas.text(f"… and {left} more; --json has them all")
    yield ""
    yield from canvas.prose('With the words of the server it gets exact:  smtpctl explain "535 5.7.8 ..."', "  ")


def _summary(canvas: Canvas, log: LogSummary) -> Iterator[str]:
    counts = f"{_many(log.lines, 'line')}, {_many(log.failures, 'failure')}"
    if not log.causes:
        yield f"{counts}. Nothing here reports a failure of SMTP that smtpctl knows."
        return
    yield f"{counts}, {_many(len(log.causes), 'cause')}"
    yield ""
    widest = len(f"{log.causes[0].failures:,}")
    for cause in log.causes:
        yield from _row(canvas, cause, widest)
    yield ""
    later = sum(cause.failures for cause in log.causes if cause.retryable)
    yield f"  {later * 100 // log.failures} % can pass when tried again."
    known = [cause for cause in log.causes if not cause.finding.id.startswith("reply.")] or log.causes
    mend = next((cause for cause in known if not cause.retryable), known[0])
    yield f"  First to mend:  {canvas.paint('command', canvas.text(f'smtpctl explain {mend.finding.id}'))}"


def _row(canvas: Canvas, cause: LogCause, widest: int) -> Iterator[str]:
    """Count, what to do about it, the title; below, who it was about, when, and one sample in its own words."""
    word = canvas.paint("warning", "retry") if cause.retryable else canvas.paint("error", "fix  ")
    lead = f"  {cause.failures:>{widest},}  {word}  "
    indent = " " * (widest + 11)
    yield from canvas.prose(cause.finding.title, indent, first=lead)
    times = cause.first if cause.first == cause.last else f"{cause.first} – {cause.last}"
    facts = [cause.finding.id, cause.about, times]
    yield indent + canvas.paint(
        "dim", canvas.clip(canvas.text("  ".join(filter(None, facts))), canvas.width - len(indent))
    )
    yield indent + canvas.paint("dim", canvas.clip(canvas.text(cause.sample), canvas.width - len(indent)))


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
