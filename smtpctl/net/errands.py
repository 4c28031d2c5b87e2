"""Many short sessions with one server, at most so many at once, on one thread.

A job is a generator: it yields an errand (a dialogue for a connection of its own), is resumed with what came of it, and may
end by returning further jobs. So what is asked next can depend on what was answered, and a job reads top to bottom.

    def job() -> Job:
        result = yield Errand(lambda: ask(hello, entrance))
        return [] if result.failure else [other_job(result.value)]

Politeness: never more connections than allowed; a server that refuses a connection for now is given a pause and half as
many at once.
"""

from __future__ import annotations

import os
import selectors
import socket
import ssl
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeAlias

from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsPolicy
from smtpctl.model.errors import Obstacle, Problem, Refused, SmtpctlError
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage
from smtpctl.net.channel import Channel
from smtpctl.net.connect import UNDER_WAY, Address, connect
from smtpctl.net.connection import LONGEST_WAIT, Connection, Log
from smtpctl.net.errors import translate
from smtpctl.net.runner import Driver
from smtpctl.protocol.steps import Dialogue

ATTEMPTS = 3  # for one errand, where the server is only busy
PAUSE = 1.0  # seconds without a new connection after one was refused
_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE
_BEFORE_TLS = (Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.STARTTLS)


class Errand(NamedTuple):
    """One dialogue on a connection of its own; `session` is a TLS session to resume. With an `address` it is for that one
    and no other, and it is tried once: that an address does not answer is a fact about it."""

    dialogue: Callable[[], Dialogue[Any]]
    session: ssl.SSLSession | None = None
    address: Address | None = None


class Result(NamedTuple):
    """What came of an errand: the dialogue's `value`, or the `failure` that ended it; `session` of its TLS, if any."""

    value: Any = None
    failure: SmtpctlError | None = None
    session: ssl.SSLSession | None = None


Job: TypeAlias = Generator[Errand, Result, Iterable[Any]]  # Iterable[Job]; a type cannot name itself


class _Resuming(Connection):
    """A connection whose handshake offers to resume a session."""

    session: ssl.SSLSession | None = None
    unreachable = 0  # what connecting failed with at once; a socket keeps only what comes later

    def begin_tls(self) -> None:
        super().begin_tls()
        if self.session is not None and self.channel.tls is not None:
            self.channel.tls.session = self.session


class Door:
    """How to get to one server again and again: the name is looked up once, the address that answers is kept."""

    def __init__(
        self, endpoint: Endpoint, route: Route, policy: TlsPolicy, timeouts: Timeouts, log: Log, deadline: float
    ) -> None:
        self.deadline = deadline
        self.now = log.clock
        self.opened = 0
        self._endpoint, self._route, self._policy, self._timeouts, self._log = endpoint, route, policy, timeouts, log
        self._address: Address | None = None

    def open(self, address: Address | None = None) -> _Resuming:
        """A connection, perhaps still being made: it is when its socket can be written. Problem, OSError."""
        self.opened += 1
        known = address or self._address
        sock, code = self._to(known) if known else (self._first(), 0)
        opened = _Resuming(
            Channel(sock), self._endpoint, self._policy, self._timeouts, deadline=min(self.deadline, self._limit())
        )
        opened.unreachable = code
        return opened

    def _limit(self) -> float:
        return self.now() + self._timeouts.total

    def _first(self) -> socket.socket:
        """Wait for it: every address is tried. Proxies and UNIX sockets always come this way."""
        made = connect(
            self._endpoint, self._route, self._policy, self._timeouts, self._log, deadline=self.deadline
        ).channel.sock
        if not self._route.proxy and not self._endpoint.path:
            self._address = Address(made.family, made.getpeername())
        return made

    def _to(self, address: Address) -> tuple[socket.socket, int]:
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._route.source:
                sock.bind((self._route.source, 0))
            code = sock.connect_ex(address.sockaddr)
        except OSError:
            sock.close()
            raise
        return sock, 0 if code in UNDER_WAY else code


class _Walk:
    """An errand that is under way."""

    def __init__(self, job: Job, errand: Errand, attempt: int, connection: _Resuming) -> None:
        self.job, self.errand, self.attempt, self.connection = job, errand, attempt, connection
        connection.session = errand.session
        self.driver: Driver[Any] = Driver(errand.dialogue(), connection)
        self.connected = False
        # Until it is connected, the time of that stage counts.
        self.driver.deadline = min(connection.deadline, connection.now() + connection.timeouts.of(Stage.CONNECT))

    def step(self) -> bool:
        """Go on; whether it has ended. SmtpctlError."""
        if not self.connected:
            code = self.connection.unreachable or self.connection.channel.sock.getsockopt(
                socket.SOL_SOCKET, socket.SO_ERROR
            )
            if code:
                raise translate(OSError(code, os.strerror(code)), Stage.CONNECT, self.connection)
            self.connected = True
        return self.driver.advance()

    def expire(self) -> bool:
        """Its time is over; whether it has ended. SmtpctlError."""
        if not self.connected:
            raise translate(TimeoutError("timed out"), Stage.CONNECT, self.connection)
        return self.driver.expire()


