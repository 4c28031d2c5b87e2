"""Replies that no entry of the catalogue knows: what their code means in general, and that it is no more than that."""

from __future__ import annotations

from collections.abc import Iterator

from smtpctl.knowledge.catalogue import Fallback, load
from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_CLASSES = {
    4: Fallback("refused for now (the code itself is not a usual one)", "later", "Try again in 15 minutes or more."),
    5: Fallback(
        "refused for good (the code itself is not a usual one)", "no", "Read the text; the request must change."
    ),
}
_REPORT = fix(
    "If you find out what it was, tell the project: the text, the provider and the cause make a new entry.",
)


def _entry(code: int, known: Fallback) -> Entry:
    later = known.retry == "later"
    return Entry(
        id=f"reply.{code}",
        severity=Severity.ERROR,
        stage=Stage.DATA,
        title=f"The server answered {code}: {known.meaning}",
        message="smtpctl does not know this text. What the code means in general is all that can be said[; the enhanced "
        "code {enhanced} says][: {enhanced_meaning}].",
        causes=(
            because(
                1.0,
                "The server's own words, in the evidence, are the best explanation there is.",
                fix(known.fix),
                _REPORT,
            ),
        ),
        source="RFC 5321 4.2",
        status=ExitStatus.TEMPORARY if later else ExitStatus.DATA,
        retryable=later,
    )


_GENERAL = (
    Entry(
        id="reply.unknown",
        severity=Severity.ERROR,
        stage=Stage.DATA,
        title="smtpctl does not know this text",
        message="smtpctl finds no reply code in it, and no entry of the knowledge base has these words.",
        causes=(
            because(
                1.0,
                "It comes from a program or a server that smtpctl has not met.",
                fix(
                    "Look for a reply code (three digits) or an error word near it, and explain that.",
                    "smtpctl explain <text>",
                ),
                _REPORT,
            ),
        ),
        source="RFC 5321 4.2",
    ),
    Entry(
        id="reply.success",
        severity=Severity.NOTE,
        stage=Stage.DATA,
        title="This is no failure: the server did what it was asked",
        message="A reply that begins with 2 says that the command has worked. After the content of a mail it says that this "
        "server has taken the mail on; it may still come back later.",
        causes=(
            because(
                1.0,
                "What went wrong is told by another line, before or after this one.",
                fix("If the mail does not arrive, look for its queue id in the server's log, and for a bounce."),
            ),
        ),
        source="RFC 5321 4.2.1, 6.1",
    ),
    Entry(
        id="reply.go_on",
        severity=Severity.NOTE,
        stage=Stage.DATA,
        title="This is no failure: the server waits for what comes next",
        message="A reply that begins with 3 asks for more: the content of a mail (354) or the next step of a login (334).",
        causes=(
            because(
                1.0,
                "What went wrong is told by the reply after this one.",
                fix("Explain that reply."),
            ),
        ),
        source="RFC 5321 4.2.1; RFC 4954 4",
    ),
)


def meaning(id: str) -> str:
    """What the code of `reply.NNN` means in general; empty for another finding."""
    code = id.removeprefix("reply.")
    return _known(int(code)).meaning if code.isdigit() else ""


def _known(code: int) -> Fallback:
    return load().codes.get(code, _CLASSES[code // 100])


def _entries() -> Iterator[Entry]:
    for code in range(400, 600):
        yield _entry(code, _known(code))
    yield from _GENERAL


ENTRIES = tuple(_entries())
