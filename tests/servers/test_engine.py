"""The engine against servers that others wrote: every stage, every mechanism, every chain, every way to get there."""

from __future__ import annotations

import importlib.util
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from bed.accounts import ALICE, BOB
from bed.aio import Aiosmtpd
from bed.dovecot import Dovecot
from bed.exim import Exim
from bed.opensmtpd import OpenSmtpd
from bed.pki import Pki
from bed.postfix import Postfix
from bed.tokens import TokenIssuer
from harness import ROOT, Runner
from profiles import ids, look, profile
from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.report import ExitStatus, Report
from smtpctl.model.transcript import Transcript
from smtpctl.net import pool
from smtpctl.net.connect import connect
from smtpctl.net.connection import Log
from smtpctl.net.tls import fingerprints
from smtpctl.ops import session
from smtpctl.ops import test_send as sending
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.dialogue import log_in
from smtpctl.protocol.stream import Mail, Mode, stream

LOGIN = {"username": ALICE.username, "password": ALICE.password}
OK = ExitStatus.OK


@pytest.fixture
def trusted(pki: Pki) -> dict[str, Any]:
    """Settings that trust the bed's root. The bed listens on IPv4 only."""
    return {"ca_file": str(pki.ca_file), "family": "4"}


def sent(
    host: str, port: int, *, to: str = BOB.username, subject: str = "x", sender: str = ALICE.username, **settings: Any
) -> Report:
    """Send one mail."""
    text = settings.pop("text", None)
    wish = sending.Wish(sending.draft(to=to.split(), subject=subject, text=text), **settings.pop("wish", {}))
    made = profile(host, port, **{"from": sender, **settings})
    return sending.test_send(made, Surroundings(os.environ), wish)


def results(report: Report) -> list[str]:
    return [recipient.result for recipient in report.recipients]


# Postfix


@pytest.mark.parametrize(
    ("listener", "mode"), [("submission", "starttls"), ("smtps", "implicit"), ("submission", "auto")]
)
def test_postfix_takes_a_mail(
    postfix: Postfix, dovecot: Dovecot, trusted: dict[str, Any], listener: str, mode: str
) -> None:
    subject = f"engine {listener} {mode}"
    report = sent("localhost", postfix.port(listener), subject=subject, tls=mode, **LOGIN, **trusted)
    assert (ids(report), report.status(), results(report)) == ([], OK, ["accepted"])
    assert report.facts["queue_id"]
    assert dovecot.wait_for_mail(BOB.username, subject)["From"]


@pytest.mark.parametrize("listener", ["mx", "no_pipelining", "no_chunking", "bare"])
def test_each_way_to_say_it_arrives_the_same(
    postfix: Postfix, dovecot: Dovecot, trusted: dict[str, Any], listener: str
) -> None:
    subject = f"engine dots {listener}"
    text = ".\n..dots\n.\r\nend\n"
    sender = "someone@ext.test"
    report = sent("localhost", postfix.port(listener), subject=subject, sender=sender, text=text, tls="none", **trusted)
    assert results(report) == ["accepted"]
    assert dovecot.wait_for_mail(BOB.username, subject).get_content() == ".\n..dots\n.\nend\n"


