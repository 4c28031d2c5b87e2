"""A connection to one server: the channel with the state of the session around it, and the transcript's pen."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from smtpctl.model.endpoint import Endpoint, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.redaction import Redactor
from smtpctl.model.reply import Reply
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.net import tls
from smtpctl.net.channel import Channel
from smtpctl.protocol.replies import ReplyReader

# Seconds between two looks around: a Ctrl-C that comes just before a wait is seen only after it, and who looks on is told
# that nothing has come.
LONGEST_WAIT = 1.0


class Log:
    """Writes events into a transcript: time since it began, redacted. One for all connections of a run."""

    def __init__(
        self, transcript: Transcript, redactor: Redactor | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.transcript = transcript
        self.redactor = redactor or Redactor()
        self.clock = clock
        self._began = clock()
        self.idle: Callable[[Stage, float], Problem | None] | None = None

    def waiting(self, stage: Stage, since: float) -> Problem | None:
        """Nothing has come for LONGEST_WAIT, and one waits since then (on `clock`). `idle` is told the stage and the
        seconds; the Problem that it may know ends the wait."""
        return self.idle(stage, self.clock() - since) if self.idle else None

    def add(
        self, kind: Kind, stage: Stage, text: str, facts: Mapping[str, Any] | None = None, *, secured: bool = False
    ) -> int:
        """Record one event; returns its index."""
        clean = self.redactor.facts(facts) if facts else {}
        event = Event(self.clock() - self._began, stage, kind, self.redactor.text(text), secured, clean)
        return self.transcript.add(event)


class Connection:
    """One connected server. Use as a context manager: leaving closes the socket.

    `outstanding` counts the replies still to come; `tls` is the finished handshake, `tls_failure` one that
    was refused; `closing` a 421 that came, and where; `deadline` the end of the run on
    the clock of `now`. Without a `log` nothing is recorded (load).
    """

    def __init__(
        self,
        channel: Channel,
        endpoint: Endpoint,
        policy: TlsPolicy,
        timeouts: Timeouts,
        log: Log | None = None,
        *,
        deadline: float | None = None,
    ) -> None:
        self.channel = channel
        self.endpoint = endpoint
        self.policy = policy
        self.timeouts = timeouts
        self.log = log
        self.transcript = log.transcript if log else None
        self.now = log.clock if log else time.monotonic
        self.deadline = self.now() + timeouts.total if deadline is None else deadline
        self.reader = ReplyReader()
        self.outstanding = 1  # the greeting
        self.tls: TlsSession | None = None
        self.tls_failure: TlsSession | None = None
        self.closing: tuple[Reply, Stage] | None = None

    def clean(self, text: str) -> str:
        """`text` without secrets."""
        return self.log.redactor.text(text) if self.log is not None else text

    def record(self, kind: Kind, stage: Stage, text: str, facts: Mapping[str, Any] | None = None) -> None:
        """An event of this connection."""
        if self.log is not None:
            self.log.add(kind, stage, text, facts, secured=self.tls is not None)

    @property
    def round_trips(self) -> int:
        """How often we waited for the other side: for the connection, for the greeting where it comes unasked (with
        implicit TLS it answers the handshake), then for what we sent."""
        return (2 if self.upgraded else 1) + self.channel.round_trips

    @property
    def server_name(self) -> str:
        """The name that the certificate must carry."""
        return self.policy.verify_name or self._host

    @property
    def local_address(self) -> str:
        """The address that the server sees us under, as far as this machine knows; empty for a UNIX socket."""
        name = self.channel.sock.getsockname()
        return str(name[0]) if isinstance(name, tuple) else ""

    def begin_tls(self) -> None:
        """Start the client's side of the handshake. Problem when the policy's files cannot be used."""
        self.channel.start_tls(tls.context(self.policy), self.policy.sni or self._host)

    def finish_tls(self) -> TlsSession:
        """The handshake is done: note what it gave. Problem `tls.cert.hostname_mismatch`, `tls.pin_mismatch`."""
        assert self.channel.tls is not None
        session = tls.describe(self.channel.tls, self.server_name, verified=self.policy.verify)
        self.tls = session
        self.record(Kind.TLS, Stage.TLS, f"{session.protocol} {session.cipher}", session.facts())
        tls.check_name(self.channel.tls, self.policy, session, str(self.endpoint))
        tls.check_pins(self.policy, session, str(self.endpoint))
        return session

    def failed_tls(self, error: ssl.SSLCertVerificationError) -> TlsSession:
        """The handshake ended at verification: keep what was presented, in `tls_failure` and in the transcript."""
        assert self.channel.tls is not None
        session = tls.describe(self.channel.tls, self.server_name, verified=False, error=error)
        self.tls_failure = session
        self.record(Kind.TLS, Stage.TLS, f"refused: {session.verify_message}", session.facts())
        return session

    @property
    def _host(self) -> str:
        return self.endpoint.host or "localhost"  # a UNIX socket is on this machine

    @property
    def upgraded(self) -> bool:
        """Whether TLS was begun inside a session in clear (STARTTLS)."""
        return self.policy.mode is not TlsMode.IMPLICIT

    def close(self) -> None:
        """Close the socket."""
        self.channel.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
