"""How a server says something: the answer, or what a fault makes of it; and the count of its refusals."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from smtpctl.model.secret import MASK
from smtpctl.model.transcript import Stage
from smtpctl.protocol.server.faults import End, Fault
from smtpctl.protocol.server.readers import Line, LineReader, OctetReader
from smtpctl.protocol.server.values import Hangup, Pause, ServerDialogue, ServerStep, Setup
from smtpctl.protocol.steps import Receive, Send

_MOST_PIECES = 64  # of one line that is too long, before the session ends
STAGE_OF = {"content": Stage.DATA, "eod": Stage.DATA}


def wire(code: int, *texts: str) -> bytes:
    """A reply as octets (RFC 5321 4.2.1)."""
    last = len(texts) - 1
    return "".join(f"{code}{' ' if i == last else '-'}{text}\r\n" for i, text in enumerate(texts)).encode("utf-8")


class Talk:
    """The answers of one session."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._errors = 0
        self._plain_codes = "ENHANCEDSTATUSCODES" not in setup.extensions

    def answer(self, stage: str, code: int, *texts: str, about: str = "") -> Generator[ServerStep, Any, bool]:
        """Give the answer that a fault may replace; `about` is the client's line. True when what went out accepts."""
        faults = self._setup.faults.at(stage, about)
        seconds = sum(fault.delay for fault in faults)
        if seconds:
            yield Pause(seconds)
        wrong = next((fault for fault in faults if fault.octets is not None), None)
        if wrong is None:
            yield from self.say(STAGE_OF.get(stage) or Stage(stage), code, *texts)
            return code < 400
        return (yield from misbehave(wrong, STAGE_OF.get(stage) or Stage(stage)))

    def say(self, stage: Stage, code: int, *texts: str) -> ServerDialogue:
        """Give an answer that no fault replaces, and count it if it refuses."""
        if self._plain_codes:
            texts = tuple(_without_status(text) for text in texts)
        yield Send(wire(code, *texts), stage, f"334 {MASK}" if code == 334 else None)
        if code >= 500:
            self._errors += 1
            if self._errors >= self._setup.limits.errors:
                yield from self.close(stage, "4.7.0 Too many errors")

    def close(self, stage: Stage, text: str) -> ServerDialogue:
        """421, then the end (RFC 5321 3.8)."""
        yield from self.say(stage, 421, text)
        yield Hangup(End.CLOSE)

    def line(self, stage: Stage, limit: int, *, secret: bool = False) -> Generator[ServerStep, Any, Line]:
        """The client's next line; of one over `limit` octets only the end, marked by `complete` False."""
        reader = LineReader(limit)
        line: Line = yield Receive(stage, reader, secret)
        pieces = 1
        while not line.complete:
            if pieces == _MOST_PIECES:
                yield from self.close(stage, "4.7.0 That line has no end")
            pieces += 1
            line = yield Receive(stage, reader, secret)
        return line._replace(complete=pieces == 1)


def misbehave(fault: Fault, stage: Stage) -> Generator[ServerStep, Any, bool]:
    """Do what `fault` says; True where its octets accept the command, so that the session goes on as usual."""
    octets = fault.octets or b""
    while octets:
        for piece in (bytes([octet]) for octet in octets) if fault.pace else (octets,):
            yield Send(piece, stage)
            if fault.pace:
                yield Pause(fault.pace)
        if not fault.endless:
            break
    last = octets.rstrip(b"\r\n").rpartition(b"\n")[2]
    end = fault.end or (End.CLOSE if last.startswith(b"421") else None)
    if end:
        yield Hangup(end)
        while True:  # only a half-closed session comes here
            yield Receive(stage, OctetReader(65536))
    return last[:1] in (b"2", b"3")


def _without_status(text: str) -> str:
    """The text without the enhanced code that begins it (RFC 2034 was not offered)."""
    status, _, rest = text.partition(" ")
    return rest if status.count(".") == 2 and status.replace(".", "").isdigit() else text
