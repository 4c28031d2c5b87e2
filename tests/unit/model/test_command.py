"""Words of a command to be copied."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.command import quoted


@given(st.text())
def test_a_shell_reads_the_word_back(word: str) -> None:
    assert quoted(word) == shlex.quote(word)
