"""What check and test-send share: every enabled profile at once, targets in every form, options by environment."""

from __future__ import annotations

import json
import os
import re
import threading
from io import StringIO
from pathlib import Path

import pytest

from harness import Runner
from profiles import profile
from ptys import AtTerminal
from rawserver import PATIENCE, Peer, RawServer
from smtpctl.cli import live
from smtpctl.cli.terminal import SHARED, Terminal
from smtpctl.model.endpoint import Endpoint, TlsMode
from smtpctl.model.report import ExitStatus, Report
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Transcript
from smtpctl.protocol.server.faults import Faults, refusal
from smtpctl.protocol.server.values import Setup
from smtpctl.render.text import TextRenderer
from smtpctl.sink.server import Sink

MAIL = ("--to", "t@x.test", "--from", "a@x.test")


def configuration(home: Path, *profiles: str) -> Path:
    path = home / "c.toml"
    path.write_text("\n".join(["version = 1", *profiles]))
    path.chmod(0o600)
    return path


def test_every_enabled_server_gets_a_test_mail_of_its_own(smtpctl_call: Runner, home: Path) -> None:
    with (
        Sink(Setup()) as good,
        Sink(Setup(faults=Faults(refusal("rcpt:450 4.2.0 Later")))) as slow,
        Sink(Setup()) as off,
    ):
        path = configuration(
            home,
            *(
                f'[profiles.{name}]\nhost = "localhost"\nport = {sink.port}'
                for name, sink in (("a", good), ("b", slow))
            ),
            f'[profiles.c]\nhost = "localhost"\nport = {off.port}\nenabled = false',
            f'[profiles.p]\ndelivery = "pickup"\npickup_dir = "{home}"',
        )
        told = smtpctl_call("test-send", "--all", *MAIL, "--json", "--config", path)
        assert not off.sessions
        assert len(good.messages) == 1
    reports = json.loads(told.stdout)["reports"]
    assert [(report["target"], report["exit"], report["stage"]) for report in reports] == [
        ("a", ExitStatus.OK, None),
        ("b", ExitStatus.TEMPORARY, "rcpt"),
    ]
    assert [report["recipients"][0]["result"] for report in reports] == ["accepted", "temporary"]
    assert told.code == ExitStatus.TEMPORARY


@pytest.mark.parametrize("form", ["localhost:{port}", "smtp://localhost:{port}", "smtp://ann@localhost:{port}"])
def test_a_server_by_address(smtpctl_call: Runner, form: str) -> None:
    with Sink(Setup()) as sink:
        told = smtpctl_call("check", form.format(port=sink.port), "--json")
    assert json.loads(told.stdout)["exit"] == ExitStatus.OK
    assert json.loads(told.stdout)["target"] == f"localhost:{sink.port}"


def test_a_scheme_says_how(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as implicit, Sink(Setup(tls=TlsMode.STARTTLS)) as upgraded:
        for url, sink in (
            (f"smtps://localhost:{implicit.port}", implicit),
            (f"submission://localhost:{upgraded.port}", upgraded),
        ):
            report = json.loads(smtpctl_call("check", url, "--ca-file", sink.ca_file, "--json").stdout)
            assert report["facts"]["tls"]["used"] is True
            assert report["exit"] == ExitStatus.OK


def test_a_socket(smtpctl_call: Runner, tmp_path: Path) -> None:

    with Sink(Setup(lmtp=True), Endpoint("", 0, str(tmp_path / "s"))) as sink:
        told = smtpctl_call("test-send", f"unix:{sink.endpoint.path}", "--lmtp", *MAIL, "--json")
    assert json.loads(told.stdout)["exit"] == ExitStatus.OK, told


def test_options_come_from_the_environment_too(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("s3cret")})) as sink:
        environment = {
            "SMTPCTL_HOST": "localhost",
            "SMTPCTL_PORT": str(sink.port),
            "SMTPCTL_TLS": "starttls",
            "SMTPCTL_CA_FILE": sink.ca_file,
            "SMTPCTL_USERNAME": "ann",
            "SMTPCTL_PASSWORD": "s3cret",
            "SMTPCTL_FROM": "a@x.test",
            "SMTPCTL_FORMAT": "json",
        }
        told = smtpctl_call("test-send", "--to", "t@x.test", env=environment)
        (mail,) = sink.messages
    assert json.loads(told.stdout)["exit"] == ExitStatus.OK
    assert (mail.mail.login, mail.mail.sender.address) == ("ann", "a@x.test")
    assert "s3cret" not in told.stdout + told.stderr


def at_terminal(program: Path, sink: Sink, home: Path) -> AtTerminal:
    about = ["--host", "localhost", "--port", str(sink.port), "--username", "ann", "--tls", "starttls"]
    trust = ["--ca-file", sink.ca_file, "--config", str(configuration(home))]
    return AtTerminal(program, ["check", *about, *trust])


