"""Findings that real servers lead to, and that well-behaved ones do not."""

from __future__ import annotations

from typing import Any

import pytest

from bed.exim import Exim
from bed.pki import Pki
from bed.postfix import Postfix
from profiles import profile
from smtpctl.checks.extensions import WANTED
from smtpctl.ops import check
from smtpctl.ops import test_send as sending
from smtpctl.ops.session import Surroundings

ALOUD = {"tls": "none", "trusted": True}


def found(port: int, *recipients: str, **settings: Any) -> set[str]:
    made = profile("localhost", port, **{**ALOUD, "from": "ann@ext.test", **settings})
    return {finding.id for finding in check.check(made, Surroundings({}), recipients).findings}


def test_tls_first(postfix: Postfix) -> None:
    assert "starttls.required_530" in found(postfix.port("submission"), "alice@bed.test")
    assert "starttls.required_530" not in found(postfix.port("mx"), "alice@bed.test")


def test_extensions(postfix: Postfix) -> None:
    assert set(WANTED.values()) <= found(postfix.port("bare"))
    assert not set(WANTED.values()) & found(postfix.port("mx"))


def test_the_same_extensions_inside_tls(postfix: Postfix, pki: Pki) -> None:
    assert "smtp.ehlo_changes_after_tls" not in found(
        postfix.port("submission"), tls="starttls", ca_file=str(pki.ca_file)
    )


def test_a_limit_that_is_too_small(postfix: Postfix) -> None:
    made = profile("localhost", postfix.port("small"), **ALOUD, **{"from": "ann@ext.test"})
    wish = sending.Wish(sending.draft(to=["alice@bed.test"], text="x\n" * 3000))
    report = sending.test_send(made, Surroundings({}), wish)
    assert "smtp.size_too_small" in {finding.id for finding in report.findings}


@pytest.mark.parametrize("ahead", [0, 86400])
def test_the_clock_of_exim(exim: Exim, monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    """Its greeting has the date."""
    now = check.time.time
    monkeypatch.setattr(check.time, "time", lambda: now() + ahead)
    assert ("local.clock_skew" in found(exim.port("submission"))) == bool(ahead)
