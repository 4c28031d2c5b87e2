"""The client's side of SMTP, one generator for each part of a session; they read top to bottom like the RFC.

    session = yield from log_in(login)              # greeting, EHLO, STARTTLS, EHLO, AUTH
    result = yield from submit(session.capabilities, envelope, chunks)
    yield from leave()

Replies are values. A dialogue ends early by raising Refused (a reply that it cannot go on from) or Obstacle
(a reason with a finding id). Pipelining (RFC 2920): EHLO, STARTTLS and AUTH end a group, MAIL to DATA or BDAT is one.
"""

from __future__ import annotations

import re

from smtpctl.model.endpoint import AuthPolicy, Credentials, TlsMode
from smtpctl.model.errors import Obstacle, Refused
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Stage
from smtpctl.protocol import ehlo
from smtpctl.protocol.auth import Authenticated, authenticate
from smtpctl.protocol.commands import command
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue, Note, Receive, Send, StartTls

_NEWS = (200, 201)  # RFC 3977 5.1.1
_FTP = re.compile(r"\bFTP\b|FTPd\b|FileZilla", re.IGNORECASE)  # its greeting is a 220 too (RFC 959 5.4)


class Login(NamedTuple):
    """What `log_in` needs: the part of a profile that a dialogue works from.

    `helo` is the name we give; `loopback` that the server is this machine, where clear text reaches nobody else;
    `client_certificate` that the TLS handshake presents one (EXTERNAL).
    """

    helo: str
    mode: TlsMode = TlsMode.AUTO
    auth: AuthPolicy = AuthPolicy()
    credentials: Credentials = Credentials()
    host: str = ""
    port: int = 0
    lmtp: bool = False
    loopback: bool = False
    client_certificate: bool = False


class Session(NamedTuple):
    """A session that is ready for mail. `before_tls` are the capabilities offered in clear, None without STARTTLS."""

    greeting: Reply
    capabilities: Capabilities
    before_tls: Capabilities | None = None
    tls: TlsSession | None = None
    authenticated: Authenticated | None = None


def exchange(line: Send) -> Dialogue[Reply]:
    """Send one command, wait for its reply."""
    yield line
    reply: Reply = yield Receive(line.stage)
    return reply


def greet() -> Dialogue[Reply]:
    """The greeting (RFC 5321 3.1). Refused unless it is 220; Obstacle `conn.not_smtp` for another protocol's."""
    reply: Reply = yield Receive(Stage.GREETING)
    protocol = "NNTP" if reply.code in _NEWS else "FTP" if _FTP.search(reply.text) else ""
    if protocol and "SMTP" not in reply.text.upper():
        raise Obstacle(Stage.GREETING, "conn.not_smtp", {"protocol": protocol, "lines": reply.wire_lines()})
    if reply.code != 220:
        raise Refused(Stage.GREETING, "greeting", reply)
    return reply


def hello(name: str, *, lmtp: bool = False) -> Dialogue[Capabilities]:
    """EHLO, and HELO where EHLO is refused for good (RFC 5321 3.2), which a note reports. Refused if neither is taken."""
    verb = "LHLO" if lmtp else "EHLO"
    reply = yield from exchange(command(Stage.EHLO, f"{verb} {name}"))
    if reply.positive:
        return ehlo.parse(reply)
    if lmtp or not reply.permanent or reply.code == 554:
        raise Refused(Stage.EHLO, verb, reply)
    yield Note("EHLO was refused, trying HELO", Stage.EHLO, {"observed": "helo_fallback", "reply": str(reply)})
    fallback = yield from exchange(command(Stage.EHLO, f"HELO {name}"))
    if not fallback.positive:
        raise Refused(Stage.EHLO, "EHLO", reply)
    return ehlo.parse(fallback, extended=False)


def start_tls(capabilities: Capabilities) -> Dialogue[TlsSession]:
    """STARTTLS and the handshake (RFC 3207 4). Obstacle `starttls.not_offered`; Refused unless the reply is 220."""
    if not capabilities.has("STARTTLS"):
        raise Obstacle(Stage.STARTTLS, "starttls.not_offered", {"lines": capabilities.lines})
    reply = yield from exchange(command(Stage.STARTTLS, "STARTTLS"))
    if reply.code != 220:
        raise Refused(Stage.STARTTLS, "STARTTLS", reply)
    session: TlsSession = yield StartTls()
    return session


def log_in(login: Login) -> Dialogue[Session]:
    """Everything up to a session that takes mail. Refused, Obstacle."""
    tls: TlsSession | None = None
    before: Capabilities | None = None
    if login.mode is TlsMode.IMPLICIT:
        tls = yield StartTls()
    greeting = yield from greet()
    capabilities = yield from hello(login.helo, lmtp=login.lmtp)
    if login.mode is TlsMode.STARTTLS or (login.mode is TlsMode.AUTO and capabilities.has("STARTTLS")):
        tls = yield from start_tls(capabilities)
        before = capabilities  # what was said in clear is forgotten and asked again (RFC 3207 4.2)
        capabilities = yield from hello(login.helo, lmtp=login.lmtp)
    authenticated = yield from authenticate(login, capabilities, tls)
    return Session(greeting, capabilities, before, tls, authenticated)
