"""A new user's way on an empty home: set up, validate, check, send through a real Postfix, and each thing that goes wrong."""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from bed.accounts import ALICE, BOB, HOST
from bed.dovecot import Dovecot
from bed.pki import Pki
from bed.postfix import Postfix
from harness import ROOT, Run, Runner
from smtpctl.cli.group import read

SCHEMAS = ROOT / "smtpctl" / "schemas"
CONFIG = Path(".config/smtpctl/config.toml")


class User(NamedTuple):
    """Somebody with a profile `office` for Postfix's submission, the password in a file of her own."""

    run: Runner
    home: Path
    postfix: Postfix
    pki: Pki

    def test_send(self, *words: str | Path, to: str = BOB.username) -> Run:
        return self.run("test-send", *words, "--to", to)

    def report(self, *words: str | Path) -> dict[str, Any]:
        """The one report of a `--json` run, its document valid."""
        return document(self.run(*words, "--json"))


@pytest.fixture
def user(smtpctl_run: Runner, home: Path, postfix: Postfix, pki: Pki) -> User:
    added = smtpctl_run(
        "profile", "add", "office", "--host", HOST, "--port", str(postfix.port("submission")), "--tls", "starttls",
        "--ca-file", pki.ca_file, "--username", ALICE.username,
    )  # fmt: skip
    assert (added.code, added.stdout) == (0, "")
    store = f"file:{home / 'secret'}"
    stored = smtpctl_run("secret", "set", "office", "--stdin", "--store", store, stdin=f"{ALICE.password}\n")
    assert stored.code == 0
    return User(smtpctl_run, home, postfix, pki)


def document(run: Run) -> dict[str, Any]:
    """What `--json` printed, judged by the schema that ships for it."""
    found = json.loads(run.stdout)
    name = found["schema"].removeprefix("smtpctl.").partition("/")[0]
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return dict(found)


def next_command(run: Run) -> str:
    """What the last line tells to do."""
    last = run.stdout.rstrip().splitlines()[-1]
    return last.partition("Next:")[2].strip()


# The way that works


def test_set_up_validate_check_and_send(user: User, dovecot: Dovecot) -> None:
    assert (user.home / "secret").stat().st_mode & 0o777 == 0o600
    assert (user.home / CONFIG).stat().st_mode & 0o777 == 0o600
    assert ALICE.password not in (user.home / CONFIG).read_text()

    validated = user.run("validate")
    assert validated.code == 0
    assert "1 profile, nothing to mend" in validated.stdout

    checked = user.run("check")
    assert checked.code == 0, checked.stdout
    assert "Everything works." in checked.stdout
    assert next_command(checked).startswith("smtpctl test-send office --to ")

    sent = user.test_send("office", "--subject", "A journey")
    assert sent.code == 0, sent.stdout
    assert "Accepted for the recipient, queued as " in sent.stdout
    mail = dovecot.wait_for_mail(BOB.username, "A journey")
    assert mail["From"] == ALICE.username


def test_the_password_in_the_environment(user: User) -> None:
    user.run("profile", "unset", "office", "password_file")
    assert user.run("profile", "set", "office", "password_env=MAIL_PW").code == 0
    assert user.run("check", env={"MAIL_PW": ALICE.password}).code == 0
    missing = user.run("check")
    assert missing.code == 78
    assert "error[secret.env_unset]" in missing.stdout + missing.stderr


def test_every_profile_at_once(user: User) -> None:
    user.run("profile", "copy", "office", "broken")
    user.run("profile", "set", "broken", f"port={closed_port()}")
    run = user.test_send("--all")
    assert run.code == 75, run.stdout
    assert "2 targets: 1 works, 1 fails" in run.stdout
    reports = document(user.run("check", "--all", "--json"))["reports"]
    assert {report["target"]: report["exit"] for report in reports} == {"office": 0, "broken": 75}


def test_export_and_import(user: User) -> None:
    exported = user.run("profile", "export", "--to", "contensis", "office", "--reveal")
    assert exported.code == 0
    assert ALICE.password in exported.stdout
    user.run("profile", "remove", "office", "--yes")
    folder = f"file:{user.home}/imported/"
    words = ["--from", "contensis", "--secret-store", folder, "-"]
    imported = user.run("profile", "import", *words, stdin=exported.stdout)
    assert imported.code == 0, imported.stderr
    names = [row["name"] for row in document(user.run("profile", "list", "--json"))["profiles"]]
    assert len(names) == 1
    resent = user.run("test-send", names[0], "--ca-file", user.pki.ca_file, "--to", BOB.username)
    assert resent.code == 0, resent.stdout + resent.stderr


