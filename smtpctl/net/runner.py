"""The only loop that does SMTP's I/O: it advances a dialogue, moves octets, keeps time and writes the transcript.

`run` drives one dialogue to its end; `pool` drives many with the same Driver. Time is kept in two ways: each wait has
the time of its stage, whatever trickles in (a peer that drips cannot stretch it), and the whole run has a deadline.
"""

from __future__ import annotations

import select
import ssl
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from smtpctl.model.errors import Problem
from smtpctl.model.reply import Oddity, Reply
from smtpctl.model.secret import MASK
from smtpctl.model.transcript import Kind, Stage
from smtpctl.net import errors
from smtpctl.net.connection import LONGEST_WAIT, Connection
from smtpctl.protocol.replies import NotAReply, ReplyTooLong
from smtpctl.protocol.steps import Dialogue, Note, Receive, Send, SendContent, StartTls

T = TypeVar("T")
# What ends a wait: the network, a hang-up, octets that are no SMTP (NotAReply, ReplyTooLong), or one of these told already.
_BROKEN = (OSError, EOFError, ValueError, Problem)


def run(dialogue: Dialogue[T], connection: Connection) -> T:
    """Drive `dialogue` over `connection` and return its result.

    Problem for what the network or the peer does wrong; Refused and Obstacle come from the dialogue itself.
    """
    driver = Driver(dialogue, connection)
    done = driver.advance()
    while not done:
        seconds = driver.deadline - connection.now()
        if seconds <= 0:
            done = driver.expire()
        elif _ready(connection, driver.writing, min(seconds, LONGEST_WAIT)):
            done = driver.advance()
        else:
            done = driver.idle()
    return driver.result


def _ready(connection: Connection, writing: bool, seconds: float) -> bool:
    """Wait until the socket can be read (or written, if wanted); False when the time is up."""
    sock = connection.channel.sock
    if sys.platform == "win32":
        return any(select.select([sock], [sock] if writing else [], [sock], seconds))
    poll = select.poll()
    poll.register(sock, select.POLLIN | (select.POLLOUT if writing else 0))
    return bool(poll.poll(max(1, seconds * 1000)))


class Driver(Generic[T]):
    """One dialogue on one connection, advanced whenever its socket is ready.

    `advance` is True when it has ended and `result` is there; else wait for the socket (also for writing while
    `writing`), at most until `deadline` on the connection's clock, and call `expire` if nothing came.
    """

    result: T

    def __init__(self, dialogue: Dialogue[T], connection: Connection) -> None:
        self.connection = connection
        self.writing = False
        self.deadline = connection.deadline
        self._dialogue = dialogue
        self._waiting: Receive | StartTls | None = None
        self._started = False
        self._stage: Stage | None = None  # whose time is running, and how long that is
        self._seconds = 0.0
        self._since = 0.0  # when the wait began

    def advance(self) -> bool:
        """Go as far as possible without waiting. Problem, Refused, Obstacle."""
        if not self._started:
            self._started = True
            return self._resume(None)
        waiting = self._waiting
        assert waiting is not None
        try:
            answer = self._answer(waiting)
        except _BROKEN as error:
            return self._throw(errors.translate(error, waiting.stage, self.connection))
        return False if answer is None else self._resume(answer)

    def expire(self) -> bool:
        """The deadline has passed: the dialogue learns it as a Problem, which comes back from here unless it is handled. One
        that waited for what need not come is resumed."""
        assert self._waiting is not None
        if isinstance(self._waiting, Receive) and self._waiting.seconds is not None and self._within():
            return self._resume(None)
        return self._throw(errors.timed_out(self._waiting.stage, self.connection))

    def idle(self) -> bool:
        """Nothing came for a while. Whoever follows the session is told, and may know why nothing will come."""
        log, waiting = self.connection.log, self._waiting
        problem = log.waiting(waiting.stage, self._since) if log and waiting else None
        return self._throw(problem) if problem else False

    def _throw(self, problem: Problem) -> bool:
        errors.record(problem, self.connection)
        self._waiting = None
        try:
            step = self._dialogue.throw(problem)
        except StopIteration as stop:
            self.result = stop.value
            return True
        return self._take(step)

    def _resume(self, answer: Any) -> bool:
        self._waiting = None
        try:
            step = self._dialogue.send(answer)
        except StopIteration as stop:
            self.result = stop.value
            return True
        return self._take(step)

    def _take(self, step: Any) -> bool:
        """Carry out steps until one has to wait (False) or the dialogue ends (True)."""
        connection = self.connection
        resume = self._dialogue.send
        while True:
            answer = None
            kind = type(step)
            if kind is Send:
                connection.outstanding += step.replies
                if connection.log is None:
                    # Under load a look for unsolicited replies would cost a system call a mail: one counts as the next.
                    connection.channel.queue(step.data)
                elif problem := _send(connection, step):
                    return self._throw(problem)
            elif kind is Receive or kind is StartTls:
                self._waiting = step
                try:
                    answer = self._answer(step, fresh=True)
                except _BROKEN as error:
                    return self._throw(errors.translate(error, step.stage, connection))
                if answer is None:
                    self._wait(step.stage)
                    if kind is Receive and step.seconds is not None:
                        self.deadline = min(connection.now() + step.seconds, self.deadline)
                    return False
                self._waiting = None
            elif kind is SendContent:
                connection.outstanding += step.replies
                connection.channel.queue_from(_counted(step, connection))
            elif kind is Note:
                connection.record(Kind.NOTE, step.stage, step.text, step.facts)
            try:
                step = resume(answer)
            except StopIteration as stop:
                self.result = stop.value
                return True

    def _within(self) -> bool:
        """Whether there is time left for the whole run."""
        return self.connection.now() < self.connection.deadline

    def _wait(self, stage: Stage) -> None:
        """From now on the time of `stage` runs."""
        if stage is not self._stage:
            self._stage, self._seconds = stage, self.connection.timeouts.of(stage)
        self._since = self.connection.now()
        self.deadline = min(self._since + self._seconds, self.connection.deadline)

    def _answer(self, step: Receive | StartTls, *, fresh: bool = False) -> Any:
        return self._reply(step, fresh) if isinstance(step, Receive) else self._handshake(step)

    def _reply(self, step: Receive, fresh: bool) -> Any:
        """What the step waits for, or None. The peer's words are recorded here, redacted. A `fresh` wait does not
        look for an answer to what has left only now."""
        connection = self.connection
        channel = connection.channel
        take = connection.reader.take_many if step.many else (step.reader or connection.reader).take
        while True:
            taken: Any = take(channel.inbound) if channel.inbound else None
            if taken is not None:
                connection.outstanding = max(0, connection.outstanding - (len(taken) if step.many else 1))
                if connection.log is None:
                    return taken
                if step.many:
                    return [_recorded(connection, reply, step) for reply in taken]
                return _recorded(connection, taken, step) if isinstance(taken, Reply) else taken
            if channel.eof:
                raise EOFError
            if self.writing:
                # Content is on its way: the time of the stage counts from the last progress (RFC 5321 4.5.3.2.5).
                self._wait(step.stage)
            broken: OSError | None = None
            try:
                self.writing = not channel.flush()
            except OSError as error:
                broken = error  # why may have come already: a server says 552 or 421, then hangs up
            if (fresh and channel.waiting and not broken) or not channel.receive():
                if broken:
                    raise broken
                return None

    def _handshake(self, step: StartTls) -> Any:
        connection = self.connection
        if connection.channel.tls is None:
            if connection.channel.inbound and connection.upgraded:
                raise errors.injected(connection)
            connection.begin_tls()
        try:
            done = connection.channel.handshake()
        except (ssl.SSLError, EOFError, OSError) as error:
            raise errors.tls_failed(error, connection) from error
        return connection.finish_tls() if done else None


