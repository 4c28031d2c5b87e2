"""Mails that report a failed delivery (RFC 3464), read from their text: the failure of each recipient.

    head = header(first_lines, stream)
    if looks_like_mail(head):
        for mail in mails(chain(head, stream)):          # one, or those of a mailbox
            told = read(mail)                            # decoded; the mail that was returned is left out

A report without machine-readable fields (qmail, old Exchange) is decoded, and its lines are read like a log's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from smtpctl.model.record import NamedTuple
from smtpctl.ops.extract import Failure, failures

if TYPE_CHECKING:
    from email.message import Message

READ_LIMIT = 2 << 20  # characters of a mail that are read; what was sent stands at its end, and parts are slow to read
HEADER_LINES = 500  # a mail's header is shorter
_FIELD = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*:(?:\s|$)|From \S|[ \t]+\S)")
_TELLS = re.compile(
    r"(?i)(?:Content-Type: *multipart/report|MIME-Version|Received|Return-Path|Message-ID|Delivered-To|From):"
)
_SEPARATOR = re.compile(r"From \S+ .*\d\d:\d\d:\d\d .*\d{4}")  # of a mailbox (mbox), after an empty line
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
# Where a notice ends and the mail begins that could not be delivered.
_RETURNED = re.compile(
    r"(?i)\s*(?:Content-Type: *(?:message|text)/(?:rfc822|global)|-{3,} ?(?:below this line|this is a copy|original message|"
    r"the header of the original)|below is a copy of)"
)
_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_FAILED = ("failed", "delayed")


class Recipient(NamedTuple):
    """One recipient of a notification: the address, `failed` or `delayed`, and what was said."""

    address: str
    action: str
    failure: Failure


class Notification(NamedTuple):
    """A delivery status notification: what it says of each recipient, else the decoded lines of its text; and its date."""

    recipients: tuple[Recipient, ...]
    lines: tuple[str, ...]
    when: str = ""


def header(start: Sequence[str], stream: Iterator[str]) -> list[str]:
    """`start` with as many lines of the stream as it takes to tell whether it is the header of a mail."""
    head = list(start)
    if all(map(_FIELD.match, head)):
        for line in islice(stream, HEADER_LINES):
            head.append(line)
            if not _FIELD.match(line):
                break
    return head


def looks_like_mail(head: Sequence[str]) -> bool:
    """Whether these lines are the header of a mail, with the empty line that ends it."""
    *fields, end = head
    return not end.strip() and all(map(_FIELD.match, fields)) and any(map(_TELLS.match, fields))


def mails(lines: Iterable[str]) -> Iterator[str]:
    """The mails of a mailbox, else the one mail, each as far as it is read."""
    mail: list[str] = []
    left = READ_LIMIT
    mailbox = after_empty = False
    for line in lines:
        if not mail:
            mailbox = mailbox or line.startswith("From ")
        elif mailbox and after_empty and _SEPARATOR.match(line):
            yield "".join(mail)
            mail, left = [], READ_LIMIT
        left -= len(line)
        if left >= 0:
            mail.append(line)
        after_empty = not line.strip()
    yield "".join(mail)


def read(text: str) -> Notification:
    """What a mail reports."""
    from email import message_from_string

    try:
        mail = message_from_string(text)
        parts = list(_parts(mail))
    except (
        RecursionError,
        ValueError,
    ):  # parts within parts without end, or parameters that Python's parser cannot read
        return Notification((), tuple(_notice(text)))
    blocks = [block for part in parts if part.get_content_type() in _STATUS_PARTS for block in _blocks(part)]
    texts = [_text(part) for part in parts if part.get_content_maintype() == "text"]
    # A report that was pasted or edited may have lost its boundaries.
    lines = tuple(_notice("\n".join(texts) if parts and texts else text))
    return Notification(tuple(_recipients(blocks, lines)), lines, _date(mail))


def _date(mail: Message) -> str:
    """When it was written, in UTC; empty without a date that can be read."""
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(str(mail.get("Date", "")))
        return f"{date.astimezone(UTC) if date.tzinfo else date:%Y-%m-%d %H:%M:%S}"
    except (TypeError, ValueError, OverflowError):  # the last is of a date that is in no year of UTC
        return ""


def _notice(text: str) -> Iterator[str]:
    return takewhile(lambda line: not _RETURNED.match(line), text.splitlines())


def _parts(mail: Message) -> Iterator[Message]:
    """The parts that tell of the failure; not the mail that could not be delivered."""
    kind = mail.get_content_type()
    if kind in ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"):
        return
    if kind in _STATUS_PARTS or not mail.is_multipart():
        yield mail
        return
    for part in mail.get_payload():
        if not isinstance(part, str):
            yield from _parts(part)


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a delivery status."""
    from email import message_from_string

    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if not isinstance(block, str))
        return
    yield from (message_from_string(block) for block in re.split(r"\n\s*\n", _text(part)) if block.strip())


def _text(part: Message) -> str:
    """The text of a part, decoded; in an unknown charset as far as it goes."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "backslashreplace")
    except (LookupError, ValueError):  # no charset, or one like idna, that is for something else
        return payload.decode("utf-8", "backslashreplace")


def _recipients(blocks: Iterable[Message], lines: Sequence[str]) -> Iterator[Recipient]:
    quoted = next((one for one in failures(lines) if one.certain), None)
    for block in blocks:
        address = _address(block)
        action = str(block.get("Action", "failed")).split("(")[0].strip().lower()
        if address and action in _FAILED:
            yield Recipient(address, action, _failure(block, address, quoted))


def _address(block: Message) -> str:
    given = str(block.get("Final-Recipient") or block.get("Original-Recipient") or "")
    return given.partition(";")[2].strip().strip("<>") if ";" in given else given.strip()


def _failure(block: Message, address: str, quoted: Failure | None) -> Failure:
    """What was said about one recipient: the diagnostic code, else what the text has `quoted`, else the status alone."""
    named = {"Diagnostic-Code": block.get("Diagnostic-Code"), "Remote-MTA": block.get("Remote-MTA")}
    given = [f"{name}: {' '.join(str(value).split())}" for name, value in named.items() if value]
    told = next(failures(reversed(given)), None) or quoted
    status = _STATUS.search(str(block.get("Status", "")))
    if not told:
        told = Failure(f"{status[1]}50 {status[0]}" if status else "", certain=bool(status))
    return told._replace(recipient=address.rpartition("@")[2].lower())