def test_the_demo(smtpctl_run: Runner, home: Path) -> None:
    run = smtpctl_run("demo")
    assert run.code == 0
    assert "535" in run.stdout
    assert "SCRAM-SHA-256 under TLS 1.3." in run.stdout
    assert not any(home.rglob("*.toml"))


# What goes wrong


class Wrong(NamedTuple):
    """One mistake: the arguments of `test-send`, and what is said about it. `{options}` in the command are the arguments,
    `{recipient}` is who the mail was for."""

    words: Callable[[User], list[str]]
    code: int
    finding: str
    command: str = ""


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def wrong_password(user: User) -> list[str]:
    (user.home / "secret").write_text("not it\n")
    return []


def big_file(user: User) -> list[str]:
    (user.home / "big.bin").write_bytes(bytes(800_000))
    return ["--attach", str(user.home / "big.bin")]


def test_suggest_finds_the_mode_that_works_and_its_command_mends_the_profile(user: User) -> None:
    user.run("profile", "set", "office", "tls=implicit")
    report = user.report("check", "office", "--suggest")
    assert report["exit"] == 69
    best, *_ = report["facts"]["suggestion"]["tried"]
    assert (best["port"], best["tls"], best["result"]) == (user.postfix.port("submission"), "starttls", "works")
    assert user.run(*shlex.split(report["next_command"])[1:]).code == 0
    kept = user.report("check", "office", "--suggest")
    assert (kept["exit"], kept["facts"]["suggestion"]["command"]) == (0, "")


def test_the_matrix_of_a_server_with_many_mechanisms(user: User) -> None:
    """Dovecot keeps the passwords in clear, so whatever smtpctl speaks works; DIGEST-MD5 is for nobody any more."""
    matrix = user.report("check", "office", "--matrix")["facts"]["matrix"]
    results = {trial["mechanism"]: trial["result"] for trial in matrix["mechanisms"]}
    accepted = {name for name, result in results.items() if result == "accepted"}
    assert accepted == {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}
    assert results["DIGEST-MD5"] == results["XOAUTH2"] == "skipped"
    assert (matrix["strongest"], matrix["command"]) == ("SCRAM-SHA-256", "")


def test_a_baseline_of_a_real_server_and_what_differs_later(user: User) -> None:
    kept = user.home / "office.json"
    saved = user.run("check", "office", "--save-baseline", kept)
    assert saved.code == 0
    assert next_command(saved) == f"smtpctl check office --compare {kept}"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert ALICE.password not in kept.read_text()
    same = user.report("check", "office", "--compare", kept)
    assert (same["exit"], same["facts"]["baseline"]["drift"]) == (0, [])
    wrong_password(user)
    later = user.report("check", "office", "--compare", kept)
    assert later["exit"] == 77
    assert later["facts"]["baseline"]["drift"] == ["drift.dialogue"]


def test_diagnose_mends_what_can_be_mended(user: User) -> None:
    user.run("profile", "set", "office", "tls=implicit")
    run = user.run("diagnose", "office", "--yes")
    assert run.code == 0, run.stdout + run.stderr
    assert "What was wrong:  localhost:" in run.stdout
    assert 'tls = "starttls"' in (user.home / CONFIG).read_text()


def to_listener(name: str) -> Callable[[User], list[str]]:
    return lambda user: ["--port", str(user.postfix.port(name)), "--auth", "none"]


def at_certificate(fault: str) -> Callable[[User], list[str]]:
    return lambda user: ["--port", str(user.postfix.certificate_port(fault)), "--auth", "none"]


ASKS = "smtpctl diagnose office --to {recipient} {options}"
WRONG = {
    "wrong password": Wrong(
        wrong_password, 77, "generic.auth-535", "smtpctl secret set office --store file:{home}/secret"
    ),
    "implicit TLS at a STARTTLS port": Wrong(
        lambda user: ["--tls", "implicit"], 69, "conn.port_is_plaintext", "smtpctl check office --tls starttls"
    ),
    "STARTTLS at an implicit TLS port": Wrong(
        lambda user: ["--port", str(user.postfix.port("smtps")), "--stage-timeout", "greeting=1"],
        69, "conn.port_is_implicit_tls", "smtpctl check office --tls implicit {options}",
    ),
    "no STARTTLS": Wrong(
        to_listener("no_starttls"), 69, "starttls.not_offered",
        "smtpctl check office --port 465 --tls implicit --auth none",
    ),
    "missing intermediate": Wrong(at_certificate("missing-int"), 69, "tls.chain.missing_intermediate", "smtpctl check office --fetch-aia {options}"),
    "expired": Wrong(at_certificate("expired"), 69, "tls.cert.expired", ASKS),
    "relay denied": Wrong(
        lambda user: [*to_listener("mx")(user), "--to", "x@elsewhere.example"], 65, "generic.rcpt-relay-access-denied",
        "smtpctl diagnose office {options}",
    ),
    "greylisted": Wrong(lambda user: ["--to", "grey@bed.test"], 75, "generic.rcpt-greylisted"),
    "too large": Wrong(big_file, 65, "generic.data-too-large"),
    "sender not owned": Wrong(lambda user: ["--from", BOB.username], 65, "generic.postfix-553-not-owned", ASKS),
    "unknown host": Wrong(
        lambda user: ["--host", "nohost.invalid"], 68, "conn.dns_nxdomain", "smtpctl preset suggest nohost.invalid"
    ),
    "refused": Wrong(
        lambda user: [f"--port={closed_port()}"], 75, "conn.refused", "smtpctl check office --port 465 --tls implicit"
    ),
}  # fmt: skip


