"""The bed itself is right: seen with smtplib and swaks, so that a failure elsewhere is ours."""

from __future__ import annotations

import base64
import os
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import spnego
from scramp import ScramClient  # type: ignore[import-untyped]

from bed import gssapi_login
from bed.accounts import ALICE, BOB, HOST, REPLIES
from bed.aio import Aiosmtpd
from bed.dovecot import Dovecot
from bed.exim import Exim
from bed.kerberos import Realm
from bed.opensmtpd import OpenSmtpd
from bed.pki import CHAINS, Pki
from bed.ports import Ports
from bed.postfix import Postfix
from bed.process import answers
from bed.tokens import TokenIssuer
from harness import Requires

TIMEOUT = 10
# What a client that checks says of each chain; None: it is content (it looks at no revocation, and takes the common
# name of a certificate without names).
VERDICTS = {
    "good": None,
    "good-rsa": None,
    "soon": None,
    "revoked": None,
    "muststaple": None,
    "nosan": None,
    "expired": "certificate has expired",
    "notyet": "certificate is not yet valid",
    "wronghost": "Hostname mismatch",
    "wildcard": "Hostname mismatch",
    "ipsan": "Hostname mismatch",
    "missing-int": "unable to get local issuer certificate",
    "selfsigned": "self-signed certificate",
    "unknownca": "self-signed certificate in certificate chain",
    "clientonly": "unsuitable certificate purpose",
    "rsa1024": "EE certificate key too weak",
    "sha1": "CA signature digest algorithm too weak",
    "idn": "Hostname mismatch",
    "is-ca": None,
    "root-unsent": "unable to get local issuer certificate",
    "root-anew": "unable to get local issuer certificate",
    "three-faults": "unable to get local issuer certificate",
    "expired-int": "certificate has expired",
    "two-ints": None,
    "wrong-int": "unable to get local issuer certificate",
    "weak-int": "CA certificate key too weak",
    "too-deep": "path length constraint exceeded",
    "disordered": None,
    "with-root": None,
    "twice": None,
    "stranger": None,
}


def client(port: int, context: ssl.SSLContext | None = None) -> smtplib.SMTP:
    """A client after EHLO, and after STARTTLS if there is a context."""
    smtp = smtplib.SMTP(HOST, port, timeout=TIMEOUT)
    if context:
        smtp.starttls(context=context)
    smtp.ehlo()
    return smtp


def message(subject: str) -> str:
    return f"From: {ALICE.username}\r\nTo: {BOB.username}\r\nSubject: {subject}\r\n\r\n.dot\r\n"


def mechanisms(smtp: smtplib.SMTP) -> set[str]:
    return set(smtp.esmtp_features["auth"].split())


def test_postfix_takes_a_mail_and_dovecot_has_it(postfix: Postfix, dovecot: Dovecot, trusting: ssl.SSLContext) -> None:
    with client(postfix.port("submission"), trusting) as smtp:
        smtp.login(*ALICE)
        smtp.sendmail(ALICE.username, [BOB.username], message("by submission"))
    assert dovecot.wait_for_mail(BOB.username, "by submission").get_content() == ".dot\n"


