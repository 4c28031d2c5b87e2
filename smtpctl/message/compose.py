"""A mail from its parts: header, text, HTML, attachments; its exact size is known before the first octet is sent.

What leaves is seven-bit with CRLF and lines of up to 998 octets, whatever came in. Attachments are read while they are
sent, so a mail needs no more memory than its texts. Bcc is never written, and the Message-ID carries the sender's domain,
not the name of this machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from smtpctl.message import headers
from smtpctl.message.bodies import Attachment, text_part
from smtpctl.message.domains import wire_address
from smtpctl.model.address import Mailbox, parse_list
from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ADDRESS_FIELDS = frozenset({"from", "to", "cc", "reply-to", "sender"})
_REFUSED = {
    "bcc": "Bcc must not be in the message; give the recipient with --bcc.",
    "mime-version": "smtpctl writes it itself.",
    "content-type": "It follows from the text, the HTML and the attachments.",
    "content-transfer-encoding": "It follows from the content.",
    "content-disposition": "It belongs to an attachment.",
}
_Segment: TypeAlias = bytes | Attachment


class Draft(NamedTuple):
    """What a mail is to say. `headers` are further fields; one with the name of a field that would be written anyway
    (Subject, Date, From ...) takes its place. Without `text` and `html` the mail is an empty text."""

    sender: Mailbox
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


class Message(NamedTuple):
    """A composed mail. `size` is exact, in octets as sent before dot-stuffing; `utf8` says that a header address needs
    SMTPUTF8 (RFC 6531); `message_id` is in angle brackets."""

    segments: tuple[_Segment, ...]
    size: int
    utf8: bool
    message_id: str

    def chunks(self) -> Iterator[bytes]:
        """The mail, to be read as often as needed. Problem when an attachment changed since, OSError when it cannot
        be read."""
        for segment in self.segments:
            if isinstance(segment, bytes):
                yield segment
            else:
                yield from segment.encoded()


def compose(draft: Draft, now: datetime, unique: str) -> Message:
    """The mail for `draft`. `now` has a time zone; `unique` is at least 128 random bits as letters and digits, for the
    Message-ID and the boundaries. UsageProblem for a header or address that cannot be sent."""
    fields = _fields(draft, now, unique)
    written = b"".join(fields.values())
    segments = _joined((written + b"MIME-Version: 1.0\r\n", *_body(draft, unique)))
    size = sum(len(segment) if isinstance(segment, bytes) else segment.encoded_size for segment in segments)
    message_id = fields["message-id"].decode().partition(":")[2].strip()
    return Message(segments, size, not written.isascii(), message_id)


def envelope(draft: Draft, message: Message, sender: Mailbox | None = None) -> Envelope:
    """The envelope for a composed draft: every recipient once, Bcc too; `sender` where it is not the draft's."""
    everyone = (*draft.to, *draft.cc, *draft.bcc)
    recipients = tuple(dict.fromkeys(wire_address(mailbox) for mailbox in everyone))
    path = wire_address(sender or draft.sender)
    utf8 = message.utf8 or not all(address.isascii() for address in (path, *recipients))
    return Envelope(path, tuple(map(Recipient, recipients)), message.size, utf8=utf8)


def parse_header(text: str) -> tuple[str, str]:
    """Name and value of `Name: value`. UsageProblem for anything else, and for fields that are not the user's to set."""
    name, colon, value = text.partition(":")
    headers.check_name(name)
    if not colon:
        raise UsageProblem(f"The header {text!r} has no colon.", "Write --header 'Name: value'.")
    if reason := _REFUSED.get(name.lower()):
        raise UsageProblem(f"The header field {name} cannot be set.", reason)
    headers.check_value(name, value)
    return name, value.strip(" \t")


def date(now: datetime) -> str:
    """RFC 5322 3.3, in English whatever the locale."""
    offset = now.utcoffset()
    if offset is None:
        raise ValueError("the time has no zone")
    minutes = int(offset.total_seconds()) // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    return f"{_DAYS[now.weekday()]}, {now.day:02} {_MONTHS[now.month - 1]} {now.year:04} {now:%H:%M:%S} {zone}"


def _fields(draft: Draft, now: datetime, unique: str) -> dict[str, bytes]:
    """The header fields by lower-case name, in the order in which they are written."""
    domain = wire_address(draft.sender).rpartition("@")[2]
    fields = {
        "date": headers.field("Date", date(now)),
        "from": headers.addresses("From", (draft.sender,)),
        # Without To and Cc, filters take the mail for spam; the empty group is the usual sign (RFC 5322 3.4).
        "to": headers.addresses("To", draft.to) if draft.to else b"",
        "cc": headers.addresses("Cc", draft.cc) if draft.cc else b"",
        "subject": headers.field("Subject", draft.subject),
        "message-id": headers.field("Message-ID", f"<{unique}@{domain}>"),
    }
    if not (draft.to or draft.cc):
        fields["to"] = b"To: undisclosed-recipients:;\r\n"
    seen: set[str] = set()
    for name, value in draft.headers:
        key = name.lower()
        line = _own_field(name, value)
        fields[key] = fields[key] + line if key in seen else line
        seen.add(key)
    return fields


def _own_field(name: str, value: str) -> bytes:
    name, value = parse_header(f"{name}: {value}")
    if name.lower() in _ADDRESS_FIELDS and (mailboxes := parse_list(value)):
        return headers.addresses(name, mailboxes)
    return headers.field(name, value)


def _body(draft: Draft, unique: str) -> tuple[_Segment, ...]:
    texts = [text_part(kind, text) for kind, text in (("plain", draft.text), ("html", draft.html)) if text is not None]
    alternative = _multipart(
        "alternative", f"=_{unique}_a", tuple((part,) for part in texts or [text_part("plain", "")])
    )
    if not draft.attachments:
        return alternative
    files = tuple((attachment.header(), attachment) for attachment in draft.attachments)
    return _multipart("mixed", f"=_{unique}_m", (alternative, *files))


def _multipart(subtype: str, boundary: str, parts: tuple[tuple[_Segment, ...], ...]) -> tuple[_Segment, ...]:
    """One part alone, or several between boundaries. A boundary with "=_" cannot occur in base64 or
    quoted-printable (RFC 2045 6.7), and nobody can guess its random part for a text that goes as it is."""
    if len(parts) == 1:
        return parts[0]
    kind = headers.with_parameters("Content-Type", f"multipart/{subtype}", (f'boundary="{boundary}"',))
    segments: list[_Segment] = [kind + b"\r\n"]
    for part in parts:
        segments += (f"--{boundary}\r\n".encode(), *part, b"\r\n")
    return (*segments, f"--{boundary}--\r\n".encode())


def _joined(segments: tuple[_Segment, ...]) -> tuple[_Segment, ...]:
    """Neighbouring octets as one segment, so that a plain mail is one write."""
    joined: list[_Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if isinstance(last, bytes) and isinstance(segment, bytes):
            joined[-1] = last + segment
        else:
            joined.append(segment)
    return tuple(joined)
