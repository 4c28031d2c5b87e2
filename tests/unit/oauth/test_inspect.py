"""Claim by claim: what SMTP needs, and what is wrong."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.secret import Secret
from smtpctl.oauth.inspect import CONSUMERS, Asked, Inspection, inspect
from tokens import APP, TENANT, app_token, token, user_token

NOW = 2_000_000_000.0


def look(text: str, **asked: str) -> Inspection:
    return inspect(Secret(text), Asked(NOW, **asked))


def verdicts(found: Inspection) -> dict[str, str]:
    return {line.name: line.verdict for line in found.lines}


def test_a_right_token() -> None:
    found = look(app_token(), user="ann@example.com", client_id=APP, tenant_id=TENANT)
    assert not found.wrong
    assert verdicts(found) == {
        "aud": "good", "roles": "good", "exp": "good", "tid": "good", "appid": "plain", "oid": "plain",
    }  # fmt: skip
    assert not look(user_token(), user="ann@example.com").wrong


@pytest.mark.parametrize(
    ("text", "asked", "claim"),
    [
        (app_token(aud="https://graph.microsoft.com"), {}, "aud"),
        (app_token(aud="https://management.azure.com", iss="https://sts.windows.net/t/"), {}, "aud"),
        (app_token(roles=["Mail.Send"]), {}, "roles"),
        (user_token(scp="Mail.Send"), {}, "scp"),
        (app_token(exp=NOW - 1000), {}, "exp"),
        (app_token(nbf=NOW + 1000), {}, "nbf"),
        (app_token(), {"tenant_id": "00000000-1111-4222-8333-444455556666"}, "tid"),
        (app_token(), {"client_id": "another"}, "appid"),
        (user_token(), {"user": "bob@example.com"}, "upn"),
    ],
)
def test_one_wrong_claim(text: str, asked: dict[str, str], claim: str) -> None:
    found = look(text, **asked)
    assert [line.name for line in found.lines if line.verdict == "wrong"] == [claim]
    assert claim in found.summary


def test_what_depends_is_not_called_wrong() -> None:
    assert verdicts(look(app_token(roles=None)))["roles"] == "open"
    assert verdicts(look(user_token(tid=CONSUMERS)))["tid"] == "open"
    assert look("ya29.opaque").kind == "opaque"


def test_a_sasl_response_is_taken_apart() -> None:
    text = base64.b64encode(f"user=bob@example.com\x01auth=Bearer {user_token()}\x01\x01".encode()).decode()
    found = look(f"AUTH XOAUTH2 {text}")
    assert (found.kind, found.lines[0].value) == ("response", "bob@example.com")
    assert verdicts(found)["upn"] == "wrong"
    bearer = f"n,a=ann@example.com,\x01host=h\x01port=587\x01auth=Bearer {user_token()}\x01\x01"
    assert not look(base64.b64encode(bearer.encode()).decode()).wrong


def test_a_challenge_is_read() -> None:
    said = '{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}'
    for text in (said, f"334 {base64.b64encode(said.encode()).decode()}"):
        found = look(text)
        assert found.kind == "challenge"
        assert found.lines[0].value == "401"


@given(st.text())
def test_any_text_is_something(text: str) -> None:
    look(text)


@given(
    st.dictionaries(
        st.sampled_from(["aud", "roles", "scp", "exp", "nbf", "tid", "upn", "oid", "iss"]),
        st.none() | st.integers() | st.text() | st.lists(st.text()) | st.floats(),
    )
)
def test_claims_of_any_shape(claims: dict[str, Any]) -> None:
    look(token(**claims)).to_json()
