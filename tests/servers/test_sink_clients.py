"""The sink against clients that nobody here wrote: swaks, msmtp, curl and GNU SASL, each with TLS and a login."""

from __future__ import annotations

import os
import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Kind
from smtpctl.ops.sink import Wishes, running
from smtpctl.protocol.server.mechanisms import MECHANISMS
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

PASSWORD = "pen cil,=3D"
MESSAGE = "From: ann@example.com\nTo: bob@example.com\nSubject: hello\n\n.a line with a dot\n"
PASSWORD_MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")
TLS = (TlsMode.STARTTLS, TlsMode.IMPLICIT)


class Done(NamedTuple):
    code: int
    output: str


def run(words: Sequence[str | Path], said: str, folder: Path) -> Done:
    environ = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(
        words, input=said, capture_output=True, text=True, timeout=60, env=environ, cwd=folder, check=False
    )
    return Done(done.returncode, done.stdout + done.stderr)


def swaks(sink: Sink, mechanism: str, program: Path, folder: Path) -> Done:
    flag = "--tls-on-connect" if sink.setup.tls is TlsMode.IMPLICIT else "--tls"
    (folder / "mail").write_text(MESSAGE)
    words = [program, "--server", "127.0.0.1", "--port", str(sink.port), flag, "--auth", mechanism]
    words += ["--auth-user", "ann", "--auth-password", PASSWORD, "--data", f"@{folder / 'mail'}"]
    return run([*words, "--from", "ann@example.com", "--to", "bob@example.com"], "", folder)


def msmtp(sink: Sink, mechanism: str, program: Path, folder: Path) -> Done:
    starttls = "on" if sink.setup.tls is TlsMode.STARTTLS else "off"
    (folder / "password").write_text(PASSWORD + "\n")
    words = [program, "--host=localhost", f"--port={sink.port}", "--tls=on", f"--tls-starttls={starttls}"]
    words += [f"--tls-trust-file={sink.ca_file}", f"--auth={mechanism.lower()}", "--user=ann"]
    words += [f"--passwordeval=cat {folder / 'password'}", "--from=ann@example.com", "bob@example.com"]
    return run(words, MESSAGE, folder)


def curl(sink: Sink, mechanism: str, program: Path, folder: Path) -> Done:
    scheme = "smtps" if sink.setup.tls is TlsMode.IMPLICIT else "smtp"
    words = [program, "--no-progress-meter", "--ssl-reqd", "--cacert", sink.ca_file, "--user", f"ann:{PASSWORD}"]
    words += [
        "--login-options",
        f"AUTH={mechanism}",
        "--mail-from",
        "ann@example.com",
        "--mail-rcpt",
        "bob@example.com",
    ]
    return run([*words, "--crlf", "--upload-file", "-", f"{scheme}://localhost:{sink.port}"], MESSAGE, folder)


CLIENTS: dict[str, Callable[[Sink, str, Path, Path], Done]] = {"swaks": swaks, "msmtp": msmtp, "curl": curl}


@pytest.fixture(scope="module", params=TLS, ids=str)
def sink(request: pytest.FixtureRequest) -> Iterator[Sink]:
    mechanisms = tuple(name for name in MECHANISMS if name != "EXTERNAL")
    with Sink(Setup(tls=request.param, users={"ann": Secret(PASSWORD)}, mechanisms=mechanisms)) as running:
        yield running


@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_logs_in_and_sends(
    sink: Sink, client: str, mechanism: str, requires: Callable[[str], Path], tmp_path: Path
) -> None:
    program = requires(client)
    before = len(sink.messages)
    done = CLIENTS[client](sink, mechanism, program, tmp_path)
    assert done.code == 0, done.output
    (captured,) = sink.messages[before:]
    assert (captured.mail.login, captured.mail.mechanism) == ("ann", mechanism)
    assert captured.mail.content.rstrip().endswith(b"Subject: hello\r\n\r\n.a line with a dot")  # swaks adds a line end
    assert captured.mail.remarks == ()


# What is played, and how its reply begins.
PLAYED = {
    "generic.rcpt-greylisted": "450 4.2.0 <bob@example.net>: Recipient address rejected",
    "m365.535-5-7-139-mailbox-disabled": "535 5.7.139 Authentication unsuccessful",
    "ses.454-rate": "454 Throttling failure: Maximum sending rate exceeded.",
}


@pytest.fixture(scope="module", params=PLAYED)
def failing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sink]]:
    wishes = Wishes(
        play=request.param, tls=TlsMode.STARTTLS, users=["ann=env:PW"], tls_folder=tmp_path_factory.mktemp("keys")
    )
    with running(wishes, {"PW": PASSWORD}) as run:
        yield request.param, run.sink


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_meets_a_failure_that_is_played(
    failing: tuple[str, Sink], client: str, requires: Callable[[str], Path], tmp_path: Path
) -> None:
    name, sink = failing
    said = PLAYED[name]
    done = CLIENTS[client](sink, "LOGIN", requires(client), tmp_path)
    heard = [event.text for event in sink.transcript if event.kind is Kind.SENT]
    assert any(text.startswith(said) for text in heard), done.output
    assert done.code != 0
    assert client == "curl" or said in done.output  # curl tells the code alone, if that


def _log_in_and_send(session: smtplib.SMTP) -> None:
    session.login("ann", PASSWORD)
    session.sendmail("ann@example.com", "bob@example.com", MESSAGE)


def test_a_program_of_its_own_meets_it(failing: tuple[str, Sink]) -> None:
    name, sink = failing
    with smtplib.SMTP("localhost", sink.port, timeout=10) as session:
        session.starttls(context=ssl.create_default_context(cafile=sink.ca_file))
        with pytest.raises(smtplib.SMTPException) as refused:
            _log_in_and_send(session)
    assert PLAYED[name].partition(" ")[2] in str(refused.value)


# GNU SASL takes the binding tls-unique, which TLS 1.3 does not have.
@pytest.mark.parametrize(
    "mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "CRAM-MD5"]
)
def test_gsasl_logs_in(mechanism: str, requires: Callable[[str], Path], tmp_path: Path) -> None:
    offered = tuple(MECHANISMS) if mechanism.endswith("-PLUS") else (mechanism,)
    with Sink(Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("pencil")}, mechanisms=offered)) as sink:
        words: list[str | Path] = [requires("gsasl"), "--smtp", f"--connect=localhost:{sink.port}", "--starttls"]
        words += [f"--x509-ca-file={sink.ca_file}", "--priority=NORMAL:-VERS-TLS1.3"]
        words += [f"--mechanism={mechanism}", "--authentication-id=ann", "--password=pencil"]
        # Without -PLUS it stops by itself while a binding is at hand.
        words += [] if mechanism.endswith("-PLUS") else ["--no-cb"]
        done = run(words, "", tmp_path)
        said = [event.text for event in sink.transcript]
    assert f"AUTH {mechanism}" in said, done.output
    assert "235 2.7.0 Authentication successful" in said, done.output
