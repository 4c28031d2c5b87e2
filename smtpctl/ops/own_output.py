"""smtpctl's own documents and transcripts, read back: what they say was found is what `explain` explains.

    found = findings(lines) if ours(first_two_lines) else ...

A document (`--json`) holds whole findings; a transcript (`--transcript`) ends with the id of what stopped the session; a
ticket (`report`) ends with a document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from smtpctl.model.finding import Evidence, Finding, Severity
from smtpctl.model.transcript import Event, Kind, Transcript

Page = Callable[[str], Finding | None]

_DOCUMENT = re.compile(r'\{\s*"schema": "smtpctl\.')
_TRANSCRIPT = re.compile(r'\{"at": [\d.e-]+, "stage": "')
_TICKET = re.compile(r"# smtpctl report: ")
_DATA = re.compile(r"^(`{3,})json\n", re.MULTILINE)
LIMIT = 64 << 20  # characters of a document or transcript that are read
_SHOWN = 2  # lines of a session before its end that stand as evidence


def ours(start: str) -> bool:
    """Whether what begins like this (one or two lines) was written by smtpctl."""
    return any(form.match(start) for form in (_DOCUMENT, _TRANSCRIPT, _TICKET))


def bounded(lines: Iterator[str]) -> Iterator[str]:
    """The lines that a document has at most: what only begins like one may have no end."""
    left = LIMIT
    while left > 0 and (line := next(lines, "")):
        left -= len(line)
        yield line


def findings(text: str, page: Page) -> tuple[Finding, ...]:
    """What stopped each session that `text` tells of, else every error in it; empty where nothing was wrong, or the text
    is not whole. `page(id)` gives a finding's general page, None for an id that nobody knows."""
    if _TICKET.match(text):
        text = _data(text)
    try:
        found = _of_document(json.loads(text)) if _DOCUMENT.match(text) else _of_transcript(text, page)
        return tuple(found)
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()


def _data(ticket: str) -> str:
    """The last block of a ticket; empty without one."""
    begins = list(_DATA.finditer(ticket))
    return ticket[begins[-1].end() :].partition(f"\n{begins[-1][1]}\n")[0] if begins else ""


def _of_document(document: Mapping[str, Any]) -> Iterator[Finding]:
    for report in document.get("reports", [document.get("result", document)]):
        read = [Finding.from_json(value) for value in report.get("findings", ())]
        errors = [finding for finding in read if finding.severity is Severity.ERROR]
        yield from errors[:1] if report.get("exit") else errors


def _of_transcript(text: str, page: Page) -> Iterator[Finding]:
    events = list(Transcript.loads(text))
    ends = [index for index, event in enumerate(events) if event.kind is Kind.ERROR and "id" in event.facts]
    known = page(str(events[ends[-1]].facts["id"])) if ends else None
    if known:
        end = events[ends[-1]]
        yield known._replace(title=end.text, evidence=tuple(_evidence(events[: ends[-1]], end)))


def _evidence(before: Iterable[Event], end: Event) -> Iterator[Evidence]:
    """The last words of the stage at which it ended."""
    labels = {Kind.SENT: "C:", Kind.RECEIVED: "S:", Kind.ATTEMPT: ""}
    told = [event for event in before if event.stage is end.stage and event.kind in labels]
    for event in told[-_SHOWN:]:
        yield Evidence(event.text, labels[event.kind])
