"""Plain HTTP to places that a server's certificate names, such as its issuer's own certificate (RFC 5280 4.2.2.1).

Whoever answered wrote these addresses, so they lead nowhere else: `http` alone, no redirect, no address that
`net.destinations` refuses, a limit of size and one of time for the whole. What comes is a signed object or of no use, so
that it needs no TLS.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, urlsplit

from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net.connect import connect, resolve
from smtpctl.net.connection import Log
from smtpctl.net.destinations import refused
from smtpctl.net.within import within

SECONDS = 10.0  # for one request
LIMIT = 64 * 1024  # octets of an answer
_IN_CLEAR = TlsPolicy(mode=TlsMode.NONE)


class Errand(NamedTuple):
    """On whose behalf others are asked: `server` is the address of the server whose certificate names them, empty where it
    is not known. `route` leads to them, `until` when (`time.monotonic`); `wait` is told each second for how long."""

    server: str
    route: Route = Route()
    until: float = math.inf
    wait: Callable[[float], None] | None = None


class NotFetched(OSError):
    """Nothing that could be used; its words say why."""


def fetch(
    url: str,
    errand: Errand,
    *,
    seconds: float = SECONDS,
    limit: int = LIMIT,
    form: tuple[str, bytes] | None = None,
) -> bytes:
    """What is at `url`, or what is answered to a `form` (content type and octets). NotFetched."""
    parts = _parts(url)
    endpoint = Endpoint(parts.hostname or "", parts.port or 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    left = errand.until - time.monotonic()
    if left <= 0:
        raise NotFetched("the time for the whole run is over")
    each = min(seconds, left)
    try:
        return within(each, lambda: _answer(_socket(endpoint, errand, each), endpoint, path, limit, form), errand.wait)
    except Problem as problem:
        raise NotFetched(problem.finding.title) from problem
    except TimeoutError as error:
        more = ", and the time for the whole run is over" if left < seconds else ""
        raise NotFetched(f"no answer within {each:.3g} s{more}") from error
    except NotFetched:
        raise
    except (OSError, ValueError) as error:
        raise NotFetched(getattr(error, "strerror", None) or str(error)) from error


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)  # it takes some characters away without a word, so the whole text is judged too
        faults = {
            "is not an http: one": parts.scheme != "http",
            "holds a blank": any(character.isspace() for character in url),
            "holds a character that may not stand in one": not (url.isascii() and url.isprintable()),
            "holds a user name": parts.username is not None,
            "names no host": not parts.hostname,
            "names port 0": parts.port == 0,
        }
    except ValueError as error:  # brackets, a port that is none
        raise NotFetched("its address is malformed") from error
    for fault, is_so in faults.items():
        if is_so:
            raise NotFetched(f"its address {fault}")
    return parts


def _socket(endpoint: Endpoint, errand: Errand, seconds: float) -> socket.socket:
    """A connection to an address that may be asked. With a proxy the name is looked up there. Problem, NotFetched."""
    timeouts = Timeouts(total=seconds, stages=dict.fromkeys(Stage, seconds))
    log = Log(Transcript())
    last: Problem | None = None
    for one in _places(endpoint, errand, timeouts, log):
        try:
            sock = connect(one, errand.route, _IN_CLEAR, timeouts, log).channel.sock
        except Problem as problem:
            last = problem
            continue
        sock.settimeout(seconds)
        return sock
    raise last or NotFetched("it has no address")


def _places(endpoint: Endpoint, errand: Errand, timeouts: Timeouts, log: Log) -> Iterator[Endpoint]:
    if errand.route.proxy:
        found = [endpoint.host]
    else:
        found = [str(address.sockaddr[0]) for address in resolve(endpoint, errand.route, timeouts, log)]
    reasons = {address: refused(address, errand.server) for address in found}
    allowed = [address for address, reason in reasons.items() if not reason]
    if found and not allowed:
        raise NotFetched(reasons[found[0]])
    return (endpoint._replace(host=address) for address in allowed)


def _answer(sock: socket.socket, endpoint: Endpoint, path: str, limit: int, form: tuple[str, bytes] | None) -> bytes:
    from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected

    connection = HTTPConnection(endpoint.host, endpoint.port)
    connection.sock = sock
    try:
        headers = {"User-Agent": "smtpctl", "Accept": "*/*", "Connection": "close"}
        if form:
            connection.request("POST", path, form[1], {**headers, "Content-Type": form[0]})
        else:
            connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            if response.status != 200:
                elsewhere = ", and redirects are not followed" if 300 <= response.status < 400 else ""
                raise NotFetched(f"{endpoint.host} answered with status {response.status}{elsewhere}")
            octets = response.read(limit + 1)
    except RemoteDisconnected as error:
        raise NotFetched(f"{endpoint.host} closed the connection without an answer") from error
    except IncompleteRead as error:
        raise NotFetched(f"the answer of {endpoint.host} breaks off") from error
    except HTTPException as error:
        raise NotFetched(f"the answer of {endpoint.host} is no HTTP") from error
    finally:
        connection.close()
    if len(octets) > limit:
        raise NotFetched(f"it is larger than {limit // 1024} kB")
    return octets
