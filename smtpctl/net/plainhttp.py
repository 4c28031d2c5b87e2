"""Plain HTTP to places that a server's certificate names, such as its issuer's own certificate (RFC 5280 4.2.2.1).

Whoever answered wrote these addresses, so they lead nowhere else: `http` alone, no redirect, no address that
`net.destinations` refuses, a limit of size and one of time for the whole. What comes is a signed object or of no use, so
that it needs no TLS.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net.connect import connect, resolve
from smtpctl.net.connection import Log
from smtpctl.net.destinations import refused
from smtpctl.net.within import within

SECONDS = 10.0  # for one request
LIMIT = 64 * 1024  # octets of an answer
_IN_CLEAR = TlsPolicy(mode=TlsMode.NONE)


class NotFetched(OSError):
    """Nothing that could be used; its words say why."""


def fetch(
    url: str,
    route: Route,
    server: str,
    *,
    seconds: float = SECONDS,
    limit: int = LIMIT,
    form: tuple[str, bytes] | None = None,
) -> bytes:
    """What is at `url`, or what is answered to a `form` (content type and octets); `server` is the address of the server
    whose certificate names it, empty where it is not known. NotFetched."""
    parts = _parts(url)
    endpoint = Endpoint(parts.hostname or "", parts.port or 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        return within(seconds, lambda: _answer(_socket(endpoint, route, server, seconds), endpoint, path, limit, form))
    except Problem as problem:
        raise NotFetched(problem.finding.title) from problem
    except TimeoutError as error:
        raise NotFetched(f"no answer within {seconds:g} s") from error
    except NotFetched:
        raise
    except (OSError, ValueError) as error:
        raise NotFetched(getattr(error, "strerror", None) or str(error)) from error


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and url.isascii() and url.isprintable() and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.username is not None:
        raise NotFetched("its address is none")
    if parts.scheme != "http":
        raise NotFetched(f"its address begins with {parts.scheme}:, only http: is asked")
    return parts


def _socket(endpoint: Endpoint, route: Route, server: str, seconds: float) -> socket.socket:
    """A connection to an address that may be asked. With a proxy the name is looked up there. Problem, NotFetched."""
    timeouts = Timeouts(total=seconds, stages=dict.fromkeys(Stage, seconds))
    log = Log(Transcript())
    last: Problem | None = None
    for one in _places(endpoint, route, server, timeouts, log):
        try:
            sock = connect(one, route, _IN_CLEAR, timeouts, log).channel.sock
        except Problem as problem:
            last = problem
            continue
        sock.settimeout(seconds)
        return sock
    raise last or NotFetched("it has no address")


def _places(endpoint: Endpoint, route: Route, server: str, timeouts: Timeouts, log: Log) -> Iterator[Endpoint]:
    if route.proxy:
        found = [endpoint.host]
    else:
        found = [str(address.sockaddr[0]) for address in resolve(endpoint, route, timeouts, log)]
    reasons = {address: refused(address, server) for address in found}
    allowed = [address for address, reason in reasons.items() if not reason]
    if found and not allowed:
        raise NotFetched(reasons[found[0]])
    return (endpoint._replace(host=address) for address in allowed)


def _answer(sock: socket.socket, endpoint: Endpoint, path: str, limit: int, form: tuple[str, bytes] | None) -> bytes:
    from http.client import HTTPConnection, HTTPException

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
    except HTTPException as error:
        raise NotFetched(f"{endpoint.host} did not answer as a web server: {type(error).__name__}") from error
    finally:
        connection.close()
    if len(octets) > limit:
        raise NotFetched(f"it is larger than {limit // 1024} kB")
    return octets
