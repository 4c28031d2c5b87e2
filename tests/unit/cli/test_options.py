"""Shared options: before and behind the command, from the environment, and the settings as options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smtpctl.cli.command import Verb
from smtpctl.cli.group import Entry, lazy_group
from smtpctl.cli.options import (
    FINDINGS,
    TEXT_JSON,
    From,
    OAuthSettings,
    Overrides,
    Settings,
    Target,
)
from smtpctl.cli.parameters import of_settings, sentence
from smtpctl.cli.terminal import Terminal, build
from smtpctl.config.fields import BY_NAME, CONNECTING, FIELDS, Field, Group, Type
from smtpctl.model.errors import UsageProblem


def run(*args: str, formats: tuple[str, ...] = TEXT_JSON) -> tuple[Terminal, dict[str, Any], str | None]:
    """What a command that connects is given for a command line."""

    def command(terminal: Terminal, overrides: Overrides, target: Target = None) -> None:
        raise AssertionError("reading a command line runs nothing")

    group = lazy_group("smtpctl", "S.", {"check": Entry("C", lambda name: Verb(command, formats))})
    with group.make_context("smtpctl", list(args), obj={}) as context:
        call = group.invoke(context)
    return build(call.shared, formats), call.values["overrides"], call.values["target"]


@pytest.mark.parametrize(
    "args", [("--json", "check"), ("check", "--json"), ("check", "--format", "json"), ("check", "x", "--json")]
)
def test_shared_options_stand_before_or_behind_the_command(args: tuple[str, ...]) -> None:
    assert run(*args)[0].format == "json"


def test_what_stands_later_wins() -> None:
    terminal = run("--site", "a", "--config", "one", "check", "--site", "b")[0]
    assert (terminal.site, terminal.config) == ("b", Path("one"))


def test_verbosity_is_counted_where_it_stands() -> None:
    assert run("check", "-vv")[0].verbosity == 2
    assert run("-v", "check")[0].verbosity == 1


def test_an_option_beats_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPCTL_SITE", "from-environment")
    monkeypatch.setenv("SMTPCTL_FORMAT", "json")
    terminal = run("--format", "text", "check")[0]
    assert (terminal.site, terminal.format) == ("from-environment", "text")


def test_a_format_the_command_does_not_have_is_refused() -> None:
    with pytest.raises(UsageProblem, match="this command cannot write sarif"):
        run("--format", "sarif", "check")


def test_a_format_from_the_environment_is_a_habit_not_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPCTL_FORMAT", "sarif")
    assert run("check")[0].format == "text"
    assert run("check", formats=FINDINGS)[0].format == "sarif"


def test_overrides_hold_what_was_given_and_nothing_else() -> None:
    _, overrides, target = run(
        "check", "--host", "mx.example.com", "--port", "2525", "--insecure", "--no-lmtp", "--pin", "sha256:a",
        "--pin", "sha256:b", "--ca-file", "./ca.pem", "work",
    )  # fmt: skip
    assert target == "work"
    assert overrides == {
        "host": "mx.example.com", "port": "2525", "insecure": True, "lmtp": False,
        "pin": ["sha256:a", "sha256:b"], "ca_file": "ca.pem",
    }  # fmt: skip
    assert run("check")[1] == {}


def test_every_connection_setting_is_an_option_and_no_secret_is() -> None:
    names = {p.name for p in of_settings(From(FIELDS, CONNECTING), "overrides")}
    assert names == {f.name for f in FIELDS if f.option and not f.secret and f.group in CONNECTING}
    assert not names & {f.name for f in FIELDS if f.secret}
    assert "password" not in names
    assert "password_stdin" in names


@pytest.mark.parametrize(("kind", "name"), [(Overrides, "host"), (Settings, "priority"), (OAuthSettings, "client_id")])
def test_each_kind_of_settings_has_its_own(kind: Any, name: str) -> None:
    names = {p.name for p in of_settings(kind.__metadata__[0], "settings")}
    assert name in names
    assert ("priority" in names) == (kind is Settings)


def test_a_setting_is_said_as_a_sentence() -> None:
    assert sentence(BY_NAME["username"]) == "Name to log in with."
    assert sentence(BY_NAME["timeout"]).endswith(" (default: 300).")
    assert sentence(Field("x", Type.FLAG, False, "do it", Group.TLS)) == "Do it."
