"""Long values in several entries, for keyrings that take only short ones.

The entry itself then holds a header: HEADER, the number of parts and a digest that tells whether the parts belong
together; the parts are the entries `ENTRY#1`, `ENTRY#2` ... A value that looks like a header is kept in parts too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

HEADER = "smtpctl-parts:1"


def needed(value: str, limit: int | None) -> bool:
    """Whether a value must be kept in parts; `limit` is in UTF-16 code units, None for any length."""
    return value.startswith(HEADER) or (limit is not None and _units(value) > limit)


def split(value: str, limit: int | None) -> list[str]:
    """Parts of at most `limit` UTF-16 code units; a character is never torn."""
    if limit is None:
        return [value]
    parts, part, units = [], "", 0
    for character in value:
        width = 2 if ord(character) > 0xFFFF else 1
        if units + width > limit and part:
            parts.append(part)
            part, units = "", 0
        part, units = part + character, units + width
    return [*parts, part]


def header(parts: Sequence[str]) -> str:
    """What the entry itself holds."""
    return f"{HEADER} {len(parts)} {_digest(parts)}"


def count(value: str | None) -> int:
    """How many parts an entry's value says there are; 0 where it is no header."""
    words = (value or "").split(" ")
    return int(words[1]) if len(words) == 3 and words[0] == HEADER and words[1].isdecimal() else 0


def join(value: str, parts: Sequence[str | None]) -> str | None:
    """The value again from its header and its parts; None where they do not belong together."""
    known = [part for part in parts if part is not None]
    return "".join(known) if header(known) == value and len(known) == len(parts) else None


def _digest(parts: Sequence[str]) -> str:
    """Only tells whether the parts are the right ones; it lies beside them and hides nothing."""
    return hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _units(value: str) -> int:
    return len(value.encode("utf-16-le", "surrogatepass")) // 2
