"""The arguments of MAIL and RCPT (RFC 5321 4.1.2) and their parameters, as tables.

Strict where a mistake in a client would bite elsewhere: an unknown parameter, a value of the wrong form, a
parameter of an extension that was not offered, a blank after the colon are refused as RFC 5321 lets a server do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from smtpctl.model.record import NamedTuple
from smtpctl.protocol.server.values import Path

_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(?: +(.*))?')
_ADDRESS = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^"@\s,;:<>\\()\[\]]+))@(\[[^\[\]\s]+\]|[^@\s\[\]<>,;:"\\()]+)')
_XTEXT = r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+"  # RFC 3461 4
_NOTIFY = "(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)"


class Parameter(NamedTuple):
    """`extension` that brings it; `form` a regular expression for its value ("" for none), in any case."""

    extension: str
    form: str


MAIL_PARAMETERS: Mapping[str, Parameter] = {
    "SIZE": Parameter("SIZE", r"\d{1,20}"),  # RFC 1870
    "BODY": Parameter("8BITMIME", "7BIT|8BITMIME"),  # RFC 6152
    "SMTPUTF8": Parameter("SMTPUTF8", ""),  # RFC 6531
    "RET": Parameter("DSN", "FULL|HDRS"),  # RFC 3461
    "ENVID": Parameter("DSN", _XTEXT),
    "AUTH": Parameter("AUTH", f"<>|{_XTEXT}"),  # RFC 4954 5
    "REQUIRETLS": Parameter("REQUIRETLS", ""),  # RFC 8689
}
RCPT_PARAMETERS: Mapping[str, Parameter] = {
    "NOTIFY": Parameter("DSN", _NOTIFY),
    "ORCPT": Parameter("DSN", f"[A-Za-z0-9-]+;{_XTEXT}|utf-8;.+"),  # RFC 6533 3
}


class BadArgument(Exception):
    """The reply to give: `code` and `text` with its enhanced code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def parse(argument: str, keyword: str, known: Mapping[str, Parameter], extensions: frozenset[str]) -> Path:
    """What follows `MAIL ` (keyword FROM) or `RCPT ` (keyword TO); BadArgument says what is wrong with it."""
    prefix = f"{keyword}:"
    found = _PATH.fullmatch(argument[len(prefix) :]) if argument[: len(prefix)].upper() == prefix else None
    if not found:
        raise BadArgument(501, f"5.5.4 Syntax: {'MAIL' if keyword == 'FROM' else 'RCPT'} {prefix}<address>")
    parameters = _parameters(found[2] or "", known, extensions)
    return Path(_address(found[1], keyword), parameters)


def _address(path: str, keyword: str) -> str:
    """The address of a path; a source route in front is dropped (RFC 5321 4.1.1.3)."""
    address = path.partition(":")[2] if path.startswith("@") else path
    if (not address and keyword == "FROM") or (address.lower() == "postmaster" and keyword == "TO"):
        return address
    found = _ADDRESS.fullmatch(address)
    status = "5.1.7" if keyword == "FROM" else "5.1.3"
    if not found or not address.isprintable():
        raise BadArgument(501, f"{status} Bad address syntax")
    if len(found[1].encode("utf-8", "surrogateescape")) > 64 or len(found[2]) > 255:  # RFC 5321 4.5.3.1
        raise BadArgument(501, f"{status} Address too long")
    return address


def _parameters(text: str, known: Mapping[str, Parameter], extensions: frozenset[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for word in text.split():
        keyword, _, value = word.partition("=")
        keyword = keyword.upper()
        parameter = known.get(keyword)
        if not parameter or parameter.extension not in extensions:
            raise BadArgument(555, f"5.5.4 Unsupported parameter {_printable(keyword)}")
        if keyword in parameters or not re.fullmatch(parameter.form, value, re.IGNORECASE):
            raise BadArgument(501, f"5.5.4 Bad value for {keyword}")
        parameters[keyword] = value
    return parameters


def _printable(text: str) -> str:
    """Short and safe to echo in a reply."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:40])
