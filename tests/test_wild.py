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
    """A text, the pages that name its cause (`*` for any characters), and those that say what its code means."""

    words: str
    causes: tuple[str, ...]
    classes: tuple[str, ...]


def texts(name: str) -> Iterator[Text]:
    for block in (WILD / f"{name}.txt").read_text("utf-8").split("\n\n# "):
        words, label = block.split("\n", 1)[1].rstrip("\n").rsplit("\n-> ", 1)
        meant, *codes = label.split()
        causes = [page for word in meant.split("|") if word != "-" for page in CAUSES[word]]
        yield Text(words, tuple(causes), tuple(f"reply.{code}" for code in codes))


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
    claims = [text.words for text, found in wrong if found and _claims(found)]
    assert not claims, shown


def test_more_than_three_of_four_get_the_cause_itself() -> None:
    asked = [(text, answer(text.words)) for name in FILES for text in texts(name) if text.causes]
    named = [text for text, found in asked if found and _of(found, text.causes)]
    assert len(named) >= 0.75 * len(asked)


def _right(text: Text, found: Finding | None) -> bool:
    return found is not None and _of(found, text.causes + text.classes)


def _of(found: Finding, pages: tuple[str, ...]) -> bool:
    return any(fnmatchcase(found.id, page) for page in pages)


def _claims(found: Finding) -> bool:
    """Whether a finding names a cause of its own, and that for sure."""
    return not found.id.startswith("reply.") and found.causes[0].likelihood >= SURE
