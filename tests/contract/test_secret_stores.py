"""One suite for every place that smtpctl writes secrets to: the keyring (with a back end in memory) and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest

from memory_keyring import WindowsMemory
from smtpctl.config.secrets import Kind, SecretRef, fetch, remove, store
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret

Place = Callable[[str], SecretRef]
VALUES = ["x", " leading and trailing ", "p\u00e4ss\U0001f511", "#;'\"\\`$(id)", "******", "a" * 3000, "tab\there"]


@pytest.fixture(params=["keyring", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    before = keyring.get_keyring()
    keyring.set_keyring(WindowsMemory())
    if request.param == "keyring":
        yield lambda name: SecretRef(Kind.KEYRING, f"profile/{name}/password")
    else:
        yield lambda name: SecretRef(Kind.FILE, str(tmp_path / name))
    keyring.set_keyring(before)


@pytest.mark.parametrize("value", VALUES)
def test_what_is_stored_is_fetched(place: Place, value: str) -> None:
    store(place("a"), Secret("before" * 500), {})
    store(place("a"), Secret(value), {})
    assert fetch(place("a"), {}) == Secret(value)


def test_entries_are_apart(place: Place) -> None:
    for name in ("a", "b"):
        store(place(name), Secret(name), {})
    assert remove(place("a"), {})
    assert fetch(place("b"), {}) == Secret("b")


def test_what_is_removed_is_gone(place: Place) -> None:
    store(place("a"), Secret("a" * 3000), {})
    assert [remove(place("a"), {}), remove(place("a"), {})] == [True, False]
    with pytest.raises(Problem):
        fetch(place("a"), {})
