"""What a certificate's address may lead to, and what comes of it: limits of place, size and time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from rawserver import Peer, RawServer
from smtpctl.model.endpoint import Route
from smtpctl.net import within
from smtpctl.net.plainhttp import LIMIT, Errand, NotFetched, fetch
from webserver import Request, Response, WebServer

HERE = "127.0.0.1"


def why(url: str, server: str = HERE, seconds: float = 5) -> str:
    """Why it was not fetched."""
    with pytest.raises(NotFetched) as told:
        fetch(url, Errand(server), seconds=seconds)
    return str(told.value)


def answering(octets: bytes) -> Callable[[Request], None]:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(octets)}\r\n\r\n".encode()

    def write(asked: Request) -> None:
        asked.write(head + octets)

    return write


def test_octets_come_as_they_are() -> None:
    octets = bytes(range(256))
    with WebServer(answering(octets), secure=False) as web:
        assert fetch(f"{web.url}/a%20b.crt?x=1", Errand(HERE, Route(family=4))) == octets
        [asked] = web.requests
    assert (asked.method, asked.path) == ("GET", "/a%20b.crt?x=1")
    assert asked.headers["host"] == f"localhost:{web.port}"
    assert asked.headers["user-agent"] == "smtpctl"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://ca.test/x", "is not an http: one"),
        ("ldap://ca.test/cn=x", "is not an http: one"),
        ("file:///etc/passwd", "is not an http: one"),
        ("ftp://ca.test/x", "is not an http: one"),
        ("//x/y", "is not an http: one"),
        ("", "is not an http: one"),
        ("http://", "names no host"),
        ("http://ann:secret@ca.test/", "holds a user name"),
        ("http://ca.test:0/", "names port 0"),
        ("http://ca.test/a b.crt", "holds a blank"),
        ("http://ca.test/\r\nHost: x", "holds a blank"),
        ("http://ca.test/\x1b[2J", "holds a character that may not stand in one"),
        ("http://c\xe4.test/", "holds a character that may not stand in one"),
        ("http://[", "is malformed"),
        ("http://ca.test:99999/", "is malformed"),
    ],
)
def test_no_other_scheme_and_no_odd_address(url: str, told: str) -> None:
    assert why(url) == f"its address {told}"


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("127.0.0.1", "192.0.43.8"),  # a public server
        ("127.0.0.1", "2620:0:2d0:200::8"),
        ("127.0.0.1", ""),  # nobody knows where it is
        ("127.0.0.1", "10.0.0.1"),  # of the same network is not on this machine
        ("10.0.0.1", "192.0.43.8"),
        ("[::1]", "192.0.43.8"),
        ("[::ffff:127.0.0.1]", "192.0.43.8"),
        ("[fd00::1]", "192.0.43.8"),
        ("localhost", "192.0.43.8"),
        ("169.254.169.254", "127.0.0.1"),  # where clouds hand out credentials
        ("169.254.169.254", "10.0.0.1"),
        ("[fe80::1]", "::1"),
        ("224.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "192.0.43.8"),
        ("0.0.0.0", "10.0.0.1"),  # Linux leads it to this machine
        ("127.1", "10.0.0.1"),
    ],
)
def test_a_server_sends_nobody_where_it_is_not_itself(address: str, server: str) -> None:
    with WebServer(answering(b"x"), secure=False) as web:
        assert why(f"http://{address}:{web.port}/", server).startswith("its address is ")
        assert web.requests == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Response("", 404), "status 404"),
        (Response("", 302, {"Location": "http://localhost/"}), "redirects are not followed"),
        (Response("x" * (LIMIT + 1)), "larger than 64 kB"),
    ],
)
def test_what_is_not_it(answer: Response, told: str) -> None:
    with WebServer(lambda _: answer, secure=False) as web:
        assert told in why(web.url)
        assert len(web.requests) == 1


def test_a_size_that_is_a_lie() -> None:
    with WebServer(answering(b"x" * LIMIT), secure=False) as web:
        assert len(fetch(web.url, Errand(HERE))) == LIMIT


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["220 mx.example.com ESMTP"], "the answer of 127.0.0.1 is no HTTP"),
        (["HTTP/1.1 200 OK", *["X: y"] * 200, ""], "the answer of 127.0.0.1 is no HTTP"),
        (["\x00" * 70000], "the answer of 127.0.0.1 is no HTTP"),
        (["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5", "x"], "the answer of 127.0.0.1 breaks off"),
        ([], "127.0.0.1 closed the connection without an answer"),
    ],
)
def test_no_web_server(lines: Sequence[str], told: str) -> None:
    def script(peer: Peer) -> None:
        while peer.hear() != [""]:
            pass
        for line in lines:
            peer.say(line)

    with RawServer(script) as server:
        assert why(f"http://127.0.0.1:{server.port}/") == told


def drip(peer: Peer) -> None:
    peer.hear()
    peer.say("HTTP/1.1 200 OK")
    beat = threading.Event()
    while not beat.wait(0.02):
        peer.sock.sendall(b"X")


def test_a_server_that_drips_is_left() -> None:
    with RawServer(drip) as server:
        assert why(f"http://127.0.0.1:{server.port}/", seconds=0.2) == "no answer within 0.2 s"


def test_nobody_there() -> None:
    with RawServer(Peer.until_gone) as server:
        port = server.port
    assert "refused" in why(f"http://127.0.0.1:{port}/")


def test_the_time_of_the_run_bounds_it() -> None:
    with RawServer(drip) as server, pytest.raises(NotFetched) as told:
        fetch(f"http://127.0.0.1:{server.port}/", Errand(HERE, until=time.monotonic() + 0.2))
    assert str(told.value).endswith(", and the time for the whole run is over")
    with WebServer(answering(b"x"), secure=False) as web, pytest.raises(NotFetched) as told:
        fetch(web.url, Errand(HERE, until=time.monotonic()))
    assert str(told.value) == "the time for the whole run is over"
    assert web.requests == []


def test_who_waits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within, "TICK", 0.01)
    ticked, passed = threading.Event(), list[float]()

    def tell(seconds: float) -> None:
        passed.append(seconds)
        ticked.set()

    def late(asked: Request) -> None:
        ticked.wait()
        answering(b"x")(asked)

    with WebServer(late, secure=False) as web:
        assert fetch(web.url, Errand(HERE, wait=tell)) == b"x"
    assert passed == sorted(passed)
    assert passed[0] >= 0.01
