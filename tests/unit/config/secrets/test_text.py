"""From octets to a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.config.secrets import text
from smtpctl.model.errors import Problem

LINE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=200).filter(
    lambda line: not line.startswith("\ufeff")
)


@given(LINE, st.sampled_from(["", "\n", "\r\n", "\nlogin: me\n", "\n\n"]), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_the_first_line_without_its_end(line: str, rest: str, encoding: str) -> None:
    assert text.secret((line + rest).encode(encoding), "It").reveal() == line


@given(LINE)
def test_what_powershell_writes(line: str) -> None:
    assert text.secret(f"\ufeff{line}\r\n".encode("utf-16-le"), "It").reveal() == line


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"", "secret.empty"),
        (b"\nhunter2", "secret.empty"),
        (b"\xff\xff", "secret.not_text"),
        (b"hunter2\0", "secret.not_text"),
        (b"hunter2\rx", "secret.not_text"),
        (b"a" * (text.LIMIT + 1), "secret.too_large"),
    ],
)
def test_refused(octets: bytes, name: str) -> None:
    with pytest.raises(Problem) as caught:
        text.secret(octets, "The file x")
    assert caught.value.finding.id == name
    assert "hunter2" not in str(caught.value.finding)
