"""Texts from real logs and issues: nearly all get the right cause or the right class first, and none a wrong cause for sure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

from smtpctl.model.explanation import Explanation, LogSummary
from smtpctl.model.finding import Finding
from smtpctl.ops import explain

WILD = Path(__file__).parent / "corpus" / "wild"
CAUSES: dict[str, list[str]] = tomllib.loads((WILD / "causes.toml").read_text("utf-8"))
ENOUGH = 0.85
SURE = 0.5  # a first cause at least this likely is a claim
FILES = sorted(path.stem for path in WILD.glob("*.txt"))


class Text(NamedTuple):
    """A text, the pages that name its cause (`*` for any characters), and those that say what its code means; whether
    it leaves open why it was said, so that nobody may claim a cause."""

    words: str
    causes: tuple[str, ...]
    classes: tuple[str, ...]
    open: bool


def texts(name: str) -> Iterator[Text]:
    for block in (WILD / f"{name}.txt").read_text("utf-8").split("\n\n# "):
        words, told = block.split("\n", 1)[1].rstrip("\n").rsplit("\n-> ", 1)
        label, _, _ = told.partition("\n=> ")  # what is true, in a sentence for people
        meant, *codes = label.split()
        causes = [page for word in meant.split("|") if word != "-" for page in CAUSES[word]]
        yield Text(words, tuple(causes), tuple(f"reply.{code}" for code in codes), "?" in codes)


def answer(words: str) -> Finding | None:
    result = explain.explain_lines(words.splitlines(keepends=True))
    if isinstance(result, Explanation):
        return result.finding
    assert isinstance(result, LogSummary)
    return result.causes[0].finding if result.causes else None


def test_every_page_that_a_label_names_exists() -> None:
    known = explain.ids()
    assert not [page for pages in CAUSES.values() for page in pages if not any(fnmatchcase(one, page) for one in known)]


@pytest.mark.parametrize("name", FILES)
def test_a_text_from_the_wild_gets_the_right_cause_or_class_first(name: str) -> None:
    asked = [(text, answer(text.words)) for text in texts(name)]
    wrong = [(text, found) for text, found in asked if not _right(text, found)]
    shown = "\n".join(f"{text.words[:300]}\n    -> {found and found.id}, not {text.causes}" for text, found in wrong)
    print(f"{name}: {len(asked) - len(wrong)} of {len(asked)} right\n{shown}")
    assert len(wrong) <= (1 - ENOUGH) * len(asked), shown


@pytest.mark.parametrize("name", FILES)
def test_no_cause_is_claimed_that_the_text_does_not_tell(name: str) -> None:
    claimed = [(text, found) for text in texts(name) if (found := answer(text.words)) and _claims(found)]
    wrong = [(text, found) for text, found in claimed if text.open or not _of(found, text.causes)]
    assert not wrong, "\n".join(
        f"{text.words[:300]}\n    -> {found.id}: {found.causes[0].text}" for text, found in wrong
    )


def test_what_the_texts_tell_is_claimed() -> None:
    """Nothing claimed at all would be easy."""
    told = [text for name in FILES for text in texts(name) if text.causes and not text.open]
    claimed = [text for text in told if (found := answer(text.words)) and _claims(found)]
    assert len(claimed) >= 0.58 * len(told)


def test_more_than_three_of_four_get_the_cause_itself() -> None:
    asked = [(text, answer(text.words)) for name in FILES for text in texts(name) if text.causes]
    named = [text for text, found in asked if found and _of(found, text.causes)]
    assert len(named) >= 0.75 * len(asked)


def _right(text: Text, found: Finding | None) -> bool:
    return _of(found, text.causes + text.classes) if found else "reply.unknown" in text.classes


def _of(found: Finding, pages: tuple[str, ...]) -> bool:
    return any(fnmatchcase(found.id, page) for page in pages)


def _claims(found: Finding) -> bool:
    """Whether a finding names a cause of its own, and that for sure."""
    return not found.id.startswith("reply.") and found.causes[0].likelihood >= SURE
