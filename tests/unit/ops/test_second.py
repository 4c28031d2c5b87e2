"""What a run that was stopped sees on looking again: servers with a script, ports of the kernel."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from profiles import ids, profile
from rawserver import Peer, RawServer
from smtpctl.checks.facts import Facts
from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.finding import Finding
from smtpctl.model.report import Report
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net import probe, tls
from smtpctl.ops import check, second, session
from smtpctl.ops.session import Surroundings
from smtpctl.sink import authority
from smtpctl.sink.server import Sink
from webserver import WebServer, files


def checked(server: RawServer, **settings: Any) -> Report:
    made = profile(server.host, server.port, **{"seconds": 2, "tls": "starttls", **settings})
    return check.check(made, Surroundings({}))


def looked(id: str, port: int = 25, host: str = "127.0.0.1", **settings: Any) -> list[str]:
    """What there is to tell after a run that this finding stopped, first what stopped it."""
    return [finding.id for finding in told(id, port, host, **settings)]


def told(id: str, port: int, host: str = "127.0.0.1", **settings: Any) -> list[Finding]:
    """As `looked`, whole."""
    made = profile(host, port, **{"seconds": 2, **settings})
    facts = Facts(str(made.endpoint), Endpoint(host, port), TlsPolicy(), "me.test", Transcript(), None, None, (), 0.0)
    problem, beside, _ = second.look(entry(id).problem(target=str(made.endpoint)), made, facts)
    assert problem
    return [problem.finding, *beside]


def without_starttls(peer: Peer) -> None:
    peer.say("220 mx.example.com")
    peer.hear()
    peer.say("250-mx.example.com", "250 SIZE 1000")
    peer.say("502 5.5.1 No such command" if peer.hear() == ["STARTTLS"] else "221 Bye")


def with_starttls(peer: Peer) -> None:
    peer.say("220 mx.example.com")
    peer.hear()
    peer.say("250-mx.example.com", "250 STARTTLS")
    peer.hear()
    peer.say("220 Go ahead")


def takes_starttls_unannounced(peer: Peer) -> None:
    peer.say("220 mx.example.com")
    peer.hear()
    peer.say("250-mx.example.com", "250 SIZE 1000")
    peer.say("220 Go ahead" if peer.hear() == ["STARTTLS"] else "221 Bye")


@pytest.fixture
def listeners() -> Iterator[tuple[int, int]]:
    """Two ports that accept."""
    with RawServer(Peer.until_gone) as one, RawServer(Peer.until_gone) as other:
        yield one.port, other.port


def nobody_listens() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_a_server_without_tls() -> None:
    with RawServer(without_starttls) as server:
        assert ids(checked(server))[0] == "starttls.not_offered"


def test_starttls_is_taken_though_it_was_not_offered() -> None:
    with RawServer(takes_starttls_unannounced) as server:
        report = checked(server)
    assert ids(report)[0] == "starttls.stripped"
    assert report.findings[0].evidence[-1].text == "220 Go ahead"


def test_another_port_of_the_host_offers_starttls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second, "_this_machine", lambda _: False)
    with RawServer(without_starttls) as server, RawServer(with_starttls) as other:
        monkeypatch.setattr(second, "STARTTLS_PORTS", (nobody_listens(), other.port))
        report = checked(server)
        assert ids(report)[0] == "starttls.stripped"
        assert f"port {other.port} offers it" in report.findings[0].title
        monkeypatch.setattr(second, "STARTTLS_PORTS", (server.port,))
        assert ids(checked(server))[0] == "starttls.not_offered"


def test_ports_of_this_machine_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(without_starttls) as server, RawServer(with_starttls) as other:
        monkeypatch.setattr(second, "STARTTLS_PORTS", (other.port,))
        assert ids(checked(server))[0] == "starttls.not_offered"


def test_a_port_with_tls_from_the_first_octet() -> None:
    with Sink() as sink:
        assert looked("conn.closed", sink.port) == ["conn.closed"]
    with RawServer(lambda peer: peer.say(b"\x15\x03\x01\x00\x02\x02\x46")) as alerting:
        assert looked("conn.closed", alerting.port) == ["conn.port_is_implicit_tls"]


def inside_tls(greeting: str) -> Callable[[Peer], None]:
    context = authority.context(files())

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.sock, server_side=True) as peer.sock:
            peer.say(greeting)
            peer.hear()
            peer.say("221 Bye")

    return script


@pytest.mark.parametrize(
    ("greeting", "id", "speaks"),
    [
        ("220 mx.example.com ESMTP", "conn.port_is_implicit_tls", "TLS from the first octet"),
        ("554 No SMTP service here", "conn.port_is_implicit_tls", "TLS from the first octet"),
        ("* OK IMAP4rev1 ready", "conn.not_smtp", "(it speaks IMAP inside TLS)"),
        ("+OK POP3 ready", "conn.not_smtp", "(it speaks POP3 inside TLS)"),
        ("220 ProFTPD Server ready", "conn.not_smtp", "(it speaks FTP)"),
    ],
)
def test_what_greets_inside_tls_is_named(greeting: str, id: str, speaks: str) -> None:
    with RawServer(inside_tls(greeting)) as server:
        found = told("conn.greeting_timeout", server.port)[0]
    assert (found.id, found.evidence[-1].text) == (id, greeting)
    assert speaks in found.title


@pytest.mark.parametrize(("greeted_by", "seconds"), [(0, 5), (9, 1)])
def test_text_and_documents_name_one_stage(monkeypatch: pytest.MonkeyPatch, greeted_by: float, seconds: float) -> None:
    """Whether the other connection looks while the session waits, or after it."""
    monkeypatch.setattr(session, "GREETED_BY", greeted_by)
    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        report = check.check(
            profile("127.0.0.1", server.server_port, seconds=seconds, tls="starttls"), Surroundings({})
        )
        server.shutdown()
        thread.join()
    assert report.failure
    named = {report.failure.stage, report.findings[0].stage, report.stages[-1].stage}
    assert (report.findings[0].id, named) == ("conn.not_smtp", {Stage.GREETING})


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def test_a_web_server_is_named() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        found = [
            told("conn.greeting_timeout", server.server_port, seconds=1)[0],
            told("tls.handshake_timeout", server.server_port, seconds=1, tls="implicit")[0],
        ]
        server.shutdown()
        thread.join()
    assert [finding.id for finding in found] == ["conn.not_smtp"] * 2
    assert all("(it speaks HTTP)" in finding.title for finding in found)


def test_a_web_server_with_tls_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "INSIDE", 0.2)
    with WebServer(lambda _: None) as server:
        found = told("conn.greeting_timeout", server.port)[0]
        assert found.title.endswith("(it speaks HTTP inside TLS)")
        report = check.check(
            profile("127.0.0.1", server.port, seconds=1, tls="implicit", insecure=True), Surroundings({})
        )
    assert report.findings[0].title == found.title


def test_what_ends_inside_tls_before_a_greeting_is_asked_nothing_else() -> None:
    context = authority.context(files())
    connections: list[Peer] = []

    def script(peer: Peer) -> None:
        connections.append(peer)
        context.wrap_socket(peer.sock, server_side=True).close()

    with RawServer(script) as server:
        assert looked("conn.greeting_timeout", server.port) == ["conn.port_is_implicit_tls"]
    assert len(connections) == 1


def test_a_request_inside_tls_is_waited_for_no_longer_than_a_greeting(monkeypatch: pytest.MonkeyPatch) -> None:
    context = authority.context(files())
    limits: list[float] = []

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.sock, server_side=True) as peer.sock:
            peer.until_gone()

    monkeypatch.setattr(probe, "INSIDE", 0.2)
    monkeypatch.setattr(probe, "answer_to_http", lambda _endpoint, _route, limit, **_: limits.append(limit))
    with RawServer(script) as server:
        assert looked("conn.greeting_timeout", server.port) == ["conn.port_is_implicit_tls"]
    assert limits == [probe.INSIDE]


def test_what_answers_a_request_with_something_else_is_no_web_server() -> None:
    def redis(peer: Peer) -> None:
        if peer.octets().startswith(b"HEAD "):
            peer.say("-ERR unknown command 'HEAD'")

    with RawServer(redis) as server:
        assert looked("conn.closed", server.port) == ["conn.closed"]


def test_a_cause_that_was_looked_for_in_vain_is_none() -> None:
    with RawServer(Peer.until_gone) as server:
        silent = told("conn.greeting_timeout", server.port, seconds=0.2)[0]
    assert silent.causes and not any("TLS" in cause.text for cause in silent.causes)
    unreached = told("conn.greeting_timeout", nobody_listens())[0]
    assert any("TLS" in cause.text for cause in unreached.causes)


def test_an_address_that_accepts_any_port(monkeypatch: pytest.MonkeyPatch, listeners: tuple[int, int]) -> None:
    with RawServer(lambda peer: None) as server:
        monkeypatch.setattr(second, "NOBODYS_PORTS", listeners)
        assert set(ids(checked(server))) >= {"conn.closed", "conn.any_port_accepted"}
        monkeypatch.setattr(second, "NOBODYS_PORTS", (listeners[0], nobody_listens()))
        assert "conn.any_port_accepted" not in ids(checked(server))


def test_only_port_25_does_not_answer(monkeypatch: pytest.MonkeyPatch, listeners: tuple[int, int]) -> None:
    monkeypatch.setattr(second, "SUBMISSION_PORTS", (listeners[0], nobody_listens()))
    assert looked("conn.timeout") == ["conn.timeout", "local.port25_blocked"]
    assert looked("conn.timeout", 587) == ["conn.timeout"]
    monkeypatch.setattr(probe, "answering", lambda *_: {})
    assert looked("conn.timeout") == ["conn.timeout"]


def test_a_socket_has_neither_ports_nor_a_network(tmp_path: Path) -> None:
    made = profile(str(tmp_path / "smtp.sock"), 0)
    assert ids(check.check(made, Surroundings({}))) == ["conn.socket_failed"]


def test_resolvers_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert probe.resolvers(file) == ()
    file.write_text("# nameserver 192.0.2.9\nsearch example.com\nnameserver 192.0.2.1\nnameserver ::1\nnameserver\n")
    assert probe.resolvers(file) == ("192.0.2.1", "::1")


def test_a_resolver_that_answers_and_one_that_does_not() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.bind(("127.0.0.1", 0))
        port = resolver.getsockname()[1]
        assert "no answer" in probe.resolver_silence("127.0.0.1", 0.05, port)
        asked, _ = resolver.recvfrom(512)
        assert asked[-5:] == b"\x00\x00\x02\x00\x01", "a query for the root's name servers"
        resolver.close()
        assert "refused" in probe.resolver_silence("127.0.0.1", 1, port).lower()


@pytest.mark.parametrize(
    ("silences", "found"),
    [
        ({"192.0.2.1": "no answer"}, "local.resolver_unreachable"),
        ({"192.0.2.1": "no answer", "192.0.2.2": ""}, "conn.dns_temporary"),
        ({}, "conn.dns_temporary"),
    ],
)
def test_no_resolver_answers(monkeypatch: pytest.MonkeyPatch, silences: dict[str, str], found: str) -> None:
    monkeypatch.setattr(probe, "resolvers", lambda: tuple(silences))
    monkeypatch.setattr(probe, "resolver_silence", lambda server, _: silences[server])
    assert looked("conn.dns_temporary") == [found]


def test_a_machine_that_trusts_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert tls.trusts_nobody()
    assert looked("tls.chain.unknown_ca") == ["tls.chain.unknown_ca", "local.trust_store_empty"]
    assert looked("tls.chain.unknown_ca", ca_file=str(tmp_path / "ca.pem")) == ["tls.chain.unknown_ca"]
    (tmp_path / "01234567.0").touch()
    assert looked("tls.chain.unknown_ca") == ["tls.chain.unknown_ca"]


def test_looks_are_declared_whole() -> None:
    names = [look.name for look in second.LOOKS]
    assert len(names) == len(set(names))
    for look in second.LOOKS:
        assert all(entry(id).id == id for id in (*look.after, *look.emits))
