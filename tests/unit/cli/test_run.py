"""How a run ends: exit status, words on stderr, documents on stdout, and what happens to defects."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smtpctl.__main__ import main
from smtpctl.cli import app
from smtpctl.cli.command import Verb
from smtpctl.cli.options import FINDINGS
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

CANARY = "hunter2-canary"
PROBLEM = Problem(Finding("conn.refused", Severity.ERROR, Stage.CONNECT, "Nobody listens"), ExitStatus.TEMPORARY)


def fail(error: BaseException) -> Callable[[Terminal], None]:
    def command(terminal: Terminal) -> None:
        raise error

    return command


def breaking_with_a_value(terminal: Terminal) -> None:
    password = CANARY
    raise ValueError(f"cannot read {password!r} or {CANARY}")


COMMANDS: dict[str, Callable[..., Any]] = {
    "fine": lambda terminal: terminal.out("done"),
    "found": lambda terminal: ExitStatus.FINDINGS,
    "problem": fail(PROBLEM),
    "usage": fail(UsageProblem("no profile 'x'", "See: smtpctl profile list")),
    "interrupt": fail(KeyboardInterrupt()),
    "defect": breaking_with_a_value,
}


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose commands end in every way there is."""
    for name, command in COMMANDS.items():
        command.__annotations__ = {"terminal": Terminal}
        command.__doc__ = f"Do {name}."
    table = {name: app.CommandInfo("", f"Do {name}", app.TOOLS) for name in COMMANDS}
    monkeypatch.setattr(app, "COMMANDS", table)
    monkeypatch.setattr(app, "HELP", "S.")
    monkeypatch.setattr(app, "load", lambda name: Verb(COMMANDS[name], FINDINGS))


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["fine"], 0),
        (["found"], 1),
        (["problem"], 75),
        (["usage"], 2),
        (["interrupt"], 130),
        (["--help"], 0),
        (["fine", "--help"], 0),
        ([], 2),
        (["fien"], 2),
        (["fine", "--colour"], 2),
        (["fine", "--color", "red"], 2),
        (["fine", "extra"], 2),
        (["--version"], 0),
        (["-V", "-v"], 0),
    ],
)
def test_exit_status(args: list[str], status: int) -> None:
    assert main(args) == status


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["fien"], "error: No such command 'fien'. Did you mean 'fine'?\n  See: smtpctl --help\n"),
        (["fine", "--colr"], "error: No such option: --colr. Did you mean --color?\n  See: smtpctl fine --help\n"),
        (["usage"], "error: no profile 'x'\n  See: smtpctl profile list\n"),
        (["interrupt"], "interrupted\n"),
    ],
)
def test_words(args: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(args)
    assert capsys.readouterr() == ("", words)


@pytest.mark.parametrize("option", ["--password", "--pass", "--access-token", "--client-secret=x", "--token"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fine", option, CANARY]) == ExitStatus.USAGE
    words = capsys.readouterr().err
    assert "--password-stdin" in words
    assert CANARY not in words


def test_no_command_shows_the_page_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("S.\n\nUsage: smtpctl")


def test_a_problem_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    main(["problem"])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "error[conn.refused] Nobody listens" in shown.err


def test_a_problem_is_a_document_where_documents_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problem", "--json"]) == 75
    shown = capsys.readouterr()
    assert shown.err == ""
    document = json.loads(shown.out)
    assert document["schema"] == "smtpctl.problem/1"
    assert "conn.refused" in shown.out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out.startswith("smtpctl 0.")
    main(["--version", "--verbose"])
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} >= {"smtpctl", "Python", "OpenSSL", "typer", "cryptography"}


def test_a_defect_is_apologised_for_and_saved_without_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPCTL_PASSWORD", CANARY)
    assert main(["defect"]) == ExitStatus.BUG
    words = capsys.readouterr().err
    assert words.startswith("This is a defect in smtpctl, not in your set-up: ValueError. Sorry.\n")
    [path] = Path.home().rglob("defect-*.txt")
    assert path.name in words.replace("\n  ", "")
    saved = path.read_text()
    assert "breaking_with_a_value" in saved
    assert "ValueError: cannot read ********" in saved
    assert CANARY not in saved + words
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_defect_whose_report_cannot_be_saved_still_ends_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    assert main(["defect"]) == ExitStatus.BUG
    assert "could not be written" in capsys.readouterr().err


def test_a_reader_that_went_away_is_no_reason_to_complain(smtpctl_program: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [smtpctl_program, "completions", "bash"], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (ExitStatus.IO, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", [["--help"], ["completions", "bash"]])
def test_a_full_disk_is_said_and_is_no_defect(smtpctl_program: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [smtpctl_program, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (
        ExitStatus.IO, "error: the output cannot be written: No space left on device\n",
    )  # fmt: skip


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SMTPCTL_DEBUG", "1")
    assert main(["defect"]) == ExitStatus.BUG
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback (most recent call last):\n")
    assert "ValueError: cannot read" in shown
