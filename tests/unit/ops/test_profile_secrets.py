"""Secrets in the keyring follow the profile that they belong to."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from memory_keyring import unlisted
from smtpctl.config import save
from smtpctl.config.edits import Set
from smtpctl.model.errors import UsageProblem
from smtpctl.model.secret import Secret
from smtpctl.ops import profile_secrets


@unlisted
class Memory(keyring.backend.KeyringBackend):
    """A keyring in memory, that may be locked."""

    priority = 0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.entries.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.entries[username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if self.entries.pop(username, None) is None:
            raise keyring.errors.PasswordDeleteError("none")

    def _open(self) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")


Memory.__module__ = "keyring.backends.SecretService"  # only the operating system's keyrings are used


@pytest.fixture
def memory() -> Iterator[Memory]:
    before, backend = keyring.get_keyring(), Memory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def path(tmp_path: Path, memory: Memory) -> Path:
    path = tmp_path / "c.toml"
    save.edit(path, lambda _: [Set(("profiles", "a"), {"host": "x", "password_env": "X"})])
    profile_secrets.keep_password(path, "a", Secret("canary"), {})
    return path


def test_a_password_is_kept_in_the_keyring_alone(path: Path, memory: Memory) -> None:
    assert memory.entries == {"profile/a/password": "canary"}
    assert tomllib.loads(path.read_text())["profiles"]["a"] == {"host": "x", "password_keyring": True}


def test_it_follows_a_new_name(path: Path, memory: Memory) -> None:
    change = profile_secrets.rename(path, "a", "b", {})
    assert memory.entries == {"profile/b/password": "canary"} and change.notes == ()


def test_a_locked_keyring_does_not_stop_a_new_name(path: Path, memory: Memory) -> None:
    memory.locked = True
    change = profile_secrets.rename(path, "a", "b", {})
    assert "store it again: smtpctl secret set b" in change.notes[-1]
    assert list(tomllib.loads(path.read_text())["profiles"]) == ["b"]


def test_it_goes_with_the_profile(path: Path, memory: Memory) -> None:
    change = profile_secrets.remove(path, ["a"], {})
    assert memory.entries == {} and change.notes == ()


def test_what_is_left_in_the_keyring_is_said(path: Path, memory: Memory) -> None:
    memory.locked = True
    change = profile_secrets.remove(path, ["a"], {})
    assert change.notes == ("The password of a is still in the keyring, as profile/a/password.",)


@pytest.mark.parametrize("new", ["a", "b c"])
def test_a_name_that_cannot_be_leaves_the_keyring_alone(path: Path, memory: Memory, new: str) -> None:
    with pytest.raises(UsageProblem):
        profile_secrets.rename(path, "a", new, {})
    assert memory.entries == {"profile/a/password": "canary"}
