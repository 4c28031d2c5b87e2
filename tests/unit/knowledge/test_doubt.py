"""What a text denies, supposes or leaves open, it does not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge.doubt import denied, doubts, masked, of_client, of_sender


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
        ("550 HIT, is unknown, or takes no mail", True),
        ("550 HIT, see our page, and try again", False),
        ("550 HIT o mailbox llena", True),
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


def test_a_list_within_the_words_leaves_open_which() -> None:
    text = "550 mailbox not found or disabled"
    assert list(doubts(text, (4, len(text))))


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("550 the sender is HIT", True),
        ("550 HIT for sending messages today", True),
        ("550 HIT: sender's daily limit reached", True),
        ("550 HIT in the password file", True),
        ("550 the mailbox is HIT", False),
        ("550 HIT. Ask the sender's provider", False),
    ],
)
def test_words_about_a_sender(text: str, sender: bool) -> None:
    start = text.index("HIT")
    assert of_sender(text, (start, start + 3)) is sender


@pytest.mark.parametrize(
    ("text", "words", "client"),
    [
        ("550 Your IP has been flagged as spam source", "as spam", True),
        ("554 rejected due to spam complaints", "due to spam", True),
        ("554 rejected as spam by your network", "as spam", True),
        ("554 Message rejected as spam", "as spam", False),
        ("554 Message from your host. Rejected as spam", "as spam", False),
    ],
)
def test_words_about_who_sends(text: str, words: str, client: bool) -> None:
    start = text.index(words)
    assert of_client(text, (start, start + len(words))) is client


def test_addresses_become_unreadable() -> None:
    assert masked("550 <virus@spam.example>: no") == "550 <xxxxx@xxxx.xxxxxxx>: no"


@given(st.text(max_size=300))
def test_a_text_keeps_its_length(text: str) -> None:
    assert len(masked(text)) == len(text)
    assert masked(text).count("@") == text.count("@")
