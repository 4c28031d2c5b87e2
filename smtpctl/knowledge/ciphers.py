"""TLS cipher suites: their names, and what a name says. The numbers and names are `suites.txt`, as IANA registers them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FIRST_13, _LAST_13 = 0x1301, 0x13FF
_FORWARD_SECRET = ("TLS_DHE_", "TLS_ECDHE_", "TLS_DH_anon_", "TLS_ECDH_anon_", "TLS_ECCPWD_")


@cache
def names() -> Mapping[int, str]:
    """Every registered suite: number to name."""
    text = Path(__file__).with_name("suites.txt").read_text("ascii")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {int(number, 16): name for number, name in rows}


def name(suite: int) -> str:
    """The name of a suite; its number in hexadecimal where it has none."""
    return names().get(suite, f"{suite:#06x}")


def for_version(version: int) -> tuple[int, ...]:
    """The suites that can be asked for with a version (0x0304 is TLS 1.3): TLS 1.3 has its own."""
    new = version >= 0x0304
    return tuple(suite for suite in names() if (_FIRST_13 <= suite <= _LAST_13) is new)


def unprotected(suite: int) -> bool:
    """Whether it does not encrypt (NULL), encrypts with the 40 bits of 1990s export rules, or with single DES."""
    return any(word in name(suite) for word in ("_NULL_", "_EXPORT_", "_DES_CBC_"))


def anonymous(suite: int) -> bool:
    """Whether the server shows no certificate: anybody could stand in for it."""
    return "_anon_" in name(suite)


def outdated(suite: int) -> bool:
    """Whether its cipher has known attacks: RC4 (RFC 7465), and blocks of 64 bits (Sweet32)."""
    return any(word in name(suite) for word in ("_RC4_", "_3DES_", "_IDEA_", "_RC2_")) and not unprotected(suite)


def forward_secret(suite: int) -> bool:
    """Whether recorded traffic stays secret when the server's key becomes known later."""
    return _FIRST_13 <= suite <= _LAST_13 or name(suite).startswith(_FORWARD_SECRET)
