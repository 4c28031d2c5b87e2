"""What a scanner says on one connection: SMTP up to TLS, then one question.

    answer = yield from ask(hello, entrance)
    fate = yield from inject(entrance)
    made = yield from shake_hands(entrance)

A refusal on the way (Refused, Obstacle) and a broken connection before the question (Problem) end the dialogue; after the
question, whatever the server does is the answer.
"""

from __future__ import annotations

from enum import StrEnum

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Stage
from smtpctl.protocol.commands import command
from smtpctl.protocol.dialogue import exchange, greet, hello
from smtpctl.protocol.steps import Dialogue, Receive, Send, StartTls
from smtpctl.protocol.tls.answer import Answer, AnswerReader, Ending
from smtpctl.protocol.tls.hello import ClientHello, farewell
from smtpctl.protocol.tls.ssl2 import SSL2, Ssl2Hello, Ssl2Reader

_SILENCE = ("smtp.reply_timeout", "tls.handshake_timeout", "conn.total_timeout")


class Entrance:
    """How TLS begins at a server: `mode` IMPLICIT or STARTTLS, `helo` the name we give, `lmtp` for LHLO.

    A session that carries no mail needs no EHLO (RFC 5321 4.1.4), and many servers take STARTTLS without it, which is a
    round trip less. `brief` says whether this one does; None before the first session has tried it, for all others.
    """

    def __init__(self, mode: TlsMode, helo: str, lmtp: bool = False) -> None:
        self.mode, self.helo, self.lmtp = mode, helo, lmtp
        self.brief: bool | None = None


class Injection(StrEnum):
    """What became of a command that was sent in clear behind STARTTLS."""

    REFUSED = "refused"  # STARTTLS was, because of it
    IGNORED = "ignored"  # as it should be
    ANSWERED_IN_CLEAR = "answered_in_clear"  # before the handshake: wrong, but nothing is mixed up
    CARRIED_OUT = "carried_out"  # inside TLS, as if it had come through it
    NOT_TOLD = "not_told"  # the server ended the session on its own account


class Handshake(NamedTuple):
    """A whole handshake without a client certificate. `refusal` is the reply of a server that goes no further without
    one, and says so only inside TLS."""

    session: TlsSession
    refusal: str = ""


class Injected(NamedTuple):
    """What `inject` found, and the handshake that it made on the way, if it got that far."""

    fate: Injection
    handshake: Handshake | None = None


def ask(question: ClientHello | Ssl2Hello, entrance: Entrance) -> Dialogue[Answer]:
    """What the server answers to one hello; then TLS's farewell, so that its log says who left."""
    yield from _enter(entrance)
    reader = Ssl2Reader() if question.version == SSL2 else AnswerReader()
    yield Send(question.record(), Stage.TLS, shown="<ClientHello>", replies=0)
    try:
        answer: Answer = yield Receive(Stage.TLS, reader)
    except Problem as problem:
        silent = problem.finding.id in _SILENCE
        return reader.so_far(Ending.SILENT if silent else Ending.CLOSED)
    if answer.ending is Ending.NOT_TLS:
        _too_busy(answer.octets)
    if answer.ending is Ending.HELLO and answer.version != SSL2:
        yield Send(farewell(question.version), Stage.TLS, shown="<close_notify>", replies=0)
    return answer


def _too_busy(octets: bytes) -> None:
    """A server with too many connections says so in clear, also where TLS is due: no answer to the hello. Refused."""
    line = octets.split(b"\r\n")[0].decode("ascii", "backslashreplace")
    if line.startswith("4") and line[:3].isdigit():
        raise Refused(Stage.GREETING, "greeting", Reply(int(line[:3]), (line[4:],)))


def shake_hands(entrance: Entrance) -> Dialogue[Handshake]:
    """A whole handshake, EHLO and QUIT. The replies bring the tickets of TLS 1.3 along, and what becomes of a client without
    a certificate: with TLS 1.3 that shows only after the handshake."""
    yield from _enter(entrance)
    session: TlsSession = yield StartTls()
    refusal = yield from _look_around(entrance)
    if not refusal:
        yield from exchange(command(Stage.QUIT, "QUIT"))
    return Handshake(session, refusal)


def inject(entrance: Entrance) -> Dialogue[Injected]:
    """NOOP in clear in one packet with STARTTLS (CVE-2011-0411): is it carried out inside TLS?

    A server must forget what came before the handshake (RFC 3207 4.2). Otherwise every answer inside TLS comes one command
    too late, and QUIT gets that to EHLO.
    """
    yield from greet()
    yield from hello(entrance.helo, lmtp=entrance.lmtp)
    yield Send(b"STARTTLS\r\nNOOP\r\n", Stage.STARTTLS)
    reply: Reply = yield Receive(Stage.STARTTLS)
    if reply.code != 220:
        return Injected(Injection.REFUSED)
    try:
        session: TlsSession = yield StartTls()
    except Problem as problem:
        if problem.finding.id == "starttls.response_injection":
            return Injected(Injection.ANSWERED_IN_CLEAR)
        raise
    refusal = yield from _look_around(entrance)
    if refusal:  # in place of any answer
        return Injected(Injection.NOT_TOLD, Handshake(session, refusal))
    last = yield from exchange(command(Stage.QUIT, "QUIT"))
    if last.code == 421:  # of its own accord (RFC 5321 3.8)
        return Injected(Injection.NOT_TOLD, Handshake(session))
    return Injected(Injection.IGNORED if last.code == 221 else Injection.CARRIED_OUT, Handshake(session))


def _look_around(entrance: Entrance) -> Dialogue[str]:
    """EHLO inside TLS; the reply of a server that goes no further without a client certificate, else nothing. Refused."""
    try:
        if entrance.mode is TlsMode.IMPLICIT:
            yield from greet()
        yield from hello(entrance.helo, lmtp=entrance.lmtp)
    except (Refused, Problem) as error:
        if error.reply and "certificate" in error.reply.text.lower():
            return str(error.reply)
        raise
    return ""


def _enter(entrance: Entrance) -> Dialogue[None]:
    """Up to the point where a ClientHello may come. Refused; Obstacle `starttls.not_offered`."""
    if entrance.mode is TlsMode.IMPLICIT:
        return
    yield from greet()
    if entrance.brief is not False:
        entrance.brief = entrance.brief or False  # until the first one is answered, the others say EHLO
        reply = yield from exchange(command(Stage.STARTTLS, "STARTTLS"))
        entrance.brief = reply.code == 220
        if entrance.brief:
            return
        if reply.code == 421:
            raise Refused(Stage.STARTTLS, "STARTTLS", reply)
    capabilities = yield from hello(entrance.helo, lmtp=entrance.lmtp)
    if not capabilities.has("STARTTLS"):
        raise Obstacle(Stage.STARTTLS, "starttls.not_offered", {"lines": capabilities.lines})
    reply = yield from exchange(command(Stage.STARTTLS, "STARTTLS"))
    if reply.code != 220:
        raise Refused(Stage.STARTTLS, "STARTTLS", reply)