class Errands:
    """Runs jobs to their ends within `limit` connections at once. `finished` is False where the time ran out first."""

    def __init__(self, door: Door, limit: int) -> None:
        self.finished = True
        self._door = door
        self._limit = limit
        self._waiting: deque[tuple[Job, Errand, int]] = deque()
        self._walks: dict[int, _Walk] = {}
        self._not_before = 0.0
        self._succeeded = False
        self._refused: SmtpctlError | None = None
        self._selector = selectors.DefaultSelector()

    def run(self, jobs: Iterable[Job]) -> None:
        """Until all have ended or the time is up. Problem where the server cannot be reached; Refused or Obstacle where it
        lets nobody get as far as TLS."""
        try:
            for job in jobs:
                self._advance(job, None)
            while (self._waiting or self._walks) and self._door.now() < self._door.deadline:
                self._start()
                self._wait()
            self.finished = not (self._waiting or self._walks)
            if not self._succeeded:
                self._explain()
        finally:
            for walk in self._walks.values():
                walk.connection.close()
            self._selector.close()

    def _explain(self) -> None:
        """Nothing was reached in the whole time: raise what the last ones waited for."""
        for walk in self._walks.values():
            try:
                walk.expire()
            except SmtpctlError as failure:
                self._refused = self._refused or failure
        if self._refused:
            raise self._refused

    def _start(self) -> None:
        while self._waiting and len(self._walks) < self._limit and self._door.now() >= self._not_before:
            job, errand, attempt = self._waiting.popleft()
            walk = _Walk(job, errand, attempt, self._door.open(errand.address))
            sock = walk.connection.channel.sock
            self._walks[sock.fileno()] = walk
            self._selector.register(sock, selectors.EVENT_WRITE)

    def _wait(self) -> None:
        now = self._door.now()
        ends = [self._door.deadline, *(walk.driver.deadline for walk in self._walks.values())]
        if self._waiting and self._not_before > now:
            ends.append(self._not_before)
        ready = self._selector.select(max(0.0, min(LONGEST_WAIT, min(ends) - now)))
        for key, _ in ready:
            walk = self._walks[key.fd]
            self._carry(walk, walk.step)
        now = self._door.now()
        for walk in [walk for walk in self._walks.values() if now >= walk.driver.deadline]:
            self._carry(walk, walk.expire)

    def _carry(self, walk: _Walk, step: Callable[[], bool]) -> None:
        channel = walk.connection.channel
        try:
            if not step():
                wanted = _BOTH if walk.driver.writing else selectors.EVENT_READ
                self._selector.modify(channel.sock, wanted)
                return
            session = channel.tls.session if channel.tls else None
            result = Result(walk.driver.result, session=session)
        except SmtpctlError as failure:
            result = Result(failure=failure)
        self._leave(walk)
        if result.failure and self._postponed(walk, result.failure):
            return
        self._succeeded = self._succeeded or result.failure is None
        self._advance(walk.job, result)

    def _leave(self, walk: _Walk) -> None:
        sock = walk.connection.channel.sock
        self._selector.unregister(sock)
        del self._walks[sock.fileno()]
        try:
            walk.connection.channel.flush()  # the farewell, if it goes out at once
        except (OSError, ssl.SSLError):
            pass
        walk.connection.close()

    def _postponed(self, walk: _Walk, failure: SmtpctlError) -> bool:
        """Whether to try again later. Raises the failure where no other errand would fare better."""
        if walk.errand.address:
            return False
        busy = isinstance(failure, Refused) and failure.reply.transient
        busy = busy or (isinstance(failure, Problem) and failure.finding.stage in _BEFORE_TLS)
        self._refused = failure if busy else self._refused
        if busy and walk.attempt < ATTEMPTS:
            self._limit = max(1, self._limit // 2)
            self._not_before = self._door.now() + PAUSE
            self._waiting.append((walk.job, walk.errand, walk.attempt + 1))
            return True
        if not self._succeeded and (busy or isinstance(failure, Refused | Obstacle)):
            raise failure
        return False

    def _advance(self, job: Job, result: Result | None) -> None:
        try:
            errand = next(job) if result is None else job.send(result)
        except StopIteration as stop:
            for further in stop.value or ():
                self._advance(further, None)
            return
        self._waiting.append((job, errand, 1))
