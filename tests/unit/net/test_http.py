"""Requests for tokens: what may be sent where, and what each wrong answer is called."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from canaries import Canaries
from rawserver import Peer, RawServer
from smtpctl.model.errors import Problem
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.net import http
from webserver import Answering, Request, Response, WebServer

SECRETS = Canaries(["client", "basic"])
FIELDS = {"grant_type": "client_credentials", "scope": "a b", "client_secret": Secret(SECRETS["client"])}


@pytest.fixture
def serve() -> Iterator[Callable[[Answering], WebServer]]:
    running: list[WebServer] = []

    def start(answering: Answering) -> WebServer:
        running.append(WebServer(answering).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__()


def ask(server: WebServer, path: str = "/token", **way: Any) -> http.Answer:
    given = http.Way("shop", **{"ca_file": server.ca_file, **way})
    headers = {"Authorization": Secret("Basic " + SECRETS["basic"])}
    return http.post_form(server.url + path, FIELDS, given, headers=headers)


def refused(work: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as told:
        work()
    assert not SECRETS.found(repr(told.value.finding) + repr(told.value))
    return told.value


def test_a_form_goes_out_and_an_object_comes_back(serve: Any) -> None:
    server = serve(lambda request: Response({"access_token": "x"}, headers={"X-Request-Id": "17"}))
    answer = ask(server)
    assert answer.json() == {"access_token": "x"}
    assert (answer.status, answer.headers["x-request-id"], answer.url) == (200, "17", f"{server.url}/token")
    [request] = server.requests
    assert request.method == "POST"
    assert request.form == {"grant_type": "client_credentials", "scope": "a b", "client_secret": SECRETS["client"]}
    assert request.headers["authorization"] == "Basic " + SECRETS["basic"]
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_nothing_is_logged(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(serve(lambda request: Response({})))
    assert not caplog.text


@pytest.mark.parametrize(
    ("status", "headers", "body", "name", "told"),
    [
        (302, {"Location": "http://evil.test/x?code=1"}, "", "redirect", "http://evil.test/x"),
        (307, {"Location": "//[bad"}, "", "redirect", "nowhere"),
        (429, {"Retry-After": "17"}, {"error": "slow"}, "busy", "17 s"),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "<html>", "busy", "asks to wait"),
        (502, {}, "<html><h1>Bad\x1b[31m gateway</h1>", "not_json", "status 502"),
        (200, {}, "[]", "not_json", "status 200"),
        (200, {}, "", "not_json", "status 200"),
        (200, {}, "[" * 100_000, "not_json", "status 200"),
        (200, {}, "x" * (http.LIMIT + 1), "too_large", str(http.LIMIT)),
    ],
)
def test_what_is_no_answer_has_a_name(serve: Any, status: int, headers: Any, body: Any, name: str, told: str) -> None:
    server = serve(lambda request: Response(body, status, headers))
    problem = refused(lambda: ask(server).json())
    assert problem.finding.id == f"oauth.{name}"
    assert told in problem.finding.title
    assert "\x1b" not in repr(problem.finding)
    assert len(server.requests) == 1, "a secret is not sent twice"


def test_an_answer_without_end_is_cut(serve: Any) -> None:
    def endless(request: Request) -> None:
        request.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            request.write(b"x" * 65536)

    assert refused(lambda: ask(serve(endless))).finding.id == "oauth.too_large"


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_what_drips_is_left(serve: Any, begin: bytes) -> None:
    over = threading.Event()

    def drip(request: Request) -> None:
        request.write(begin)
        while not over.wait(0.02):
            request.write(b"x" if begin else b"")

    problem = refused(lambda: ask(serve(drip), timeout=0.2))
    over.set()
    assert problem.finding.id == "oauth.timeout"
    assert "0.2 s" in problem.finding.title
    assert (problem.status, problem.retryable) == (ExitStatus.TEMPORARY, True)


def test_only_https() -> None:
    for url in ("http://localhost/token", "ftp://localhost/", "localhost/token", "https://", ""):
        assert (
            refused(lambda url=url: http.post_form(url, FIELDS, http.Way())).finding.id == "config.endpoint_not_https"
        )


def test_a_service_of_this_machine_is_asked_in_clear_and_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with WebServer(lambda request: Response({"a": 1}), secure=False) as server:
        assert http.get(server.url, http.Way("shop", local=True, proxy="http://127.0.0.1:9")).json() == {"a": 1}


def test_an_unknown_root_is_told_with_the_roots_in_use(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(lambda request: Response({}))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
    monkeypatch.setenv("CURL_CA_BUNDLE", server.ca_file)
    problem = refused(lambda: ask(server, ca_file=""))
    assert problem.finding.id == "oauth.untrusted"
    assert all("roots from" in line.text for line in problem.finding.evidence)
    assert not server.requests


@pytest.mark.parametrize(
    ("flaw", "name"),
    [
        ("other_name", "untrusted"),
        ("self_signed", "untrusted"),
        ("expired", "certificate_date"),
        ("not_yet_valid", "certificate_date"),
    ],
)
def test_a_certificate_with_a_fault_gets_no_secret(flaw: str, name: str) -> None:
    with WebServer(lambda request: Response({}), flaw=flaw) as server:
        assert refused(lambda: ask(server)).finding.id == f"oauth.{name}"
        assert not server.requests


def test_who_is_not_there() -> None:
    with RawServer(lambda peer: None) as server:
        unused = server.port
    problem = refused(lambda: http.get(f"https://localhost:{unused}/token?secret=1", http.Way("shop", timeout=5)))
    assert problem.finding.id == "oauth.unreachable"
    assert "refused" in problem.finding.title
    assert f" https://localhost:{unused}/token." in problem.finding.message


def test_clear_text_at_the_port() -> None:
    with RawServer(lambda peer: peer.say("HTTP/1.1 400 Bad Request")) as server:
        problem = refused(lambda: http.get(f"https://localhost:{server.port}/", http.Way("shop")))
    assert problem.finding.id == "oauth.unreachable"
    assert "WRONG_VERSION_NUMBER" in problem.finding.title


def connect(peer: Peer) -> int:
    """The part of an HTTP proxy that is spoken in clear; the port it is to connect to."""
    request = peer.hear()[0]
    while peer.hear() != [""]:
        pass
    peer.say("HTTP/1.1 200 OK", "")
    return int(re.findall(r"CONNECT localhost:(\d+) ", request)[0])


def socks(peer: Peer) -> int:
    """The same of a SOCKS5 proxy (RFC 1928), without a login."""
    peer.octets()
    peer.say(b"\x05\x00")
    request = peer.octets()
    peer.say(b"\x05\x00\x00\x01" + bytes(6))
    return int.from_bytes(request[-2:])


@pytest.mark.parametrize(("scheme", "begin"), [("http", connect), ("socks5", socks), ("socks5h", socks)])
def test_a_token_comes_through_a_proxy(scheme: str, begin: Callable[[Peer], int], serve: Any) -> None:
    server = serve(lambda request: Response({"access_token": "x"}))

    def relay(peer: Peer) -> None:
        with socket.create_connection(("127.0.0.1", begin(peer))) as upstream:
            threading.Thread(target=pump, args=(upstream, peer.sock), daemon=True).start()
            pump(peer.sock, upstream)

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while octets := source.recv(65536):
                target.sendall(octets)

    with RawServer(relay) as proxy:
        assert ask(server, proxy=f"{scheme}://127.0.0.1:{proxy.port}").json() == {"access_token": "x"}
    assert len(server.requests) == 1


def test_the_proxy_of_the_settings_wins_over_the_environment(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(lambda request: Response({}))
    heard: list[str] = []

    def proxy(peer: Any) -> None:
        heard.extend(peer.hear())
        peer.say("HTTP/1.1 407 Proxy Authentication Required", "Content-Length: 0", "")

    with RawServer(proxy) as own, RawServer(proxy) as environments:
        monkeypatch.setenv("HTTPS_PROXY", f"http://localhost:{environments.port}")
        problem = refused(lambda: ask(server))
        assert "407" in problem.finding.title
        refused(lambda: ask(server, proxy=f"http://user:{quote(SECRETS['basic'], safe='')}@localhost:{own.port}"))
        assert heard == [f"CONNECT localhost:{server.port} HTTP/1.1"] * 2
        monkeypatch.setenv("NO_PROXY", "localhost")
        assert ask(server).json() == {}
    assert len(heard) == 2


def test_a_proxy_that_says_a_lot_is_cut_short(serve: Any) -> None:
    server = serve(lambda request: Response({}))
    with RawServer(lambda peer: (peer.hear(), peer.say(f"HTTP/1.1 407 No\x1b{'o' * 50_000}", "", ""))) as proxy:
        title = refused(lambda: ask(server, proxy=f"http://localhost:{proxy.port}")).finding.title
    assert "407 Noo" in title
    assert len(title) < 300


def test_a_proxy_whose_address_is_none_is_not_quoted(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slash in a password ends the host there, and the password is taken for a port."""
    word = "qT7mW3"
    server, wrong = serve(lambda request: Response({})), f"http://user:{word}/x@localhost:1"
    monkeypatch.setenv("HTTPS_PROXY", wrong)
    for way in ({}, {"proxy": wrong}):
        problem = refused(lambda way=way: ask(server, **way))
        assert problem.finding.id == "oauth.unreachable"
        assert word not in repr(problem.finding) + repr(problem)
    assert not server.requests


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        way = http.Way("shop", ca_file=str(tmp_path / name))
        assert refused(lambda way=way: http.get("https://localhost/", way)).finding.id == "local.tls_file_unusable"
