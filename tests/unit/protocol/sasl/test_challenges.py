"""What a challenge says, as facts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.protocol.sasl import describe_challenge


@pytest.mark.parametrize(
    ("challenge", "facts"),
    [
        (b'{"status":"401","schemes":"bearer","scope":"https://mail.google.com/","other":1}',
         {"oauth": {"status": "401", "schemes": "bearer", "scope": "https://mail.google.com/"}}),
        (b'{"status":400}', {"oauth": {"status": "400"}}),
        (b"Username:", {"prompt": "Username:"}),
        (b"e=invalid-proof,x=1", {"scram_error": "invalid-proof"}),
        (b"<1896.697170952@postoffice.reston.mci.net>", {}),
        (b"\xff\x00", {}),
        (b"", {}),
        (b"{broken", {}),
        (b"[1]", {}),
    ],
)  # fmt: skip
def test_describe(challenge: bytes, facts: dict[str, Any]) -> None:
    assert describe_challenge(challenge) == facts


@given(st.binary())
def test_any_octets_give_json_values(challenge: bytes) -> None:
    json.dumps(describe_challenge(challenge))
