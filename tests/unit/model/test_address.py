"""Mailboxes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.address import AddressProblem, Mailbox, parse, parse_list


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user@host", ("", "user", "host")),
        ("  user@example.com ", ("", "user", "example.com")),
        ("<user@example.com>", ("", "user", "example.com")),
        ('"display name" <user@host>', ("display name", "user", "host")),
        ("Ann Lee <ann@example.com>", ("Ann Lee", "ann", "example.com")),
        ("J. R. Doe<j.r@example.com>", ("J. R. Doe", "j.r", "example.com")),
        ('"Lee, Ann" <ann@example.com>', ("Lee, Ann", "ann", "example.com")),
        (r'"Ann \"A\" Lee" <ann@example.com>', ('Ann "A" Lee', "ann", "example.com")),
        ('"a@b <c>" <ann@example.com>', ("a@b <c>", "ann", "example.com")),
        ("Zoë <zoë@exämple.com>", ("Zoë", "zoë", "exämple.com")),
        ('"john doe"@example.com', ("", '"john doe"', "example.com")),
        ('<"a,b>c"@example.com>', ("", '"a,b>c"', "example.com")),
        ("user+tag@example.com", ("", "user+tag", "example.com")),
        ("user@[192.0.2.1]", ("", "user", "[192.0.2.1]")),
        ("user@[IPv6:2001:db8::1]", ("", "user", "[IPv6:2001:db8::1]")),
    ],
)
def test_forms(text: str, expected: tuple[str, str, str]) -> None:
    mailbox = parse(text)
    assert mailbox == expected
    assert parse(str(mailbox)) == mailbox


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 1, "no address"),
        ("user", 5, "no '@'"),
        ("us er@example.com", 3, "' ' cannot stand here"),
        ("@example.com", 1, "'@' cannot stand here"),
        ("a..b@example.com", 2, "'.' cannot stand here"),
        ("a@@example.com", 3, "'@' cannot stand here in a domain"),
        ("a@exam ple.com", 7, "' ' cannot stand here in a domain"),
        ("a@example..com", 11, "empty label"),
        ("a@example.com.", 15, "empty label"),
        ("a@-example.com", 3, "'-' cannot stand here"),
        ("a@", 3, "empty label"),
        ('"a@example.com', 1, "never closed"),
        ("a@example.com>", 14, "without its '<'"),
        ("Lee: <a@example.com>", 4, "quotation marks"),
        ("a@b, c", 7, "no '@' in 'c', and ',' parts addresses"),
        ("x';id;'@example.com", 3, "no '@' in \"x'\", and ';' parts addresses"),
        ('"Lee; Ann" <ann>', 16, "no '@'"),
        ("a@b\r\nRCPT TO:<c@d>", 4, "control character"),
        ("a@b\0", 4, "control character"),
        ("a@b, c@d", 1, "one address is expected"),
        ("x" * 65 + "@example.com", 1, "longer than 64"),
        ("a@" + "x" * 64 + ".com", 3, "longer than 63"),
        ("a@" + "x." * 130 + "com", 3, "longer than 253"),
    ],
)
def test_what_is_wrong_and_where(text: str, position: int, reason: str) -> None:
    with pytest.raises(AddressProblem) as caught:
        parse(text)
    assert caught.value.position == position
    assert reason in caught.value.reason


def test_lists() -> None:
    text = 'a@example.com; "Lee; Ann, B" <b@example.com>,, C <c@example.com> ;'
    assert [mailbox.address for mailbox in parse_list(text)] == ["a@example.com", "b@example.com", "c@example.com"]
    assert parse_list(" ; ") == ()


@given(st.text())
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    try:
        mailboxes = parse_list(text)
    except AddressProblem as problem:
        mailboxes = ()
        position = problem.position
    else:
        position = 1
    assert 1 <= position <= len(text) + 1
    for mailbox in mailboxes:
        assert not set("\r\n\0") & set(str(mailbox))
        assert parse(str(mailbox)) == mailbox


@given(
    st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1),
    st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9})?", fullmatch=True),
)
def test_any_display_name_comes_back(display: str, local: str) -> None:
    mailbox = Mailbox(display, local, "example.com")
    assert parse(str(mailbox)) == mailbox
