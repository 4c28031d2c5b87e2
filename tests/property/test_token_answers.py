"""Whatever an authorization server answers: a token, or a Problem that says what is wrong, and no defect."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.net import http
from smtpctl.oauth import generic, microsoft
from smtpctl.oauth.values import Application, Token

HERE = "https://login.test/t"
ENDPOINTS = {
    "token_endpoint": f"{HERE}/token", "authorization_endpoint": f"{HERE}/authorize",
    "device_authorization_endpoint": f"{HERE}/device",
}  # fmt: skip
NAMES = (
    "access_token", "refresh_token", "id_token", "expires_in", "refresh_in", "token_type", "scope", "client_info", "foci",
    "error", "error_description", "error_codes", "suberror", "user_code", "device_code", "verification_uri", "interval",
)  # fmt: skip
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["x.y.z", "e30.e30.e30", "e30", "Bearer", "invalid_grant", "authorization_pending", "AADSTS7000215", "3600"])
    | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=3), st.integers(), max_size=1)
)  # fmt: skip
SOUND: dict[str, Any] = {
    "access_token": "a", "expires_in": 900, "user_code": "A", "device_code": "d", "verification_uri": "https://x.test/",
}  # fmt: skip
MORE = st.dictionaries(st.sampled_from(NAMES), VALUES)
ANSWERS = MORE | st.builds(lambda more: SOUND | more, MORE)


def asked(work: Callable[[], Token], status: int, answer: Any) -> None:
    octets = json.dumps(answer).encode()

    def post(url: str, *args: Any, **options: Any) -> http.Answer:
        return http.Answer(url, status, {}, octets)

    def get(url: str, *args: Any, **options: Any) -> http.Answer:
        return http.Answer(url, 200, {}, json.dumps(ENDPOINTS).encode())

    with mock.patch.object(http, "post_form", post), mock.patch.object(http, "get", get), suppress(Problem):
        token = work()
        assert token.access.reveal().isascii()
        assert token.expires >= 0


@pytest.mark.parametrize("module", [generic, microsoft])
@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token", "device_code", "authorization_code"])
@given(status=st.sampled_from([200, 400, 401, 500]), answer=ANSWERS)
def test_any_object(module: ModuleType, grant: str, status: int, answer: Any) -> None:
    asking = Application(
        "any", grant, "app", "tenant" if module is microsoft else "", "https://login.test", "",
        ENDPOINTS["token_endpoint"], ENDPOINTS["authorization_endpoint"], f"{HERE}/device", ("scope",),
        client_secret=Secret("s"), refresh_token=Secret("r"),
    )  # fmt: skip
    clock = iter(range(0, 10**9, 60))
    now = lambda: next(clock)  # noqa: E731

    def browser() -> Token:
        pending = module.begin(asking, "http://localhost:1")
        [state] = [part[6:] for part in pending.url.split("?")[1].split("&") if part.startswith("state=")]
        return module.finish(asking, pending, {"code": "c", "state": state})

    ways: dict[str, Callable[[], Token]] = {
        "device_code": lambda: module.device(asking, lambda code: None, sleep=lambda _: None, now=now),
        "authorization_code": browser,
    }
    asked(ways.get(grant, lambda: module.obtain(asking)), status, answer)
