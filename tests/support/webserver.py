"""An HTTPS server on loopback that answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from smtpctl.sink import authority


class Request(NamedTuple):
    """What was asked: `headers` by lower-case name, `form` the fields of its body; `write` sends raw octets."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    write: Callable[[bytes], Any]

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body, keep_blank_values=True).items()}


class Response(NamedTuple):
    """What is answered; a body that is no text is written as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = {}


Answering = Callable[[Request], Response | None]  # None: it has written by itself


@cache
def files(flaw: str = "") -> authority.Files:
    """One throw-away authority for a whole test run, and one for each of `authority.FLAWS`."""
    return authority.create(Path(mkdtemp(prefix="web-")) / "ca", flaw=flaw)


class WebServer:
    """Serves `answering` at `url`; `requests` holds what was asked; its certificate is of `ca_file`. `own` is
    a certificate in place of the throw-away one; `port` one that others know already, 0 for any."""

    def __init__(
        self, answering: Answering, *, flaw: str = "", secure: bool = True, own: authority.Files | None = None,
        port: int = 0,
    ) -> None:  # fmt: skip
        shown = own or files(flaw)
        self.answering = answering
        self.requests: list[Request] = []
        self.ca_file = str(shown.ca)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        if secure:  # the handshake is the handler's: a client that gives up there must not stop the next one
            context, sock = authority.context(shown), self._server.socket
            self._server.socket = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if secure else 'http'}://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> WebServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def handle(self) -> None:
                with suppress(OSError):
                    super().handle()

            def finish(self) -> None:
                with suppress(OSError):
                    super().finish()

            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length).decode("utf-8", "replace")
                asked = Request(self.command, self.path, headers, body, self.wfile.write)
                outer.requests.append(asked)
                answer = outer.answering(asked)
                if answer is None:
                    return
                octets = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
                self.send_response_only(answer.status)
                own = {"Date": self.date_time_string(), "Content-Length": str(len(octets))}
                for name, value in {**own, **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(octets)

            def do_POST(self) -> None:
                self.do_GET()

        return Handler
