"""The sink on real sockets: mail comes in, faults go out, everything ends."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from pathlib import Path

import pytest

from smtpctl.model.endpoint import Endpoint, TlsMode
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Kind
from smtpctl.protocol.server.faults import HOSTILE, End, Fault, Faults
from smtpctl.protocol.server.values import Limits, Setup
from smtpctl.sink.capture import Captured
from smtpctl.sink.server import Hooks, Sink

USERS = {"ann": Secret("pencil")}
MAIL = ("ann@example.com", ["bob@example.com"], "Subject: hello\r\n\r\n.dot\r\n")


def connect(sink: Sink) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=sink.ca_file) if sink.ca_file else None
    if sink.setup.tls is TlsMode.IMPLICIT:
        return smtplib.SMTP_SSL("localhost", sink.port, context=context, timeout=10)
    client = smtplib.SMTP("localhost", sink.port, timeout=10)
    if sink.setup.tls is TlsMode.STARTTLS:
        client.starttls(context=context)
    return client


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("tls", [TlsMode.NONE, TlsMode.STARTTLS, TlsMode.IMPLICIT])
def test_smtplib_logs_in_and_sends(tls: TlsMode, mechanism: str) -> None:
    with Sink(Setup(tls=tls, users=USERS, mechanisms=(mechanism,))) as sink:
        with connect(sink) as client:
            client.login("ann", "pencil")
            client.sendmail(*MAIL)
        mail = sink.messages[0].mail
    assert mail.content == MAIL[2].encode()
    assert (mail.login, mail.mechanism) == ("ann", mechanism)
    assert mail.protocol == ("ESMTPA" if tls is TlsMode.NONE else "ESMTPSA")
    assert "pencil" not in sink.transcript.dumps()


def test_a_wrong_password_is_refused() -> None:
    with Sink(Setup(users=USERS)) as sink, connect(sink) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("ann", "pen")
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail(*MAIL)


def test_lmtp_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "lmtp.sock")
    with Sink(Setup(lmtp=True), Endpoint("", 0, path)) as sink:
        with smtplib.LMTP(path) as client:
            assert client.sendmail("", ["a@b.c"], "x") == {}
        assert sink.messages[0].mail.protocol == "LMTP"
        assert sink.messages[0].peer == "unix"
    assert not Path(path).exists()


def test_octets_after_starttls_are_dropped() -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink, socket.create_connection(sink.endpoint[:2]) as sock:
        sock.settimeout(10)
        for line in (b"EHLO me\r\n", b"STARTTLS\r\nMAIL FROM:<injected@example.com>\r\n"):
            sock.recv(1000)
            sock.sendall(line)
        assert sock.recv(1000).startswith(b"220 ")
        context = ssl.create_default_context(cafile=sink.ca_file)
        with context.wrap_socket(sock, server_hostname="localhost") as secured:
            secured.sendall(b"EHLO me\r\nRCPT TO:<a@b.c>\r\n")
            with secured.makefile("rb") as said:
                assert any(line.startswith(b"503 ") for line in said)
    notes = [event.text for event in sink.transcript if event.kind is Kind.NOTE]
    assert "34 octets sent before the handshake dropped" in notes


def talk_on(sock: socket.socket) -> None:
    """A mail, line by line, until the connection ends; ends itself where that was orderly."""
    for line in (b"", b"EHLO me\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<a@b>\r\n", b"DATA\r\n", b"x\r\n"):
        sock.sendall(line)
        if not sock.recv(1000):
            return


@pytest.mark.parametrize("name", ["reset_at_greeting", "reset_at_mail", "reset_at_content"])
def test_resets_are_resets(name: str) -> None:
    with Sink(Setup(faults=Faults(*HOSTILE[name]))) as sink, socket.create_connection(sink.endpoint[:2]) as sock:
        sock.settimeout(10)
        with pytest.raises(ConnectionResetError):
            talk_on(sock)


def test_half_close_goes_on_reading() -> None:
    faults = Faults(Fault("ehlo", octets=b"", end=End.HALF))
    with Sink(Setup(faults=faults)) as sink, socket.create_connection(sink.endpoint[:2]) as sock:
        sock.settimeout(10)
        sock.recv(1000)
        sock.sendall(b"EHLO me\r\n")
        assert sock.recv(1000) == b""
        sock.sendall(b"NOOP\r\n" * 1000)


@pytest.mark.parametrize("name", ["endless_line", "endless_reply", "slow_drip", "silent"])
def test_a_client_can_leave_a_hostile_server_and_it_can_stop(name: str) -> None:
    with Sink(Setup(faults=Faults(*HOSTILE[name]))) as sink, socket.create_connection(sink.endpoint[:2]) as sock:
        sock.sendall(b"EHLO me\r\n")
        if name != "silent":
            sock.recv(10)
    assert all(len(session.transcript) <= 10_000 for session in sink.sessions)


def test_an_idle_client_is_told_and_dropped() -> None:
    with Sink(Setup(), idle=0.05) as sink, socket.create_connection(sink.endpoint[:2]) as sock:
        sock.settimeout(10)
        with sock.makefile("rb") as said:
            assert said.read().endswith(b"421 4.4.2 Idle for too long\r\n")


def test_too_many_connections_are_turned_away() -> None:
    with Sink(connections=1) as sink, connect(sink):
        with pytest.raises(smtplib.SMTPConnectError, match="421"):
            connect(sink)
        assert sink.refused == 1


def test_the_last_reply_arrives_though_more_was_sent() -> None:
    with Sink(Setup(limits=Limits(errors=2))) as sink, socket.create_connection(sink.endpoint[:2]) as sock:
        sock.settimeout(10)
        sock.sendall(b"WHAT\r\n" * 100)
        with sock.makefile("rb") as said:
            assert said.read().endswith(b"421 4.7.0 Too many errors\r\n")


def test_a_store_that_fails_is_a_temporary_refusal() -> None:
    class Full:
        def store(self, captured: Captured) -> None:
            raise OSError(28, "No space left on device")

    with Sink(capture=Full()) as sink, connect(sink) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(*MAIL)
        assert refused.value.smtp_code == 452


def test_hooks_see_mails_and_sessions() -> None:
    seen: list[str] = []
    ended = threading.Event()
    hooks = Hooks(
        mail=lambda captured: seen.append(captured.mail.sender.address),
        begin=lambda session: seen.append(session.peer),
        end=lambda session: ended.set(),
    )
    with Sink(hooks=hooks) as sink:
        with connect(sink) as client:
            client.sendmail(*MAIL)
        assert ended.wait(10)
    assert seen == ["127.0.0.1", "ann@example.com"]


def test_many_connections_at_once() -> None:
    def send(sink: Sink) -> None:
        with connect(sink) as client:
            for _ in range(5):
                client.sendmail(*MAIL)

    with Sink() as sink:
        threads = [threading.Thread(target=send, args=(sink,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sink.messages) == 40
        assert len({captured.id for captured in sink.messages}) == 40


def test_external_knows_its_own_client_certificate(tmp_path: Path) -> None:
    setup = Setup(tls=TlsMode.IMPLICIT, users=USERS, mechanisms=("EXTERNAL",))
    with Sink(setup, tls_folder=tmp_path) as sink:
        context = ssl.create_default_context(cafile=sink.ca_file)
        context.load_cert_chain(tmp_path / "client-ann.pem")
        with smtplib.SMTP_SSL("localhost", sink.port, context=context, timeout=10) as client:
            client.ehlo()
            assert client.docmd("AUTH", "EXTERNAL =")[0] == 235
        with connect(sink) as client:  # no certificate: connected, but not logged in
            client.ehlo()
            assert client.docmd("AUTH", "EXTERNAL =")[0] == 535


def test_a_kept_folder_keeps_its_authority(tmp_path: Path) -> None:
    setup = Setup(tls=TlsMode.STARTTLS)
    with Sink(setup, tls_folder=tmp_path / "tls") as sink:
        first = Path(sink.ca_file).read_bytes()
    with Sink(setup, tls_folder=tmp_path / "tls") as sink:
        assert Path(sink.ca_file).read_bytes() == first
        connect(sink).quit()
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "tls").iterdir()} == {0}


def test_two_hundred_idle_clients_get_no_more_threads_than_allowed() -> None:
    before = threading.active_count()
    with Sink(Setup(), connections=50) as sink:
        clients = [socket.create_connection((sink.host, sink.port), timeout=10) for _ in range(200)]
        greetings = [client.recv(100)[:3] for client in clients]
        assert (greetings.count(b"220"), greetings.count(b"421")) == (50, 150)
        assert threading.active_count() <= before + 51
        for client in clients:
            client.close()
    assert threading.active_count() == before


def test_a_chatty_client_fills_no_memory() -> None:
    with Sink(Setup()) as sink, socket.create_connection((sink.host, sink.port), timeout=10) as client:
        client.sendall(b"NOOP " + b"x" * 2000 + b"\r\nQUIT\r\n")
        while client.recv(4096):
            pass
        assert max(len(event.text) for event in sink.transcript) == 1000
