"""ClientHellos from SSL 3.0 to TLS 1.3, octet by octet (RFC 5246 7.4.1.2, RFC 8446 4.1.2, RFC 6101 5.6.1.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from smtpctl.model.record import NamedTuple

SSL3, TLS10, TLS11, TLS12, TLS13 = VERSIONS = (0x0300, 0x0301, 0x0302, 0x0303, 0x0304)
X25519 = 29
HANDSHAKE, ALERT = 22, 21  # record types
# Widely implemented: with these every server can name the suites that it takes.
GROUPS = (X25519, 23, 24, 25, 30, 256, 257)
# ECDSA, RSA-PSS, EdDSA, RSA, then SHA-1 and DSA, which old servers have nothing better than.
SIGNATURES = (
    0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B,
    0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0402, 0x0202,
)  # fmt: skip
_NO_COMPRESSION, _DEFLATE = 0, 1


class ClientHello(NamedTuple):
    """What to offer.

    `version` is the newest version offered (one of VERSIONS), with `older` (TLS 1.3 only) those down to TLS 1.0 too;
    `suites` and `groups` are numbers in order of preference; `server_name` goes into SNI unless empty; `compress`
    offers DEFLATE too; without `share` a server of TLS 1.3 has to choose a group first (HelloRetryRequest). `seed`
    stands for the client's random value: equal hellos are equal octets.
    """

    version: int
    suites: tuple[int, ...]
    server_name: str = ""
    older: bool = False
    compress: bool = True
    groups: tuple[int, ...] = GROUPS
    share: bool = True
    seed: bytes = b""

    def record(self) -> bytes:
        """The whole record. At most 4000 suites, so that it fits (ValueError)."""
        if len(self.suites) > 4000:
            raise ValueError("too many cipher suites for one record")
        body = self._body()
        message = b"\x01" + len(body).to_bytes(3, "big") + body
        outer = SSL3 if self.version == SSL3 else TLS10  # RFC 8446 5.1: what old servers understand
        return bytes([HANDSHAKE]) + _number(outer) + _vector(message)

    def _body(self) -> bytes:
        random = hashlib.sha256(b"random" + self.seed).digest()
        compression = bytes(
            (_DEFLATE, _NO_COMPRESSION) if self.compress and self.version < TLS13 else (_NO_COMPRESSION,)
        )
        head = _number(min(self.version, TLS12)) + random
        # A session id of 32 octets makes TLS 1.3 look like a resumption to what stands between (RFC 8446 D.4).
        session = hashlib.sha256(b"session" + self.seed).digest() if self.version == TLS13 else b""
        parts = head + bytes([len(session)]) + session + _vector(_numbers(self.suites))
        parts += bytes([len(compression)]) + compression
        # SSL 3.0 has no extensions, and old servers end a session over them.
        return parts if self.version == SSL3 else parts + _vector(self._extensions())

    def _extensions(self) -> bytes:
        name = self.server_name.encode("ascii", "ignore")
        made = _extension(0, _vector(b"\0" + _vector(name))) if name else b""
        made += _extension(10, _vector(_numbers(self.groups))) + _extension(11, b"\x01\x00")
        if self.version >= TLS12:
            made += _extension(13, _vector(_numbers(SIGNATURES)))
        if self.version < TLS13 or self.older:
            made += _extension(23, b"") + _extension(0xFF01, b"\x00")  # EMS (RFC 7627), renegotiation (RFC 5746)
        if self.version == TLS13:
            versions = _numbers((TLS13, TLS12, TLS11, TLS10) if self.older else (TLS13,))
            made += _extension(43, bytes([len(versions)]) + versions) + _extension(45, b"\x01\x01")
            # Any 32 octets are a public key of X25519, and nobody is going to need the private one.
            key = hashlib.sha256(b"share" + self.seed).digest()
            made += _extension(51, _vector(_number(X25519) + _vector(key) if self.share else b""))
        return made


def farewell(version: int) -> bytes:
    """The close_notify alert of a client that has seen enough (RFC 5246 7.2.1)."""
    return bytes([ALERT]) + _number(min(version, TLS12)) + b"\x00\x02\x01\x00"


def _number(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _numbers(values: Sequence[int]) -> bytes:
    return b"".join(map(_number, values))


def _vector(data: bytes) -> bytes:
    return _number(len(data)) + data


def _extension(kind: int, data: bytes) -> bytes:
    return _number(kind) + _vector(data)
