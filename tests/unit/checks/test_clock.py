"""Whose clock is wrong cannot be told; that one is, can."""

from __future__ import annotations

import pytest

from smtpctl.checks import clock
from smtpctl.checks.facts import Facts
from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.transcript import Event, Kind, Stage, Transcript

HOUR = 3600.0
NOON = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 UTC


def judge(greeting: str = "220 mx.example.com", now: float = NOON, *begins: float) -> list[str]:
    """The offsets that were found; `begins` are the first moments of the certificates."""
    chain = tuple(
        Certificate("", "", "", (), begin, begin + 1, "", "", 0, "", False, None, (), (), False, 0, "", "")
        for begin in begins
    )
    transcript = Transcript([Event(0.0, Stage.GREETING, Kind.RECEIVED, greeting)])
    endpoint = Endpoint("mx.example.com", 587)
    facts = Facts("mx", endpoint, TlsPolicy(), "me.example.com", transcript, None, None, chain, now)
    return [finding.title.partition(" by ")[2] for finding in clock.skew(facts)]


@pytest.mark.parametrize(
    ("greeting", "off", "told"),
    [
        ("220 mx ESMTP Exim 4.97 Fri, 15 Jan 2027 08:00:00 +0000", 0, []),
        ("220 mx ESMTP Exim 4.97 Fri, 15 Jan 2027 13:30:00 +0530", 0, []),
        ("220 mx ESMTP Sendmail 8.17; Fri, 15 Jan 2027 03:00:00 -0500", 0, []),
        ("220 mx ESMTP Sendmail 8.17; Fri, 15 Jan 2027 08:00:00 GMT", 299, []),
        ("220 mx ESMTP Sendmail 8.17; Fri, 15 Jan 2027 08:00:00 GMT", 420, ["7 minutes"]),
        ("220 mx ESMTP Sendmail 8.17; Fri, 15 Jan 2027 08:00:00 GMT", -3 * HOUR, ["3 hours"]),
        ("220 mx ESMTP Sendmail 8.17; Fri, 15 Jan 2027 08:00:00 GMT", 48 * HOUR, ["2 days"]),
        ("220 mx ESMTP 31 Feb 2027 08:00:00 GMT", 48 * HOUR, []),
        ("220 mx ESMTP 99 Jan 2027 99:99:99 GMT", 48 * HOUR, []),
        ("220 mx ESMTP ready", 48 * HOUR, []),
    ],
)
def test_the_date_in_the_greeting(greeting: str, off: float, told: list[str]) -> None:
    assert judge(greeting, NOON + off) == told


def test_no_certificate_of_the_chain_is_valid_yet() -> None:
    assert len(judge("220 mx", NOON, NOON + HOUR, NOON + 1)) == 1
    assert judge("220 mx", NOON, NOON + HOUR, NOON - 1) == []
    assert judge("220 mx", NOON, NOON + HOUR) == []


def test_the_servers_own_word_decides() -> None:
    assert judge("220 mx Fri, 15 Jan 2027 08:00:00 +0000", NOON, NOON + HOUR, NOON + 1) == []
