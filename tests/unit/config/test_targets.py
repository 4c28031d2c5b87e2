"""The grammar of a TARGET."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.config import targets
from smtpctl.model.errors import UsageProblem


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("mail.example.com", {"host": "mail.example.com"}),
        ("mail.example.com:587", {"host": "mail.example.com", "port": 587}),
        ("[2001:db8::1]:25", {"host": "2001:db8::1", "port": 25}),
        ("2001:db8::1", {"host": "2001:db8::1"}),
        ("smtp://mail", {"host": "mail"}),
        ("SMTP://mail:2525/", {"host": "mail", "port": 2525}),
        ("smtps://mail", {"tls": "implicit", "host": "mail"}),
        ("submissions://mail", {"tls": "implicit", "host": "mail"}),
        ("submission://mail:25", {"tls": "starttls", "host": "mail", "port": 25}),
        ("lmtp://[::1]:24", {"lmtp": True, "host": "::1", "port": 24}),
        ("smtps://ann%40example.com@mail", {"tls": "implicit", "host": "mail", "username": "ann@example.com"}),
        ("smtp://ann@example.com@mail", {"host": "mail", "username": "ann@example.com"}),
        ("unix:/run/lmtp.sock", {"socket": "/run/lmtp.sock"}),
        ("unix:///run/lmtp.sock", {"socket": "/run/lmtp.sock"}),
    ],
)
def test_addresses(target: str, settings: dict[str, Any]) -> None:
    assert targets.settings(target) == settings
    assert targets.is_server(target)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://mail", "http:// is not for mail; known are smtp://"),
        ("smtp://mail/inbox", "nothing may stand behind the host and port"),
        ("smtp://mail?tls=1", "nothing may stand behind the host and port"),
        ("smtp://", "the host is empty"),
        ("smtp://mail:0", '"0" is not a port'),
        ("unix:relative", "names no socket; unix:/PATH is needed"),
        ("unix:/", "names no socket"),
    ],
)
def test_no_addresses(target: str, reason: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        targets.settings(target)
    assert caught.value.message.startswith("TARGET: ") and reason in caught.value.message


@pytest.mark.parametrize("target", ["smtp://ann:hunter2@mail", "smtps://:hunter2@mail", "http://ann:hunter2@mail"])
def test_a_password_in_a_url_is_refused_and_not_repeated(target: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        targets.settings(target)
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(("word", "server"), [("localhost", True), ("office", False), ("a.b", True), ("x:25", True)])
def test_a_bare_word_is_a_profile(word: str, server: bool) -> None:
    assert targets.is_server(word) is server


@given(st.text())
def test_any_word_is_understood_or_refused(target: str) -> None:
    try:
        found = targets.settings(target)
    except UsageProblem:
        return
    assert found.get("host") or found.get("socket")
