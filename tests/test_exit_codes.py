"""The exit status of every class of failure, as smtpctl(1) promises it: the faults of a sink, and real conditions.

Where a command ends with a status, its document says the same; what a person is told goes to stderr or stands in the
report, never in between data.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import Runner
from rawserver import Peer, RawServer
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.report import ExitStatus as Status
from smtpctl.model.report import Failure, RecipientResult, Report
from smtpctl.model.secret import Secret
from smtpctl.model.swaks import SwaksStatus as Swaks
from smtpctl.model.swaks import styled
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.net import probe
from smtpctl.protocol.server.faults import HOSTILE, Fault, Faults, drop, refusal
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

USERS = {"ann": Secret("s3cret")}
LOGIN = ("--username", "ann", "--password-env", "PW")
ENVIRONMENT = {"PW": "s3cret", "WRONG": "other"}


def server(*faults: Fault, **more: Any) -> Setup:
    return Setup(faults=Faults(*faults), **more)


# What the server is like, the options, what a mail sent to it ends with.
REFUSALS: list[tuple[Setup, tuple[str, ...], Status]] = [
    (server(), (), Status.OK),
    (server(users=USERS), LOGIN, Status.OK),
    # for good, at a stage of the mail
    (server(refusal("mail:550 5.7.1 Sender refused")), (), Status.DATA),
    (server(refusal("rcpt:550 5.1.1 No such user")), (), Status.DATA),
    (server(refusal("data:554 5.5.1 No valid recipients"), extensions=("PIPELINING",)), (), Status.DATA),
    (server(refusal("eod:554 5.7.1 Message refused as spam")), (), Status.DATA),
    # for now
    (server(refusal("greeting:421 4.3.2 Too busy")), (), Status.TEMPORARY),
    (server(refusal("ehlo:421 4.3.2 Going down")), (), Status.TEMPORARY),
    (server(refusal("mail:451 4.3.0 Later")), (), Status.TEMPORARY),
    (server(refusal("rcpt:450 4.2.0 Greylisted")), (), Status.TEMPORARY),
    (server(refusal("eod:452 4.3.1 Out of space")), (), Status.TEMPORARY),
    (server(refusal("auth:454 4.7.0 Temporary authentication failure"), users=USERS), LOGIN, Status.TEMPORARY),
    (server(drop("mail")), (), Status.TEMPORARY),
    (server(drop("greeting:rst")), (), Status.TEMPORARY),
    # not what was asked for
    (server(refusal("greeting:554 5.7.1 Not for you")), (), Status.UNAVAILABLE),
    (server(), ("--tls", "starttls"), Status.UNAVAILABLE),
    (server(), ("--tls", "implicit"), Status.UNAVAILABLE),
    (server(tls=TlsMode.STARTTLS), ("--tls", "starttls"), Status.UNAVAILABLE),  # a certificate nobody trusts
    (server(refusal("starttls:454 4.7.0 TLS not available"), tls=TlsMode.STARTTLS), ("--tls", "starttls"), Status.TEMPORARY),
    # no SMTP
    (server(*HOSTILE["http"]), (), Status.PROTOCOL),
    # logins
    (server(users=USERS), ("--username", "ann", "--password-env", "WRONG"), Status.AUTH),
    (server(users=USERS), (), Status.AUTH),
    (server(), LOGIN, Status.AUTH),
    # settings with which nothing is begun
    (server(), ("--auth", "oauth2", "--username", "a@a.test"), Status.CONFIG),
]  # fmt: skip


@pytest.mark.parametrize(("setup", "options", "status"), REFUSALS)
def test_what_a_server_does(smtpctl_call: Runner, setup: Setup, options: tuple[str, ...], status: Status) -> None:
    mail = ("--to", "bob@b.test", "--from", "ann@a.test")
    with Sink(setup) as sink:
        target = f"localhost:{sink.port}"
        told = smtpctl_call("test-send", target, *mail, *options, "--json", env=ENVIRONMENT)
        read = smtpctl_call("test-send", target, *mail, *options, env=ENVIRONMENT)
    report = json.loads(told.stdout)
    assert (told.code, read.code, report["exit"]) == (status, status, status), read.stdout
    assert report["schema"] == "smtpctl.test-send/1"
    assert told.stderr == read.stderr == ""
    assert report["retryable"] is (None if status is Status.OK else status is Status.TEMPORARY)
    if status is not Status.OK:
        assert f"(exit {status:d})" in read.stdout


# The same server, and what swaks ends with there (its source: transmit, connect and do_smtp_quit).
LIKE_SWAKS: list[tuple[Setup, tuple[str, ...], Swaks]] = [
    (server(), (), Swaks.OK),
    (server(drop("greeting")), (), Swaks.CLOSED),
    (server(drop("mail")), (), Swaks.CLOSED),
    (server(refusal("greeting:554 5.7.1 Not for you")), (), Swaks.GREETING),
    (server(*HOSTILE["http"]), (), Swaks.GREETING),
    (server(refusal("ehlo:421 4.3.2 Going down")), (), Swaks.EHLO),
    (server(refusal("mail:550 5.7.1 Sender refused")), (), Swaks.MAIL),
    (server(refusal("rcpt:550 5.1.1 No such user")), (), Swaks.RCPT),
    (server(refusal("data:554 5.5.1 No valid recipients"), extensions=("PIPELINING",)), (), Swaks.DATA),
    (server(refusal("eod:554 5.7.1 Message refused as spam")), (), Swaks.CONTENT),
    (server(refusal("eod:554 5.7.1 Message refused as spam"), extensions=("PIPELINING",)), (), Swaks.CONTENT),
    (server(users=USERS), ("--username", "ann", "--password-env", "WRONG"), Swaks.AUTH),
    (server(), LOGIN, Swaks.AUTH),
    (server(), ("--tls", "starttls"), Swaks.TLS),
    (server(), ("--tls", "implicit"), Swaks.TLS),
    (server(refusal("starttls:454 4.7.0 TLS not available"), tls=TlsMode.STARTTLS), ("--tls", "starttls"), Swaks.TLS),
    (server(tls=TlsMode.STARTTLS), ("--tls", "starttls"), Swaks.TLS),
    (server(), ("--auth", "oauth2", "--username", "a@a.test"), Swaks.USAGE),
]  # fmt: skip


@pytest.mark.parametrize(("setup", "options", "status"), LIKE_SWAKS)
def test_the_codes_of_swaks(smtpctl_call: Runner, setup: Setup, options: tuple[str, ...], status: Swaks) -> None:
    mail = ("--to", "bob@b.test", "--from", "ann@a.test", "--exit-style", "swaks", "--json")
    with Sink(setup) as sink:
        told = smtpctl_call("test-send", f"localhost:{sink.port}", *mail, *options, env=ENVIRONMENT)
    assert (told.code, json.loads(told.stdout)["exit"]) == (status, status), told.stdout


def test_swaks_knows_no_findings_and_no_usage_of_ours(smtpctl_call: Runner) -> None:
    swaks = ("--exit-style", "swaks")
    with Sink(server(tls=TlsMode.IMPLICIT, extensions=("PIPELINING",))) as sink:
        secured = (f"localhost:{sink.port}", "--tls", "implicit", "--ca-file", sink.ca_file, "--fail-on", "note")
        assert smtpctl_call("check", *secured).code == Status.FINDINGS
        assert smtpctl_call("check", *secured, *swaks).code == Swaks.OK
    assert smtpctl_call("check", f"localhost:{nobody_listens()}", *swaks).code == Swaks.CONNECT
    assert smtpctl_call("check", "--nosuch", *swaks).code == Swaks.USAGE
    no_server = smtpctl_call("check", *swaks, "--json")
    assert (no_server.code, json.loads(no_server.stdout)["exit"]) == (Swaks.USAGE, Swaks.USAGE)
    assert smtpctl_call("check", "a:25", *swaks, "--format", "nagios").code == 3


def test_ehlo_inside_tls_has_a_code_of_its_own() -> None:
    refused = Failure(Status.DATA, Stage.EHLO, retryable=False)
    transcript = Transcript()
    assert styled(Report("t", transcript, failure=refused)).failure == refused._replace(status=Swaks.EHLO)
    transcript.add(Event(0.0, Stage.TLS, Kind.TLS, "TLS 1.3"))
    assert styled(Report("t", transcript, failure=refused)).failure == refused._replace(status=Swaks.EHLO_IN_TLS)


def test_a_mail_that_somebody_got_was_sent() -> None:
    refused = Failure(Status.DATA, Stage.RCPT, retryable=False)
    both = (RecipientResult("a@a.test", "accepted"), RecipientResult("b@b.test", "permanent"))
    assert styled(Report("t", Transcript(), recipients=both, failure=refused)).status() == Swaks.OK
    assert styled(Report("t", Transcript(), recipients=both[1:], failure=refused)).status() == Swaks.RCPT


def test_the_codes_of_swaks_are_written_down() -> None:
    page = (Path(__file__).parent.parent / "docs/explanation/exit-codes.md").read_text()
    table = page[page.index("`--exit-style swaks`") :]
    assert re.findall(r"^\| (\d+) \| (.+) \|$", table, re.MULTILINE) == [(str(int(one)), one.meaning) for one in Swaks]


def nobody_listens() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_a_closed_port(smtpctl_call: Runner) -> None:
    assert smtpctl_call("check", f"localhost:{nobody_listens()}").code == Status.TEMPORARY


def test_no_answer_in_time(smtpctl_call: Runner) -> None:
    with RawServer(Peer.until_gone) as silent:
        limit = ("--stage-timeout", "greeting=0.1", "--stage-timeout", "tls=0.1")
        assert smtpctl_call("check", f"localhost:{silent.port}", *limit).code == Status.TEMPORARY


@pytest.mark.parametrize(
    ("error", "status"), [(socket.EAI_NONAME, Status.NO_HOST), (socket.EAI_AGAIN, Status.TEMPORARY)]
)
def test_names(smtpctl_call: Runner, monkeypatch: pytest.MonkeyPatch, error: int, status: Status) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(error, "said the resolver")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(probe, "resolvers", tuple)  # this machine's are not to be asked
    assert smtpctl_call("check", "mail.example.com").code == status


def text(name: str, content: str) -> Callable[[Path], None]:
    def write(home: Path) -> None:
        (home / name).write_text(content)

    return write


def nothing(home: Path) -> None:
    """The machine as it is."""


WITHOUT_SERVER: list[tuple[Callable[[Path], None], tuple[str, ...], Status]] = [
    (nothing, ("config", "path"), Status.OK),
    (nothing, ("explain", "535 5.7.8 Authentication failed"), Status.OK),
    (nothing, ("validate",), Status.FINDINGS),  # no server is configured
    (nothing, ("validate", "--host", "h.test", "--username", "ann"), Status.OK),
    (nothing, ("validate", "--host", "h.test", "--username", "ann", "--strict"), Status.FINDINGS),
    (nothing, ("validate", "--fail-on", "never"), Status.OK),
    # usage
    (nothing, ("nosuch",), Status.USAGE),
    (nothing, (), Status.USAGE),
    (nothing, ("check", "--nosuch"), Status.USAGE),
    (nothing, ("check", "a:0"), Status.USAGE),
    (nothing, ("check", "--host", "a:587", "--port", "25"), Status.USAGE),
    (nothing, ("check", "nosuch"), Status.USAGE),
    (nothing, ("check", "https://a.test"), Status.USAGE),
    (nothing, ("check", "a.test", "--format", "nagios?"), Status.USAGE),
    (nothing, ("test-send", "a.test", "--from", "a@a.test"), Status.USAGE),
    (nothing, ("test-send", "a.test", "--to", "b@b.test"), Status.USAGE),
    (nothing, ("profile", "add", "x"), Status.USAGE),
    (nothing, ("profile", "import", "--from", "contensis", "missing.txt"), Status.USAGE),
    (nothing, ("config", "set", "BatchSize=10", "--site", "A"), Status.USAGE),
    (text("c.toml", 'version = 1\n[profiles.a]\nhost = "h"\n'), ("profile", "remove", "a", "--config", "c.toml"), Status.USAGE),
    # data
    (text("bad.txt", "EmailSmtpPort = many\n"), ("profile", "import", "--from", "contensis", "bad.txt"), Status.DATA),
    (text("bad.xml", "<a><b></a>"), ("profile", "import", "--from", "kentico", "bad.xml"), Status.DATA),
    # settings
    (nothing, ("check",), Status.CONFIG),
    (nothing, ("test-send", "--to", "b@b.test"), Status.CONFIG),
    (text("c.toml", "version = "), ("profile", "list", "--config", "c.toml"), Status.CONFIG),
    (text("c.toml", "version = 99\n"), ("profile", "list", "--config", "c.toml"), Status.CONFIG),
    (text("p.txt", "EmailSmtpPassword = <password>\n"), ("profile", "import", "--from", "contensis", "p.txt"), Status.CONFIG),
    # writing
    (text("f", ""), ("profile", "add", "x", "--host", "h.test", "--config", "f/c.toml"), Status.CANNOT_CREATE),
]  # fmt: skip


@pytest.mark.parametrize(("before", "args", "status"), WITHOUT_SERVER)
def test_what_needs_no_server(
    smtpctl_call: Runner, home: Path, before: Callable[[Path], None], args: tuple[str, ...], status: Status
) -> None:
    before(home)
    for path in home.glob("*.toml"):
        path.chmod(0o600)
    told = smtpctl_call(*args, env=ENVIRONMENT)
    assert told.code == status, told
    if status not in (Status.OK, Status.FINDINGS):
        assert told.stdout == ""
        assert told.stderr


@pytest.mark.parametrize("options", [("--auth", "oauth2"), LOGIN])
def test_settings_that_nothing_is_begun_with(smtpctl_call: Runner, options: tuple[str, ...]) -> None:
    told = smtpctl_call("check", "h.test", "--tls", "none", *options, "--json", env=ENVIRONMENT)
    report = json.loads(told.stdout)
    assert (told.code, report["exit"], report["stage"]) == (Status.CONFIG, Status.CONFIG, "config")
    assert [stage["stage"] for stage in report["stages"]] == ["config"]


ALL_OFF = 'version = 1\n[profiles.a]\nhost = "h"\nenabled = false\n[profiles.b]\nhost = "h"\nenabled = false\n'


@pytest.mark.parametrize("args", [("check",), ("check", "--all"), ("test-send", "--to", "b@b.test"), ("validate",)])
@pytest.mark.parametrize("content", ["version = 1\n", ALL_OFF])
def test_no_server_to_send_with(smtpctl_call: Runner, home: Path, args: tuple[str, ...], content: str) -> None:
    (home / "c.toml").write_text(content)
    (home / "c.toml").chmod(0o600)
    told = smtpctl_call(*args, "--config", "c.toml")
    words = " ".join((told.stdout + told.stderr).split())
    assert told.code == (Status.FINDINGS if args == ("validate",) else Status.CONFIG)
    assert "no SMTP server is configured" in words
    if content == ALL_OFF:
        assert "switched off: a, b" in words


def test_a_pickup_folder_is_no_server(smtpctl_call: Runner, home: Path) -> None:
    (home / "c.toml").write_text(f'version = 1\n[profiles.p]\ndelivery = "pickup"\npickup_dir = "{home}"\n')
    (home / "c.toml").chmod(0o600)
    told = smtpctl_call("check", "p", "--config", "c.toml")
    assert told.code == Status.CONFIG
    assert "config.pickup_no_server" in told.stdout
    assert smtpctl_call("check", "--all", "--config", "c.toml").code == Status.USAGE


def test_a_defect(smtpctl_call: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("smtpctl.config.store.read", broken)
    assert smtpctl_call("profile", "list").code == Status.BUG


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_nobody_can_keep(smtpctl_program: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [smtpctl_program, "preset", "list"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == Status.IO
    assert b"cannot be written" in done.stderr


def test_a_transcript_that_cannot_be_kept_is_told_before_anything_is_sent(smtpctl_run: Runner) -> None:
    with Sink(server()) as sink:
        target = f"localhost:{sink.port}"
        told = smtpctl_run("check", target, "--transcript", "missing/t.jsonl")
        assert (told.code, told.stdout) == (Status.USAGE, "")
        assert not sink.sessions
        if Path("/dev/full").exists():
            assert smtpctl_run("check", target, "--transcript", "/dev/full").code == Status.IO


def test_ctrl_c(smtpctl_program: Path) -> None:
    def fall_silent(peer: Peer) -> None:
        silent.reached.set()
        peer.until_gone()

    with RawServer(fall_silent) as silent:
        command: list[str | Path] = [smtpctl_program, "check", f"127.0.0.1:{silent.port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)) as process:
            assert silent.reached.wait(30)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    assert process.returncode == Status.INTERRUPTED


def test_several_targets_agree_or_are_findings(smtpctl_call: Runner) -> None:
    closed = f"localhost:{nobody_listens()}"
    with Sink(server()) as good, Sink(server(refusal("greeting:554 5.7.1 no"))) as bad:
        well, refused = f"localhost:{good.port}", f"localhost:{bad.port}"
        assert smtpctl_call("check", well, well).code == Status.OK
        assert smtpctl_call("check", well, closed).code == Status.TEMPORARY
        assert smtpctl_call("check", closed, refused).code == Status.FINDINGS
        assert json.loads(smtpctl_call("check", closed, refused, "--json").stdout)["exit"] == Status.FINDINGS
