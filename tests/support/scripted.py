r"""A whole session played from a file of tests/corpus/transcripts: settings, what is said, what must be found and where.

    What this file is about
    tls = starttls                                 settings of config.fields; host, port and helo have defaults
    send = ann@x bob@y                             a mail to be sent, not in a check; `+utf8 +dsn +requiretls`
    --
    S: 220 mx.example.com ESMTP                    the server's words; `\x00` and the like stand for octets
    C: EHLO client.example.com                     what we say must begin like this
    W: 6                                           so many seconds pass
    T: ok                                          the handshake; or `verify 10`, `SSL_REASON`, `eof`, `reset`, `timeout`, `octets ...`
    X: eof                                         the end; or `reset`, `timeout`
    S: 250-AUTH PLAIN   <- starttls.auth_before_tls    the finding this line must lead to, with the line as its evidence

What is found and not written down fails the test as well as what is written down and not found.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from profiles import profile
from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import Endpoint
from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.report import Report
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Kind, Stage
from smtpctl.net import probe
from smtpctl.net.channel import Channel
from smtpctl.net.connection import Connection, Log
from smtpctl.ops import check, session
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.submit import submit
from transcripts import SECURED, octets

_ARROW = re.compile(r"\s*<- (.*)$")


class Line(NamedTuple):
    """One line of the session and the ids of what it leads to."""

    mark: str
    words: str
    leads_to: tuple[str, ...]


class Case(NamedTuple):
    """One file."""

    title: str
    settings: dict[str, str]
    lines: list[Line]

    @property
    def expected(self) -> set[str]:
        return {id for line in self.lines for id in line.leads_to}


def read(path: Path) -> Case:
    head, _, body = path.read_text(encoding="utf-8").partition("--\n")
    title, *settings = [line for line in head.splitlines() if line.strip()]
    lines = []
    for text in body.splitlines():
        if not text.strip():
            continue
        found = _ARROW.search(text)
        mark, _, words = _ARROW.sub("", text).partition(":")
        assert mark in ("S", "C", "W", "T", "X"), f"{path.name}: {text!r}"
        lines.append(Line(mark, words.removeprefix(" "), tuple(found[1].split()) if found else ()))
    return Case(
        title, {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in settings)}, lines
    )


class ScriptedChannel(Channel):
    """Plays the lines in place of a socket. (The socket it has is always ready, so that nothing waits.)"""

    def __init__(self, lines: Iterable[Line]) -> None:
        ours, self._theirs = socket.socketpair()
        super().__init__(ours)
        self._theirs.send(b"!")
        self._lines = list(lines)
        self._at = 0
        self._said = b""
        self.passed = 0.0

    def clock(self) -> float:
        return 1000.0 + self.passed

    def queue(self, data: bytes) -> None:
        self._said += data

    def queue_from(self, chunks: Iterable[bytes]) -> None:
        self._said += b"".join(chunks)

    def flush(self) -> bool:
        while self._said:
            line, _, self._said = self._said.partition(b"\r\n")
            mark, words = self._next()
            if mark == "X":
                return True
            assert mark == "C", f"said {line!r} where the transcript has {mark}: {words}"
            assert line.decode().startswith(words), f"said {line!r} where the transcript has {words!r}"
            self._at += 1
        return True

    def receive(self) -> bool:
        mark, words = self._next()
        if mark == "W":
            self.passed += float(words)
            self._at += 1
            return self.receive()
        if mark == "X":
            return self._end(words)
        if mark != "S":
            return False
        self.inbound += octets(words) + (b"" if words.endswith("\\n") else b"\r\n")
        self._at += 1
        return True

    def start_tls(self, context: ssl.SSLContext, server_name: str | None) -> None:
        self.tls = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=server_name)

    def handshake(self) -> bool:
        mark, words = self._next()
        assert mark == "T", f"a handshake where the transcript has {mark}: {words}"
        what, _, more = words.partition(" ")
        self._at += what != "timeout"  # nothing comes then, however often we look
        if what in ("eof", "reset", "timeout"):
            return self._end(what, tls=True)
        if what == "octets":
            self.first_octets = octets(more)
            what = "WRONG_VERSION_NUMBER"
        if what == "verify":
            refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
            refused.verify_code, refused.verify_message = int(more), "not trusted"
            raise refused
        if what != "ok":
            failure = ssl.SSLError(1, what)
            failure.reason = what
            raise failure
        return True

    def close(self) -> None:
        super().close()
        self._theirs.close()

    def _next(self) -> tuple[str, str]:
        return self._lines[self._at][:2] if self._at < len(self._lines) else ("X", "eof")

    def _end(self, how: str, *, tls: bool = False) -> bool:
        if how == "reset":
            raise ConnectionResetError(104, "Connection reset by peer")
        if how == "timeout":
            self.passed += 60
            return False
        if tls:
            raise EOFError
        self.eof = True
        return True


class ScriptedConnection(Connection):
    """TLS as the transcript says it went."""

    def finish_tls(self) -> TlsSession:
        self.tls = SECURED
        self.record(Kind.TLS, Stage.TLS, "TLSv1.3", SECURED.facts())
        return SECURED

    def failed_tls(self, error: ssl.SSLCertVerificationError) -> TlsSession:
        self.tls_failure = SECURED._replace(verified=False, verify_code=error.verify_code)
        return self.tls_failure


def play(case: Case, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The report of the session."""
    channel = ScriptedChannel(case.lines)

    def connect(endpoint: Endpoint, route: Any, policy: Any, timeouts: Any, log: Log) -> Connection:
        log.clock = channel.clock
        log._began = channel.clock()
        log.add(Kind.ATTEMPT, Stage.CONNECT, f"connected to {endpoint}", {"address": "192.0.2.1"})
        return ScriptedConnection(channel, endpoint, policy, timeouts, log)

    monkeypatch.setattr(session, "connect", connect)
    monkeypatch.setattr(probe, "connect", _nobody_there)
    settings: dict[str, Any] = {"host": "mx.example.com", "port": "25", "helo": "client.example.com", **case.settings}
    mail = settings.pop("send", "")
    made = profile(settings.pop("host"), int(settings.pop("port")), **settings)
    conversation = session.converse(made, Surroundings(os.environ), _body(mail) if mail else None, now=0.0)
    report = check.judged(made, conversation, 0.0)
    errors_of_checks = [outcome for outcome in report.outcomes if outcome.result == "crashed"]
    assert not errors_of_checks
    return report


