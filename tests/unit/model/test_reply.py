"""Replies as values."""

from __future__ import annotations

import pytest

from smtpctl.model.reply import EnhancedCode, Reply


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.7.8 no", (5, 7, 8)), ("2.0.0", (2, 0, 0)), ("5.7.139 Authentication unsuccessful", (5, 7, 139)), ("4.999.999 x", (4, 999, 999)),
        ("5.7 no", None), ("5.7.8.1", None), ("5.7.1234", None), ("1.7.8", None), ("no 5.7.8", None), ("", None),
    ],
)  # fmt: skip
def test_enhanced_code(text: str, code: tuple[int, int, int] | None) -> None:
    found = EnhancedCode.at_start(text)
    assert found == (EnhancedCode(*code) if code else None)
    if found:
        assert text.startswith(str(found))


def test_the_enhanced_code_is_of_the_last_line_of_the_right_class() -> None:
    assert Reply(550, ("5.1.1 one", "5.7.1 two", "see https://x")).enhanced == EnhancedCode(5, 7, 1)
    assert Reply(550, ("4.7.1 of another class",)).enhanced is None


@pytest.mark.parametrize(
    ("code", "kind"), [(250, "positive"), (354, "intermediate"), (451, "transient"), (550, "permanent")]
)
def test_classes(code: int, kind: str) -> None:
    reply = Reply(code, ("x",))
    assert [name for name in ("positive", "intermediate", "transient", "permanent") if getattr(reply, name)] == [kind]


def test_as_text_and_as_written() -> None:
    reply = Reply(250, ("mx", "", "HELP"))
    assert str(reply) == "250 mx HELP"
    assert reply.wire_lines() == ("250-mx", "250-", "250 HELP")
    assert str(Reply(220, ("",))) == "220"
