"""SASLprep: the examples of RFC 4013 3, and what it forbids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.protocol.sasl.saslprep import Unpreparable, saslprep


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("e\u0301", "é"),
        ("", ""),
        ("\u05d0\u05d1", "\u05d0\u05d1"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert saslprep(text) == expected


@pytest.mark.parametrize(
    "text", ["\u0007", "\u06271", "a\u05d0", "\U0001f600", "\ue000", "\ufdd0", "x\u200e", "\u0627a\u0627"]
)
def test_forbidden(text: str) -> None:
    with pytest.raises(Unpreparable):
        saslprep(text)


@given(st.text())
def test_preparing_twice_is_preparing_once(text: str) -> None:
    try:
        once = saslprep(text)
    except Unpreparable:
        return
    assert saslprep(once) == once
