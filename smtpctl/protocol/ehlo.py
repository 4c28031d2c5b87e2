"""What a server says it can do (RFC 5321 4.1.1.1), read as widely as servers write it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply

_MASKED = re.compile(r"[X*]{4,}[A-Z]?")


class Capabilities(NamedTuple):
    """The EHLO reply as facts.

    `name` is what the server calls itself; `keywords` maps each keyword in upper case to its parameters, those of
    repeated lines joined; `auth` the SASL mechanisms in upper case in the order offered, the legacy `AUTH=` line
    included; `lines` the reply's lines as written. After HELO all but `name` is empty and `extended` False.
    """

    name: str = ""
    keywords: Mapping[str, tuple[str, ...]] = {}
    auth: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    extended: bool = True

    def has(self, keyword: str) -> bool:
        """Whether the keyword is offered."""
        return keyword in self.keywords

    @property
    def size(self) -> int | None:
        """The largest message in octets (RFC 1870); None where unlimited or unsaid."""
        value = self.keywords.get("SIZE", ())
        # The length guard keeps a hostile number from costing anything (int() is quadratic).
        return int(value[0]) or None if value and value[0].isdecimal() and len(value[0]) < 20 else None

    @property
    def masked(self) -> tuple[str, ...]:
        """Keywords overwritten with X or `*`, as firewalls with SMTP inspection do (`XXXXXXXA`)."""
        return tuple(word for word in self.keywords if _MASKED.fullmatch(word))


def parse(reply: Reply, *, extended: bool = True) -> Capabilities:
    """Capabilities from a 250 reply to EHLO or LHLO (or HELO with `extended` False). Never raises."""
    name = reply.lines[0].split(" ", 1)[0] if reply.lines else ""
    if not extended:
        return Capabilities(name, lines=reply.lines, extended=False)
    keywords: dict[str, tuple[str, ...]] = {}
    auth: dict[str, None] = {}
    for line in reply.lines[1:]:
        # "AUTH=LOGIN PLAIN" is how servers wrote it before RFC 2554; some still repeat it for old clients.
        words = line.replace("=", " ", 1).split() if line[:5].upper() == "AUTH=" else line.split()
        if not words:
            continue
        keyword = words[0].upper()
        keywords[keyword] = keywords.get(keyword, ()) + tuple(words[1:])
        if keyword == "AUTH":
            auth.update(dict.fromkeys(word.upper() for word in words[1:]))
    return Capabilities(name, keywords, tuple(auth), reply.lines)
