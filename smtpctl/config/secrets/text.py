"""From octets to a secret: one rule for every place that gives octets.

A secret is the first line, without its end (LF or CRLF): what editors, `echo`, `pass show` and mounted secrets give.
A byte order mark is taken away, and UTF-16 with one is read, because PowerShell's `>` writes that.
"""

from __future__ import annotations

import codecs

from smtpctl.config.secrets.problems import problem
from smtpctl.model.secret import Secret

LIMIT = 65_536  # octets; an OAuth 2.0 token with many claims stays below 16 KiB

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def secret(octets: bytes, place: str) -> Secret:
    """The secret in what `place` gave.

    Problem `secret.too_large` for more than LIMIT octets, `secret.not_text` for octets that are not UTF-8 or have
    control characters on the first line, `secret.empty` for an empty first line.
    """
    if len(octets) > LIMIT:
        raise problem("too_large", place=place, limit=LIMIT)
    encoding = "utf-8"
    for mark, name in _MARKS:
        if octets.startswith(mark):
            octets, encoding = octets[len(mark) :], name
            break
    try:
        line = octets.decode(encoding).partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        # `from None`: the error holds the octets.
        raise problem("not_text", place=place) from None
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in line.replace("\t", "")):
        raise problem("not_text", place=place)
    if not line:
        raise problem("empty", place=place)
    return Secret(line)