@pytest.mark.parametrize(("typed", "code"), [("right-password", ExitStatus.OK), ("wrong-password", ExitStatus.AUTH)])
def test_a_missing_password_is_asked_for(typed: str, code: int, smtpctl_program: Path, home: Path) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("right-password")})) as sink:
        run = at_terminal(smtpctl_program, sink, home)
        run.until(b"Password of ann at localhost (empty: do not log in): ")
        run.type(typed)
        assert run.end() == code
        assert typed.encode() not in run.said


def test_what_is_waited_for_is_the_last_line_of_a_terminal(smtpctl_program: Path, home: Path) -> None:
    asked = threading.Event()

    def late(peer: Peer) -> None:
        asked.wait(PATIENCE)
        peer.say("554 No")

    with RawServer(late) as server:
        options = ["--host", server.host, "--port", str(server.port), "--config", str(configuration(home))]
        run = AtTerminal(smtpctl_program, ["check", *options], lambda: os.environ.update(TERM="xterm"))
        before = run.until(b"waiting, 1 s")
        assert before.index(b"connect ") < before.index(b"greeting ")
        asked.set()
        run.until(b"\r\x1b[K")
        assert b"greeting " in run.until(b"554 No")
        assert run.end() != ExitStatus.OK


@pytest.mark.parametrize("terms", [{}, {"TERM": "dumb"}])
def test_elsewhere_nothing_is_written_that_is_taken_away_again(terms: dict[str, str]) -> None:
    class Stream(StringIO):
        def isatty(self) -> bool:
            return bool(terms)

    values = {name: shared.default for name, shared in SHARED.items()}
    terminal = Terminal(values, terms, stdout=Stream(), stderr=Stream())
    renderer = terminal.renderer("check/1")
    assert isinstance(renderer, TextRenderer)
    with live.followed(terminal, renderer) as around:
        assert around.wait is None
    assert terminal.stderr.getvalue() == ""  # type: ignore[attr-defined]
    chosen = [profile(host, 25) for host in ("a.test", "b.test")]
    live.run(
        terminal, chosen, lambda one, around: Report(one.label, Transcript()), schema="check/1", fail_on="error",
        transcript=None,
    )  # fmt: skip
    shown = terminal.stderr.getvalue()  # type: ignore[attr-defined]
    assert "b.test" in shown and not {"\r", "\x1b"} & set(shown)


def test_without_a_password_nobody_logs_in(smtpctl_program: Path, home: Path) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("right-password")})) as sink:
        run = at_terminal(smtpctl_program, sink, home)
        run.until(b"do not log in): ")
        run.type("")
        assert run.end() == ExitStatus.OK
        assert b"config.half_credentials" in run.said
        assert "AUTH" not in sink.transcript.dumps().replace("250-AUTH", "").replace("250 AUTH", "")


@pytest.mark.parametrize("command", ["check", "test-send --to a@x.test", "validate", "profile list"])
def test_what_is_no_site_is_refused_where_it_is_given(command: str, smtpctl_call: Runner) -> None:
    run = smtpctl_call(*command.split(), "--site", "x;id")
    assert run.code == ExitStatus.USAGE and '--site: "x;id" is not a site' in run.stderr


SOURCED = """
[profiles.shop]
host = "localhost"
port = 1
username = "ann"
[profiles.office]
host = "localhost:25"
port = 26
extends = "club"
password = "x"
[profiles.club]
extends = "office"
delivery = "pickup"
oauth = "m"
[oauth.m]
[sites.eu]
"""


@pytest.mark.parametrize(
    "command",
    [
        "check shop", "test-send shop --to a@x.test --from a@x.test", "diagnose shop --no-input", "validate", "check office",
        "check", "profile add new --host h --username ann",
    ],
)  # fmt: skip
def test_commands_are_about_the_file_that_an_option_named(
    command: str, smtpctl_call: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.toml"

    def told() -> set[str]:
        path.write_text(SOURCED)
        path.chmod(0o600)
        run = smtpctl_call(*command.split(), "--json", *option)
        data = json.dumps(json.loads(run.stdout), ensure_ascii=False)
        return set(re.findall(r"smtpctl (?:check|test-send|profile|secret) [a-z][^\"]*", data))

    option: tuple[str, ...] = ("--config", str(path), "--site", "eu")
    named = told()
    assert named and all(f" --config {path}" in line for line in named)
    assert all(" --site eu" in line for line in named if line.startswith(("smtpctl check", "smtpctl test-send")))
    option = ()
    monkeypatch.setenv("SMTPCTL_CONFIG", str(path))
    monkeypatch.setenv("SMTPCTL_SITE", "eu")
    assert told() and not any("--config" in line or "--site" in line.partition("default NAME")[0] for line in told())
