"""Passwords and tokens never come out again, whatever a server makes of them: it may say them back in every form."""

from __future__ import annotations

import base64
import os
import ssl
from typing import Any

import pytest

from profiles import look, profile
from rawserver import Peer, RawServer
from smtpctl.model.report import Report
from smtpctl.ops import test_send as sending
from smtpctl.ops.session import Surroundings
from smtpctl.render import FORMATS, renderer
from smtpctl.sink.authority import context, create

PASSWORD = "CANARY-pässwörd+/7f3a"
TOKEN = "CANARY.token-9c1e_" + "x" * 40
PASSWORDS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "NTLM")
TOKENS = ("XOAUTH2", "OAUTHBEARER")


def forms(secret: str) -> list[str]:
    """How it may be said back: as it is, in hexadecimal, in base64 at each offset."""
    octets = secret.encode()
    return [secret, octets.hex(), *(base64.b64encode(b"\0" * skip + octets).decode() for skip in range(3))]


def traces(secret: str) -> list[str]:
    """What must not be seen, parts of it included."""
    plain, digits, *coded = forms(secret)
    return [plain, digits, str(secret.encode())[2:-1], *(text[4:-4] for text in coded)]


def assert_hidden(report: Report, secret: str) -> None:
    texts = {
        "transcript": report.transcript.dumps(),
        "findings": repr([finding.to_json() for finding in report.findings]),
        "report": repr(report),
        **{name: renderer(name, schema="check/1").report(report) for name in FORMATS},
    }
    for where, text in texts.items():
        for trace in traces(secret):
            assert trace not in text, where


def echo(mechanism: str, final: str, secret: str, greeting: str = "220 raw.test ESMTP") -> Any:
    """A server that says back what it hears, as it came and decoded, in challenges and in its last word."""

    def script(peer: Peer) -> None:
        peer.say(greeting)
        peer.hear()
        peer.say("250-raw.test", f"250 AUTH {mechanism}")
        [line] = peer.hear()
        heard = [line]
        for _ in range(4):
            words = line.split(" ")[-1]
            try:
                plain = base64.b64decode(words, validate=True)
            except ValueError:
                plain = words.encode()
            heard.append(plain.decode("latin-1").replace("\0", " ").replace("\1", " "))
            if line == "*":
                break
            peer.say("334 " + base64.b64encode(b'{"status":"400","error_description":"' + plain[:200] + b'"}').decode())
            [line] = peer.hear()
            heard.append(line)
        said = [*heard, *forms(secret)]
        peer.say(*(f"{final[:3]}-{text}".encode() + b"\r\n" for text in said), final)
        peer.hear()  # QUIT

    return script


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS."""
    return context(create(tmp_path_factory.mktemp("tls"), ["localhost"], ()), ask_client=False)


@pytest.mark.parametrize("final", ["535 5.7.8 so you said", "454 4.7.0 later", "501 5.5.2 what", "235 2.7.0 welcome"])
@pytest.mark.parametrize("mechanism", [*PASSWORDS, *TOKENS])
def test_a_server_that_says_it_back(mechanism: str, final: str, tls: ssl.SSLContext) -> None:
    kind, secret = ("access_token", TOKEN) if mechanism in TOKENS else ("password", PASSWORD)
    settings = {kind: secret, "username": "ann", "auth_mech": mechanism}
    said = echo(mechanism, final, secret)

    def script(peer: Peer) -> None:
        peer.sock = tls.wrap_socket(peer.sock, server_side=True)
        said(peer)

    with RawServer(script) as server:
        report = look(server.host, server.port, tls="implicit", insecure=True, seconds=0.5, **settings)
    assert any(event.text.startswith(f"AUTH {mechanism}") for event in report.transcript)
    assert_hidden(report, secret)


@pytest.mark.parametrize("end", ["nonsense {0}", "421 4.7.0 {0}", "250-x {0}", "{1}", "22 {2}"])
def test_other_words_with_it(end: str) -> None:
    """Octets that are no reply, an unsolicited end, an unfinished reply."""

    def script(peer: Peer) -> None:
        peer.say("220 raw.test ESMTP")
        peer.hear()
        peer.say("250-raw.test", "250 AUTH PLAIN")
        peer.hear()
        peer.say(end.format(*forms(PASSWORD)))
        peer.sock.close()

    with RawServer(script) as server:
        report = look(server.host, server.port, tls="none", username="ann", password=PASSWORD, seconds=0.3)
    assert_hidden(report, PASSWORD)
    assert report.failure


@pytest.mark.parametrize("at", range(4))
def test_a_mail_refused_with_it(at: int) -> None:
    def script(peer: Peer) -> None:
        peer.say("220 raw.test ESMTP")
        peer.hear()
        peer.say("250-raw.test", "250 AUTH PLAIN")
        peer.hear()
        peer.say("235 welcome")
        for number, answer in enumerate(["250 ok", "250 ok", "354 go", "250 ok"]):
            peer.hear()
            peer.say(f"550 5.7.1 {PASSWORD} {forms(PASSWORD)[2]}" if number == at else answer)
        peer.hear()  # QUIT

    wish = sending.Wish(sending.draft(to=["bob@example.com"]))
    with RawServer(script) as server:
        settings = {"username": "ann", "password": PASSWORD, "from": "ann@example.com", "seconds": 0.3}
        made = profile(server.host, server.port, tls="none", **settings)
        report = sending.test_send(made, Surroundings(os.environ), wish)
    assert_hidden(report, PASSWORD)
    assert report.failure


def test_a_greeting_with_it() -> None:
    with RawServer(echo("PLAIN", "535 no", PASSWORD, greeting=f"220 raw.test {PASSWORD}")) as server:
        report = look(server.host, server.port, tls="none", username="ann", password=PASSWORD, seconds=0.3)
    assert_hidden(report, PASSWORD)
