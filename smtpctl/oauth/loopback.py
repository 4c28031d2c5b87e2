"""Where a browser comes back to after a login: one request on this machine's loopback (RFC 8252 7.3).

    with listener(port) as at:
        pending = begin(application, at.redirect)
        at.expect(pending.state)
        ...                                      # open pending.url
        query = at.wait(seconds)

Only a browser that was sent here counts. What a page loads by itself, what goes by another name (a name of the attacker's
that leads to 127.0.0.1), and everything that brings no answer to this login is turned away: whoever guesses the port could
end it else.
"""

from __future__ import annotations

import errno
import hmac
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from smtpctl.knowledge.families import entry
from smtpctl.oauth.landing import page

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from socketserver import TCPServer

_HOSTS = ("127.0.0.1", "::1")  # localhost may be either
_ATTEMPTS = 5  # at a port that is free on both
_PATIENCE = 10  # seconds that a connection may say nothing
_FIELDS = 20
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_ANSWERS = ("code", "error")
# What a browser says about a visit (Fetch Metadata): a page of its own, and no picture or frame of another.
_VISIT = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


class Listener:
    """Waits at `redirect`, the address to register and to send along."""

    def __init__(self, port: int, name: str) -> None:
        self.redirect = f"http://localhost:{port}"
        self._name = name
        self.expect("")

    def expect(self, state: str) -> None:
        """Take the answer of this state only, and nothing that came before."""
        self._state = state
        self._came: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()

    def wait(self, seconds: float) -> Mapping[str, str]:
        """The parameters that the browser brought. Problem `oauth.browser_timeout`."""
        try:
            return self._came.get(timeout=seconds)
        except queue.Empty:
            raise entry("oauth.browser_timeout").problem(
                target=self._name, oauth=self._name, seconds=f"{seconds:g}"
            ) from None

    def take(self, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """What a request is answered with: a status and a page."""
        parts = urlsplit(path)
        place = self.redirect.removeprefix("http://")
        port = place.rpartition(":")[2]
        if headers.get("host", "").lower() not in (place, *(f"{host}:{port}" for host in ("127.0.0.1", "[::1]"))):
            return 421, page("This address is not known here", "")
        if parts.path not in ("", "/") or any(headers.get(name, value) != value for name, value in _VISIT.items()):
            return 404, page("Nothing is here", "")
        try:
            pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_FIELDS)
        except ValueError:
            pairs = []
        query = dict(pairs)
        if len(query) != len(pairs) or not self._ours(query) or not any(name in query for name in _ANSWERS):
            return 400, page("This is no answer to a login", "Begin again in the terminal.")
        self._came.put(query)
        if "error" in query:
            return 200, page("The login was not completed", "The terminal says why. You can close this page.")
        return 200, page("You are signed in", "The terminal goes on from here. You can close this page.", good=True)

    def _ours(self, query: Mapping[str, str]) -> bool:
        if not self._state:
            return "state" in query
        return hmac.compare_digest(query.get("state", "").encode(), self._state.encode())


@contextmanager
def listener(port: int = 0, name: str = "") -> Iterator[Listener]:
    """Listens on the loopback at `port` (0: a free one) until the block ends; `name` is of the credentials. Problem
    `oauth.port_unusable`."""
    try:
        servers = _servers(port)
    except OSError as error:
        raise entry("oauth.port_unusable").problem(
            target=name, oauth=name, listening=port, reason=error.strerror or str(error)
        ) from None
    at = Listener(servers[0].server_address[1], name)
    for server in servers:
        server.RequestHandlerClass = _handler(at.take)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield at
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _servers(port: int) -> list[TCPServer]:
    """One for each of the addresses, on the same port: who had the other one would get the code. OSError."""
    for attempt in range(_ATTEMPTS):
        made: list[TCPServer] = []
        try:
            for host in _HOSTS:
                made.append(_server(host, made[0].server_address[1] if made else port))
            return made
        except OSError as error:
            if made and error.errno in _NO_IPV6:
                return made
            for server in made:
                server.server_close()
            if port or not made or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


def _server(host: str, port: int) -> TCPServer:
    import socket
    from socketserver import BaseRequestHandler, ThreadingTCPServer

    class Server(ThreadingTCPServer):  # HTTPServer would look this machine's name up
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True
        block_on_close = False  # a connection that says nothing does not hold the program up
        allow_reuse_address = os.name != "nt"  # there it would let another program in
        allow_reuse_port = False

        def handle_error(self, request: object, client_address: object) -> None:
            """A browser that went away is nothing to tell."""

    return Server((host, port), BaseRequestHandler)


def _handler(take: Callable[[str, Mapping[str, str]], tuple[int, str]]) -> type[BaseHTTPRequestHandler]:
    from http.server import BaseHTTPRequestHandler

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version, sys_version = "smtpctl", ""

        def do_GET(self) -> None:
            status, text = take(self.path, {name.lower(): value for name, value in self.headers.items()})
            octets = text.encode()
            self.send_response(status)
            for name, value in {**_HEADERS, "Content-Length": str(len(octets))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(octets)

        def log_message(self, format: str, *args: object) -> None:
            """The request has the code in it."""

    return Handler
