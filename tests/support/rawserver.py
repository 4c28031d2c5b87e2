"""A server that plays a script over a real socket, for what no well-behaved server can be made to do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

PATIENCE = 10.0  # seconds after which a test has failed


class Peer:
    """The connection as a script sees it."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self.sock = sock
        self._buffer = b""

    def say(self, *lines: str | bytes) -> None:
        """Send these, text as lines, octets as they are."""
        octets = [line if isinstance(line, bytes) else f"{line}\r\n".encode() for line in lines]
        self.sock.sendall(b"".join(octets))

    def hear(self, count: int = 1) -> list[str]:
        """So many lines from the client."""
        lines = []
        while len(lines) < count:
            line, end, rest = self._buffer.partition(b"\n")
            if end:
                lines.append(line.decode("utf-8", "replace").rstrip("\r"))
                self._buffer = rest
            else:
                data = self.sock.recv(65536)
                if not data:
                    raise ConnectionResetError("the client has gone")
                self._buffer += data
        return lines

    def octets(self) -> bytes:
        """Whatever comes next."""
        data, self._buffer = self._buffer or self.sock.recv(65536), b""
        return data

    def forget(self) -> None:
        """Drop what has come and was not heard."""
        self._buffer = b""

    def reset(self) -> None:
        """End with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def until_gone(self) -> None:
        """Say nothing more until the client closes."""
        while self.sock.recv(65536):
            pass


Script = Callable[[Peer], None]


class RawServer:
    """Listens on a loopback port and plays `script` with each client; `gone` is set when one has closed its end."""

    def __init__(self, script: Script, host: str = "127.0.0.1") -> None:
        self._script = script
        self._listener = socket.create_server((host, 0))
        self.host, self.port = self._listener.getsockname()[:2]
        self.reached = threading.Event()
        self.gone = threading.Event()
        self._peers: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> RawServer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._peers:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)

    def stall(self, peer: Peer) -> None:
        """For scripts: the point was reached; nothing more is said."""
        self.reached.set()
        with suppress(OSError):
            peer.until_gone()
        self.gone.set()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._peers.append(sock)
            peer = Peer(sock)
            with sock, suppress(OSError):
                self._script(peer)
            peer.sock.close()  # which may be TLS by now
