"""A loopback proxy that makes the network slow: every octet takes half a round trip each way, order kept.

    python bench/delayproxy.py TARGET_PORT RTT_MS [LISTEN_PORT]

The connection to the server is opened one and a half round trips after the client's, as a TCP handshake would take. For
each connection one JSON line is printed when it ends: how often each side spoke after the other one, and how much.
"""

from __future__ import annotations

import heapq
import itertools
import json
import selectors
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any, NamedTuple

READ_SIZE = 1 << 16


class Flights(NamedTuple):
    """One connection: how often the client and the server began to speak, octets from each, seconds."""

    client: int
    server: int
    client_octets: int
    server_octets: int
    seconds: float

    @property
    def round_trips(self) -> int:
        """How often the client waited: for the connection, then for each answer (the greeting is one)."""
        return 1 + self.server


class _Link:
    """One connection through the proxy; index 0 is the client, 1 the server."""

    def __init__(self, client: socket.socket) -> None:
        self.sockets: list[socket.socket | None] = [client, None]
        self.flights = [0, 0]
        self.octets = [0, 0]
        self.speaker = -1
        self.ended = [False, False]
        self.began = time.monotonic()

    def heard(self, side: int, data: bytes) -> None:
        self.octets[side] += len(data)
        if self.speaker != side:
            self.speaker = side
            self.flights[side] += 1

    def result(self) -> Flights:
        return Flights(*self.flights, *self.octets, round(time.monotonic() - self.began, 4))


class DelayProxy:
    """Use as a context manager; `flights` are the connections that have ended, `port` where it listens."""

    def __init__(self, target: int, seconds: float, port: int = 0) -> None:
        self.flights: list[Flights] = []
        self.ended = threading.Condition()
        self._target = target
        self._half = seconds / 2
        self._listener = socket.create_server(("127.0.0.1", port), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Any]] = []  # when, order, what to do
        self._order = itertools.count()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self) -> DelayProxy:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.close()
        self._thread.join()
        self._listener.close()
        self._stopped.close()

    def wait(self, count: int = 1, seconds: float = 10) -> list[Flights]:
        """The connections when so many have ended."""
        with self.ended:
            self.ended.wait_for(lambda: len(self.flights) >= count, seconds)
            return list(self.flights)

    def run(self) -> None:
        """Until the context is left."""
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._selector.register(self._stopped, selectors.EVENT_READ, None)
        while True:
            patience = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            for key, _ in self._selector.select(patience):
                if key.fileobj is self._stopped:
                    return self._selector.close()
                if key.data is None:
                    self._accept()
                else:
                    self._read(*key.data)
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()

    def _later(self, seconds: float, act: Any) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), act))

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(client)
        self._later(3 * self._half, lambda: self._open(link))

    def _open(self, link: _Link) -> None:
        server = socket.create_connection(("127.0.0.1", self._target))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sockets[1] = server
        for side, sock in enumerate((link.sockets[0], server)):
            self._selector.register(sock, selectors.EVENT_READ, (link, side))  # type: ignore[arg-type]

    def _read(self, link: _Link, side: int) -> None:
        sock = link.sockets[side]
        assert sock is not None
        data = b""
        with suppress(OSError):
            data = sock.recv(READ_SIZE)
        if data:
            link.heard(side, data)
        else:
            self._selector.unregister(sock)
        self._later(self._half, lambda: self._deliver(link, side, data))

    def _deliver(self, link: _Link, side: int, data: bytes) -> None:
        other = link.sockets[1 - side]
        assert other is not None
        with suppress(OSError):
            if data:
                other.sendall(data)
            else:
                other.shutdown(socket.SHUT_WR)
        if not data:
            link.ended[side] = True
        if all(link.ended):
            for sock in link.sockets:
                if sock is not None:
                    sock.close()
            with self.ended:
                self.flights.append(link.result())
                self.ended.notify_all()


def main(target: str, milliseconds: str, port: str = "0") -> None:
    """Run until interrupted."""
    with DelayProxy(int(target), float(milliseconds) / 1000, int(port)) as proxy:
        print(json.dumps({"port": proxy.port}), flush=True)
        with suppress(KeyboardInterrupt):
            for count in itertools.count(1):
                print(json.dumps(proxy.wait(count, 1e6)[-1]._asdict()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
