"""SMTP replies as values (RFC 5321 4.2, RFC 3463). A reply is data, also when it is 4xx or 5xx."""

from __future__ import annotations

import re
from enum import StrEnum

from smtpctl.model.record import NamedTuple

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\d|\.\d)")


class EnhancedCode(NamedTuple):
    """An enhanced status code such as 5.7.8 (RFC 3463): class, subject, detail."""

    cls: int
    subject: int
    detail: int

    def __str__(self) -> str:
        return f"{self.cls}.{self.subject}.{self.detail}"

    @classmethod
    def at_start(cls, text: str) -> EnhancedCode | None:
        """The code that begins `text`, or None."""
        found = _ENHANCED.match(text)
        return cls(*map(int, found.groups())) if found else None


class Oddity(StrEnum):
    """What was unusual in how a reply was written; recorded, never an error by itself."""

    BARE_LF = "bare_lf"  # a line ended with LF alone (RFC 5321 2.3.8 asks for CRLF)
    BARE_CODE = "bare_code"  # a code with nothing after it
    NO_SPACE = "no_space"  # neither blank nor hyphen after the code
    MIXED_CODES = "mixed_codes"  # the lines of one reply carry different codes
    LONG_LINE = "long_line"  # over 512 octets (RFC 5321 4.5.3.1.5)
    NON_ASCII = "non_ascii"  # UTF-8 text although SMTPUTF8 was not asked for
    UNDECODABLE = "undecodable"  # octets that are no UTF-8; shown as backslash escapes
    CONTROL = "control"  # NUL or other control characters
    UNSOLICITED = "unsolicited"  # nobody had asked (RFC 5321 3.8 allows an early 421)


class Reply(NamedTuple):
    """One complete reply.

    `code` is 200 to 599, `lines` the texts of its lines without code, separator and line end
    (at least one, perhaps empty). Octets that are not UTF-8 appear as `\\xNN`. `odd_lines` says of each oddity on which line
    it was first seen, from 0.
    """

    code: int
    lines: tuple[str, ...]
    oddities: tuple[Oddity, ...] = ()
    odd_lines: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """All lines joined by one blank."""
        return " ".join(line for line in self.lines if line)

    @property
    def enhanced(self) -> EnhancedCode | None:
        """The enhanced status code at the start of the last line that has one of the right class."""
        for line in reversed(self.lines):
            found = EnhancedCode.at_start(line)
            if found and found.cls == self.code // 100:
                return found
        return None

    @property
    def positive(self) -> bool:
        """2xx: done."""
        return 200 <= self.code < 300

    @property
    def intermediate(self) -> bool:
        """3xx: go on."""
        return 300 <= self.code < 400

    @property
    def transient(self) -> bool:
        """4xx: the same request may succeed later (RFC 5321 4.2.1)."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """5xx: the same request will fail again."""
        return 500 <= self.code < 600

    def __str__(self) -> str:
        """As one line: `535 5.7.8 Authentication failed`."""
        return f"{self.code} {self.text}".rstrip()

    def wire_lines(self) -> tuple[str, ...]:
        """As the server wrote it, a string a line: `250-SIZE 100`, ... `250 HELP`."""
        last = len(self.lines) - 1
        return tuple(f"{self.code}{' ' if i == last else '-'}{line}" for i, line in enumerate(self.lines))
