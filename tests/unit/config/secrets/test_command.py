"""Secrets from programs: what they get, what they may give, and how they fail."""

from __future__ import annotations

import os
import sys

import pytest

from smtpctl.config.secrets import Kind, SecretRef, command, fetch, text
from smtpctl.model.errors import Problem
from smtpctl.model.report import ExitStatus

CANARY = "hunter2-canary"
ENVIRON = {"PATH": os.environ.get("PATH", ""), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}


def python(code: str) -> SecretRef:
    return SecretRef(Kind.COMMAND, args=(sys.executable, "-I", "-c", code))


def refused(ref: SecretRef, timeout: float = 30.0) -> Problem:
    with pytest.raises(Problem) as caught:
        command.run(ref, ENVIRON, timeout)
    assert CANARY not in str(caught.value.finding)
    return caught.value


def test_the_first_line() -> None:
    assert fetch(python(f"print({CANARY!r}); print('login: me')"), ENVIRON).reveal() == CANARY


def test_no_shell() -> None:
    ref = SecretRef(Kind.COMMAND, args=(sys.executable, "-I", "-c", "import sys; print(sys.argv[1])", "$(id) | x"))
    assert fetch(ref, ENVIRON).reveal() == "$(id) | x"


def test_no_standard_input() -> None:
    assert fetch(python("import sys; print(repr(sys.stdin.read()))"), ENVIRON).reveal() == "''"


def test_our_secrets_are_not_in_its_environment() -> None:
    environ = {
        **ENVIRON,
        "SMTPCTL_PASSWORD": CANARY,
        "SMTPCTL_ACCESS_TOKEN": CANARY,
        "SMTPCTL_CLIENT_SECRET": CANARY,
        "SMTPCTL_PASSWORD_ENV": "MAIL_PW",
        "MAIL_PW": CANARY,
        "SMTPCTL_CONFIG": "kept",
        "SMTPCTL_PASSWORD_FILE": "kept",
        "PASSWORD_STORE_DIR": "kept",
    }
    seen = fetch(python("import os; print(sorted(os.environ.items()))"), environ).reveal()
    assert CANARY not in seen
    assert seen.count("kept") == 3
    assert command.child_environ({"OTHER": CANARY}, frozenset({"OTHER"})) == {}


def test_failure_shows_what_it_said_but_not_the_secret() -> None:
    ref = python(f"import sys; print({CANARY!r}); print('locked', {CANARY!r}, file=sys.stderr); sys.exit(3)")
    with pytest.raises(Problem) as caught:
        command.run(ref, ENVIRON)
    finding = caught.value.finding
    assert finding.id == "secret.command_failed"
    assert "exit status 3" in finding.title
    assert finding.evidence[-1].text == "locked ********"


def test_much_standard_error_does_not_stop_it() -> None:
    assert fetch(python(f"import sys; sys.stderr.write('x' * 500_000); print({CANARY!r})"), ENVIRON).reveal() == CANARY


def test_too_much_output_stops_it() -> None:
    endless = python("while True: print('x' * 4096, end='')")
    assert refused(endless).finding.id == "secret.too_large"
    assert refused(python(f"print('x' * {text.LIMIT})")).finding.id == "secret.too_large"


def test_an_empty_answer() -> None:
    assert refused(python("pass")).finding.id == "secret.empty"


def test_time_runs_out() -> None:
    problem = refused(python("import time; time.sleep(600)"), timeout=0.2)
    assert problem.finding.id == "secret.command_timeout"
    assert (problem.status, problem.retryable) == (ExitStatus.TEMPORARY, True)


def test_time_runs_out_after_the_output() -> None:
    ref = python("import os, time; os.close(1); time.sleep(600)")
    assert refused(ref, timeout=0.5).finding.id == "secret.command_timeout"


@pytest.mark.parametrize("program", ["no-such-program-of-smtpctl", "/", "a\0b"])
def test_what_cannot_be_started(program: str) -> None:
    assert refused(SecretRef(Kind.COMMAND, args=(program,))).finding.id == "secret.command_not_found"
