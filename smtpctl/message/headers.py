"""Header fields as octets: encoded (RFC 2047, RFC 2231), folded (RFC 5322 2.2.3), guarded against injection.

Written here and not taken from the standard library because importing `email` costs as much as all the rest of sending
a plain mail (20 ms), and because its policies leave long words in lines over 998 octets. Its parser, which was written by
others, is the judge of what is made here: see the tests.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator

from smtpctl.message.domains import wire_address
from smtpctl.model.address import Mailbox, quoted
from smtpctl.model.errors import UsageProblem

FOLD_AT = 78  # characters (RFC 5322 2.1.1); a word longer than that keeps its line
WORD_LIMIT = 900  # a word that would bring a line near 998 octets is encoded, which splits it
_NAME = re.compile(r"[!-9;-~]{1,76}")
_PLAIN = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ENCODED_WORD = 64  # characters; 75 are allowed, on lines of 76 with the field name (RFC 2047 2)
_FRAME = len("=?utf-8?q??=")
# Fields whose values are addresses, ids or URLs, where an encoded word has no meaning (RFC 2047 5).
_STRUCTURED = re.compile(r"(?i)message-id|in-reply-to|references|date|return-path|list-(?!id).*|dkim-.*|arc-.*|x-sg-.*")


def field(name: str, value: str) -> bytes:
    """An unstructured field with its CRLF. UsageProblem for a bad name, a control character (CR, LF and NUL among them),
    or text outside ASCII where the field cannot carry it."""
    check_name(name)
    check_value(name, value)
    longest = max(map(len, value.split(" ")))
    if _PLAIN.fullmatch(value) and value == value.strip() and "=?" not in value and longest <= WORD_LIMIT:
        return _folded(name, value.split(" "))
    if _STRUCTURED.fullmatch(name):
        raise UsageProblem(
            f"The header field {name} can hold only ASCII text in words of up to {WORD_LIMIT} characters."
        )
    return _folded(name, encoded_words(value))


def addresses(name: str, mailboxes: Iterable[Mailbox]) -> bytes:
    """An address field with its CRLF. Domains become A-labels; a local part outside ASCII stays (RFC 6532)."""
    words: list[str] = []
    for mailbox in mailboxes:
        if words:
            words[-1] += ","
        words += _mailbox_words(name, mailbox)
    return _folded(name, words)


def parameter(name: str, value: str) -> list[str]:
    """A parameter such as `filename="x.pdf"`; several pieces (RFC 2231 3) when it is long or not ASCII, or has a quotation
    mark or backslash, which some readers unquote twice."""
    check_value(name, value)
    if _PLAIN.fullmatch(value) and len(value) <= 60 and not set(value) & set('"\\'):
        return [f"{name}={quoted(value)}"]
    octets = _octets(name, value)
    escaped = [chr(octet) if chr(octet).isalnum() and octet < 128 else f"%{octet:02X}" for octet in octets]
    pieces, room = [""], 50
    for unit in escaped:
        if len(pieces[-1]) + len(unit) > room:
            pieces.append("")
        pieces[-1] += unit
    pieces[0] = f"utf-8''{pieces[0]}"
    if len(pieces) == 1:
        return [f"{name}*={pieces[0]}"]
    return [f"{name}*{number}*={piece}" for number, piece in enumerate(pieces)]


def with_parameters(name: str, value: str, parameters: Iterable[str]) -> bytes:
    """A field such as Content-Type with its parameters and CRLF."""
    *first, last = (value, *parameters)
    return _folded(name, (*(f"{item};" for item in first), last))


def encoded_words(text: str) -> list[str]:
    """`text` as encoded words of UTF-8, the shorter of B and Q, each with whole characters."""
    octets = _octets("text", text)
    quoted_length = sum(1 if octet in _Q_SAFE or octet == 32 else 3 for octet in octets)
    room = _ENCODED_WORD - _FRAME
    if quoted_length <= 4 * len(octets) / 3:
        return [
            f"=?utf-8?q?{''.join(map(_q, piece))}?="
            for piece in _pieces(text, room, lambda raw: len("".join(map(_q, raw))))
        ]
    return [f"=?utf-8?b?{b2a_base64(piece, newline=False).decode()}?=" for piece in _pieces(text, room // 4 * 3, len)]


def check_name(name: str) -> None:
    """UsageProblem unless `name` is a field name (RFC 5322 3.6.8)."""
    if not _NAME.fullmatch(name):
        raise UsageProblem(f"{name!r} is not the name of a header field.", "Write --header 'Name: value'.")


def check_value(name: str, value: str) -> None:
    """UsageProblem for a control character, with which a value could add fields of its own."""
    if found := _CONTROL.search(value):
        raise UsageProblem(
            f"The value of {name} holds the control character U+{ord(found[0]):04X} (character {found.start() + 1}).",
            "A header value is one line of text.",
        )


def _octets(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UsageProblem(f"The value of {name} is not UTF-8 text (character {error.start + 1}).") from None


def _q(octet: int) -> str:
    return "_" if octet == 32 else chr(octet) if octet in _Q_SAFE else f"={octet:02X}"


def _pieces(text: str, room: int, measure: Callable[[bytes], int]) -> Iterator[bytes]:
    """`text` as UTF-8 in pieces that measure up to `room`, never parting a character."""
    piece, used = b"", 0
    for char in text:
        octets = char.encode()
        size = measure(octets)
        if used + size > room:
            yield piece
            piece, used = b"", 0
        piece += octets
        used += size
    yield piece


def _mailbox_words(name: str, mailbox: Mailbox) -> list[str]:
    check_value(name, mailbox.display)
    address = wire_address(mailbox)
    _octets(name, address)
    if not mailbox.display:
        return [address]
    display = mailbox.display
    if _PLAIN.fullmatch(display) and "=?" not in display and len(display) <= 60:
        return [display if _ATOMS.fullmatch(display) else quoted(display), f"<{address}>"]
    return [*encoded_words(display), f"<{address}>"]


def _folded(name: str, words: Iterable[str]) -> bytes:
    """Words parted by one blank, on lines of up to FOLD_AT characters where the words allow it."""
    lines = [f"{name}:"]
    for word in words:
        # A line of blanks alone must not arise, so a fold comes only before a word.
        if word and len(lines[-1]) + 1 + len(word) > FOLD_AT and lines[-1].strip() not in ("", f"{name}:"):
            lines.append(f" {word}")
        else:
            lines[-1] += f" {word}"
    return ("\r\n".join(lines) + "\r\n").encode()
