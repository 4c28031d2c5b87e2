"""Every form in which a secret comes back."""

from __future__ import annotations

import base64

import pytest

from smtpctl.model.redaction import Redactor
from smtpctl.model.secret import MASK, Secret

REDACTOR = Redactor([Secret("pä ss/wörd+"), Secret("token-1234"), Secret("abc"), Secret("")])


@pytest.mark.parametrize(
    "text",
    [
        "pä ss/wörd+", "PÄ SS/WÖRD+", "token-1234", base64.b64encode("pä ss/wörd+".encode()).decode(),
        base64.b64encode("\0ann\0pä ss/wörd+".encode()).decode(), base64.urlsafe_b64encode("xx\0pä ss/wörd+".encode()).decode(),
        "pä ss/wörd+".encode().hex(), "pä ss/wörd+".encode().hex().upper(), "p%C3%A4%20ss%2Fw%C3%B6rd%2B", "p+C3+A4+20ss+2Fw+C3+B6rd+2B",
        "p%c3%a4%20ss/w%c3%b6rd%2b", "p+C3+A4+20ss/w+C3+B6rd+2B", "token%2D1234",
    ],
)  # fmt: skip
def test_forms(text: str) -> None:
    assert MASK in REDACTOR.text(f"535 <{text}> no")


def test_what_is_too_short_to_hide_stays() -> None:
    assert REDACTOR.text("abc abcd") == "abc abcd"
    assert Redactor().text("anything") == "anything"


def test_the_longer_secret_goes_first() -> None:
    redactor = Redactor([Secret("secret"), Secret("secret-and-more")])
    assert redactor.text("secret-and-more") == MASK


def test_facts_at_any_depth() -> None:
    facts = {"a": "token-1234", "b": ["x token-1234", ("token-1234", 5)], "c": {"d": {"e": "token-1234"}}, "n": None}
    assert REDACTOR.facts(facts) == {"a": MASK, "b": [f"x {MASK}", [MASK, 5]], "c": {"d": {"e": MASK}}, "n": None}
