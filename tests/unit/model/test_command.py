"""Words of a command to be copied."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.command import quoted, sourced


@given(st.text())
def test_a_shell_reads_the_word_back(word: str) -> None:
    assert quoted(word) == shlex.quote(word)


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("smtpctl check office --tls implicit", " --config 'my c.toml' --site shop"),
        ("smtpctl secret set office", " --config 'my c.toml'"),
        ("smtpctl check office --config other.toml", " --site shop"),
        ("smtpctl profile default NAME --site eu", " --config 'my c.toml'"),
        ("smtpctl explain 535", ""),
        ("pass edit smtp", ""),
        ("", ""),
    ],
)
def test_a_command_is_told_where_its_settings_are(command: str, more: str) -> None:
    told = sourced(command, {"--config": "my c.toml", "--site": "shop"})
    assert told == command + more
    assert sourced(told, {"--config": "my c.toml", "--site": "shop"}) == told
    assert sourced(command, {}) == command
