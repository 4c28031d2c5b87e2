"""Where and how to connect."""

from __future__ import annotations

import pytest

from smtpctl.model.endpoint import DEFAULT_TIMEOUTS, RFC_TIMEOUTS, Credentials, Endpoint, Timeouts
from smtpctl.model.secret import Secret
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Stage


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint("mx.example.com", 25), "mx.example.com:25"),
        (Endpoint("::1", 587), "[::1]:587"),
        (Endpoint("", 0, "/run/lmtp"), "unix:/run/lmtp"),
    ],
)
def test_as_text(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text


def test_time_limits() -> None:
    assert Timeouts().of(Stage.GREETING) == DEFAULT_TIMEOUTS[Stage.GREETING]
    assert Timeouts(stages={Stage.EHLO: 1}).of(Stage.EHLO) == 1
    assert all(DEFAULT_TIMEOUTS[stage] <= seconds for stage, seconds in RFC_TIMEOUTS.items())
    assert set(DEFAULT_TIMEOUTS) == set(Stage) - {Stage.CONFIG}


def test_credentials_are_there_or_not() -> None:
    assert not Credentials()
    assert Credentials("ann")
    assert Credentials(token=Secret("x"))


def test_facts_of_tls_hold_no_certificates() -> None:
    facts = TlsSession("TLSv1.3", "X", 256, "mx", chain=(b"der", b"der")).facts()
    assert facts["certificates"] == 2
    assert not any(isinstance(value, bytes | tuple) for value in facts.values())
