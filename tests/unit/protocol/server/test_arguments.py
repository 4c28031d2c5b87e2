"""Arguments of MAIL and RCPT."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.protocol.server.arguments import MAIL_PARAMETERS, RCPT_PARAMETERS, BadArgument, parse
from smtpctl.protocol.server.values import EXTENSIONS, Path

ALL = frozenset(EXTENSIONS)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("FROM:<>", Path("")),
        ("from:<ann@example.com>", Path("ann@example.com")),
        ("FROM:<@relay.example,@b.example:ann@example.com>", Path("ann@example.com")),
        ('FROM:<"a b@c"@example.com>', Path('"a b@c"@example.com')),
        ("FROM:<ann@[192.0.2.1]>", Path("ann@[192.0.2.1]")),
        ("FROM:<ann@[IPv6:2001:db8::1]>", Path("ann@[IPv6:2001:db8::1]")),
        ("FROM:<änn@exämple.com> SMTPUTF8", Path("änn@exämple.com", {"SMTPUTF8": ""})),
        (
            "FROM:<ann@example.com> SIZE=100 body=8bitmime RET=HDRS ENVID=a+2Bb AUTH=<> REQUIRETLS",
            Path(
                "ann@example.com",
                {"SIZE": "100", "BODY": "8bitmime", "RET": "HDRS", "ENVID": "a+2Bb", "AUTH": "<>", "REQUIRETLS": ""},
            ),
        ),
    ],
)
def test_reverse_paths(argument: str, expected: Path) -> None:
    assert parse(argument, "FROM", MAIL_PARAMETERS, ALL) == expected


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", 501),
        ("FROM", 501),
        ("TO:<ann@example.com>", 501),
        ("FROM: <ann@example.com>", 501),
        ("FROM:ann@example.com", 501),
        ("FROM:<ann@example.com", 501),
        ("FROM:<ann>", 501),
        ("FROM:<postmaster>", 501),
        ("FROM:<a\0b@example.com>", 501),
        ("FROM:<ann@example.com>SIZE=1", 501),
        (f"FROM:<{'a' * 65}@example.com>", 501),
        (f"FROM:<a@{'b' * 256}>", 501),
        ("FROM:<ann@example.com> SIZE=ten", 501),
        ("FROM:<ann@example.com> SIZE=1 SIZE=2", 501),
        ("FROM:<ann@example.com> BODY=BINARYMIME", 501),
        ("FROM:<ann@example.com> SMTPUTF8=yes", 501),
        ("FROM:<ann@example.com> NOTIFY=NEVER", 555),
        ("FROM:<ann@example.com> WHATEVER", 555),
    ],
)
def test_bad_reverse_paths(argument: str, code: int) -> None:
    with pytest.raises(BadArgument) as bad:
        parse(argument, "FROM", MAIL_PARAMETERS, ALL)
    assert bad.value.code == code


def test_forward_paths() -> None:
    path = parse("TO:<Postmaster>", "TO", RCPT_PARAMETERS, ALL)
    assert path == Path("Postmaster")
    path = parse("TO:<b@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+40example.com", "TO", RCPT_PARAMETERS, ALL)
    assert path.parameters == {"NOTIFY": "SUCCESS,DELAY", "ORCPT": "rfc822;b+40example.com"}
    with pytest.raises(BadArgument):
        parse("TO:<>", "TO", RCPT_PARAMETERS, ALL)


def test_a_parameter_of_what_was_not_offered_is_refused() -> None:
    with pytest.raises(BadArgument) as bad:
        parse("FROM:<a@b> SIZE=1", "FROM", MAIL_PARAMETERS, frozenset())
    assert (bad.value.code, bad.value.text) == (555, "5.5.4 Unsupported parameter SIZE")


@given(st.text())
def test_a_refusal_never_echoes_what_could_break_a_reply(text: str) -> None:
    with pytest.raises(BadArgument) as bad:
        parse(f"FROM:<a@b> X{text}=", "FROM", MAIL_PARAMETERS, ALL)
    assert bad.value.text.isascii()
    assert bad.value.text.isprintable()
