"""References to secrets: both forms, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.config.secrets import refs
from smtpctl.config.secrets.refs import Kind, SecretRef
from smtpctl.model.errors import UsageProblem
from smtpctl.model.secret import Secret

ENTRY = "profile/work/password"
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
STORED = st.one_of(
    st.from_regex(r"[A-Z_]{1,20}", fullmatch=True).map(lambda name: SecretRef(Kind.ENV, name)),
    WORD.map(lambda name: SecretRef(Kind.FILE, f"/run/{name}")),
    st.integers(0, 1024).map(lambda number: SecretRef(Kind.FD, str(number))),
    st.from_regex(r"[a-z._-]{1,20}", fullmatch=True).map(lambda name: SecretRef(Kind.CREDENTIAL, name)),
    st.lists(WORD, min_size=1, max_size=5).map(lambda args: SecretRef(Kind.COMMAND, args=tuple(args))),
    st.just(SecretRef(Kind.KEYRING, ENTRY)),
)


@given(STORED)
def test_settings_read_back(ref: SecretRef) -> None:
    assert refs.from_settings("password", refs.to_settings("password", ref), ENTRY) == ref


@given(st.one_of(STORED, st.just(SecretRef(Kind.PROMPT)), st.just(SecretRef(Kind.STDIN))))
def test_text_reads_back(ref: SecretRef) -> None:
    assert refs.parse(str(ref)) == ref


@pytest.mark.parametrize("kind", [Kind.PROMPT, Kind.STDIN, Kind.LITERAL])
def test_what_makes_sense_for_one_run_only_is_not_written(kind: Kind) -> None:
    assert refs.to_settings("password", SecretRef(kind, literal=Secret("x"))) == {}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"password_env": "X"}, SecretRef(Kind.ENV, "X")),
        ({"password_file": "-"}, SecretRef(Kind.STDIN)),
        ({"password_file": "fd:3"}, SecretRef(Kind.FD, "3")),
        ({"password_file": "credential:smtp"}, SecretRef(Kind.CREDENTIAL, "smtp")),
        ({"password_file": "C:\\secret.txt"}, SecretRef(Kind.FILE, "C:\\secret.txt")),
        ({"password_command": "pass show 'a b'"}, SecretRef(Kind.COMMAND, args=("pass", "show", "a b"))),
        ({"password_command": ["pass", "show", "a b"]}, SecretRef(Kind.COMMAND, args=("pass", "show", "a b"))),
        ({"password_stdin": True}, SecretRef(Kind.STDIN)),
        ({"password_keyring": True}, SecretRef(Kind.KEYRING, ENTRY)),
        ({"password_keyring": False}, None),
        ({"password": "x", "password_env": "X"}, SecretRef(Kind.LITERAL, literal=Secret("x"))),
    ],
)
def test_settings(settings: dict[str, object], expected: SecretRef | None) -> None:
    assert refs.from_settings("password", settings, ENTRY) == expected


@pytest.mark.parametrize("text", ["hunter2", "hunter2:x", "env:", "fd:hunter2x", "literal:hunter2", "prompt:x"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        refs.parse(text)
    assert text.startswith("fd:") or "hunter2" not in caught.value.message


@pytest.mark.parametrize("line", ["", "'open", []])
def test_commands_without_a_program(line: str | list[str]) -> None:
    with pytest.raises(UsageProblem):
        refs.command(line)


def test_a_literal_is_masked() -> None:
    ref = SecretRef(Kind.LITERAL, literal=Secret("hunter2"))
    assert "hunter2" not in f"{ref}{ref!r}"
