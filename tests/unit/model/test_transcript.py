"""The transcript as a file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.transcript import Event, Kind, Stage, Transcript

TEXTS = st.text(st.characters(), max_size=40)  # surrogates, controls and marks of direction among them


@given(st.lists(TEXTS, max_size=5))
def test_what_is_written_is_read_back_and_shows_nothing_raw(texts: list[str]) -> None:
    events = [Event(1.5, Stage.EHLO, Kind.RECEIVED, text, secured=True, facts={"said": [text]}) for text in texts]
    written = Transcript(events).dumps()
    assert written.isascii()
    assert all(line.isprintable() for line in written.split("\n"))
    assert written.count("\n") == len(events)
    assert list(Transcript.loads(written)) == events
