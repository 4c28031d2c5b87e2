"""From an endpoint to a connected channel: look the name up, try its addresses, tell what each one did.

Addresses are tried by Happy Eyeballs (RFC 8305): families alternate, a further attempt starts a quarter of a second
after the one before, the first to connect wins. Every attempt is recorded.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections.abc import Iterable, Sequence
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Kind, Stage
from smtpctl.net.channel import Channel
from smtpctl.net.connection import LONGEST_WAIT, Connection, Log
from smtpctl.net.errors import os_problem, socket_problem

STAGGER = 0.25  # RFC 8305 5, the recommended Connection Attempt Delay
UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # of a connection that is made without waiting for it
_FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
_LOOKUP = {
    socket.EAI_NONAME: "conn.dns_nxdomain",
    socket.EAI_AGAIN: "conn.dns_temporary",
    socket.EAI_FAIL: "conn.dns_temporary",
    getattr(socket, "EAI_NODATA", -5): "conn.no_address",
    getattr(socket, "EAI_ADDRFAMILY", -9): "conn.no_address",
}


class Address(NamedTuple):
    """One address of a host as getaddrinfo gives it."""

    family: int
    sockaddr: tuple[object, ...]

    def __str__(self) -> str:
        host, port = self.sockaddr[:2]
        return f"[{host}]:{port}" if self.family == socket.AF_INET6 else f"{host}:{port}"


def connect(
    endpoint: Endpoint, route: Route, policy: TlsPolicy, timeouts: Timeouts, log: Log, *, deadline: float | None = None
) -> Connection:
    """A connection on which nothing has been said yet. Problem of the family `conn`."""
    deadline = log.clock() + timeouts.total if deadline is None else deadline
    if endpoint.path:
        sock = _unix(endpoint, min(timeouts.of(Stage.CONNECT), deadline - log.clock()), log)
        return Connection(Channel(sock), endpoint, policy, timeouts, log, deadline=deadline)
    if route.proxy:
        from smtpctl.net.proxy import through

        channel = through(endpoint, route, min(timeouts.of(Stage.CONNECT), deadline - log.clock()), log)
        return Connection(channel, endpoint, policy, timeouts, log, deadline=deadline)
    addresses = resolve(endpoint, route, timeouts, log)
    sock = _race(endpoint, route, addresses, min(log.clock() + timeouts.of(Stage.CONNECT), deadline), log)
    return Connection(Channel(sock), endpoint, policy, timeouts, log, deadline=deadline)


def resolve(endpoint: Endpoint, route: Route, timeouts: Timeouts, log: Log) -> list[Address]:
    """The addresses of the host in the order to try them, families alternating. Problem at stage `dns`."""
    values: dict[str, Any] = {"host": endpoint.host, "port": endpoint.port, "target": str(endpoint)}
    began = log.clock()
    try:
        found = _lookup(endpoint, _FAMILIES[route.family], began + timeouts.of(Stage.DNS), log)
    except socket.gaierror as error:
        name = _LOOKUP.get(error.errno or 0, "conn.dns_temporary")
        log.add(Kind.ATTEMPT, Stage.DNS, f"{endpoint.host}: {error.strerror}", {"error": error.strerror})
        raise entry(name).problem(evidence=[f"{endpoint.host}: {error.strerror}"], **values) from error
    except TimeoutError as error:
        seconds = f"{timeouts.of(Stage.DNS):g}"
        log.add(Kind.ATTEMPT, Stage.DNS, f"{endpoint.host}: no answer in {seconds} s", {"error": "timeout"})
        raise entry("conn.dns_temporary").problem(evidence=[f"no answer in {seconds} s"], **values) from error
    addresses = _alternate(list(dict.fromkeys(Address(item[0], item[4]) for item in found)))
    names = [str(address.sockaddr[0]) for address in addresses]
    ms = round((log.clock() - began) * 1000, 1)
    log.add(Kind.ATTEMPT, Stage.DNS, f"{endpoint.host}: {' '.join(names)}", {"addresses": names, "ms": ms})
    return addresses


def _lookup(
    endpoint: Endpoint, family: int, deadline: float, log: Log
) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    """getaddrinfo with a time limit. It cannot be interrupted, so a slow one is left behind in a daemon thread."""
    host, port = endpoint.host, endpoint.port
    if _is_address(host):
        return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST))
    import threading

    box: list[object] = []

    def look() -> None:
        try:
            # As octets: the host has A-labels already, and Python's own IDNA codec takes 3 ms to load.
            box.append(socket.getaddrinfo(host.encode(), port, family, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            box.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    began = log.clock()
    while thread.is_alive() and (left := deadline - log.clock()) > 0:
        thread.join(min(left, LONGEST_WAIT))
        if thread.is_alive():
            log.waiting(Stage.DNS, began)
    if not box:
        raise TimeoutError
    if isinstance(box[0], UnicodeError):  # an empty or over-long label, which no name server would be asked for
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if isinstance(box[0], Exception):
        raise box[0]
    assert isinstance(box[0], list)
    return box[0]


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False


def _alternate(addresses: Sequence[Address]) -> list[Address]:
    """RFC 8305 4: the family that getaddrinfo put first begins, then they take turns."""
    if not addresses:
        return []
    first = [a for a in addresses if a.family == addresses[0].family]
    other = [a for a in addresses if a.family != addresses[0].family]
    mixed: list[Address] = []
    while first or other:
        mixed += first[:1] + other[:1]
        first, other = first[1:], other[1:]
    return mixed


class _Attempt(NamedTuple):
    sock: socket.socket
    address: Address
    began: float


def _race(endpoint: Endpoint, route: Route, addresses: list[Address], deadline: float, log: Log) -> socket.socket:
    """The first socket that connects. Problem with the last failure when none does."""
    waiting = list(addresses)
    failures: list[tuple[Address, OSError]] = []
    running: dict[int, _Attempt] = {}
    next_start = 0.0
    began = told = log.clock()
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                now = log.clock()
                if now >= deadline:
                    break
                if waiting and (now >= next_start or not running):
                    address = waiting.pop(0)
                    error = _start(address, route, selector, running, now)
                    if error:
                        _failed(address, error, now, log, failures)
                    else:
                        next_start = now + STAGGER
                    continue
                pause = min(deadline, next_start if waiting else deadline) - now
                ready = selector.select(max(min(pause, LONGEST_WAIT), 0.001))
                if not ready and log.clock() - told >= LONGEST_WAIT:
                    told = log.clock()
                    log.waiting(Stage.CONNECT, began)
                for key, _ in ready:
                    attempt = running.pop(key.fd)
                    selector.unregister(attempt.sock)
                    code = attempt.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        return _connected(attempt, log, running.values())
                    attempt.sock.close()
                    _failed(attempt.address, OSError(code, os.strerror(code)), attempt.began, log, failures)
                    next_start = 0.0
            for attempt in running.values():
                _failed(attempt.address, TimeoutError(errno.ETIMEDOUT, "no answer"), attempt.began, log, failures)
        finally:
            for attempt in running.values():
                attempt.sock.close()
    raise _none_connected(endpoint, failures)


def _start(
    address: Address, route: Route, selector: selectors.BaseSelector, running: dict[int, _Attempt], now: float
) -> OSError | None:
    """Begin one attempt; the error if it failed at once."""
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if route.source:
            sock.bind((route.source, 0))
        code = sock.connect_ex(address.sockaddr)
        if code not in UNDER_WAY:
            raise OSError(code, os.strerror(code))
    except OSError as error:
        sock.close()
        return error
    selector.register(sock, selectors.EVENT_WRITE)
    running[sock.fileno()] = _Attempt(sock, address, now)
    return None


def _connected(attempt: _Attempt, log: Log, others: Iterable[_Attempt]) -> socket.socket:
    for slower in others:
        if slower.began < attempt.began:
            waited = round((log.clock() - slower.began) * 1000, 1)
            facts = {"address": str(slower.address.sockaddr[0]), "overtaken": True, "ms": waited}
            log.add(Kind.ATTEMPT, Stage.CONNECT, f"{slower.address}: no answer in {waited:.0f} ms", facts)
    ms = round((log.clock() - attempt.began) * 1000, 1)
    local = attempt.sock.getsockname()[0]
    facts = {"address": str(attempt.address.sockaddr[0]), "port": attempt.address.sockaddr[1], "ms": ms, "local": local}
    log.add(Kind.ATTEMPT, Stage.CONNECT, f"connected to {attempt.address}", facts)
    return attempt.sock


def _failed(address: Address, error: OSError, began: float, log: Log, failures: list[tuple[Address, OSError]]) -> None:
    failures.append((address, error))
    words = error.strerror or str(error)
    ms = round((log.clock() - began) * 1000, 1)
    facts = {"address": str(address.sockaddr[0]), "error": words, "errno": error.errno, "ms": ms}
    log.add(Kind.ATTEMPT, Stage.CONNECT, f"{address}: {words}", facts)


def _none_connected(endpoint: Endpoint, failures: list[tuple[Address, OSError]]) -> Problem:
    """The problem of the first address, with what all of them said as evidence."""
    first, error = failures[0] if failures else (None, TimeoutError(errno.ETIMEDOUT, "no answer"))
    values = {
        "host": endpoint.host,
        "port": endpoint.port,
        "target": str(endpoint),
        "address": str(first.sockaddr[0]) if first else endpoint.host,
    }
    lines = [f"{address}: {failure.strerror or failure}" for address, failure in failures]
    return os_problem(error, Stage.CONNECT, values, lines)


def _unix(endpoint: Endpoint, seconds: float, log: Log) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)  # a server whose queue is full lets us wait
        sock.connect(endpoint.path)
    except OSError as error:
        sock.close()
        log.add(Kind.ATTEMPT, Stage.CONNECT, f"{endpoint.path}: {error.strerror or error}", {"error": str(error)})
        raise socket_problem(error, endpoint) from error
    log.add(Kind.ATTEMPT, Stage.CONNECT, f"connected to {endpoint.path}", {"address": endpoint.path})
    return sock
