"""Connecting through a proxy: SOCKS by python-socks, HTTP CONNECT by h11 (both here only).

python-socks has HTTP CONNECT too, but drops what comes right behind the proxy's answer, and an SMTP server speaks
first; h11 keeps it.
"""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import Endpoint, Route
from smtpctl.model.redaction import Redactor
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Kind, Stage
from smtpctl.net.channel import Channel
from smtpctl.net.connection import Log
from smtpctl.net.within import within

_DEFAULT_PORTS = {"socks5": 1080, "socks5h": 1080, "socks4": 1080, "http": 8080}
_ANSWER_LIMIT = 65536


class _RefusedByProxy(OSError):
    """The proxy answered, and the answer is no."""


def through(endpoint: Endpoint, route: Route, seconds: float, log: Log) -> Channel:
    """A channel to the endpoint by way of `route.proxy`. Problem `conn.proxy_failed`."""
    url = urlsplit(route.proxy)
    port = url.port or _DEFAULT_PORTS.get(url.scheme, 1080)
    shown = f"{url.scheme}://{url.hostname}:{port}"  # without its user and password
    try:
        if url.scheme == "http":
            sock, rest = _http_connect(endpoint, url, port, route.source, seconds)
        else:
            sock, rest = within(seconds, lambda: _socks(endpoint, route, seconds)), b""
    except OSError as error:
        # A proxy may say back what it was told.
        words = Redactor([Secret(unquote(url.password or ""))]).text(str(error) or "no answer in time")
        log.add(Kind.ATTEMPT, Stage.CONNECT, f"{shown}: {words}", {"proxy": shown, "error": words})
        values: dict[str, Any] = {
            "proxy": shown,
            "target": str(endpoint),
            "host": endpoint.host,
            "port": str(endpoint.port),
        }
        problem = entry("conn.proxy_failed").problem(evidence=[f"{shown}: {words}"], **values)
        raise problem from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    log.add(Kind.ATTEMPT, Stage.CONNECT, f"connected to {endpoint} through {shown}", {"proxy": shown})
    channel = Channel(sock)
    channel.inbound += rest
    return channel


def _socks(endpoint: Endpoint, route: Route, seconds: float) -> socket.socket:
    from python_socks import ProxyError, ProxyTimeoutError
    from python_socks.sync import Proxy

    url = route.proxy
    # socks5h as curl has it: the proxy looks the name up. python-socks says that with a flag.
    remote = url.startswith("socks5h://")
    proxy = Proxy.from_url(url.replace("socks5h://", "socks5://", 1), rdns=remote or None)
    local = (route.source, 0) if route.source else None
    try:
        return proxy.connect(endpoint.host, endpoint.port, timeout=seconds, local_addr=local)
    except (ProxyError, ProxyTimeoutError) as error:
        raise _RefusedByProxy(str(error)) from error


def _http_connect(
    endpoint: Endpoint, url: SplitResult, port: int, source: str, seconds: float
) -> tuple[socket.socket, bytes]:
    """The socket, and what the server said already behind the proxy's 200 (RFC 9110 9.3.6)."""
    import h11

    headers = [("Host", str(endpoint))]
    if url.username is not None:
        login = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers.append(("Proxy-Authorization", f"Basic {b64encode(login.encode()).decode()}"))
    deadline = time.monotonic() + seconds
    sock = socket.create_connection((url.hostname or "", port), seconds, (source, 0) if source else None)
    try:
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_ANSWER_LIMIT)
        sock.sendall(http.send(h11.Request(method="CONNECT", target=str(endpoint), headers=headers)) or b"")
        while (event := http.next_event()) is h11.NEED_DATA:
            sock.settimeout(
                max(deadline - time.monotonic(), 0.001)
            )  # of the whole: a proxy that drips stretches nothing
            http.receive_data(sock.recv(_ANSWER_LIMIT))
        if not isinstance(event, h11.Response) or not 200 <= event.status_code < 300:
            status = (
                f"{event.status_code} {event.reason.decode('latin-1')}"
                if isinstance(event, h11.Response)
                else "no HTTP answer"
            )
            raise _RefusedByProxy(status)
        return sock, http.trailing_data[0]
    except h11.RemoteProtocolError as error:
        sock.close()
        raise _RefusedByProxy(str(error)) from error
    except BaseException:
        sock.close()
        raise
