"""What a server does wrong on purpose, as data: refusals, delays, drops, and the behaviour of hostile peers.

A fault replaces or surrounds the answer at one stage. Whether the session then goes on as after the usual answer
follows from the octets sent: it does where their last line begins with the digit the usual answer would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from smtpctl.model.record import NamedTuple

# `tls` is before the handshake, `data` the answer to DATA or to a BDAT that is not the last, `content` at the first
# octets of a message, `eod` the answer after its end.
STAGES = ("greeting", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "content", "eod", "quit")

_SPEC = re.compile(r"([a-z]+)(?:/([^:]+))?(?::(.*))?", re.DOTALL)
_REPLY = re.compile(r"[2-5]\d\d(?: [ -~]*)?")


class End(StrEnum):
    """How to hang up."""

    CLOSE = "close"  # an orderly end
    RESET = "rst"  # a TCP reset
    HALF = "half"  # only our direction: the peer sees the end and may go on sending


class Fault(NamedTuple):
    """One thing that goes wrong at `stage`, where the client's line contains `match` (in any case).

    `octets` go out instead of the usual answer (None: the usual answer, b"": none), after `delay` seconds, with
    `pace` seconds between two octets, again and again if `endless`; then the connection ends with `end`.
    `times` is how often it happens before all is well, 0 for always.
    """

    stage: str
    octets: bytes | None = None
    delay: float = 0.0
    pace: float = 0.0
    endless: bool = False
    end: End | None = None
    match: str = ""
    times: int = 0


class Faults:
    """The faults of one server; counts `times` over all its connections."""

    def __init__(self, *faults: Fault) -> None:
        self._faults = faults
        self._seen = [0] * len(faults)

    def at(self, stage: str, line: str = "") -> tuple[Fault, ...]:
        """What goes wrong now, in the order it was given."""
        due = []
        for index, fault in enumerate(self._faults):
            if fault.stage != stage or fault.match.lower() not in line.lower():
                continue
            self._seen[index] += 1
            if not fault.times or self._seen[index] <= fault.times:
                due.append(fault)
        return tuple(due)


def refusal(text: str) -> Fault:
    """`STAGE[/TEXT]:REPLY`, for example `rcpt/bob@:550 5.1.1 No such user`; ValueError says what is wrong."""
    stage, match, reply = _spec(text)
    if not _REPLY.fullmatch(reply):
        raise ValueError(f"{text!r}: after the colon comes a reply: three digits, a blank, a text in ASCII")
    return Fault(stage, octets=f"{reply}\r\n".encode("ascii"), match=match)


def delay(text: str) -> Fault:
    """`STAGE[/TEXT]:SECONDS`; ValueError says what is wrong."""
    stage, match, seconds = _spec(text)
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", seconds):
        raise ValueError(f"{text!r}: after the colon comes a number of seconds")
    return Fault(stage, delay=float(seconds), match=match)


def drop(text: str) -> Fault:
    """`STAGE[/TEXT]` or `STAGE[/TEXT]:rst`: the connection ends instead of an answer; ValueError says what is wrong."""
    stage, match, how = _spec(text)
    ends = {"": End.CLOSE, **{end.value: end for end in End}}
    if how not in ends:
        raise ValueError(f"{text!r}: after the colon may come {', '.join(end.value for end in End)}")
    return Fault(stage, octets=b"", end=ends[how], match=match)


def _spec(text: str) -> tuple[str, str, str]:
    found = _SPEC.fullmatch(text)
    if not found or found[1] not in STAGES:
        raise ValueError(f"{text!r}: it begins with a stage: {', '.join(STAGES)}")
    return found[1], found[2] or "", found[3] or ""


def _greeting(octets: bytes, end: End | None = None) -> Fault:
    return Fault("greeting", octets=octets, end=end)


HOSTILE: Mapping[str, tuple[Fault, ...]] = {
    "silent": (_greeting(b""),),
    "silent_after_ehlo": (Fault("ehlo", octets=b""),),
    "slow_drip": (Fault("greeting", octets=b"220-sink.localhost ESMTP\r\n", pace=0.2, endless=True),),
    "endless_line": (Fault("greeting", octets=b"220 " + b"x" * 4092, endless=True),),
    "endless_reply": (Fault("ehlo", octets=b"250-AND-MORE\r\n" * 100, endless=True),),
    "nul": (_greeting(b"220 sink\0.localhost \0\0ESMTP\r\n"), Fault("ehlo", octets=b"250-si\0nk\r\n250 SI\0ZE\r\n")),
    "eight_bit": (_greeting(b"220 sink.localhost \xff\xfe Gr\xc3\xbc\xc3\x9fe\r\n"),),
    "mixed_codes": (Fault("ehlo", octets=b"250-sink.localhost\r\n550-SIZE 1000\r\n250 HELP\r\n"),),
    "bare_code": (_greeting(b"220\r\n"),),
    "two_digits": (_greeting(b"22 sink.localhost\r\n"),),
    "no_space": (_greeting(b"220sink.localhost ESMTP\r\n"),),
    "bare_lf": (_greeting(b"220 sink.localhost\n"), Fault("ehlo", octets=b"250-sink.localhost\n250 PIPELINING\n")),
    "http": (_greeting(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n\r\n", End.CLOSE),),
    "ssh": (_greeting(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),),
    "imap": (_greeting(b"* OK [CAPABILITY IMAP4rev1 SASL-IR] Dovecot ready.\r\n"),),
    "pop3": (_greeting(b"+OK Dovecot ready.\r\n"),),
    "too_busy": (_greeting(b"421 4.7.0 sink.localhost Too busy, try again later\r\n"),),
    "not_for_you": (_greeting(b"554 5.7.1 sink.localhost Not for you\r\n"),),
    # a firewall that rewrites what it does not know, and one that lets only HELO through
    "masked_ehlo": (Fault("ehlo", octets=b"250-sink.localhost\r\n250-XXXXXXXA\r\n250-SIZE 1000\r\n250 XXXB\r\n"),),
    "helo_only": (Fault("ehlo", octets=b"502 5.5.1 Command not implemented\r\n", match="EHLO "),),
    "half_close": (Fault("ehlo", octets=b"", end=End.HALF),),
    "tls_garbage": (Fault("tls", octets=b"\x00\x01 this is no TLS record\r\n" * 4),),
    "tls_closed": (Fault("tls", octets=b"", end=End.CLOSE),),
    "starttls_injection": (Fault("starttls", octets=b"220 2.0.0 Ready\r\n250-sink.localhost\r\n250 AUTH PLAIN\r\n"),),
    "starttls_refused": (Fault("starttls", octets=b"454 4.7.0 TLS not available due to temporary reason\r\n"),),
    **{f"reset_at_{stage}": (Fault(stage, octets=b"", end=End.RESET),) for stage in STAGES},
    **{f"close_at_{stage}": (Fault(stage, octets=b"", end=End.CLOSE),) for stage in STAGES},
}
