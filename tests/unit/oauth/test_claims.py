from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.secret import Secret
from smtpctl.oauth.claims import NOTHING, claims, told
from smtpctl.oauth.inspect import Asked, inspect
from tokens import APP, OBJECT, TENANT, app_token, token, user_token

NOW = 2_000_000_000
USER = "ann@example.com"
GRAPH = "https://graph.microsoft.com"


def read(text: str, user: str = USER) -> Any:
    return told(Secret(text), user, NOW)


def test_an_application_s_own_token() -> None:
    found = read(app_token())
    assert found.grant == "client_credentials"
    assert found.facts == {"app_role"}
    assert found.denied == {"scope_of_graph", "token_expired", "token_of_somebody_else"}
    shown = {name: found.shown[name] for name in ("app", "object", "tenant", "roles")}
    assert shown == {"app": APP, "object": OBJECT, "tenant": TENANT, "roles": ["SMTP.SendAsApp"]}


def test_a_person_s_token() -> None:
    found = read(user_token())
    assert found.grant == "authorization_code"
    assert not found.facts
    assert found.shown["scopes"] == ["SMTP.Send"]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (app_token(aud=GRAPH), "scope_of_graph"),
        (app_token(aud="00000003-0000-0000-c000-000000000000"), "scope_of_graph"),
        (app_token(exp=NOW - 301), "token_expired"),
        (user_token(upn="bob@example.com"), "token_of_somebody_else"),
    ],
)
def test_what_is_wrong_with_it(text: str, fact: str) -> None:
    assert fact in read(text).facts


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (app_token(exp=NOW - 299), "token_expired"),  # clocks differ
        (user_token(upn="ANN@example.com"), "token_of_somebody_else"),
    ],
)
def test_what_is_not(text: str, fact: str) -> None:
    assert fact in read(text).denied


def test_without_the_role_nothing_is_said_about_it() -> None:
    """An application may be granted mailboxes in Exchange instead; then the role must even be absent."""
    found = read(app_token(roles=None))
    assert "app_role" not in found.facts | found.denied


@given(st.text())
def test_what_is_no_jwt_tells_nothing(text: str) -> None:
    assert not claims(Secret(text)) or text.count(".") == 2


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_claims_of_any_shape_are_no_reason_to_fail(value: Any) -> None:
    text = token(**dict.fromkeys(("aud", "exp", "scp", "roles", "upn", "oid", "appid", "tid", "idtyp"), value))
    assert read(text) is not NOTHING
    str(read(text))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e300", f"1{'0' * 400}"])
def test_a_number_that_is_no_time_is_a_text(number: str) -> None:
    """In a document it would be no JSON, and nothing can be reckoned with it."""
    octets = f'{{"aud": "x", "exp": {number}, "nbf": {number}}}'.encode()
    text = f"a.{urlsafe_b64encode(octets).decode()}.b"
    found = read(text)
    assert "expires" not in found.shown
    assert "token_expired" in found.denied
    (line,) = (line for line in inspect(Secret(text), Asked(NOW)).lines if line.name == "exp")
    assert line.says == "no time"
