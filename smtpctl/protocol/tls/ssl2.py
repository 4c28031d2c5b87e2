"""SSL 2.0's hello, which has a form of its own (Hickman, The SSL Protocol, 1995, sections 1.2 and 2.5; RFC 6101 Appendix E).

No library of the last ten years speaks it. What a server of today answers to such a hello is a TLS alert, or nothing.
"""

from __future__ import annotations

import hashlib

from smtpctl.model.record import NamedTuple
from smtpctl.protocol.tls.answer import LIMIT, Answer, AnswerReader, Ending

SSL2 = 0x0002
_CLIENT_HELLO, _SERVER_HELLO = 1, 4
_HEADER = 0x80  # the first octet's top bit: a header of two octets, no padding


class Ssl2Hello(NamedTuple):
    """What to offer: `suites` are cipher kinds of three octets."""

    suites: tuple[int, ...]
    version: int = SSL2

    def record(self) -> bytes:
        """The whole record."""
        kinds = b"".join(suite.to_bytes(3, "big") for suite in self.suites)
        challenge = hashlib.sha256(kinds).digest()[:16]
        lengths = b"".join(length.to_bytes(2, "big") for length in (len(kinds), 0, len(challenge)))
        message = bytes([_CLIENT_HELLO]) + SSL2.to_bytes(2, "big") + lengths + kinds + challenge
        return (_HEADER << 8 | len(message)).to_bytes(2, "big") + message


class Ssl2Reader:
    """Takes one answer, SSL 2.0's or TLS's (`steps.Reader`). Never raises; believes no length."""

    def __init__(self) -> None:
        self._tls = AnswerReader()

    def take(self, buffer: bytearray) -> Answer | None:
        """The answer when all of it has come, else None."""
        if not buffer or not buffer[0] & _HEADER:
            return self._tls.take(buffer) if buffer else None
        if len(buffer) < 2:
            return None
        length = (buffer[0] & 0x7F) << 8 | buffer[1]
        if length > LIMIT or len(buffer) < 2 + length:
            return None
        message = bytes(buffer[2 : 2 + length])
        buffer.clear()
        return _answer(message)

    def so_far(self, ending: Ending) -> Answer:
        """What is known when no more will come."""
        return self._tls.so_far(ending)


def _answer(message: bytes) -> Answer:
    """A SERVER-HELLO lists what both sides know; anything else is a refusal, told as it came."""
    head, lengths = message[:5], message[5:11]
    if len(message) < 11 or head[0] != _SERVER_HELLO or int.from_bytes(head[3:5], "big") != SSL2:
        return Answer(Ending.NOT_TLS, octets=message[:80])
    certificate, kinds = (int.from_bytes(lengths[at : at + 2], "big") for at in (0, 2))
    listed = message[11 + certificate : 11 + certificate + kinds]
    suites = tuple(int.from_bytes(listed[at : at + 3], "big") for at in range(0, len(listed) - 2, 3))
    return Answer(Ending.HELLO, version=SSL2, suite=suites[0] if suites else 0, suites=suites)
