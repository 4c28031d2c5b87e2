"""A driver without I/O for server sessions: what the client would send goes in, what the server says comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from smtpctl.model.tls import TlsSession
from smtpctl.protocol.server.faults import End
from smtpctl.protocol.server.session import serve
from smtpctl.protocol.server.values import Deliver, Hangup, Mail, Pause, Setup
from smtpctl.protocol.steps import Receive, Send, StartTls

SECURED = TlsSession("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "")


class Talk:
    """One session: `said` what the server sent, `mails` what it took, `pauses` in seconds, `end` how it hung up."""

    def __init__(self, setup: Setup, chunks: Iterable[bytes], tls: TlsSession, stored: str | None, steps: int) -> None:
        self.said = bytearray()
        self.mails: list[Mail] = []
        self.pauses: list[float] = []
        self.end: End | None = None
        self.buffer = bytearray()
        self._chunks = iter(chunks)
        self._tls = tls
        self._stored = stored
        dialogue = serve(setup)
        answer: Any = None
        for _ in range(steps):
            step = dialogue.send(answer)
            answer = self._act(step)
            if answer is StopIteration:
                break
        dialogue.close()

    def _act(self, step: Any) -> Any:
        match step:
            case Send():
                self.said += step.data
            case Deliver():
                self.mails.append(step.mail)
                return self._stored
            case Pause():
                self.pauses.append(step.seconds)
            case StartTls():
                self.buffer.clear()
                return self._tls
            case Hangup():
                self.end = step.how
                return None if step.how is End.HALF else StopIteration
            case Receive():
                return self._receive(step)
        return None

    def _receive(self, step: Receive) -> Any:
        assert step.reader is not None
        while (taken := step.reader.take(self.buffer)) is None:
            octets = next(self._chunks, None)
            if octets is None:
                return StopIteration
            self.buffer += octets
        return taken

    @property
    def lines(self) -> list[str]:
        return self.said.decode().splitlines()

    @property
    def codes(self) -> list[int]:
        """The code of each reply, in order."""
        return [int(line[:3]) for line in self.lines if line[3:4] != "-"]

    @property
    def last(self) -> str:
        return self.lines[-1]


@pytest.fixture(scope="session")
def talk() -> Callable[..., Talk]:
    def start(
        setup: Setup | None = None,
        *lines: str | bytes,
        chunks: Iterable[bytes] | None = None,
        tls: TlsSession = SECURED,
        stored: str | None = "ID1",
        steps: int = 5000,
    ) -> Talk:
        octets = [line if isinstance(line, bytes) else f"{line}\r\n".encode() for line in lines]
        return Talk(setup or Setup(), octets if chunks is None else chunks, tls, stored, steps)

    return start