def _send(connection: Connection, step: Send) -> Problem | None:
    """Send a line and record it; the Problem where the server has ended the session before."""
    if connection.outstanding == step.replies and step.replies:
        problem = _unsolicited(connection, step.stage)
        if problem:
            return problem
    connection.channel.queue(step.data)
    shown = step.shown if step.shown is not None else step.data.decode("utf-8", "backslashreplace").rstrip("\r\n")
    connection.record(Kind.SENT, step.stage, shown)
    return None


def _counted(step: SendContent, connection: Connection) -> Iterator[bytes]:
    size = 0
    for chunk in step.chunks:
        size += len(chunk)
        yield chunk
    connection.record(Kind.SENT, step.stage, f"<{size} octets of content>", {"octets": size})


def _recorded(connection: Connection, reply: Reply, step: Receive) -> Reply:
    """The reply as it may be shown: whatever a server echoes goes no further. One event a line.

    SASL challenges (334) are masked whole in the transcript and given on as they are: the mechanism needs them. So are
    replies to EHLO, which come before any secret is said and whose words decide what is done.
    """
    challenge = step.secret and reply.code == 334
    if not challenge and step.stage is not Stage.EHLO:
        reply = reply._replace(lines=tuple(connection.clean(line) for line in reply.lines))
    lines: Iterable[str] = reply.wire_lines()
    if challenge:
        lines = (f"334 {MASK}",) if reply.text else ("334",)
    for number, line in enumerate(lines):
        connection.record(Kind.RECEIVED, step.stage, line)
        for oddity, seen in zip(reply.oddities, reply.odd_lines, strict=True):
            if seen == number:
                connection.record(Kind.NOTE, step.stage, f"unusual reply: {oddity.value}", {"oddity": oddity.value})
    if reply.code == 421:
        connection.closing = reply, step.stage
    return reply


def _unsolicited(connection: Connection, stage: Stage) -> Problem | None:
    """Replies that came although nothing was asked; a 421 or a hang-up among them ends the session (RFC 5321 3.8)."""
    channel = connection.channel
    try:
        channel.receive()
        while (reply := connection.reader.take(channel.inbound)) is not None:
            reply = reply._replace(lines=tuple(connection.clean(line) for line in reply.lines))
            for line in reply.wire_lines():
                connection.record(Kind.RECEIVED, stage, line)
            connection.record(
                Kind.NOTE,
                stage,
                "the server sent a reply that nobody had asked for",
                {"oddity": Oddity.UNSOLICITED.value},
            )
            if reply.code == 421:
                return errors.early_421(reply, stage, connection)
    except (OSError, EOFError, NotAReply, ReplyTooLong) as error:
        return errors.translate(error, stage, connection)
    return errors.translate(EOFError(), stage, connection) if channel.eof else None
