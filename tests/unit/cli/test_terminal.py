"""The terminal: what is data and what is talk, when colour is used, when nobody can be asked."""

from __future__ import annotations

import io
import json
import sys

import pytest

from smtpctl.cli.options import FINDINGS, TEXT_JSON
from smtpctl.cli.terminal import SHARED, Terminal, build, complain, prepare_streams, width
from smtpctl.model.errors import UsageProblem


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def terminal(typed: str = "", *, tty: bool = True, environ: dict[str, str] | None = None, **given: object) -> Terminal:
    values = {name: shared.default for name, shared in SHARED.items()} | given
    kind = Tty if tty else io.StringIO
    return Terminal(values, environ or {}, stdin=kind(typed), stdout=kind(), stderr=kind())


def text(stream: object) -> str:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_data_goes_to_stdout_and_talk_to_stderr() -> None:
    it = terminal()
    it.out("data")
    it.say("talk")
    it.warn("careful")
    assert text(it.stdout) == "data\n"
    assert "talk\n" in text(it.stderr)
    assert "careful\n" in text(it.stderr)


def test_quiet_keeps_data_and_warnings() -> None:
    it = terminal(quiet=True)
    it.out("data")
    it.say("talk")
    it.warn("careful")
    assert text(it.stdout) == "data\n"
    assert "talk" not in text(it.stderr)
    assert "careful" in text(it.stderr)


def test_detail_needs_verbose() -> None:
    quiet, loud = terminal(), terminal(verbose=1)
    quiet.detail("x")
    loud.detail("x")
    assert (text(quiet.stderr), text(loud.stderr)) == ("", "x\n")


def test_a_document_names_its_schema() -> None:
    it = terminal()
    it.document("profile.list/1", {"profiles": ["ä"]})
    assert json.loads(text(it.stdout)) == {"schema": "smtpctl.profile.list/1", "profiles": ["ä"]}


@pytest.mark.parametrize(
    ("mode", "environ", "tty", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_colour(mode: str, environ: dict[str, str], tty: bool, expected: bool) -> None:
    assert terminal(tty=tty, environ=environ, color=mode).color is expected


def test_a_question_has_a_default() -> None:
    assert terminal("\n").ask("Port", option="--port", default="587") == "587"
    assert terminal(" 25 \n").ask("Port", option="--port", default="587") == "25"


@pytest.mark.parametrize("it", [terminal("y\n", tty=False), terminal("y\n", no_input=True), terminal("")])
def test_without_somebody_to_ask_the_option_is_named(it: Terminal) -> None:
    with pytest.raises(UsageProblem) as caught:
        it.confirm("Remove 3 profiles?", yes=False)
    assert "--yes" in caught.value.hint


def test_an_error_behind_a_question_begins_on_its_own_line() -> None:
    it = terminal("")
    with pytest.raises(UsageProblem, match="the input ended"):
        it.ask("Host", option="--host")
    assert text(it.stderr) == "Host: \n"


def test_a_stream_that_was_closed_before_the_start_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    prepare_streams()
    with sys.stdin, sys.stdout, sys.stderr:
        sys.stdout.write("data")
        assert sys.stdin.read() == ""
        assert Terminal({name: shared.default for name, shared in SHARED.items()}, {}).no_input


def test_yes_asks_nothing() -> None:
    it = terminal(tty=False)
    it.confirm("Remove 3 profiles?", yes=True)
    assert text(it.stderr) == ""


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False)])
def test_confirmation(answer: str, agreed: bool) -> None:
    if agreed:
        terminal(answer).confirm("Really?", yes=False)
    else:
        with pytest.raises(UsageProblem, match="Nothing was changed"):
            terminal(answer).confirm("Really?", yes=False)


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("SMTPCTL_NO_INPUT", "1", "no_input", True),
        ("SMTPCTL_QUIET", "yes", "quiet", True),
        ("SMTPCTL_QUIET", "0", "quiet", False),
        ("SMTPCTL_VERBOSE", "2", "verbosity", 2),
        ("SMTPCTL_VERBOSE", "true", "verbosity", 1),
        ("SMTPCTL_SITE", "shop", "site", "shop"),
    ],
)
def test_variables(variable: str, value: str, name: str, expected: object) -> None:
    assert getattr(build({}, TEXT_JSON, {variable: value}), name) == expected


@pytest.mark.parametrize(
    ("variable", "value"), [("SMTPCTL_QUIET", "maybe"), ("SMTPCTL_COLOR", "red"), ("SMTPCTL_FORMAT", "yaml")]
)
def test_a_variable_that_is_not_understood_is_named(variable: str, value: str) -> None:
    with pytest.raises(UsageProblem, match=value) as caught:
        build({}, FINDINGS, {variable: value})
    assert variable in caught.value.message


@pytest.mark.parametrize(("columns", "expected"), [("80", 80), ("20", 40), ("500", 120), ("none", 80), ("", 80)])
def test_width(columns: str, expected: int) -> None:
    assert width({"COLUMNS": columns}) == expected


def test_a_complaint_shows_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    complain("no profile \x1b[31mred", "Say\nwhich")
    assert capsys.readouterr().err == "error: no profile \\x1b[31mred\n  Say\n  which\n"


def test_a_warning_shows_what_it_quotes_without_its_controls() -> None:
    it = terminal()
    it.warn("Others can read the file /tmp/\x1b[31m\x9b\u202e")
    assert "/tmp/\\x1b[31m\\x9b\\u202e" in text(it.stderr)
