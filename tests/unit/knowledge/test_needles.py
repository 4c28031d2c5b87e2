from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge.catalogue import load, near
from smtpctl.knowledge.needles import Needles

WORDS = st.text("abé ", min_size=1, max_size=6)


@given(st.lists(st.lists(WORDS, max_size=3), max_size=6), st.text("abé ", max_size=20))
def test_whose_word_is_in_a_text_is_found(owners: list[list[str]], text: str) -> None:
    asked = [place for place, words in enumerate(owners) if any(word in text for word in words)]
    assert Needles(owners).near(text) == asked


def test_every_entry_that_has_an_expression_can_be_found_by_its_words() -> None:
    for said in load().entries.values():
        assert bool(said.regex) == bool(said.needles), said.id
        assert all(word == word.lower() for word in said.needles), said.id
        assert all(said in near(word) for word in said.needles)
