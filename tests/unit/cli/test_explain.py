from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import jsonschema
import pytest

import smtpctl
from harness import Runner
from smtpctl.cli.explain import READ_LIMIT, lines_of
from smtpctl.cli.run import run

LOG = str(Path(__file__).parents[2] / "corpus" / "logs" / "postfix.log")


class Stdin(io.TextIOWrapper):
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["explain", *words]) == 0
    return capsys.readouterr().out


def test_words_need_no_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    assert "error[config.oauth_without_tls]" in explain(capsys, "OAuth2", "authentication", "requires", "TLS")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(explain(capsys, "--json", "535 5.7.3 Authentication unsuccessful"))
    assert data["schema"] == "smtpctl.explain/1"
    assert data["findings"][0]["id"] == "m365.535-5-7-3-app-token"
    assert data["retryable"] is False
    assert data["alternatives"]


@pytest.mark.parametrize(
    "words", ["535 5.7.3 Authentication unsuccessful", "conn.refused", "535 5.7.8", "gibberish", LOG]
)
def test_json_keeps_its_promise(capsys: pytest.CaptureFixture[str], words: str) -> None:
    schema = json.loads((Path(smtpctl.__file__).parent / "schemas" / "explain.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(explain(capsys, "--json", words)))


def test_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_bytes(b"S: 421 4.7.0 caf\xe9 try again later\nS: 550 5.1.1 user unknown\n")
    data = json.loads(explain(capsys, "--json", str(log)))
    assert (data["kind"], data["lines"], data["failures"]) == ("log", 2, 2)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("term", "options", "shown"), [("xterm", [], True), ("dumb", [], False), ("xterm", ["--quiet"], False)]
)
def test_who_waits_at_a_terminal_sees_how_far_a_log_is_read(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    term: str,
    options: list[str],
    shown: bool,
) -> None:
    log = tmp_path / "mail.log"
    log.write_text("all is well\n" * 2560, "utf-8")
    screen = Screen()
    monkeypatch.setattr("smtpctl.render.progress._PAUSE", 0.0)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", term)
    assert "2,560 lines, 0 failures" in explain(capsys, *options, str(log))
    assert ("2,560 lines read" in screen.getvalue()) is shown
    assert screen.getvalue().endswith("\r\x1b[K" if shown else "")


@pytest.mark.parametrize("words", [["-"], []])
def test_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b"535 5.7.3 Authentication unsuccessful \xff\n"))
    assert "m365.535-5-7-3-app-token" in explain(capsys, *words)


def test_hints(capsys: pytest.CaptureFixture[str]) -> None:
    shown = explain(capsys, "--provider", "brevo", "--stage", "auth", "535 5.7.8 Authentication failed")
    assert "error[brevo.535]" in shown


@pytest.mark.parametrize(
    "words",
    [
        ["conn.refusd"],
        ["--provider", "nobody", "535 x"],
        ["--stage", "lunch", "535 x"],
        [""],
        ["/nowhere/mail.log"],
        ["/"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run(["explain", *words]) == 2
    assert capsys.readouterr().err.startswith("error:")


class Endless(io.StringIO):
    """A line that never ends, as /dev/zero has it; who reads it whole never comes back."""

    reads = 5

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        assert 0 < size <= READ_LIMIT
        self.reads -= 1
        return "x" * size if self.reads >= 0 else ""


def test_of_an_endless_line_the_beginning_is_read() -> None:
    assert [len(line) for line in lines_of(Endless())] == [READ_LIMIT]


def test_other_lines_stay_as_they_are() -> None:
    text = "a\n" + "b" * (READ_LIMIT - 1) + "\n" + "c" * READ_LIMIT + "\nd"
    assert [line[:1] + line[-1:] for line in lines_of(io.StringIO(text))] == ["a\n", "b\n", "cc", "dd"]


def test_no_words_are_no_folder(smtpctl_call: Runner) -> None:
    run = smtpctl_call("explain", "")
    assert (run.code, run.stderr.splitlines()[0]) == (2, "error: There is nothing to explain.")


@pytest.mark.parametrize("form", ["junit", "sarif", "github", "html"])
@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("535 5.7.8 Error: authentication failed", ["generic.auth-535"]),
        (Path(LOG).read_text("utf-8"), ["google.421-rate", "m365.5-7-60-send-as", "conn.refused"]),
    ],
    ids=["reply", "log"],
)
def test_formats_of_findings(smtpctl_call: Runner, form: str, text: str, ids: list[str]) -> None:
    run = smtpctl_call("explain", "-", "--format", form, stdin=text)
    assert run.code == 0, run.stderr
    assert all(name.partition(".")[2] in run.stdout for name in ids)


def test_a_code_is_no_finding(smtpctl_call: Runner) -> None:
    run = smtpctl_call("explain", "550", "--format", "junit")
    assert (run.code, "It is no finding" in run.stderr) == (2, True)
