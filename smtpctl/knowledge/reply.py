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


def _entries() -> Iterator[Entry]:
    codes = load().codes
    for code in range(400, 600):
        yield _entry(code, codes.get(code, _CLASSES[code // 100]))
    yield Entry(
        id="reply.unknown",
        severity=Severity.ERROR,
        stage=Stage.DATA,
        title="smtpctl does not know this text",
        message="It has no reply code, and no entry of the knowledge base has these words.",
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
    )


ENTRIES = tuple(_entries())
