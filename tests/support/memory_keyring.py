"""Keyring back ends in memory. The library must never find them by itself, so they are taken off its list."""

from __future__ import annotations

from typing import Any, TypeVar

import keyring.backend
import keyring.errors

Backend = TypeVar("Backend", bound=type)


def unlisted(backend: Backend) -> Backend:
    """The class, which the library does not choose by itself."""
    known: Any = keyring.backend.KeyringBackend
    known._classes.discard(backend)
    return backend


@unlisted
class Memory(keyring.backend.KeyringBackend):
    """A dictionary, with the limit of the Windows Credential Manager (in UTF-16 code units) where one is given."""

    priority = 9

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.limit = limit

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.limit is not None and len(password.encode("utf-16-le", "surrogatepass")) > 2 * self.limit:
            raise OSError(1783, "CredWrite", "The stub received bad data.")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("No such password!")


@unlisted
class WindowsMemory(Memory):
    """Passes for the Windows Credential Manager."""

    def __init__(self) -> None:
        super().__init__(1280)


WindowsMemory.__module__ = "keyring.backends.Windows"
