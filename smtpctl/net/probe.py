"""Small questions to a port or a resolver, asked after something went wrong; none takes longer than it is given."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.finding import Evidence
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net.connect import connect
from smtpctl.net.connection import Log
from smtpctl.net.runner import run
from smtpctl.protocol import dialogue
from smtpctl.protocol.commands import command
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue, Send, StartTls, T
from smtpctl.protocol.submit import leave

SECONDS = 5.0
_IN_CLEAR = TlsPolicy(mode=TlsMode.NONE)
INSIDE = 2.0  # seconds for a first word inside TLS, which only tells what the port is for
_REQUEST = "HEAD / HTTP/1.0"  # wants no content, and is none of Postfix's smtpd_forbidden_commands (GET, POST, CONNECT)
RESOLVERS = Path("/etc/resolv.conf")
RESOLVERS_LIMIT = 3  # resolv.conf(5): more are not asked
# A query for the root's name servers (RFC 1035 4.1): every resolver that works has an answer.
_QUERY = b"\x53\x4d\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x00" + b"\x00\x02\x00\x01"


class Answer(NamedTuple):
    """What became of a TLS hello: whether it was answered with TLS, the SMTP greeting inside, and what came in its place."""

    tls: bool
    greeting: str = ""
    ended: Problem | Obstacle | None = None


class Heard(NamedTuple):
    """What a server says in clear: its answer to EHLO, and to a STARTTLS that was sent whether offered or not."""

    offered: Capabilities
    starttls: Reply


def answer_to_tls(endpoint: Endpoint, route: Route, limit: float = SECONDS) -> Answer | None:
    """What comes back when the port is sent a TLS hello from the first octet; any certificate and any alert counts as TLS.
    None where there was no connection. `limit` seconds at most."""
    policy = TlsPolicy(mode=TlsMode.IMPLICIT, verify=False)
    try:
        connection = connect(endpoint, route, policy, _timeouts(limit, INSIDE), _unheard())
    except Problem:
        return None
    with connection:
        try:
            return Answer(True, str(run(_greeted_inside(), connection)))
        except Refused as refused:
            return Answer(True, str(refused.reply))
        except (Problem, Obstacle) as ended:
            return Answer(connection.tls is not None or _alerted(ended), ended=ended)


def answer_to_http(endpoint: Endpoint, route: Route, limit: float = SECONDS, *, inside: bool = False) -> Problem | None:
    """`conn.not_smtp` where the port answers a request of HTTP as such a server does, `inside` TLS or in clear; None where it
    does not. `limit` seconds at most."""
    policy = TlsPolicy(mode=TlsMode.IMPLICIT, verify=False) if inside else _IN_CLEAR
    try:
        _ask(_http(inside), endpoint, route, limit, policy)
    except Problem as problem:
        finding = problem.finding
        if finding.evidence and finding.evidence[0].text.startswith("HTTP/"):  # others answer what they were not asked
            problem.finding = finding._replace(evidence=(Evidence(_REQUEST, "C:"), *finding.evidence))
            return problem
    except (Refused, Obstacle):
        pass
    return None


def hear(endpoint: Endpoint, route: Route, helo: str, limit: float = SECONDS) -> Heard | None:
    """What the server says in clear to EHLO and STARTTLS; None where it says nothing useful."""
    try:
        return _ask(_hear(helo), endpoint, route, limit)
    except (Problem, Refused, Obstacle):
        return None


def answering(endpoint: Endpoint, route: Route, ports: Iterable[int], limit: float = SECONDS) -> dict[int, str]:
    """Which of these ports of the host answer, and how: `connected` or `refused`; `limit` seconds for all of them."""
    found = {}
    asked = tuple(ports)
    for port in asked:
        try:
            with connect(endpoint._replace(port=port), route, _IN_CLEAR, _timeouts(limit / len(asked)), _unheard()):
                found[port] = "connected"
        except Problem as problem:
            if problem.finding.id == "conn.refused":
                found[port] = "refused"
    return found


def resolvers(path: Path = RESOLVERS) -> tuple[str, ...]:
    """The addresses of this machine's resolvers as resolv.conf(5) has them; none where there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    return tuple(line[1] for line in words if len(line) > 1 and line[0] == "nameserver")[:RESOLVERS_LIMIT]


def resolver_silence(address: str, limit: float = SECONDS, port: int = 53) -> str:
    """Why a resolver gives no answer, in the system's words; empty where it gives one, whatever it says."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(limit)
            sock.connect((address, port))
            sock.send(_QUERY)
            sock.recv(512)
    except TimeoutError:
        return f"no answer within {limit:g} s"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _ask(asked: Dialogue[T], endpoint: Endpoint, route: Route, limit: float, policy: TlsPolicy = _IN_CLEAR) -> T:
    """The result of a dialogue over a connection of its own. Problem, Refused, Obstacle."""
    with connect(endpoint, route, policy, _timeouts(limit), _unheard()) as connection:
        return run(asked, connection)


def _timeouts(limit: float, greeting: float = SECONDS) -> Timeouts:
    seconds = min(limit, SECONDS)
    return Timeouts(total=seconds, stages=dict.fromkeys(Stage, seconds) | {Stage.GREETING: min(seconds, greeting)})


def _unheard() -> Log:
    return Log(Transcript())


def _alerted(ended: Problem | Obstacle) -> bool:
    """An alert is TLS too: the server wanted another version, cipher or a client certificate."""
    cause = ended.__cause__
    return isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or "")


def _greeted_inside() -> Dialogue[Reply]:
    yield StartTls()
    greeting = yield from dialogue.greet()
    yield from leave()
    return greeting


def _http(inside: bool) -> Dialogue[Reply]:
    if inside:
        yield StartTls()
    return (yield from dialogue.exchange(Send(f"{_REQUEST}\r\n\r\n".encode(), Stage.GREETING)))


def _hear(helo: str) -> Dialogue[Heard]:
    yield from dialogue.greet()
    offered = yield from dialogue.hello(helo)
    reply = yield from dialogue.exchange(command(Stage.STARTTLS, "STARTTLS"))
    if reply.code != 220:  # else it waits for a handshake, and there is nothing more to say
        yield from leave()
    return Heard(offered, reply)