def test_swaks_sends_over_implicit_tls(postfix: Postfix, dovecot: Dovecot, pki: Pki, requires: Requires) -> None:
    swaks = requires("swaks")
    login = ["--auth", "PLAIN", "--auth-user", BOB.username, "--auth-password", BOB.password]
    target = ["--server", HOST, "--port", str(postfix.port("smtps")), "--tls-on-connect"]
    trust = ["--tls-verify", "--tls-ca-path", str(pki.ca_file)]
    envelope = ["--from", BOB.username, "--to", ALICE.username, "--header", "Subject: by swaks"]
    done = subprocess.run([swaks, *target, *login, *trust, *envelope], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert dovecot.wait_for_mail(ALICE.username, "by swaks")


def test_submission_refuses_a_wrong_password_and_a_foreign_sender(postfix: Postfix, trusting: ssl.SSLContext) -> None:
    with client(postfix.port("submission"), trusting) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            smtp.login(ALICE.username, "wrong")
        assert refused.value.smtp_code == 535
        smtp.login(*ALICE)
        smtp.mail(BOB.username)
        assert smtp.rcpt(ALICE.username)[0] == 553


def test_submission_offers_no_login_in_clear(postfix: Postfix) -> None:
    with client(postfix.port("submission")) as smtp:
        assert "auth" not in smtp.esmtp_features
        assert smtp.mail(ALICE.username)[0] == 530


def test_mx_refuses_to_relay_and_replies_as_the_table_says(postfix: Postfix) -> None:
    for recipient, reply in {"someone@elsewhere.test": "554 5.7.1 Relay access denied", **REPLIES}.items():
        with client(postfix.port("mx")) as smtp:
            smtp.mail("someone@ext.test")
            code, text = smtp.rcpt(recipient)
            wanted_code, enhanced, words = reply.split(" ", 2)
            assert code == int(wanted_code)
            assert text.decode().startswith(enhanced)
            assert text.decode().endswith(words)
            smtp.close()


def test_small_refuses_by_size(postfix: Postfix) -> None:
    with client(postfix.port("small")) as smtp:
        assert smtp.mail("someone@ext.test", ["SIZE=5000"])[0] == 552


def test_postscreen_greets_late(postfix: Postfix) -> None:
    # postscreen remembers who has waited: another address each time is a first visit
    source = ("127.0.9.9", 0)
    stream = socket.create_connection((HOST, postfix.port("postscreen")), TIMEOUT, source_address=source)
    with stream, stream.makefile("rb") as lines:
        assert lines.readline() == b"220-wait a moment\r\n"
        assert lines.readline().startswith(b"220 mail.bed.test")


@pytest.mark.parametrize(
    ("listener", "absent"),
    [
        ("no_starttls", {"starttls"}),
        ("no_pipelining", {"pipelining"}),
        ("no_chunking", {"chunking"}),
        ("bare", {"pipelining", "chunking", "8bitmime", "smtputf8", "dsn", "enhancedstatuscodes"}),
    ],
)
def test_listener_lacks_an_extension(postfix: Postfix, listener: str, absent: set[str]) -> None:
    every = {"starttls", "pipelining", "chunking", "8bitmime", "smtputf8", "dsn", "enhancedstatuscodes"}
    with client(postfix.port(listener)) as smtp:
        assert every - set(smtp.esmtp_features) == absent


def test_listeners_with_one_tls_version(postfix: Postfix, trusting: ssl.SSLContext) -> None:
    for listener, version in (("tls_1_2", "TLSv1.2"), ("tls_1_3", "TLSv1.3")):
        with client(postfix.port(listener), trusting) as smtp:
            assert isinstance(smtp.sock, ssl.SSLSocket)
            assert smtp.sock.version() == version
    for listener in ("tls_1_0_1_1", "odd_ciphers"):
        with smtplib.SMTP(HOST, postfix.port(listener), timeout=TIMEOUT) as smtp:
            with pytest.raises(ssl.SSLError):
                smtp.starttls(context=trusting)
            smtp.close()


def test_client_certificate_is_wanted(postfix: Postfix, pki: Pki, trusting: ssl.SSLContext) -> None:
    port = postfix.port("client_certificate")
    with smtplib.SMTP(HOST, port, timeout=TIMEOUT) as smtp:
        smtp.starttls(context=trusting)
        assert smtp.docmd("EHLO", "client.test")[0] == 421
        smtp.close()
    context = ssl.create_default_context(cafile=str(pki.ca_file))
    context.load_cert_chain(pki.chain("client"), pki.key("client"))
    with client(port, context) as smtp:
        assert smtp.noop()[0] == 250


def exchange(smtp: smtplib.SMTP, mechanism: str, answer: Callable[[bytes], bytes]) -> int:
    """AUTH with each challenge answered; the code of the last reply."""
    code, text = smtp.docmd("AUTH", mechanism)
    while code == 334:
        code, text = smtp.docmd(base64.b64encode(answer(base64.b64decode(text))).decode())
    return code


def scram(name: str) -> Callable[[bytes], bytes]:
    steps = ScramClient([name], *ALICE)

    def conversation() -> Generator[bytes, bytes, None]:
        steps.set_server_first((yield steps.get_client_first().encode()).decode())
        steps.set_server_final((yield steps.get_client_final().encode()).decode())
        yield b""

    talk = conversation()
    return lambda challenge: talk.send(challenge) if challenge else next(talk)


@pytest.mark.parametrize(
    ("server", "name"),
    [("dovecot", "SCRAM-SHA-1"), ("dovecot", "SCRAM-SHA-256"), ("cyrus", "SCRAM-SHA-256"), ("cyrus", "SCRAM-SHA-512")],
)
def test_scram(postfix: Postfix, trusting: ssl.SSLContext, server: str, name: str) -> None:
    with client(postfix.port("submission" if server == "dovecot" else "cyrus"), trusting) as smtp:
        assert exchange(smtp, name, scram(name)) == 235


def test_ntlm(postfix: Postfix, trusting: ssl.SSLContext) -> None:
    context = spnego.client(*ALICE, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    with client(postfix.port("cyrus"), trusting) as smtp:
        assert exchange(smtp, "NTLM", lambda challenge: context.step(challenge or None) or b"") == 235


# Dovecot takes its protocol as the service, Cyrus SASL the host name of Postfix.
PRINCIPALS = {
    "dovecot": ("submission", "localhost"),
    "postfix": ("smtp", "localhost"),
    "cyrus": ("smtp", "mail.bed.test"),
}


@pytest.mark.parametrize("server", PRINCIPALS)
def test_gssapi(postfix: Postfix, dovecot: Dovecot, realm: Realm, requires: Requires, server: str) -> None:
    """In a process of its own: the Kerberos library reads its environment once."""
    requires.module("gssapi", "gssapi")
    ports = {
        "dovecot": dovecot.port("submission"),
        "postfix": postfix.port("submission"),
        "cyrus": postfix.port("cyrus"),
    }
    program = Path(gssapi_login.__file__)
    command = [sys.executable, str(program), str(ports[server]), *PRINCIPALS[server]]
    environment = {**os.environ, **realm.client_environment()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith("235 "), done.stdout + done.stderr


def test_every_chain_has_a_verdict() -> None:
    assert set(VERDICTS) == set(CHAINS)


@pytest.mark.parametrize("name", VERDICTS)
def test_certificate_listener(postfix: Postfix, trusting: ssl.SSLContext, name: str) -> None:
    verdict = VERDICTS[name]
    with smtplib.SMTP(HOST, postfix.certificate_port(name), timeout=TIMEOUT) as smtp:
        if verdict is None:
            assert smtp.starttls(context=trusting)[0] == 220
            return
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            smtp.starttls(context=trusting)
        assert verdict in refused.value.verify_message
        smtp.close()


def test_mechanisms(postfix: Postfix, dovecot: Dovecot, trusting: ssl.SSLContext) -> None:
    every = {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}
    with client(postfix.port("submission"), trusting) as smtp:
        assert every | {"GSSAPI"} <= mechanisms(smtp)
    with client(dovecot.port("submission"), trusting) as smtp:
        assert every | {"GSSAPI", "EXTERNAL"} <= mechanisms(smtp)
    with client(postfix.port("cyrus"), trusting) as smtp:
        assert {"NTLM", "SCRAM-SHA-512", "GSSAPI", "ANONYMOUS"} <= mechanisms(smtp)
    with client(postfix.port("no_plaintext_mechanism")) as smtp:
        assert not {"PLAIN", "LOGIN"} & mechanisms(smtp)


def test_cyrus_knows_the_account(postfix: Postfix, trusting: ssl.SSLContext) -> None:
    with client(postfix.port("cyrus"), trusting) as smtp:
        smtp.user, smtp.password = ALICE
        assert smtp.auth("CRAM-MD5", smtp.auth_cram_md5)[0] == 235


@pytest.mark.parametrize("listener", ["submission", "submissions"])
def test_dovecot_submission_hands_on(dovecot: Dovecot, trusting: ssl.SSLContext, listener: str) -> None:
    subject = f"by Dovecot {listener}"
    implicit = listener == "submissions"
    port = dovecot.port(listener)
    with smtplib.SMTP_SSL(HOST, port, context=trusting) if implicit else client(port, trusting) as smtp:
        smtp.login(*ALICE)
        smtp.sendmail(ALICE.username, [BOB.username], message(subject))
    assert dovecot.wait_for_mail(BOB.username, subject)


def test_token_logs_in(postfix: Postfix, dovecot: Dovecot, trusting: ssl.SSLContext, tokens: TokenIssuer) -> None:
    good, expired = tokens.token(ALICE.username), tokens.token(ALICE.username, life=-60)
    for port in (postfix.port("submission"), dovecot.port("submission")):
        for token, accepted in ((good, True), (expired, False)):
            with client(port, trusting) as smtp:
                assert smtp.docmd("AUTH", "XOAUTH2")[0] == 334
                words = f"user={ALICE.username}\1auth=Bearer {token}\1\1"
                code, _ = smtp.docmd(base64.b64encode(words.encode()).decode())
                assert (code == 235) is accepted
                smtp.close()


def test_lmtp_by_tcp_and_socket(dovecot: Dovecot) -> None:
    for host, port in ((HOST, dovecot.port("lmtp")), (str(dovecot.lmtp_socket), 0)):
        subject = f"by LMTP to port {port}"
        with smtplib.LMTP(host, port) as lmtp:
            lmtp.sendmail("someone@ext.test", [ALICE.username], message(subject))
        assert dovecot.wait_for_mail(ALICE.username, subject)


def test_realm_gives_a_ticket(realm: Realm) -> None:
    environment = {**os.environ, **realm.client_environment()}
    listed = subprocess.run(["klist"], env=environment, capture_output=True, text=True, check=True).stdout
    assert "alice@BED.TEST" in listed


def test_exim(exim: Exim, trusting: ssl.SSLContext) -> None:
    with client(exim.port("submission")) as smtp:
        assert mechanisms(smtp) == {"CRAM-MD5"}
        smtp.mail("someone@ext.test")
        assert smtp.rcpt("someone@elsewhere.test") == (550, b"relay not permitted")
        assert smtp.rcpt("grey@bed.test")[0] == 451
    with client(exim.port("submission"), trusting) as smtp:
        assert {"PLAIN", "LOGIN"} <= mechanisms(smtp)
        smtp.login(*ALICE)
        smtp.sendmail(ALICE.username, ["someone@elsewhere.test"], message("by Exim"))
    assert "someone@elsewhere.test" in exim.wait_for_mail("Subject: by Exim")
    with smtplib.SMTP_SSL(HOST, exim.port("smtps"), timeout=TIMEOUT, context=trusting) as smtp:
        smtp.login(*ALICE)


def test_opensmtpd(opensmtpd: OpenSmtpd, dovecot: Dovecot, trusting: ssl.SSLContext) -> None:
    with client(opensmtpd.port("plain")) as smtp:
        smtp.sendmail("someone@ext.test", [ALICE.username], message("by OpenSMTPD"))
    assert dovecot.wait_for_mail(ALICE.username, "by OpenSMTPD")


def test_opensmtpd_breaks_the_handshake(opensmtpd: OpenSmtpd, trusting: ssl.SSLContext) -> None:
    with smtplib.SMTP(HOST, opensmtpd.port("submission"), timeout=TIMEOUT) as smtp:
        with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
            smtp.starttls(context=trusting)
        smtp.close()


def test_aiosmtpd(aiosmtpd: Aiosmtpd, trusting: ssl.SSLContext) -> None:
    with client(aiosmtpd.port, trusting) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(ALICE.username, "wrong")
        smtp.login(*ALICE)
        smtp.sendmail(ALICE.username, [BOB.username], message("by aiosmtpd"))
    assert [mail["Subject"] for mail in aiosmtpd.mails] == ["by aiosmtpd"]


def test_two_runs_have_other_ports() -> None:
    one, two = Ports(), Ports()
    try:
        assert not {one[name] for name in "abc"} & {two[name] for name in "abc"}
        assert one["a"] == one["a"]
        assert not answers(one["a"])
    finally:
        one.close()
        two.close()


def test_no_server_is_on_the_search_path(smtpctl_program: Path) -> None:
    assert smtpctl_program.parent.name in ("bin", "Scripts")
    assert "sbin" not in smtpctl_program.parts