def _nobody_there(endpoint: Endpoint, *_: Any) -> Connection:
    """A second look finds nothing."""
    raise entry("conn.timeout").problem(target=str(endpoint))


def _body(mail: str) -> Any:
    sender, recipient, *wishes = mail.encode().decode("unicode_escape").split(" ")
    envelope = Envelope(
        sender,
        (Recipient(recipient, "NEVER" if "+notify" in wishes else ""),),
        utf8="+utf8" in wishes,
        require_tls="+requiretls" in wishes,
        ret="FULL" if "+dsn" in wishes else "",
    )
    return lambda opened: submit(opened.capabilities, envelope, (b"Subject: x\r\n\r\nhi\r\n",))


def unproved(case: Case, report: Report) -> Iterator[str]:
    """Findings whose evidence is not the line that they were written on."""
    for line in case.lines:
        if line.mark != "S":
            continue
        shown = octets(line.words).decode("ascii", "backslashreplace")
        for finding in report.findings:
            if finding.id in line.leads_to and finding.evidence:
                texts = [evidence.text.strip() for evidence in finding.evidence]
                words = {
                    line.words,
                    line.words[4:],
                    shown.rstrip("\r\n"),
                    octets(line.words).decode("utf-8", "backslashreplace")[4:],
                }
                if not any(one and (one in text or text in one) for one in words for text in texts):
                    yield f"{finding.id}: {texts}"