def test_postfix_refuses_to_relay(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = sent("localhost", postfix.port("mx"), to="a@elsewhere.test", tls="none", **trusted)
    assert results(report) == ["permanent"]
    assert "554 5.7.1 <a@elsewhere.test>: Relay access denied" in str(report.recipients[0].reply)
    assert ids(report)[0].startswith("generic.")
    assert report.status() is ExitStatus.DATA


def test_postfix_refuses_a_foreign_sender(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = sent("localhost", postfix.port("submission"), sender=BOB.username, tls="starttls", **LOGIN, **trusted)
    assert report.failure
    assert report.failure.reply
    assert report.failure.reply.code == 553
    assert results(report) == ["permanent"]


def test_postfix_refuses_by_size(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = sent("localhost", postfix.port("small"), text="x\n" * 3000, tls="none", **trusted)
    assert results(report) in (["permanent"], ["unknown"])
    assert report.status() is ExitStatus.DATA


def test_some_recipients_refused(postfix: Postfix, trusted: dict[str, Any]) -> None:
    to = f"{BOB.username}, grey@bed.test, full@bed.test, policy@bed.test, a@elsewhere.test"
    report = sent("localhost", postfix.port("mx"), to=to, tls="none", **trusted)
    assert results(report) == ["accepted", "temporary", "permanent", "permanent", "permanent"]


def test_postfix_greylists(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = sent("localhost", postfix.port("mx"), to="grey@bed.test", tls="none", **trusted)
    assert results(report) == ["temporary"]
    assert report.status() is ExitStatus.TEMPORARY


def test_postfix_closes_in_the_middle(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = sent("localhost", postfix.port("mx"), to="closing@bed.test", tls="none", **trusted)
    assert report.status() is ExitStatus.TEMPORARY
    assert "421 4.7.0" in str(report.failure and report.failure.reply)


CHECKS: list[tuple[str, dict[str, Any], list[str], ExitStatus]] = [
    ("mx", {"tls": "auto"}, [], OK),
    ("no_starttls", {"tls": "starttls"}, ["starttls.not_offered"], ExitStatus.UNAVAILABLE),
    ("no_starttls", {"tls": "auto"}, [], OK),
    ("tls_1_0_1_1", {"tls": "starttls"}, ["tls.version.no_tls12"], ExitStatus.UNAVAILABLE),
    ("odd_ciphers", {"tls": "starttls"}, ["tls.cipher.no_overlap"], ExitStatus.UNAVAILABLE),
    ("tls_1_2", {"tls": "starttls"}, [], OK),
    ("tls_1_2", {"tls": "starttls", "tls_min": "1.3"}, ["tls.version.no_tls12"], ExitStatus.UNAVAILABLE),
    ("tls_1_3", {"tls": "starttls"}, [], OK),
    ("blocked", {"tls": "none"}, ["generic.rcpt-dnsbl"], ExitStatus.UNAVAILABLE),
    ("submission", {"tls": "none", **LOGIN}, ["auth.not_offered"], ExitStatus.AUTH),
    ("submission", {"tls": "none", "auth_requirement": "optional-strict", **LOGIN}, [], OK),
    ("smtps", {"tls": "starttls", "seconds": 0.5}, ["conn.port_is_implicit_tls"], ExitStatus.UNAVAILABLE),
    ("submission", {"tls": "implicit"}, ["conn.port_is_plaintext"], ExitStatus.UNAVAILABLE),
    ("cyrus", {"tls": "starttls", **LOGIN}, ["starttls.auth_before_tls"], OK),
]  # fmt: skip


@pytest.mark.parametrize(("listener", "settings", "found", "status"), CHECKS)
def test_postfix_listener(
    postfix: Postfix,
    trusted: dict[str, Any],
    listener: str,
    settings: dict[str, Any],
    found: list[str],
    status: ExitStatus,
) -> None:
    report = look("localhost", postfix.port(listener), **{**trusted, **settings})
    assert (ids(report), report.status()) == (found, status)
    assert not [outcome for outcome in report.outcomes if outcome.result == "crashed"]


def test_a_greeting_that_comes_late(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = look("localhost", postfix.port("postscreen"), tls="none", source="127.0.9.81", **trusted)
    assert (ids(report), report.status()) == ([], OK)
    assert report.facts["greeting"].startswith("220 wait a moment")


def test_a_client_certificate(postfix: Postfix, pki: Pki, trusted: dict[str, Any]) -> None:
    port = postfix.port("client_certificate")
    with_one = {"client_cert": str(pki.chain("client")), "client_key": str(pki.key("client"))}
    assert ids(look("localhost", port, tls="starttls", **with_one, **trusted)) == []
    report = look("localhost", port, tls="starttls", **trusted)
    assert report.status() is not OK
    assert ids(report) == ["generic.tls-client-cert-not-presented"]
    stranger = {"client_cert": str(pki.chain("selfsigned")), "client_key": str(pki.key("selfsigned"))}
    assert ids(look("localhost", port, tls="starttls", **stranger, **trusted)) == [
        "generic.tls-client-cert-not-trusted", "tls.client_cert_no_clientauth_eku",
    ]  # fmt: skip


# Mechanisms

ANYWHERE = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")


@pytest.mark.parametrize("mechanism", ANYWHERE)
@pytest.mark.parametrize("account", [ALICE, BOB], ids=["alice", "bob"])
def test_dovecot_takes_passwords(dovecot: Dovecot, trusted: dict[str, Any], mechanism: str, account: Any) -> None:
    settings = {"username": account.username, "password": account.password, "auth_mech": mechanism}
    report = look("localhost", dovecot.port("submission"), tls="starttls", **settings, **trusted)
    assert report.status() is OK
    assert report.facts["mechanism"] == mechanism


@pytest.mark.parametrize("mechanism", [*ANYWHERE, "SCRAM-SHA-512", "NTLM"])
def test_cyrus_takes_passwords(postfix: Postfix, trusted: dict[str, Any], mechanism: str) -> None:
    report = look("localhost", postfix.port("cyrus"), tls="starttls", auth_mech=mechanism, **LOGIN, **trusted)
    assert report.status() is OK
    assert report.facts["mechanism"] == mechanism


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_exim_takes_passwords(exim: Exim, trusted: dict[str, Any], mechanism: str) -> None:
    report = look("localhost", exim.port("submission"), tls="starttls", auth_mech=mechanism, **LOGIN, **trusted)
    assert report.status() is OK


@pytest.mark.parametrize("padding", [0, 1000, 4000])
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("server", ["postfix", "dovecot"])
def test_tokens(
    postfix: Postfix,
    dovecot: Dovecot,
    tokens: TokenIssuer,
    trusted: dict[str, Any],
    server: str,
    mechanism: str,
    padding: int,
) -> None:
    """Long ones too: they do not fit on the command line, which servers take for a wrong password."""
    port = (postfix if server == "postfix" else dovecot).port("submission")
    token = tokens.token(ALICE.username, padding=padding)
    settings = {"username": ALICE.username, "access_token": token, "auth_mech": mechanism}
    report = look("localhost", port, tls="starttls", **settings, **trusted)
    assert report.status() is OK
    assert report.facts["mechanism"] == mechanism


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_an_expired_token(dovecot: Dovecot, tokens: TokenIssuer, trusted: dict[str, Any], mechanism: str) -> None:
    token = tokens.token(ALICE.username, life=-60)
    settings = {"username": ALICE.username, "access_token": token, "auth_mech": mechanism}
    report = look("localhost", dovecot.port("submission"), tls="starttls", **settings, **trusted)
    assert report.status() is ExitStatus.AUTH
    challenges = [event.facts["challenge"] for event in report.transcript if "challenge" in event.facts]
    assert challenges
    assert "status" in challenges[0]["oauth"]


def test_external(dovecot: Dovecot, pki: Pki, trusted: dict[str, Any]) -> None:
    settings = {"client_cert": str(pki.chain("client")), "client_key": str(pki.key("client")), "auth_mech": "EXTERNAL"}
    report = look("localhost", dovecot.port("submission"), tls="starttls", **settings, **trusted)
    assert report.facts["mechanism"] == "EXTERNAL"


def test_gssapi(postfix: Postfix, realm: Any, pki: Pki, smtpctl_run: Runner, requires: Any) -> None:
    """In a process of its own: the Kerberos library reads its environment once."""
    requires.module("gssapi", "gssapi")
    target = f"localhost:{postfix.port('submission')}"
    options = ["--tls", "starttls", "--ca-file", str(pki.ca_file), "--family", "4", "--auth-mech", "GSSAPI", "--json"]
    done = smtpctl_run("check", target, *options, env=realm.client_environment())
    assert done.code == OK, done.stdout + done.stderr
    assert '"mechanism": "GSSAPI"' in done.stdout


@pytest.mark.parametrize("mechanism", ["", *ANYWHERE])
def test_a_wrong_password_is_tried_once(postfix: Postfix, trusted: dict[str, Any], mechanism: str) -> None:
    wrong = {"username": ALICE.username, "password": "not-hers", "auth_mech": mechanism}
    report = look("localhost", postfix.port("cyrus"), tls="starttls", **wrong, **trusted)
    assert report.status() is ExitStatus.AUTH
    assert sum(event.text.startswith("AUTH ") for event in report.transcript if event.kind == "sent") == 1


# Other servers


def test_dovecot_submission_takes_a_mail(dovecot: Dovecot, trusted: dict[str, Any]) -> None:
    for listener, mode in (("submission", "starttls"), ("submissions", "implicit")):
        subject = f"engine dovecot {listener}"
        report = sent("localhost", dovecot.port(listener), subject=subject, tls=mode, **LOGIN, **trusted)
        assert results(report) == ["accepted"]
        assert dovecot.wait_for_mail(BOB.username, subject)


def test_exim_takes_a_mail(exim: Exim, trusted: dict[str, Any]) -> None:
    for listener, mode in (("submission", "starttls"), ("smtps", "implicit")):
        subject = f"engine exim {listener}"
        report = sent(
            "localhost", exim.port(listener), to="a@elsewhere.test", subject=subject, tls=mode, **LOGIN, **trusted
        )
        assert results(report) == ["accepted"]
        assert exim.wait_for_mail(f"Subject: {subject}")
    report = sent("localhost", exim.port("submission"), to="a@elsewhere.test", tls="none", **trusted)
    assert "550 relay not permitted" in str(report.recipients[0].reply)


def test_opensmtpd_takes_a_mail(opensmtpd: OpenSmtpd, dovecot: Dovecot, trusted: dict[str, Any]) -> None:
    report = sent("localhost", opensmtpd.port("plain"), subject="engine opensmtpd", tls="none", **trusted)
    assert results(report) == ["accepted"]
    assert dovecot.wait_for_mail(BOB.username, "engine opensmtpd")


@pytest.mark.parametrize(("listener", "mode"), [("submission", "starttls"), ("smtps", "implicit")])
def test_opensmtpd_fails_its_handshake(opensmtpd: OpenSmtpd, trusted: dict[str, Any], listener: str, mode: str) -> None:
    assert ids(look("localhost", opensmtpd.port(listener), tls=mode, **trusted)) == ["tls.handshake_failed"]


def test_aiosmtpd_takes_a_mail(aiosmtpd: Aiosmtpd, trusted: dict[str, Any]) -> None:
    report = sent("localhost", aiosmtpd.port, subject="engine aio", tls="starttls", **LOGIN, **trusted)
    assert results(report) == ["accepted"]
    assert [mail["Subject"] for mail in aiosmtpd.mails] == ["engine aio"]


@pytest.mark.parametrize("way", ["tcp", "socket"])
def test_lmtp(dovecot: Dovecot, trusted: dict[str, Any], way: str) -> None:
    host, port = ("localhost", dovecot.port("lmtp")) if way == "tcp" else (str(dovecot.lmtp_socket), 0)
    to = f"{ALICE.username}, {BOB.username}"
    report = sent(host, port, to=to, subject=f"engine lmtp {way}", lmtp=True, tls="none", **trusted)
    assert results(report) == ["accepted", "accepted"]
    assert dovecot.wait_for_mail(BOB.username, f"engine lmtp {way}")


# Certificates

CHAINS = {
    "good": [],
    "good-rsa": [],
    "soon": [],  # three of four days: a short life, no short rest
    "revoked": [],
    "nosan": ["tls.cert.cn_only"],
    "muststaple": ["tls.cert.must_staple"],
    "expired": ["tls.cert.expired"],
    "notyet": ["tls.cert.not_yet_valid"],
    "wronghost": ["tls.cert.hostname_mismatch"],
    "wildcard": ["tls.cert.hostname_mismatch"],
    "ipsan": ["tls.cert.hostname_mismatch"],
    "missing-int": ["tls.chain.missing_intermediate"],
    "selfsigned": ["tls.cert.self_signed"],
    "unknownca": ["tls.chain.unknown_ca"],
    "clientonly": ["tls.cert.eku"],
    "rsa1024": ["tls.cert.weak_key"],
    "sha1": ["tls.cert.weak_signature"],
    "idn": ["tls.cert.hostname_mismatch"],
    "is-ca": ["tls.cert.is_ca"],
    "root-unsent": ["tls.chain.unknown_ca"],
    "root-anew": ["tls.chain.unknown_ca"],
    "three-faults": ["tls.cert.expired", "tls.cert.hostname_mismatch", "tls.chain.missing_intermediate"],
    "expired-int": ["tls.chain.expired_ca"],
    "two-ints": ["tls.chain.extra_certs"],
    "wrong-int": ["tls.chain.bad_signature"],
    "weak-int": ["tls.cert.weak_key"],
    "too-deep": ["tls.chain.path_length"],
    "disordered": ["tls.chain.order", "tls.chain.root_sent"],
    "with-root": ["tls.chain.root_sent"],
    "twice": ["tls.chain.extra_certs"],
    "stranger": ["tls.chain.extra_certs"],
}
PASS = {
    "good", "good-rsa", "soon", "revoked", "nosan", "muststaple", "is-ca", "two-ints", "disordered", "with-root", "twice",
    "stranger",
}  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_chain(postfix: Postfix, trusted: dict[str, Any], name: str) -> None:
    report = look("localhost", postfix.certificate_port(name), tls="starttls", **trusted)
    assert ids(report) == CHAINS[name]
    assert report.status() is (OK if name in PASS else ExitStatus.UNAVAILABLE)
    assert report.facts["certificates"]
    if name not in PASS:
        first = report.findings[0]
        assert report.stages[-1].detail == first.title  # the row and the finding say the same
        assert first.id in " ".join(outcome.reason for outcome in report.outcomes if outcome.result == "found")


@pytest.mark.parametrize("name", [name for name in CHAINS if name not in PASS])
def test_insecure_goes_on_and_still_tells(postfix: Postfix, trusted: dict[str, Any], name: str) -> None:
    report = look("localhost", postfix.certificate_port(name), tls="starttls", insecure=True, **trusted)
    assert set(CHAINS[name]) <= set(ids(report))
    assert report.facts["greeting"]


def test_every_fault_is_told_and_not_only_the_first(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = look(
        "localhost", postfix.certificate_port("expired"), tls="starttls", verify_name="mx.other.test", **trusted
    )
    assert set(ids(report)) == {"tls.cert.expired", "tls.cert.hostname_mismatch"}


def test_a_missing_intermediate_is_named(postfix: Postfix, pki: Pki, trusted: dict[str, Any]) -> None:
    report = look("localhost", postfix.certificate_port("missing-int"), tls="starttls", **trusted)
    [finding] = report.findings
    seen = {piece.label: piece.text for piece in finding.evidence}
    assert seen["missing:"] == "CN=smtpctl bed intermediate,O=smtpctl bed"
    assert seen["get it from:"] == pki.issuer_url


def test_a_root_made_anew_is_told_from_one_that_is_not_known(postfix: Postfix, trusted: dict[str, Any]) -> None:
    [finding] = look("localhost", postfix.certificate_port("root-anew"), tls="starttls", **trusted).findings
    assert finding.evidence[-1].label == "trusted here:"


def test_a_name_in_other_letters(postfix: Postfix, trusted: dict[str, Any]) -> None:
    port = postfix.certificate_port("idn")
    assert ids(look("localhost", port, tls="starttls", verify_name="bücher.example", **trusted)) == []
    assert ids(look("localhost", port, tls="starttls", verify_name="bucher.example", **trusted)) == [
        "tls.cert.hostname_mismatch"
    ]


def test_the_presented_certificates_can_be_read_along(postfix: Postfix, pki: Pki, trusted: dict[str, Any]) -> None:
    report = look("localhost", postfix.certificate_port("good"), tls="starttls", **trusted)
    notes = [event.text for event in report.transcript if event.kind == "note"]
    certificate, _ = fingerprints(x509.load_pem_x509_certificate(pki.chain("good").read_bytes()).public_bytes(_DER))
    assert sum(note.startswith("certificate ") for note in notes) == 2
    assert f"  sha256:{certificate}" in notes


def test_by_address(postfix: Postfix, pki: Pki) -> None:
    settings = {"tls": "starttls", "ca_file": str(pki.ca_file)}
    assert ids(look("127.0.0.1", postfix.certificate_port("ipsan"), **settings)) == []
    assert ids(look("127.0.0.1", postfix.certificate_port("wildcard"), **settings)) == ["tls.cert.ip_used"]


def test_verify_name_and_sni(postfix: Postfix, trusted: dict[str, Any]) -> None:
    port = postfix.certificate_port("wildcard")
    assert ids(look("localhost", port, tls="starttls", verify_name="mx.bed.test", **trusted)) == []
    assert ids(look("localhost", port, tls="starttls", verify_name="a.mx.bed.test", **trusted)) == [
        "tls.cert.wildcard_depth"
    ]
    report = look("localhost", postfix.certificate_port("good"), tls="starttls", sni="other.test", **trusted)
    assert ids(report) == []
    assert report.facts["tls"]["server_name"] == "localhost"


def test_a_root_that_is_not_trusted_here(postfix: Postfix) -> None:
    report = look("localhost", postfix.certificate_port("good"), tls="starttls", family="4")
    assert report.status() is ExitStatus.UNAVAILABLE
    assert ids(report)[0] in ("tls.chain.unknown_ca", "tls.chain.missing_intermediate")


@pytest.mark.parametrize("name", ["good", "selfsigned", "expired", "wronghost"])
def test_pins(postfix: Postfix, pki: Pki, name: str) -> None:
    """A pin replaces all that a certificate authority says."""
    der = x509.load_pem_x509_certificates(pki.chain(name).read_bytes())[0].public_bytes(_DER)
    certificate, public_key = fingerprints(der)
    port = postfix.certificate_port(name)
    for pin in (certificate, public_key):
        report = look("localhost", port, tls="starttls", pin=[f"sha256:{pin}"], family="4")
        assert report.failure is None
    report = look("localhost", port, tls="starttls", pin=[f"sha256:{'0' * 64}"], family="4")
    assert ids(report)[0] == "tls.pin_mismatch"
    assert report.status() is ExitStatus.UNAVAILABLE


_DER = importlib.import_module("cryptography.hazmat.primitives.serialization").Encoding.DER


def test_a_client_key_with_a_password(postfix: Postfix, pki: Pki, trusted: dict[str, Any], tmp_path: Path) -> None:
    """Nobody is asked for it on the terminal."""
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    key = serialization.load_pem_private_key(pki.key("client").read_bytes(), None)
    encrypted = tmp_path / "key.pem"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
    )
    settings = {"client_cert": str(pki.chain("client")), "client_key": str(encrypted)}
    assert ids(look("localhost", postfix.port("mx"), tls="starttls", **settings, **trusted)) == [
        "local.tls_file_unusable"
    ]


# Ways to get there


def _relay(one: socket.socket, two: socket.socket) -> None:
    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=copy, args=(two, one), daemon=True)
    back.start()
    copy(one, two)
    back.join(10)


@contextmanager
def proxy(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """A proxy on a loopback port; `handle` does one connection."""

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                handle(client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _http(client: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(65536)
    if b"Proxy-Authorization: Basic dXNlcjpwJncgZA==" not in head:
        client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
    port = int(head.split()[1].rsplit(b":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as server:
        greeting = server.recv(65536)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n" + greeting)  # in one packet
        _relay(client, server)


def _socks(client: socket.socket) -> None:
    assert client.recv(3)[:1] == b"\x05"
    client.sendall(b"\x05\x00")
    request = client.recv(300)
    port = int.from_bytes(request[-2:], "big")
    if port == 1:
        client.sendall(b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00")  # connection refused
        return
    with socket.create_connection(("127.0.0.1", port)) as server:
        client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        _relay(client, server)


@pytest.mark.parametrize("scheme", ["http://user:p%26w%20d@", "socks5://", "socks5h://"])
def test_through_a_proxy(postfix: Postfix, pki: Pki, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(_http if scheme.startswith("http") else _socks) as port:
        monkeypatch.setenv("SMTPCTL_PROXY", f"{scheme}127.0.0.1:{port}")
        report = look("localhost", postfix.port("submission"), tls="starttls", ca_file=str(pki.ca_file), **LOGIN)
    assert (ids(report), report.status()) == ([], OK)
    assert not any("p&w d" in event.text or "p%26w" in event.text for event in report.transcript)


@pytest.mark.parametrize(
    ("scheme", "port", "words"),
    [
        ("http://", 25, "407 Proxy Authentication Required"),
        ("socks5://", 1, "refused"),
        ("http://127.0.0.1:1", 25, "refused"),
    ],
)
def test_a_proxy_that_says_no(scheme: str, port: int, words: str) -> None:
    with proxy(_http if scheme.startswith("http") else _socks) as own:
        url = scheme if scheme.endswith(":1") else f"{scheme}127.0.0.1:{own}"
        report = look("localhost", port, tls="none", proxy=url)
    assert ids(report) == ["conn.proxy_failed"]
    assert words in report.findings[0].evidence[0].text


def test_source_address(postfix: Postfix, trusted: dict[str, Any]) -> None:
    report = look("localhost", postfix.port("mx"), tls="none", source="127.0.9.90", **trusted)
    assert report.status() is OK
    attempts = [event.facts for event in report.transcript if event.stage == "connect"]
    assert attempts[-1]["local"] == "127.0.9.90"
    wrong = look("localhost", postfix.port("mx"), tls="none", source="192.0.2.1", **trusted)
    assert ids(wrong) == ["conn.unreachable"]


def test_happy_eyeballs(postfix: Postfix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address answers nothing: the second one is tried after a quarter of a second, and told of."""
    real = socket.getaddrinfo
    port = postfix.port("mx")
    with socket.socket() as dead:
        dead.bind(("127.0.9.91", port))
        dead.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.9.91", port))

        def both(host: str, *rest: Any, **more: Any) -> Any:
            if host not in ("two.test", b"two.test"):
                return real(host, *rest, **more)
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.9.91", "127.0.0.1")
            ]

        monkeypatch.setattr(socket, "getaddrinfo", both)
        report = look("two.test", port, tls="none", trusted=True)
        for filler in fillers:
            filler.close()
    assert report.status() is OK
    assert "connected to 127.0.0.1" in "".join(event.text for event in report.transcript)


@pytest.mark.parametrize("addresses", [["127.0.9.92", "127.0.0.1"], ["::1", "127.0.0.1"]])
def test_a_dead_first_address(postfix: Postfix, monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    port = postfix.port("mx")
    real = socket.getaddrinfo

    def both(host: str, *rest: Any, **more: Any) -> Any:
        if host not in ("two.test", b"two.test"):
            return real(host, *rest, **more)
        return [item for one in addresses for item in real(one, port, 0, socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    report = look("two.test", port, tls="none", trusted=True)
    assert ids(report) == ["local.ipv6_broken" if ":" in addresses[0] else "conn.partial"]
    assert report.status() is OK
    lines = [evidence.text for evidence in report.findings[0].evidence]
    assert len(lines) == 2
    assert "refused" in lines[0]


def test_ipv6(requires: Any) -> None:
    from smtpctl.model.endpoint import Endpoint
    from smtpctl.protocol.server.values import Setup
    from smtpctl.sink.server import Sink

    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        requires.missing("IPv6 on the loopback interface")
    with Sink(Setup(), Endpoint("::1", 0)) as sink:
        report = look("::1", sink.port, tls="none")
    assert report.status() is OK
    assert report.target == f"[::1]:{sink.port}"


# Round trips


def delay_proxy() -> Any:
    spec = importlib.util.spec_from_file_location("delayproxy", ROOT / "bench" / "delayproxy.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("listener", "mode", "most"),
    [("submission", "starttls", 8), ("smtps", "implicit", 6), ("no_chunking", "starttls", 8)],
)
def test_round_trips(postfix: Postfix, pki: Pki, listener: str, mode: str, most: int) -> None:
    """As the wire has it: connection, greeting, EHLO, STARTTLS, TLS, EHLO, AUTH, mail; without CHUNKING one more."""
    login = {**LOGIN, "auth_mech": "PLAIN"} if listener != "no_chunking" else {}
    with delay_proxy().DelayProxy(postfix.port(listener), 0.02) as between:
        sender = ALICE.username if login else "someone@ext.test"
        report = sent("localhost", between.port, sender=sender, tls=mode, ca_file=str(pki.ca_file), family="4", **login)
        [flights] = between.wait()
    assert results(report) == ["accepted"]
    assert report.facts["round_trips"] == flights.round_trips == most


# Streams


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("server", ["postfix", "exim"])
def test_stream(postfix: Postfix, exim: Exim, trusted: dict[str, Any], server: str, mode: Mode) -> None:
    """Refused mails between accepted ones: each has its own verdict, whatever the mode."""
    port = postfix.port("mx") if server == "postfix" else exim.port("submission")
    made = profile("localhost", port, tls="none", **trusted)
    to = [BOB.username, "a@elsewhere.test", ALICE.username, "a@elsewhere.test", BOB.username, BOB.username]
    mails = []
    for number, address in enumerate(to):
        body = f"Subject: stream {server} {mode} {number}\r\n\r\n.dot\r\n".encode()
        mails.append(Mail(Envelope(f"s{number}@ext.test", (Recipient(address),), size=len(body)), body, number))
    settled: dict[int, Any] = {}
    transcript = Transcript()
    connection = connect(made.endpoint, made.route, made.tls, made.timeouts, Log(transcript))

    def dialogue() -> Any:
        opened = yield from log_in(session.login(made, session.credentials(made, Surroundings(os.environ))))
        yield from stream(opened.capabilities, mails, lambda mail, done: settled.setdefault(mail.key, done), mode=mode)

    failures: list[Any] = []
    pool.drive([(connection, dialogue())], lambda _, failure: failures.append(failure))
    assert failures == [None]
    verdicts = [settled[number].recipients[0].result for number in range(len(mails))]
    assert verdicts == ["permanent" if address == "a@elsewhere.test" else "accepted" for address in to]


# Secrets


@pytest.mark.parametrize("mechanism", [*ANYWHERE, "NTLM"])
@pytest.mark.parametrize("right", [True, False])
def test_no_password_gets_out(postfix: Postfix, trusted: dict[str, Any], mechanism: str, right: bool) -> None:
    password = ALICE.password if right else "CANARY-7f3a-password"
    settings = {"username": ALICE.username, "password": password, "auth_mech": mechanism}
    report = look("localhost", postfix.port("cyrus"), tls="starttls", **settings, **trusted)
    told = report.transcript.dumps() + repr(report)
    assert password not in told


def test_tls_session_is_what_the_server_says(postfix: Postfix, pki: Pki) -> None:
    """Our facts of a handshake are those that another client sees."""
    report = look("localhost", postfix.port("tls_1_2"), tls="starttls", ca_file=str(pki.ca_file), family="4")
    assert report.facts["tls"]["version"] == "TLSv1.2"
    leaf = ssl.PEM_cert_to_DER_cert(
        pki.chain("good").read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    )
    assert report.facts["certificates"][0]["sha256"] == fingerprints(leaf)[0]
