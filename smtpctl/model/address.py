"""Mailboxes: what people write as a sender or recipient (RFC 5321 4.1.2, RFC 5322 3.4, RFC 6532).

`user@host`, `<user@host>`, `Display Name <user@host>` and `"Display, Name" <user@host>`; lists are parted by comma or
semicolon. Comments, groups and source routes are refused: whoever types one means something else.
"""

from __future__ import annotations

import re

from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple

# Written as what is not in them: a class up to U+10FFFF takes 14 ms to compile.
_ATEXT = r'[^\x00-\x20"(),.:;<>@\[\\\]\x7f]'
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABEL = re.compile(r"(?!-)[^\x00-,./:-@\[-`{-\x7f]+(?<!-)")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\]")
_PHRASE = re.compile(rf"{_ATEXT}+(?:[ .]+{_ATEXT}+)*\.?")
_SEPARATORS = ",;"
LOCAL_LIMIT = 64  # octets (RFC 5321 4.5.3.1.1)
DOMAIN_LIMIT = 253  # octets as A-labels (RFC 1035 2.3.4)


class AddressProblem(UsageProblem):
    """Something is wrong with an address; `position` is the 1-based character where."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        super().__init__(
            f"{text!r}: {reason} (character {position})", "Write user@example.com or Name <user@example.com>."
        )
        self.position = position
        self.reason = reason


class Mailbox(NamedTuple):
    """One address. `display` is plain text without quotes, `local` as it is written in SMTP (quoted where it must be),
    `domain` as it was typed: a name, perhaps with non-ASCII labels, or a literal such as `[192.0.2.1]`."""

    display: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """The bare address, without the display name."""
        return f"{self.local}@{self.domain}"

    def __str__(self) -> str:
        """As a person writes it; `parse` reads it back."""
        if not self.display:
            return self.address
        plain = _PHRASE.fullmatch(self.display)
        return f"{self.display if plain else quoted(self.display)} <{self.address}>"


def quoted(text: str) -> str:
    """`text` as a quoted-string (RFC 5322 3.2.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse(text: str) -> Mailbox:
    """The one mailbox in `text`. AddressProblem for none, several, or one that is wrong."""
    mailboxes = parse_list(text)
    if len(mailboxes) != 1:
        raise AddressProblem(text, 1, "one address is expected" if mailboxes else "there is no address")
    return mailboxes[0]


def parse_list(text: str) -> tuple[Mailbox, ...]:
    """The mailboxes in `text`, parted by `,` or `;`; empty places between separators are skipped. AddressProblem."""
    for position, char in enumerate(text, 1):
        if not char.isprintable() and char != "\t":
            raise AddressProblem(text, position, "a control character cannot stand in an address")
    found = []
    for start, end in _pieces(text):
        piece = text[start:end]
        if piece.strip():
            offset = start + len(piece) - len(piece.lstrip())
            found.append(_mailbox(text, piece.strip(), offset))
    return tuple(found)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Where each element of a list stands; separators inside quotes or brackets part nothing."""
    pieces, start, position, bracket = [], 0, 0, ""
    while position < len(text):
        char = text[position]
        if char == '"':
            string = _QUOTED.match(text, position)
            if not string:
                raise AddressProblem(text, position + 1, "the quotation mark is never closed")
            position = string.end()
            continue
        if char in "<[":
            bracket = ">" if char == "<" else "]"
        elif char == bracket:
            bracket = ""
        elif char in _SEPARATORS and not bracket:
            pieces.append((start, position))
            start = position + 1
        position += 1
    return [*pieces, (start, len(text))]


def _mailbox(text: str, piece: str, offset: int) -> Mailbox:
    if not piece.endswith(">"):
        return Mailbox("", *_address(text, piece, offset))
    opening = _opening(piece)
    if opening < 0:
        raise AddressProblem(text, offset + len(piece), "there is a '>' without its '<'")
    local, domain = _address(text, piece[opening + 1 : -1], offset + opening + 1)
    return Mailbox(_display(text, piece[:opening].strip(), offset), local, domain)


def _opening(piece: str) -> int:
    """Where the '<' is that no quoted string holds, or -1."""
    position = 0
    while position < len(piece):
        if string := _QUOTED.match(piece, position):
            position = string.end()
        elif piece[position] == "<":
            return position
        else:
            position += 1
    return -1


def _display(text: str, phrase: str, offset: int) -> str:
    if _QUOTED.fullmatch(phrase):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1]).strip()
    for position, char in enumerate(phrase):
        if char in '"<>@\\:':
            raise AddressProblem(
                text, offset + position + 1, f"a display name with {char!r} must stand in quotation marks"
            )
    return " ".join(phrase.split())


def _address(text: str, address: str, offset: int) -> tuple[str, str]:
    """Local part and domain of a bare address that begins `offset` characters into `text`."""
    local_part = _QUOTED.match(address) or _DOT_ATOM.match(address)
    end = local_part.end() if local_part else 0
    if "@" not in address:
        raise AddressProblem(text, offset + len(address) + 1, _without_at(text, address, offset))
    if local_part is None or address[end] != "@":
        raise AddressProblem(text, offset + end + 1, f"{address[end]!r} cannot stand here before the '@'")
    local, domain = address[:end], address[end + 1 :]
    if len(local.encode("utf-8", "surrogatepass")) > LOCAL_LIMIT:
        raise AddressProblem(text, offset + 1, f"the part before the '@' is longer than {LOCAL_LIMIT} octets")
    _check_domain(text, domain, offset + end + 1)
    return local, domain


def _without_at(text: str, address: str, offset: int) -> str:
    """What is wrong with an address without its '@': it may have one behind a separator that nobody meant as one."""
    around = text[:offset].rstrip(" \t<")[-1:] + text[offset + len(address) :].lstrip(" \t>")[:1]
    separator = next((char for char in around if char in _SEPARATORS), "")
    return "there is no '@'" + (f" in {address!r}, and {separator!r} parts addresses" if separator else "")


def _check_domain(text: str, domain: str, offset: int) -> None:
    if _LITERAL.fullmatch(domain):
        return
    if len(domain) > DOMAIN_LIMIT:
        raise AddressProblem(text, offset + 1, f"the domain is longer than {DOMAIN_LIMIT} characters")
    for label in domain.split("."):
        whole = _LABEL.match(label)
        end = whole.end() if whole else 0
        if end != len(label) or not label:
            what = f"{label[end]!r} cannot stand here in a domain" if label[end:] else "the domain has an empty label"
            raise AddressProblem(text, offset + end + 1, what)
        if len(label) > 63:
            raise AddressProblem(text, offset + 1, f"the label {label!r} is longer than 63 characters")
        offset += len(label) + 1
