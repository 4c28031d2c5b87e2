"""What may come next, at every place of a command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smtpctl.cli import app, run
from smtpctl.cli.command import Noun, Verb
from smtpctl.cli.complete import answer
from smtpctl.cli.options import FINDINGS, Overrides, ProfileName, Targets
from smtpctl.cli.terminal import Terminal

CONFIG = "[profiles.office]\n[profiles.shop]\n[sites.web]\n[oauth.m365]\n"

things = Noun("Things.")


@things.command("show")
def show(terminal: Terminal, profile: ProfileName) -> None:
    """Show one."""


def check(terminal: Terminal, overrides: Overrides, targets: Targets = None) -> None:
    """Check."""


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """A program with a verb, a noun and a command that must not be built, and a configuration."""
    table = {name: app.CommandInfo("", name.title(), app.TOOLS) for name in ("check", "things", "chisel")}
    monkeypatch.setattr(app, "COMMANDS", table)
    monkeypatch.setattr(app, "load", {"check": Verb(check, FINDINGS), "things": things}.__getitem__)
    config = home / "config.toml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    monkeypatch.setenv("SMTPCTL_CONFIG", str(config))


def offers(*words: str) -> list[str]:
    return [candidate.value for candidate in answer(list(words)).candidates]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], ["check", "things", "chisel"]),
        (["ch"], ["check", "chisel"]),
        (["--json", "th"], ["things"]),
        (["--format", "json", "th"], ["things"]),
        (["--format", "j"], ["json", "junit"]),
        (["--site", ""], ["web"]),
        (["things", ""], ["show"]),
        (["things", "show", ""], ["office", "shop"]),
        (["things", "show", "office", ""], []),
        (["check", "o"], ["office"]),
        (["check", "office", "s"], ["shop"]),
        (["check", "--tls", ""], ["implicit", "starttls", "auto", "none"]),
        (["check", "--tls=s"], ["--tls=starttls"]),
        (["check", "--tls-"], ["--tls-min"]),
        (["check", "--insecure", "--inse"], []),
        (["check", "--pin", "sha256:a", "--pi"], ["--pin"]),
        (["check", "--oauth", ""], ["m365"]),
        (["check", "--preset", "zoho-u"], ["zoho-us"]),
        (["check", "--host", "check", "o"], ["office"]),
        (["check", "--", "--tl"], []),
        (["check", "--no-i"], ["--no-insecure", "--no-input"]),
        (["check", "-"], None),
        (["nonsense", ""], ["check", "things", "chisel"]),
        ([], ["check", "things", "chisel"]),
    ],
)
def test_offers(words: list[str], expected: list[str] | None) -> None:
    if expected is None:
        assert all(value.startswith("--") for value in offers(*words))
        assert "--no-insecure" not in offers(*words)
    else:
        assert offers(*words) == expected


@pytest.mark.parametrize(
    ("words", "paths"),
    [(["check", "--ca-file", "x"], "files"), (["check", "--ca-dir="], "dirs"), (["check", "--host", "x"], "")],
)
def test_paths_are_left_to_the_shell(words: list[str], paths: str) -> None:
    assert answer(words).paths == paths


def test_the_configuration_named_on_the_line_counts(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("[profiles.elsewhere]\n")
    other.chmod(0o600)
    assert offers("--config", str(other), "check", "") == ["elsewhere"]
    assert offers("check", f"--config={other}", "") == ["elsewhere"]


def test_an_answer_is_lines_with_help_and_a_last_line_for_paths() -> None:
    assert str(answer(["--sit"])) == "--site\tScope of the settings (without it: global).\n:"
    assert str(answer(["check", "--ca-file", ""])) == ":files"


def test_a_broken_configuration_offers_nothing_and_says_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.toml").write_text("[profiles.\n")
    assert run.complete(["check", ""]) != 0
    assert capsys.readouterr() == ("", "")


def test_completing_through_the_program(smtpctl_call: Callable[..., tuple[int, str, str]]) -> None:
    assert smtpctl_call("__complete", "--site", "w")[:2] == (0, "web\n:\n")
