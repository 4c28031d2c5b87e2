"""TLS cipher suites: their names, and what a name says. The numbers and names are `suites.txt`, as IANA registers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

# SSL 2.0 has three octets (Hickman, The SSL Protocol, 1995, C.4).
SSL2_SUITES = {
    0x010080: "SSL2_RC4_128_WITH_MD5",
    0x020080: "SSL2_RC4_128_EXPORT40_WITH_MD5",
    0x030080: "SSL2_RC2_128_CBC_WITH_MD5",
    0x040080: "SSL2_RC2_128_CBC_EXPORT40_WITH_MD5",
    0x050080: "SSL2_IDEA_128_CBC_WITH_MD5",
    0x060040: "SSL2_DES_64_CBC_WITH_MD5",
    0x0700C0: "SSL2_DES_192_EDE3_CBC_WITH_MD5",
}
_FIRST_13, _LAST_13 = 0x1301, 0x13FF
# OpenSSL's, at its most liberal.
_KEY_EXCHANGES = ("TLS_ECDHE_RSA", "TLS_ECDHE_ECDSA", "TLS_DHE_RSA", "TLS_RSA", "TLS_DH_anon", "TLS_ECDH_anon")
_CIPHERS = ("AES_", "CAMELLIA_128_CBC", "CAMELLIA_256_CBC", "CHACHA20_", "ARIA_128_GCM", "ARIA_256_GCM")
_FORWARD_SECRET = ("TLS_DHE_", "TLS_ECDHE_", "TLS_DH_anon_", "TLS_ECDH_anon_", "TLS_ECCPWD_")


@cache
def names() -> Mapping[int, str]:
    """Every registered suite: number to name."""
    text = Path(__file__).with_name("suites.txt").read_text("ascii")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {int(number, 16): name for number, name in rows}


def name(suite: int) -> str:
    """The name of a suite; its number in hexadecimal where it has none."""
    return names().get(suite) or SSL2_SUITES.get(suite, f"{suite:#06x}")


def number(name: str) -> int:
    """The number of a registered suite; 0 for a name that is none."""
    return next((number for number, known in names().items() if known == name), 0)


def for_version(version: int) -> tuple[int, ...]:
    """The suites that can be asked for with a version (0x0304 is TLS 1.3): TLS 1.3 has its own."""
    new = version >= 0x0304
    return tuple(suite for suite in names() if (_FIRST_13 <= suite <= _LAST_13) is new)


def expected(version: int) -> tuple[tuple[int, ...], ...]:
    """The suites that libraries of today have for a version before TLS 1.3, by key exchange: a server takes most of such a
    set or nothing, because it is for one kind of key."""
    sets: dict[str, list[int]] = {}
    for suite in for_version(version):
        exchange, _, cipher = name(suite).partition("_WITH_")
        fits = version >= 0x0303 or cipher.endswith("_CBC_SHA")  # the others came with TLS 1.2
        fits = fits and not ("anon" in exchange and cipher.startswith("ARIA"))
        if exchange in _KEY_EXCHANGES and cipher.startswith(_CIPHERS) and fits:
            sets.setdefault(exchange, []).append(suite)
    return tuple(tuple(found) for found in sets.values())


def elliptic(suites: Iterable[int]) -> tuple[int, ...]:
    """Those of TLS 1.2 and older whose key exchange is on a curve; only those that leave the choice of the curve free (no
    ECDSA key), where there are any."""
    found = tuple(suite for suite in suites if name(suite).startswith(("TLS_ECDHE_", "TLS_ECDH_anon_")))
    return tuple(suite for suite in found if "ECDSA" not in name(suite)) or found


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
