"""What a text denies, supposes or leaves open, it does not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge.doubt import denied, doubts, masked


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("550 5.2.2 * HIT *", False),
        ("550 Your message may be HIT", True),
        ("550 Your message may not HIT", False),
        ("550 The account may not exist: HIT", False),
        ("550 If the mailbox is HIT", True),
        ("550 If the sender is local then HIT", False),
        ("550 This could be late. HIT", False),
        ("550 HIT or disabled", True),
        ("550 HIT, or try again later", False),
        ("550 HIT or contact the postmaster", False),
        ("550 disabled or HIT", True),
        ("550 for that reason HIT", False),
    ],
)
def test_words_that_are_not_said_outright(text: str, doubtful: bool) -> None:
    start = text.index("HIT")
    assert bool(list(doubts(text, (start, start + 3)))) is doubtful


@pytest.mark.parametrize(
    ("text", "no"),
    [
        ("550 not HIT", True),
        ("550 isn't listed in the HIT", True),
        ("550 not a HIT", True),
        ("550 HIT", False),
        ("550 no entry: HIT", False),
        ("550 knot HIT", False),
    ],
)
def test_words_that_are_denied(text: str, no: bool) -> None:
    assert denied(text, text.index("HIT")) is no


def test_addresses_become_unreadable() -> None:
    assert masked("550 <virus@spam.example>: no") == "550 <xxxxx@xxxx.xxxxxxx>: no"


@given(st.text(max_size=300))
def test_a_text_keeps_its_length(text: str) -> None:
    assert len(masked(text)) == len(text)
    assert masked(text).count("@") == text.count("@")
