"""Which of many expressions can be found in a text at all, by words that each of them needs: to ask every one for its words
takes most of the time of a look-up, and there are more of them every month.

    near = Needles(entry.needles for entry in entries).near(text.lower())       # places in that order
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_LENGTH = 4  # characters at the start of a word by which it is looked up; shorter words are looked for in every text


class Needles:
    """Words of many owners, in lower case; an owner is found where one of its words is. One without words never is."""

    def __init__(self, owners: Iterable[Sequence[str]]) -> None:
        self._short: dict[str, set[int]] = {}
        self._long: dict[str, dict[str, set[int]]] = {}
        for place, words in enumerate(owners):
            for word in words:
                known = self._short if len(word) < _LENGTH else self._long.setdefault(word[:_LENGTH], {})
                known.setdefault(word, set()).add(place)

    def near(self, lowered: str) -> list[int]:
        """The places of the owners that have a word in this text, in order."""
        found: set[int] = set()
        starts = {lowered[at : at + _LENGTH] for at in range(len(lowered) - _LENGTH + 1)}
        for words in (self._short, *(self._long[start] for start in starts & self._long.keys())):
            for word, places in words.items():
                if word in lowered:
                    found |= places
        return sorted(found)
