"""Which names a certificate is good for (RFC 9525 6.3)."""

from __future__ import annotations

import pytest

from smtpctl.model.names import matches, matches_any, nearest


@pytest.mark.parametrize(
    ("pattern", "name", "covers"),
    [
        ("mx.example.com", "MX.Example.COM.", True), ("mx.example.com", "mx2.example.com", False),
        ("*.example.com", "mx.example.com", True), ("*.example.com", "example.com", False), ("*.example.com", "a.mx.example.com", False),
        ("*", "example", False), ("m*.example.com", "mx.example.com", False), ("*.*.com", "a.b.com", False), ("mx.*.com", "mx.example.com", False),
        ("192.0.2.1", "192.0.2.1", True), ("*.0.2.1", "192.0.2.1", False), ("::1", "::1", True), ("*.example.com", ".example.com", False),
    ],
)  # fmt: skip
def test_matches(pattern: str, name: str, covers: bool) -> None:
    assert matches(pattern, name) is covers
    assert matches_any(["x.test", pattern], name) is covers


def test_nearest() -> None:
    assert nearest(["mail.example.com", "www.example.org"], "mx.example.com") == "mail.example.com"
    assert nearest([], "mx.example.com") == ""
