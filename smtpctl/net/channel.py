"""Octets over a non-blocking socket, in clear or through TLS in memory; nothing here knows SMTP.

TLS runs over MemoryBIO, so every octet from the peer is seen before OpenSSL sees it: plain text where a handshake was
expected, or commands injected before it, can be shown. Writes are gathered and go out together (TCP_NODELAY is on):
the last flight of a handshake travels with the first command behind it.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Iterable, Iterator

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
READ_SIZE = 65536
BLOCK = 131072
# A peer may send ahead, but not without end: reading stops here until something is taken.
INBOUND_LIMIT = 1 << 20


class Channel:
    """One connected socket. `inbound` holds received octets that nobody has taken yet; `eof` that no more will come."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.inbound = bytearray()
        self.eof = False
        self.tls: ssl.SSLObject | None = None
        self.first_octets = b""  # the first that came when a handshake began
        self.round_trips = 0  # how often something came after we had sent something
        self.waiting = False  # something was sent since the last time something came
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._pending: deque[bytes | Iterator[bytes]] = deque()
        self._wire = memoryview(b"")

    def queue(self, data: bytes) -> None:
        """Send this with the next flush."""
        self._pending.append(data)

    def queue_from(self, chunks: Iterable[bytes]) -> None:
        """Send these with the next flushes; drawn as the socket takes them, so that no copy of a message is kept."""
        self._pending.append(iter(chunks))

    def flush(self) -> bool:
        """Write what is queued; False when the socket takes no more for now. OSError, ssl.SSLError."""
        while True:
            while self._wire:
                try:
                    sent = self.sock.send(self._wire)
                except (BlockingIOError, InterruptedError):
                    return False
                self.waiting = True
                self._wire = self._wire[sent:]
            block = self._next_block()
            if self.tls is not None:
                if block:
                    self.tls.write(block)
                block = self._outgoing.read()
            if not block:
                return True
            self._wire = memoryview(block)

    def receive(self) -> bool:
        """Read what has come; whether anything did. Sets `eof`. OSError, ssl.SSLError."""
        if self.eof or len(self.inbound) > INBOUND_LIMIT:
            return False
        try:
            data = self.sock.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return False
        self._count()
        if self.tls is None:
            self.inbound += data
            self.eof = not data
            return True
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        held = len(self.inbound)
        self._decrypt()
        if not data:
            self.eof = True
        elif len(self.inbound) == held:
            self._acknowledge()
        return True

    def _acknowledge(self) -> None:
        """Acknowledge at once what brought nothing for us. After a TLS 1.3 handshake those are session tickets, and a
        server without TCP_NODELAY holds its next reply back until they are acknowledged: 40 ms on Linux."""
        if _QUICKACK is not None and self.sock.family in (socket.AF_INET, socket.AF_INET6):
            self.sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def start_tls(self, context: ssl.SSLContext, server_name: str | None) -> None:
        """Begin a client handshake. Octets received in clear that nobody took belong to it."""
        # As octets: the name has A-labels already, and Python's own IDNA codec takes 3 ms to load.
        name = server_name.encode("ascii") if server_name else None
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._incoming.write(bytes(self.inbound))
        self.first_octets = bytes(self.inbound[:512])
        self.inbound.clear()

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is done. OSError, ssl.SSLError, EOFError when the peer hangs up."""
        assert self.tls is not None
        while True:
            try:
                self.tls.do_handshake()
                self._decrypt()  # with TLS 1.2 the greeting can come in one packet with the end of the handshake
                return True
            except ssl.SSLWantReadError:
                if not self._exchange():
                    return False
            except ssl.SSLError:
                # The alert that tells the peer why is worth sending, but not worth failing over.
                self._wire = memoryview(self._outgoing.read())
                try:
                    self.sock.send(self._wire)
                except OSError:
                    pass
                raise

    def close(self) -> None:
        """Close the socket; no TLS farewell, SMTP has its own."""
        self.sock.close()

    def _exchange(self) -> bool:
        """Write what the handshake wants to say, then read; whether anything came."""
        if not self.flush():
            return False
        try:
            data = self.sock.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return False
        if not data:
            raise EOFError
        self._count()
        if len(self.first_octets) < 512:
            self.first_octets += data[: 512 - len(self.first_octets)]
        self._incoming.write(data)
        return True

    def _count(self) -> None:
        if self.waiting:
            self.round_trips += 1
            self.waiting = False

    def _decrypt(self) -> None:
        assert self.tls is not None
        while True:
            try:
                data = self.tls.read(READ_SIZE)
            except ssl.SSLWantReadError:
                return
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                self.eof = True
                return
            if not data:
                self.eof = True
                return
            self.inbound += data

    def _next_block(self) -> bytes:
        """The next octets to send, many small pieces as one; empty when there is nothing."""
        if not self._pending:
            return b""
        pieces: list[bytes] = []
        size = 0
        while self._pending and size < BLOCK:
            item = self._pending[0]
            if isinstance(item, bytes):
                self._pending.popleft()
                piece: bytes | None = item
            else:
                piece = next(item, None)
                if piece is None:
                    self._pending.popleft()
                    continue
            if piece:
                pieces.append(piece)
                size += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
