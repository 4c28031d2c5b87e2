"""`smtpctl diagnose` as somebody at a terminal has it, and as a script has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli_w

from harness import Run, Runner
from ptys import AtTerminal
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.ops.schemas import of_output
from smtpctl.protocol.server.faults import Faults, refusal
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink
from tokens import app_token

USERS = {"ann@x.test": Secret("right-password")}
EXCHANGE = "535 5.7.3 Authentication unsuccessful [AM0PR04CA0012.eurprd04.prod.outlook.com]"
RETIRED = "550 5.7.30 Basic authentication is not supported for Client Submission."


class Desk:
    """A profile `office` for a sink, in a file of its own, and somebody at a terminal."""

    def __init__(self, program: Path, home: Path, sink: Sink, **settings: Any) -> None:
        self.program, self.home = program, home
        self.config = home / "c.toml"
        known = {"host": "localhost", "port": sink.port, "timeout": 20, "helo": "me.test", **settings}
        if sink.ca_file:
            known["ca_file"] = sink.ca_file
        self.config.write_text(tomli_w.dumps({"version": 1, "profiles": {"office": known}}))
        self.config.chmod(0o600)

    def sit_down(self, *words: str) -> AtTerminal:
        return AtTerminal(self.program, ["diagnose", *(words or ("office",)), "--config", str(self.config)])


@contextmanager
def desk(program: Path, home: Path, setup: Setup, **settings: Any) -> Iterator[Desk]:
    with Sink(setup) as sink:
        yield Desk(program, home, sink, **settings)


def password(home: Path, text: str) -> dict[str, str]:
    place = home / "password"
    place.write_text(f"{text}\n")
    place.chmod(0o600)
    return {"username": "ann@x.test", "password_file": str(place)}


def shown(run: AtTerminal) -> str:
    return " ".join(run.said.decode().split())


def test_another_mode_is_found_tried_and_kept(smtpctl_program: Path, home: Path) -> None:
    setup = Setup(tls=TlsMode.IMPLICIT)
    with desk(smtpctl_program, home, setup, tls="starttls", stage_timeout={"greeting": 1}) as at:
        run = at.sit_down()
        run.until(b"What now? [a]: ")
        assert 'tls = "starttls"' in at.config.read_text(), "nothing is written before it was tried"
        run.type("a")
        assert run.end() == ExitStatus.OK
        assert 'tls = "implicit"' in at.config.read_text()
    assert "What was wrong: localhost:" in shown(run)
    assert "What mended it: smtpctl profile set office port=" in shown(run)


def test_what_does_not_help_is_not_written(smtpctl_program: Path, home: Path) -> None:
    """OAuth without TLS: the fix that is known is the usual port, and there nobody answers."""
    settings = {"tls": "none", "auth": "oauth2", "username": "ann@x.test", "access_token_env": "TOKEN"}
    with desk(smtpctl_program, home, Setup(), **settings, host="127.9.9.9") as at:
        before = at.config.read_text()
        run = at.sit_down()
        run.until(b"What now? [a]: ")
        run.type("a")
        run.until(b"What now? ")
        run.type("q")
        assert run.end() == ExitStatus.CONFIG
        assert "That does not help. Nothing was changed." in shown(run)
        assert at.config.read_text() == before


def test_a_wrong_password_is_asked_for_and_stored(smtpctl_program: Path, home: Path) -> None:
    setup = Setup(tls=TlsMode.STARTTLS, users=USERS)
    with desk(smtpctl_program, home, setup, tls="starttls", **password(home, "wrong")) as at:
        run = at.sit_down()
        run.until(b"[y/n, Enter: not known]: ")
        run.type("maybe")
        run.until(b"Answer y or n")
        run.type("n")
        run.until(b"What now? [a]: ")
        run.type("a")
        run.until(b"password: ")
        run.type("right-password")
        assert run.end() == ExitStatus.OK
    assert "What mended it: smtpctl secret set office" in shown(run)
    assert b"right-password" not in run.said
    assert (home / "password").read_text() == "right-password\n"


def test_a_warning_comes_once_and_behind_the_rows(smtpctl_program: Path, home: Path) -> None:
    setup = Setup(tls=TlsMode.STARTTLS, users=USERS)
    with desk(smtpctl_program, home, setup, tls="starttls", **password(home, "wrong")) as at:
        (home / "password").chmod(0o644)
        run = at.sit_down()
        run.until(b"[y/n, Enter: not known]: ")
        run.type("y")
        run.until(b"What now? ")
        run.type("t")
        run.until(b"Still the same.")
        run.until(b"What now? ")
        run.type("q")
        assert run.end() == ExitStatus.AUTH
    told = shown(run)
    assert told.count("warning: Others can read") == 1
    assert told.index("535 5.7.8") < told.index("warning: Others can read") < told.index("error[")


def test_a_question_can_be_left(smtpctl_program: Path, home: Path) -> None:
    with desk(smtpctl_program, home, Setup(), tls="starttls") as at:
        run = at.sit_down()
        run.until(b"[y/n, Enter: not known]: ")
        run.type("q")
        assert run.end() == ExitStatus.UNAVAILABLE
    assert "What to do:" in shown(run)
    talk = AtTerminal(smtpctl_program, ["diagnose", EXCHANGE])
    talk.until(b"Number (Enter: not known): ")
    talk.type("q")
    assert talk.end() == ExitStatus.OK
    assert "Most likely:" in shown(talk)


def test_no_starttls_where_it_is_wanted(smtpctl_program: Path, home: Path) -> None:
    with desk(smtpctl_program, home, Setup(), tls="starttls") as at:
        run = at.sit_down()
        run.until(b"Did the same settings work before?")
        run.type("")
        run.until(b"work from another network")
        run.type("y")
        run.until(b"What now? ")
        run.type("q")
        assert run.end() == ExitStatus.UNAVAILABLE
    assert "Most likely of 3 causes A firewall on the way removes STARTTLS" in shown(run)


def test_a_login_that_was_retired(smtpctl_program: Path, home: Path) -> None:
    setup = Setup(tls=TlsMode.STARTTLS, users=USERS, mechanisms=("LOGIN",), faults=Faults(refusal(f"auth:{RETIRED}")))
    settings = {"tls": "starttls", "preset": "microsoft365", "auth": "basic", **password(home, "right-password")}
    with desk(smtpctl_program, home, setup, **settings) as at:
        run = at.sit_down()
        run.until(b"cannot do OAuth 2.0?")
        run.type("y")
        run.until(b"What now? [t]: ")
        run.type("q")
        assert run.end() == ExitStatus.AUTH
    assert "error[m365.550-5-7-30-basic-retired]" in shown(run)
    assert "The device cannot do OAuth." in shown(run)
    assert "High Volume Email" in shown(run)


def test_q_leaves_where_it_is_asked_what_fails(smtpctl_program: Path, home: Path) -> None:
    with desk(smtpctl_program, home, Setup(), tls="none") as at:
        run = at.sit_down()
        run.until(b"What fails, then?")
        run.type("q")
        assert run.end() == ExitStatus.OK
    assert "What is wrong" not in shown(run).partition("What fails, then?")[2]


def test_a_recipient_that_is_refused_is_asked_for(smtpctl_program: Path, home: Path) -> None:
    denied = refusal("rcpt/bob@:554 5.7.1 <bob@y.test>: Relay access denied")
    with desk(smtpctl_program, home, Setup(faults=Faults(denied)), tls="none", **{"from": "a@x.test"}) as at:
        run = at.sit_down()
        run.until(b"What fails, then?")
        run.type("bob@y.test")
        run.until(b"without a login?")
        run.type("y")
        run.until(b"What now? ")
        run.type("n")
        run.until(b"What now? ")
        run.type("x")
        run.until(b"There is ")
        run.type("q")
        assert run.end() == ExitStatus.DATA
    assert "causes The relay takes mail by IP address" in shown(run)


@pytest.mark.parametrize(
    ("token", "answers", "cause"),
    [
        (app_token(exp=1), (), "The token has expired"),
        (app_token(aud="https://graph.microsoft.com"), (), "The token is for another audience"),
        (app_token(), ("n", "n", "n"), "The service principal is wrong"),
        (app_token(), ("y",), "The permissions are right but new"),
    ],
)
def test_a_535_5_7_3_and_the_token_that_got_it(
    token: str, answers: tuple[str, ...], cause: str, smtpctl_program: Path, home: Path
) -> None:
    place = home / "token"
    place.write_text(token)
    place.chmod(0o600)
    faults = Faults(refusal(f"auth:{EXCHANGE}"))
    setup = Setup(tls=TlsMode.STARTTLS, users=USERS, mechanisms=("XOAUTH2",), faults=faults)
    settings = {"tls": "starttls", "auth": "oauth2", "username": "ann@x.test", "access_token_file": str(place)}
    with desk(smtpctl_program, home, setup, preset="microsoft365", **settings) as at:
        run = at.sit_down()
        for answer in answers:
            run.until(b"[y/n, Enter: not known]: ")
            run.type(answer)
        run.until(b"What now? [t]: ")
        run.type("q")
        assert run.end() == ExitStatus.AUTH
    assert f"causes {cause}" in shown(run)
    assert token.encode() not in run.said


def test_a_pasted_text_is_talked_about_too(smtpctl_program: Path) -> None:
    run = AtTerminal(smtpctl_program, ["diagnose", EXCHANGE])
    run.until(b"Number (Enter: not known): ")
    run.type("9")
    run.until(b"There is 1, 2, 3.")
    run.type("1")
    run.until(b"webmail?")
    run.type("n")
    run.until(b"What now? [q]: ")
    run.type("")
    assert run.end() == ExitStatus.OK
    assert "What is wrong: User name or password is wrong" in shown(run)


def test_the_causes_of_a_pasted_text_are_gone_through_one_by_one(smtpctl_program: Path) -> None:
    run = AtTerminal(smtpctl_program, ["diagnose", "x509: certificate signed by unknown authority"])
    for question in (b"authority of its", b"inspect TLS"):
        run.until(question)
        run.until(b"[y/n, Enter: not known]: ")
        run.type("n")
    for number in (b"Most likely of 4", b"Cause 2 of 4", b"Cause 3 of 4", b"Cause 4 of 4"):
        run.until(number)
        run.until(b"What now? [q]: ")
        run.type("n")
    assert run.end() == ExitStatus.OK
    assert "runs its own authority" not in shown(run)
    assert "What is wrong: none of the known causes; the evidence is: x509" in shown(run)


def test_when_every_cause_was_refused_none_is_the_verdict(smtpctl_program: Path, home: Path) -> None:
    denied = refusal("rcpt/bob@:554 5.7.1 <bob@y.test>: Relay access denied")
    with desk(smtpctl_program, home, Setup(faults=Faults(denied)), tls="none", **{"from": "a@x.test"}) as at:
        run = at.sit_down("office", "--to", "bob@y.test")
        run.until(b"without a login?")
        run.type("n")
        for number in (b"Most likely of 3", b"Cause 2 of 3", b"Cause 3 of 3"):
            run.until(number)
            run.until(b"What now? [t]: ")
            run.type("n")
        assert run.end() == ExitStatus.DATA
    told = shown(run)
    assert "What is wrong: none of the known causes; the server said 554 5.7.1 <bob@y.test>" in told
    assert "All in one file: smtpctl report office" in told
    for ruled_out in ("takes mail by IP address", "AUTH succeeded but"):
        assert ruled_out not in told


# Nobody there


def document(run: Run) -> dict[str, Any]:
    found = json.loads(run.stdout)
    jsonschema.Draft202012Validator(json.loads(of_output("diagnose"))).validate(found)
    return dict(found)


def test_without_anybody_the_best_is_said(smtpctl_call: Runner) -> None:
    run = smtpctl_call("diagnose", EXCHANGE)
    assert run.code == 0
    assert "--answer login=password" in run.stdout
    assert run.stdout.count("What to do:") == 1
    answered = smtpctl_call("diagnose", EXCHANGE, "--answer", "login=password", "--answer", "works_in_webmail=no")
    assert "What is wrong:   User name or password is wrong" in answered.stdout


@pytest.mark.parametrize(
    ("text", "answer", "first"),
    [
        ("x509: certificate signed by unknown authority", "private_authority=yes", "The organisation runs its own"),
        ("x509: certificate signed by unknown authority", "private_authority=no", "A virus scanner or proxy"),
    ],
)
def test_an_answer_counts_for_what_a_program_says_too(text: str, answer: str, first: str, smtpctl_call: Runner) -> None:
    found = document(smtpctl_call("diagnose", text, "--json", "--answer", answer))
    assert found["causes"][0]["text"].startswith(first)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "421 4.7.0 Try again later",
            "server closes the connection: busy, rate limit, timeout or shutdown; the server said 421 4.7.0 Try again later",
        ),
        ("535 5.7.8 failed", "credentials rejected; the server said 535 5.7.8 failed"),
        ("something is odd here", "not known; the evidence is: something is odd here"),
    ],
)
def test_of_a_text_that_nobody_knows_its_own_words_are_said(text: str, wrong: str, smtpctl_call: Runner) -> None:
    told = " ".join(smtpctl_call("diagnose", text).stdout.split())
    assert f"What is wrong: {wrong}" in told


def test_a_command_at_the_end_stays_on_one_line(smtpctl_call: Runner) -> None:
    given = [
        "--tls",
        "starttls",
        "--helo",
        "a-long-name.of-this-machine.test",
        "--from",
        "ann@x.test",
        "--timeout",
        "20",
    ]
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        target = f"{sink.host}:{sink.port}"
        run = smtpctl_call("diagnose", target, *given, "--stage-timeout", "greeting=1")
    [line] = [line for line in run.stdout.splitlines() if line.startswith("What to do:")]
    assert line.split()[3:6] == ["smtpctl", "check", target]
    assert line.endswith("--helo a-long-name.of-this-machine.test")


def test_a_text_from_stdin_as_json(smtpctl_call: Runner) -> None:
    found = document(smtpctl_call("diagnose", "-", "--json", stdin=f"smtplib: {EXCHANGE}\n"))
    assert found["exit"] == 0
    assert found["question"]["name"] == "login"
    assert found["causes"][0]["finding"].startswith("m365.535-5-7-3-")


def test_a_server_as_json(smtpctl_call: Runner) -> None:
    with Sink(Setup(faults=Faults(refusal("greeting:554 5.7.1 not you")))) as sink:
        run = smtpctl_call("diagnose", f"{sink.host}:{sink.port}", "--tls", "none", "--json")
    found = document(run)
    assert found["exit"] == run.code == ExitStatus.UNAVAILABLE
    assert found["target"] == f"{sink.host}:{sink.port}"
    assert found["causes"]


def test_a_server_that_works(smtpctl_call: Runner) -> None:
    with Sink(Setup()) as sink:
        target = (f"{sink.host}:{sink.port}", "--tls", "none", "--trusted")
        run = smtpctl_call("diagnose", *target)
        assert run.code == 0
        assert "Everything works." in run.stdout
        assert document(smtpctl_call("diagnose", *target, "--json"))["causes"] == []
        said = smtpctl_call("diagnose", *target, "--said", "550 5.7.26 This mail is unauthenticated")
        assert "neither SPF nor DKIM" in " ".join(said.stdout.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((EXCHANGE, "--answer", "two_step"), "NAME=ANSWER"),
        ((EXCHANGE, "--answer", "no_question=yes"), "there is no question no_question"),
        ((EXCHANGE, "--answer", "login=maybe"), "answer password, app-token, user-token"),
        (("nohost.invalid", "--answer", "login=maybe"), "answer password, app-token, user-token"),
        (("-",), "nothing to diagnose"),
        (("no-such-profile",), "no-such-profile"),
    ],
)
def test_what_cannot_be_understood(words: tuple[str, ...], told: str, smtpctl_call: Runner) -> None:
    run = smtpctl_call("diagnose", *words)
    assert run.code in (2, 78)
    assert told in run.stderr
    assert run.stdout == "", "nothing was begun"


def test_a_reply_that_is_no_failure_is_not_called_wrong(smtpctl_call: Runner) -> None:
    run = smtpctl_call("diagnose", "250 2.0.0 Ok: queued as ABC", "--no-input")
    assert "What is wrong:   This is no failure" in run.stdout
