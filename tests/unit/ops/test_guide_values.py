"""Values of guides: what each kind takes, and that no value leaves its quotes in any shell."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powershell import words
from smtpctl.ops.guide_values import checked, quoted

GUID = "6F1C0000-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("guid", f" {GUID} ", GUID.lower()),
        ("tenant", GUID, GUID.lower()),
        ("tenant", "contoso.onmicrosoft.com", "contoso.onmicrosoft.com"),
        ("address", "Ann <ann@example.com>", "ann@example.com"),
        ("address", "o'brien@example.com", "o'brien@example.com"),
        ("domain", "ann@example.com", "example.com"),
        ("domain", "example.com", "example.com"),
        ("digits", "103828366368623534127", "103828366368623534127"),
        ("network", "192.0.2.10", "192.0.2.10/32"),
        ("network", "192.0.2.10/24", "192.0.2.0/24"),
        ("network", "2001:db8::1", "[2001:db8::1]/128"),
        ("ipv4", "192.0.2.10", "192.0.2.10"),
        ("ipv4", "192.0.2.0/28", "192.0.2.0/28"),
        ("name", "/etc/ssl/my client.pem", "/etc/ssl/my client.pem"),
    ],
)
def test_what_is_right_is_written_in_one_form(kind: str, text: str, value: str) -> None:
    assert checked(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("guid", "<CLIENT_ID>"),
        ("guid", f"{GUID}'; Remove-Mailbox x"),
        ("tenant", "common"),
        ("tenant", "contoso.com; rm -rf /"),
        ("address", "ann"),
        ("address", "ann@example.com, bob@example.com"),
        ("domain", "exa mple.com"),
        ("digits", "\u0661\u0662"),
        ("digits", GUID),
        ("network", "example.com"),
        ("ipv4", "2001:db8::1"),
        ("ipv4", "192.0.0.0/16"),
        ("name", ""),
        ("name", "a\nb"),
        ("name", "a\u202eb"),
    ],
)
def test_what_is_wrong_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        checked(kind, text)


NASTY = st.text(st.sampled_from("ab '\"`$()<>;&|#@{}\\\u2018\u2019\u201a\u201b\u201c\u201d\u00e9-"), min_size=1)


@given(NASTY)
def test_a_value_is_one_word_of_a_shell(value: str) -> None:
    for shell in ("sh", "smtpctl"):
        assert shlex.split(f"program --option {quoted(shell, value)} end", comments=True) == [
            "program",
            "--option",
            value,
            "end",
        ]


@given(NASTY)
def test_a_value_is_one_word_of_powershell(value: str) -> None:
    assert words(f"Get-Thing -Identity {quoted('powershell', value)} -End") == ["Get-Thing", "-Identity", value, "-End"]
