"""What a server answers to a ClientHello, as facts: everything it sends in clear (RFC 5246 7.4, RFC 8446 4).

The reader takes octets from anybody. It believes no length, keeps at most LIMIT octets, and what it does not understand
is an answer too (`Ending.NOT_TLS`), never an exception.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from smtpctl.model.record import NamedTuple
from smtpctl.protocol.tls.hello import ALERT, HANDSHAKE, SSL3, TLS12, TLS13

LIMIT = 1 << 17  # octets of a whole answer; long chains have about 10,000
_SERVER_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _CERTIFICATE_REQUEST, _DONE = 2, 11, 12, 13, 14
_KNOWN_RECORDS = range(20, 25)
_NAMED_CURVE = 3
# SHA-256 of "HelloRetryRequest": such a ServerHello asks for another key share (RFC 8446 4.1.3).
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
    42: "bad_certificate", 43: "unsupported_certificate", 46: "certificate_unknown", 47: "illegal_parameter",
    48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
    71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
    109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name", 116: "certificate_required",
    120: "no_application_protocol",
}  # fmt: skip


class Ending(StrEnum):
    """How an answer ended."""

    HELLO = "hello"  # a ServerHello came, and all that the server says in clear with it
    ALERT = "alert"
    NOT_TLS = "not_tls"  # octets that are no TLS
    CLOSED = "closed"  # the server hung up
    SILENT = "silent"  # nothing came in time


class KeyExchange(NamedTuple):
    """A ServerKeyExchange, as far as it can be told apart: `dh_bits` of the prime, or `curve` (IANA number); 0 else."""

    dh_bits: int = 0
    curve: int = 0


class Answer(NamedTuple):
    """What came back.

    `version` and `suite` are what the server chose (0 without a ServerHello); `group` the key share's, the curve or the
    group of a retry; `compression` the method; `certificate` the first one as DER (not with TLS 1.3, which hides it);
    `alert` the name of an alert; `octets` the first that came where they were no TLS; `suites` what an SSL 2.0 server
    lists, which lets the client choose.
    """

    ending: Ending
    version: int = 0
    suite: int = 0
    group: int = 0
    dh_bits: int = 0
    compression: int = 0
    extended_master_secret: bool = False
    secure_renegotiation: bool = False
    asks_certificate: bool = False
    retry: bool = False
    certificate: bytes = b""
    alert: str = ""
    octets: bytes = b""
    suites: tuple[int, ...] = ()

    def __str__(self) -> str:
        """In a few words, for evidence."""
        if self.ending is Ending.HELLO:
            return f"ServerHello {self.version:#06x} {self.suite:#06x}"
        told = self.alert or self.octets.decode("ascii", "backslashreplace")[:80]
        return f"{self.ending.value} {told}".rstrip()


class _MalformedError(Exception):
    """A length that leads out of what there is."""


class AnswerReader:
    """Takes one answer. Give it the same buffer again and again as octets come (`steps.Reader`)."""

    def __init__(self) -> None:
        self._handshake = bytearray()  # fragments of messages, out of their records
        self._answer: Answer | None = None
        self._seen = 0
        self._first = b""

    def take(self, buffer: bytearray) -> Answer | None:
        """The answer when all of it has come, else None. Whole records are removed from `buffer`. Never raises."""
        try:
            return self._take(buffer)
        except _MalformedError:
            return self._not_tls(buffer)

    def so_far(self, ending: Ending) -> Answer:
        """What is known when no more will come: a ServerHello that came counts, else `ending`."""
        return self._answer or Answer(ending)

    def _take(self, buffer: bytearray) -> Answer | None:
        self._first = self._first or bytes(buffer[:80])
        while buffer:
            if buffer[0] not in _KNOWN_RECORDS or (len(buffer) > 1 and buffer[1] != 3):
                return self._not_tls(buffer)
            length = int.from_bytes(buffer[3:5], "big")
            if len(buffer) < 5 or len(buffer) < 5 + length:
                return None
            kind, payload = buffer[0], bytes(buffer[5 : 5 + length])
            del buffer[: 5 + length]
            self._seen += 5 + length
            done = self._record(kind, payload)
            if done is not None:
                return done
            if self._seen > LIMIT:
                return self._not_tls(buffer)
        return None

    def _record(self, kind: int, payload: bytes) -> Answer | None:
        if kind == ALERT:
            return self._alert(payload)
        if kind != HANDSHAKE:  # what follows is encrypted (TLS 1.3), or no answer to a hello
            return self._answer or Answer(Ending.NOT_TLS, octets=self._first)
        self._handshake += payload
        for message, body in self._messages():
            if self._message(message, body):
                return self._answer
        return None

    def _alert(self, payload: bytes) -> Answer | None:
        if len(payload) != 2:
            return self._answer or Answer(Ending.NOT_TLS, octets=self._first)
        level, code = payload
        name = ALERTS.get(code, f"alert {code}")
        if level == 1 and name == "unrecognized_name":
            return None  # a warning before the ServerHello (RFC 6066 3)
        return self._answer or Answer(Ending.ALERT, alert=name)

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        while len(self._handshake) >= 4:
            end = 4 + int.from_bytes(self._handshake[1:4], "big")
            if len(self._handshake) < end:
                if end > LIMIT:
                    raise _MalformedError
                return
            kind, body = self._handshake[0], bytes(self._handshake[4:end])
            del self._handshake[:end]
            yield kind, body

    def _message(self, kind: int, body: bytes) -> bool:
        """Note what one message says; whether it is the last in clear."""
        if self._answer is None:
            if kind != _SERVER_HELLO:
                raise _MalformedError
            self._answer = server_hello(body)
            return self._answer.version == TLS13
        if kind == _CERTIFICATE:
            self._answer = self._answer._replace(certificate=_first_certificate(body))
        elif kind == _KEY_EXCHANGE:
            exchange = key_exchange(body)
            self._answer = self._answer._replace(dh_bits=exchange.dh_bits, group=exchange.curve)
        elif kind == _CERTIFICATE_REQUEST:
            self._answer = self._answer._replace(asks_certificate=True)
        return kind == _DONE

    def _not_tls(self, buffer: bytearray) -> Answer:
        buffer.clear()
        return self._answer or Answer(Ending.NOT_TLS, octets=self._first)


def server_hello(body: bytes) -> Answer:
    """The facts of a ServerHello's body, a HelloRetryRequest's too."""
    cut = _Cutter(body)
    version, random = cut.number(2), cut.take(32)
    cut.vector(1)  # session id
    suite, compression = cut.number(2), cut.number(1)
    found = {}
    extensions = _Cutter(cut.vector(2) if cut.rest else b"")
    while extensions.rest:
        kind = extensions.number(2)
        found[kind] = extensions.vector(2)
    chosen = int.from_bytes(found.get(43, b""), "big") or version
    if not SSL3 <= chosen <= TLS13 or (chosen == TLS13 and version != TLS12):
        raise _MalformedError
    return Answer(
        Ending.HELLO,
        version=chosen,
        suite=suite,
        group=int.from_bytes(found.get(51, b"")[:2], "big"),
        compression=compression,
        extended_master_secret=23 in found,
        secure_renegotiation=0xFF01 in found,
        retry=random == _RETRY,
    )


def key_exchange(body: bytes) -> KeyExchange:
    """The public part of a ServerKeyExchange (RFC 5246 7.4.3, RFC 8422 5.4). With PSK a hint stands before it and nothing
    is told."""
    try:
        cut = _Cutter(body)
        prime, generator, public = cut.vector(2), cut.vector(2), cut.vector(2)
        # Looked at first: a prime of 6144 bits begins like a named curve, but no curve reads as three numbers like these.
        if generator and len(prime) >= 32 and len(prime) - 32 <= len(public) <= len(prime):
            return KeyExchange(dh_bits=int.from_bytes(prime, "big").bit_length())
    except _MalformedError:
        pass
    if len(body) > 4 and body[0] == _NAMED_CURVE and 0 < body[3] <= len(body) - 4:
        return KeyExchange(curve=int.from_bytes(body[1:3], "big"))
    return KeyExchange()


def _first_certificate(body: bytes) -> bytes:
    chain = _Cutter(_Cutter(body).vector(3))
    return chain.vector(3) if chain.rest else b""


class _Cutter:
    """Cuts numbers and length-prefixed pieces off the front. _MalformedError where there is too little."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise _MalformedError
        piece, self.rest = self.rest[:count], self.rest[count:]
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))