DIAGNOSED = ("wrong password", "no STARTTLS", "missing intermediate", "expired", "relay denied", "refused")


@pytest.mark.parametrize("name", DIAGNOSED)
def test_what_goes_wrong_is_diagnosed(name: str, user: User) -> None:
    wrong = WRONG[name]
    found = user.run("diagnose", "office", *wrong.words(user), "--json")
    assert found.code == wrong.code
    assert document(found)["causes"][0]["finding"] == wrong.finding


@pytest.mark.parametrize("name", WRONG)
def test_what_goes_wrong_is_named_with_its_fix(name: str, user: User) -> None:
    wrong = WRONG[name]
    words = wrong.words(user)
    sending = ["test-send", "office", *words, *([] if "--to" in words else ["--to", BOB.username])]
    run = user.run(*sending)
    assert run.code == wrong.code, run.stdout + run.stderr
    assert f"error[{wrong.finding}]" in run.stdout
    assert f"(exit {wrong.code})" in run.stdout
    assert "<profile>" not in run.stdout
    command = next_command(run)
    expected = wrong.command.format(home=user.home, options=shlex.join(words), recipient=BOB.username)
    assert sorted(shlex.split(command)) == sorted(shlex.split(expected))
    assert not command or read(shlex.split(command)[1:])
    assert ALICE.password not in run.stdout + run.stderr

    kept = user.home / "session.jsonl"
    run = user.run(*sending, "--transcript", kept, "--json")
    report = document(run)
    assert (report["exit"], report["findings"][0]["id"]) == (wrong.code, wrong.finding)
    assert report.get("next_command", "") == command
    explained_as(wrong.finding, user, kept, run.stdout)


def explained_as(finding: str, user: User, kept: Path, printed: str) -> None:
    """Fed with the transcript or with the JSON output, `explain` names the same cause."""
    schema = json.loads((SCHEMAS / "transcript.schema.json").read_text())
    for line in kept.read_text().splitlines():
        jsonschema.Draft202012Validator(schema).validate(json.loads(line))
    assert kept.stat().st_mode & 0o777 == 0o600
    for words, said in (([str(kept)], ""), (["-"], printed)):
        explained = document(user.run("explain", *words, "--json", stdin=said))
        assert finding in ids(explained), explained


def ids(explained: dict[str, Any]) -> set[str]:
    """Every finding that an `explain` document names."""
    found = [*explained.get("findings", ()), *(cause["finding"] for cause in explained.get("causes", ()))]
    return {one["id"] for one in found}


# For a ticket, and for a monitor


def test_a_ticket_with_made_up_names(user: User) -> None:
    asked = ("report", "--to", f"nobody.{BOB.username}", "--output", "-", "--json")
    plain, changed = user.run(*asked), user.run(*asked, "--anonymise")
    words = [ALICE.username, ALICE.username.partition("@")[0], BOB.username, str(user.home)]
    assert [word for word in words if word not in plain.stdout.lower()] == []
    assert [word for word in words if word in changed.stdout.lower()] == []
    told = document(changed)
    assert told["result"]["exit"] == document(plain)["result"]["exit"] == 65
    refused = [event["text"] for event in told["transcript"] if event["text"].startswith("550 5.1.1 ")]
    assert refused and all("@domain" in text for text in refused), refused
    assert ALICE.password not in plain.stdout + changed.stdout


def test_a_monitor_and_its_metrics(user: User) -> None:
    run = user.run("check", "--format", "nagios")
    assert (run.code, run.stdout.splitlines()[0].partition(" in ")[0]) == (0, "SMTP OK: office: works")
    assert " time_auth=" in run.stdout.splitlines()[0]
    metrics = user.run("check", "--format", "prometheus")
    assert 'smtpctl_check_stage_success{target="office",stage="auth"} 1' in metrics.stdout
    (user.home / "secret").write_text("wrong\n")
    refused = user.run("check", "--format", "nagios")
    assert (refused.code, refused.stdout.partition(": ")[0]) == (2, "SMTP CRITICAL")
