"""What a report ends with: commands in the user's own names, and the one to go on with."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from smtpctl.config.oauth import resolve_oauth
from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.knowledge import families, match
from smtpctl.model.finding import Cause, Finding, Remedy, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus, Failure, RecipientResult, Report
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.ops.advice import advised, again, checking, personal
from smtpctl.ops.diagnose import Candidate, asks_nothing, to_apply, to_try

OFFICE = 'version = 1\n[profiles.office]\nhost = "mail.test"\nport = 587\nusername = "ann@mail.test"\n'
OAUTH = 'version = 1\n[oauth.m365]\ntenant_id = "corp.test"\nclient_id = "app"\n'
REFUSED = Reply(535, ("5.7.3 Authentication unsuccessful",))


def profile(target: str, **overrides: Any) -> Any:
    secret = overrides.pop("secret", "password_keyring = true")
    document = Document(Path("none.toml"), f"{OFFICE}{secret}\n")
    return resolve(target, overrides, {}, document=document)


def with_commands(*commands: str) -> Finding:
    causes = tuple(Cause("", 0.5, (Remedy("Do it.", (command,)),)) for command in commands)
    return Finding("x.y", Severity.ERROR, Stage.CONNECT, "It is so", causes=causes)


def commands(finding: Finding) -> list[str]:
    return [line for cause in finding.causes for remedy in cause.remedies for line in remedy.commands]


def stopped(finding: Finding, **failure: Any) -> Report:
    failed = Failure(ExitStatus.UNAVAILABLE, finding.stage, False)._replace(**failure)
    return Report("office", Transcript(), findings=(finding,), failure=failed)


@pytest.mark.parametrize(
    ("general", "own"),
    [
        ("smtpctl profile set <profile> tls=implicit", "smtpctl profile set office tls=implicit"),
        ("smtpctl secret set <profile> --stdin", "smtpctl secret set office --stdin"),
        ("smtpctl check mail.test:587 -v", "smtpctl check office -v"),
        ("smtpctl check mail.test:465 --tls implicit", "smtpctl check office --port 465 --tls implicit"),
        ("smtpctl check mail.test:5870", "smtpctl check office --port 5870"),
        ("openssl s_client -connect mail.test:587", "openssl s_client -connect mail.test:587"),
        ("Get-CASMailbox -Identity user@contoso.com", "Get-CASMailbox -Identity ann@mail.test"),
        ("nc smtp.example.com 587", "nc mail.test 587"),
        ("smtpctl profile set <profile> ca_file=<file>", "smtpctl profile set office ca_file=<file>"),
    ],
)
def test_commands_are_in_the_users_names(general: str, own: str) -> None:
    assert commands(personal(with_commands(general), profile("office"))) == [own]


@pytest.mark.parametrize(
    ("general", "own"),
    [
        ("smtpctl profile set <profile> tls=implicit", ["smtpctl check other.test:2525 --tls implicit"]),
        ("smtpctl profile set <profile> port=465 tls=starttls", ["smtpctl check other.test --port 465 --tls starttls"]),
        ("smtpctl profile set <profile> ca_file=<file>", ["smtpctl check other.test:2525 --ca-file <file>"]),
        ("smtpctl profile set <profile> host=<name>", []),
        ("smtpctl secret set <profile> --stdin", []),
        ("smtpctl profile unset <profile> family", []),
    ],
)  # fmt: skip
def test_without_a_profile_there_are_options_or_nothing(general: str, own: list[str]) -> None:
    assert commands(personal(with_commands(general), profile("other.test:2525"))) == own


GIVEN = {
    "tls": "starttls",
    "ca_file": "my ca.pem",
    "username": "ann@x.test",
    "password_file": "pw",
    "stage_timeout": ["greeting=2", "dns=3"],
}
KEPT = "--ca-file 'my ca.pem' --username ann@x.test --password-file pw"


@pytest.mark.parametrize(
    ("general", "own"),
    [
        (
            "smtpctl check other.test:2525 --tls implicit",
            f"smtpctl check other.test:2525 --tls implicit --stage-timeout greeting=2 --stage-timeout dns=3 {KEPT}",
        ),
        (
            "smtpctl check other.test:2525 --stage-timeout greeting=300",
            "smtpctl check other.test:2525 --stage-timeout greeting=300 --stage-timeout dns=3 --tls starttls " + KEPT,
        ),
        (
            "smtpctl profile set <profile> port=465 tls=implicit",
            "smtpctl check other.test --port 465 --tls implicit --stage-timeout greeting=2 --stage-timeout dns=3 "
            + KEPT,
        ),
        ("smtpctl check third.test:465", "smtpctl check third.test:465"),
        ("smtpctl preset suggest other.test", "smtpctl preset suggest other.test"),
    ],
)
def test_a_session_with_the_server_has_the_options_of_the_run(general: str, own: str) -> None:
    assert commands(personal(with_commands(general), profile("other.test:2525", **GIVEN))) == [own]


def test_of_a_profile_only_what_was_given_besides_is_repeated() -> None:
    told = personal(with_commands("smtpctl check mail.test:587 -v"), profile("office", tls="starttls", port="2525"))
    assert commands(told) == ["smtpctl check office --port 587 -v --tls starttls"]
    told = personal(with_commands("smtpctl check mail.test:2525 -v"), profile("office", tls="starttls", port="2525"))
    assert commands(told) == ["smtpctl check office -v --port 2525 --tls starttls"]


def test_what_the_run_was_given_is_no_weakening_of_it() -> None:
    run = profile("other.test:2525", **GIVEN, insecure=True, **{"from": "Ann <ann@x.test>"})
    own = personal(with_commands("smtpctl check other.test:2525 --tls implicit"), run)
    assert advised(stopped(own), run).next_command == commands(own)[0]
    assert to_try(Candidate(own, own.causes[0], 1.0), run) == commands(own)[0]
    assert "--insecure" in commands(own)[0]


def test_what_a_shell_would_read_is_quoted() -> None:
    given = {"password_command": "pass show 'a b'", "username": "a:b@x.test"}
    words = shlex.split(checking(profile("other.test:2525", **given)))
    assert words[words.index("--password-command") + 1] == "pass show 'a b'"
    assert words[words.index("--username") + 1] == "a:b@x.test"


@pytest.mark.parametrize("name", ["office", "other.test:2525", "[::1]:2525"])
def test_what_passed_can_be_kept(name: str) -> None:
    found = families.entry("conn.port_is_implicit_tls").finding(target="mail.test:587" if name == "office" else name)
    first, keep = commands(personal(found, profile(name, ca_file="ca.pem")))
    host = name.rpartition(":")[0].strip("[]")
    assert first.startswith(f"smtpctl check {name} --tls implicit")
    made = f"smtpctl profile add <name> --host {host} --port 2525 --tls implicit --ca-file ca.pem"
    assert keep == ("smtpctl profile set office tls=implicit" if name == "office" else made)


def test_where_nothing_better_is_known_the_end_asks_which_cause_it_is() -> None:
    causes = (Cause("One.", 0.5, (Remedy("Ask somebody."),)), Cause("Other.", 0.4, (Remedy("Wait."),)))
    finding = with_commands()._replace(causes=causes)
    run = profile("other.test:2525", **GIVEN)
    assert advised(stopped(finding), run).next_command == again("diagnose", run)
    refused = stopped(finding)._replace(recipients=(RecipientResult("bob@y.test", "permanent"),))
    assert advised(refused, profile("office")).next_command == "smtpctl diagnose office --to bob@y.test"
    assert advised(stopped(finding._replace(causes=causes[:1])), run).next_command == "", "there is nothing to ask"


def test_the_end_is_the_first_command_that_can_be_run_and_weakens_nothing() -> None:
    finding = with_commands(
        "smtpctl profile set <profile> ca_file=<file>",
        "smtpctl check office --insecure",
        "systemctl restart postfix",
        "smtpctl profile set <profile> tls=implicit",
    )
    assert advised(stopped(finding), profile("office")).next_command == "smtpctl profile set office tls=implicit"


@pytest.mark.parametrize(
    "line",
    [
        "smtpctl profile set <profile> trusted=true",
        "smtpctl profile set <profile> tls=none",
        "smtpctl profile set <profile> ca_file=x.pem",
        "smtpctl profile set <profile> pin=sha256:x",
        "smtpctl check other.test:2525 --allow-plaintext-auth",
    ],
)
@pytest.mark.parametrize("name", ["office", "other.test:2525"])
def test_nothing_less_safe_is_proposed_as_a_setting_or_as_an_option(line: str, name: str) -> None:
    own = personal(with_commands(line), profile(name))
    assert advised(stopped(own), profile(name)).next_command == ""
    assert [(to_apply(c), to_try(c)) for c in (Candidate(own, cause, 1.0) for cause in own.causes)] == [("", "")]


@pytest.mark.parametrize("own", ["x; reboot", "$(reboot)", "a'b", "a\nb"])
def test_an_id_that_a_shell_would_read_stays_a_place(own: str) -> None:
    line = 'start "https://login.test/<TENANT_ID>?client_id=<APP_ID>"'
    hostile = resolve_oauth("m365", Document(Path("none.toml"), OAUTH))._replace(client_id=own)
    told = personal(with_commands(line), profile("office")._replace(oauth=hostile))
    assert commands(told) == ['start "https://login.test/corp.test?client_id=<APP_ID>"']


@pytest.mark.parametrize(
    ("line", "unasked"),
    [
        ("smtpctl profile set office port=465 tls=implicit", True),
        ("smtpctl profile set office host=smtp.other.test port=465 tls=implicit", False),
        ("smtpctl profile set office --host smtp.other.test", False),
        ("smtpctl secret set office", False),
    ],
)
def test_a_password_goes_to_another_server_only_when_somebody_agrees(line: str, unasked: bool) -> None:
    assert asks_nothing(line) is unasked


@pytest.mark.parametrize(
    ("secret", "command"),
    [
        ("password_keyring = true", "smtpctl secret set office"),
        ('password = "in clear"', "smtpctl secret set office"),
        ('password_file = "/run/my secret"', "smtpctl secret set office --store 'file:/run/my secret'"),
        ('password_command = ["pass", "show", "a b"]', "pass show 'a b'"),
        ('password_env = "PW"', "smtpctl diagnose office"),
    ],
)
def test_a_refused_password_is_mended_where_it_is_kept(secret: str, command: str) -> None:
    context = match.Context.of(REFUSED, stage=Stage.AUTH, host="smtp.office365.com", credential="password")
    report = stopped(match.finding(context), status=ExitStatus.AUTH, reply=REFUSED)
    assert advised(report, profile("office", secret=secret)).next_command == command


def test_a_password_from_the_command_line_is_no_business_of_the_file() -> None:
    report = stopped(with_commands(), status=ExitStatus.AUTH, reply=REFUSED)
    assert advised(report, profile("office", secret="", password_file="x")).next_command == ""


def test_what_passed_keeps_its_own_next_step() -> None:
    report = Report("office", Transcript(), next_command="smtpctl test-send office")
    assert advised(report, profile("office")).next_command == "smtpctl test-send office"


def test_what_ended_a_session_stands_in_its_transcript_once() -> None:
    report = stopped(with_commands())
    told = report.findings[0]
    report.transcript.add(Event(1.0, told.stage, Kind.ERROR, told.title, facts={"id": told.id}))
    advised(advised(report, profile("office")), profile("office"))
    advised(report._replace(findings=(told._replace(id="x.closer"),)), profile("office"))
    assert [event.facts["id"] for event in report.transcript] == ["x.y", "x.closer"], "a second look may know better"


def test_every_command_of_our_findings_is_personal() -> None:
    """No page leaves `<profile>` in what a stored profile shows, nor in what a server without one does."""
    for entry in families.all_entries():
        for target in ("office", "other.test:2525"):
            finding = personal(entry.finding(target=target), profile(target))
            assert not [line for line in commands(finding) if "<profile>" in line]


def test_a_guide_is_named_with_the_profile_or_without_one() -> None:
    context = match.Context.of(REFUSED, stage=Stage.AUTH, host="smtp.office365.com", credential="password")
    report = stopped(match.finding(context), status=ExitStatus.AUTH, reply=REFUSED)
    for name, line in (
        ("office", "smtpctl guide m365 office --way app"),
        ("smtp.office365.com:587", "smtpctl guide m365 --way app"),
    ):
        told = advised(report, profile(name))
        lines = [line for cause in told.findings[0].causes for remedy in cause.remedies for line in remedy.commands]
        assert line in lines
        assert not told.next_command.startswith("smtpctl guide")


def test_what_a_server_said_is_no_example_to_be_replaced() -> None:
    """A certificate may list the very names that stand for any host in pages about replies."""
    names = ["mail.example.com", "user@contoso.com"]
    found = with_commands(*(f"smtpctl profile set <profile> verify_name={name}" for name in names))
    said = personal(found._replace(id="tls.cert.name_mismatch"), profile("other.test:2525"))
    assert commands(said) == [f"smtpctl check other.test:2525 --verify-name {name}" for name in names]


@pytest.mark.parametrize("target", ["office", "other.test:2525"])
def test_what_an_option_said_is_left_out_not_taken_from_the_profile(target: str) -> None:
    found = with_commands("smtpctl profile unset <profile> auth_mech")
    once = personal(found, profile(target, auth_mech="plain"))
    for said in (once, personal(once, profile(target, auth_mech="plain"))):
        (remedy,) = (remedy for cause in said.causes for remedy in cause.remedies)
        assert remedy == Remedy("Do it. Leave out --auth-mech.", ())


def test_what_a_variable_said_is_unset_there() -> None:
    document = Document(Path("none.toml"), OFFICE)
    made = resolve("office", {}, {"SMTPCTL_AUTH_MECH": "plain"}, document=document)
    (cause,) = personal(with_commands("smtpctl profile unset <profile> auth_mech"), made).causes
    assert cause.remedies == (Remedy("Do it. Unset $SMTPCTL_AUTH_MECH.", ()),)


@pytest.mark.parametrize("target", ["office", "other.test:2525"])
def test_a_look_at_the_settings_is_at_those_of_the_run(target: str) -> None:
    found = with_commands(f"smtpctl profile show {target} --resolved")
    (line,) = commands(personal(found, profile(target, tls="implicit", username="ann")))
    assert line == f"smtpctl profile show {target} --resolved --tls implicit --username ann"


@pytest.mark.parametrize("path", ["insecure.toml", "ca_file=x.toml"])
def test_where_the_settings_are_makes_nothing_less_safe(path: str) -> None:
    document = Document(Path(path), OFFICE, sources={"--config": path})
    made = resolve("office", {}, {}, document=document)
    report = advised(stopped(with_commands("smtpctl profile set <profile> tls=implicit")), made)
    assert report.next_command == f"smtpctl profile set office tls=implicit --config {path}"
