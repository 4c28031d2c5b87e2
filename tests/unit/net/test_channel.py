"""Octets in and out of a socket, in clear and through TLS, however they are cut."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from smtpctl.net import channel as module
from smtpctl.net.channel import Channel
from smtpctl.sink.authority import context, create


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield Channel(ours), theirs


@pytest.fixture(scope="module")
def server_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return context(create(tmp_path_factory.mktemp("tls"), ["localhost"], ()), ask_client=False)


def client_context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


class Server:
    """The other side of a handshake, octet by octet in memory."""

    def __init__(self, made: ssl.SSLContext, sock: socket.socket) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = made.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.sock = sock

    def step(self, act: Callable[[], object]) -> None:
        """Take what has come, then `act`, then send all at once."""
        self.sock.setblocking(False)
        try:
            self.incoming.write(self.sock.recv(1 << 16))
        except BlockingIOError:
            pass
        self.sock.setblocking(True)
        try:
            act()
        except ssl.SSLWantReadError:
            pass
        self.sock.sendall(self.outgoing.read())


def test_what_was_queued_goes_out_together(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    channel.queue(b"MAIL\r\n")
    channel.queue(b"")
    channel.queue_from([b"a", b"", b"b"])
    channel.queue(b"QUIT\r\n")
    assert channel.flush()
    assert peer.recv(100) == b"MAIL\r\nabQUIT\r\n"
    assert channel.flush()


def test_content_is_drawn_as_the_socket_takes_it(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    drawn = 0

    def chunks() -> Iterator[bytes]:
        nonlocal drawn
        for _ in range(100):
            drawn += 1
            yield b"x" * 65536

    channel.queue_from(chunks())
    assert not channel.flush()
    assert drawn < 100
    received = 0
    while received < 100 * 65536:
        received += len(peer.recv(1 << 20))
        channel.flush()
    assert drawn == 100


def test_receiving(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    assert not channel.receive()
    peer.sendall(b"220 mx")
    assert channel.receive()
    assert bytes(channel.inbound) == b"220 mx"
    peer.close()
    assert channel.receive()
    assert channel.eof
    assert not channel.receive()


def test_reading_stops_where_nobody_takes_anything(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    channel.inbound += b"x" * (module.INBOUND_LIMIT + 1)
    peer.sendall(b"more")
    assert not channel.receive()


def test_round_trips_are_counted(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    peer.sendall(b"220 unasked")
    channel.receive()
    for _ in range(2):
        channel.queue(b"NOOP\r\n")
        channel.flush()
        for _ in range(2):
            peer.sendall(b"250 ok")
            channel.receive()
    assert channel.round_trips == 2


def handshake(channel: Channel, server: Server, last: bytes = b"") -> None:
    """Both sides, until both have done; `last` is sent with the server's last flight."""
    done = False

    def act() -> None:
        nonlocal done
        if not done:
            server.tls.do_handshake()
            done = True
            if last:
                server.tls.write(last)

    channel.start_tls(client_context(), "localhost")
    for _ in range(6):
        finished = channel.handshake()
        channel.flush()
        server.step(act)
        if finished and done:
            return
    raise AssertionError("no end of the handshake")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_there_and_back(
    pair: tuple[Channel, socket.socket], server_context: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    channel, peer = pair
    server_context.maximum_version = version
    server = Server(server_context, peer)
    handshake(channel, server)
    channel.receive()  # session tickets
    channel.queue(b"EHLO me\r\n")
    channel.flush()
    said = b""

    def act() -> None:
        nonlocal said
        said = server.tls.read(100)
        server.tls.write(b"250 mx\r\n")

    server.step(act)
    assert said == b"EHLO me\r\n"
    channel.receive()
    assert bytes(channel.inbound) == b"250 mx\r\n"
    server.step(server.tls.unwrap)
    peer.close()
    while not channel.eof:
        channel.receive()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_comes_with_the_last_flight_is_there(
    pair: tuple[Channel, socket.socket], server_context: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    channel, peer = pair
    server_context.maximum_version = version
    handshake(channel, Server(server_context, peer), b"220 mx\r\n")
    channel.handshake() if not channel.inbound else None
    if not channel.inbound:
        channel.receive()
    assert bytes(channel.inbound) == b"220 mx\r\n"


def test_plain_text_in_place_of_a_handshake_is_kept(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    channel.inbound += b"220 "
    channel.start_tls(client_context(), "localhost")
    peer.sendall(b"mx.example.com\r\n")
    with pytest.raises(ssl.SSLError):
        channel.handshake()
    assert channel.first_octets.startswith(b"220 ")


def test_a_hang_up_in_a_handshake(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    channel.start_tls(client_context(), "localhost")
    assert not channel.handshake()
    peer.close()
    with pytest.raises((EOFError, ConnectionResetError)):
        channel.handshake()
