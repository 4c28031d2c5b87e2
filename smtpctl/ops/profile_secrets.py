"""Secrets of profiles in the keyring: they are stored under the profile's name, so they follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from smtpctl.config import save, secrets, store
from smtpctl.config.edits import Edit, Set, Unset
from smtpctl.config.layers import SECRETS, secret_settings
from smtpctl.config.secrets import Kind, SecretRef, keyring_entry
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.ops import profiles
from smtpctl.ops.settings import Change


def keep_password(path: Path, name: str, secret: Secret, environ: Mapping[str, str]) -> None:
    """Store a profile's password in the keyring and say so in the file. Problem `secret.*` without a usable keyring."""
    secrets.store(SecretRef(Kind.KEYRING, keyring_entry("profile", name, "password")), secret, environ)

    def change(document: Document) -> list[Edit]:
        others = [key for key in secret_settings("password") if key in document.profiles.get(name, {})]
        return [*(Unset(("profiles", name, key)) for key in others), Set(("profiles", name, "password_keyring"), True)]

    save.edit(path, change)


def rename(path: Path, old: str, new: str, environ: Mapping[str, str]) -> Change:
    """Rename a profile; its secrets in the keyring get the new name too. One that cannot be moved stays, and is said."""
    entries = _entries(store.read(path, environ), old)
    change = profiles.rename(path, old, new)  # first: it knows whether the new name is free
    notes = []
    for secret, ref in entries:
        try:
            target = ref._replace(value=keyring_entry("profile", new, secret))
            secrets.store(target, secrets.fetch(ref, environ), environ)
        except Problem as problem:
            notes.append(
                f"The {_words(secret)} could not be moved in the keyring ({problem.finding.title}); "
                f"store it again: smtpctl secret set {new}"
            )
        else:
            _forget(ref, environ)
    return Change(change.text, (*change.notes, *notes))


def remove(path: Path, names: Sequence[str], environ: Mapping[str, str]) -> Change:
    """Remove profiles and what the keyring holds for them."""
    document = store.read(path, environ)
    entries = [(name, secret, ref) for name in names for secret, ref in _entries(document, name)]
    change = profiles.remove(path, names)
    left = [f"The {_words(secret)} of {name} is still in the keyring, as {ref.value}."
            for name, secret, ref in entries if not _forget(ref, environ)]  # fmt: skip
    return Change(change.text, (*change.notes, *left))


def _entries(document: Document, name: str) -> list[tuple[str, SecretRef]]:
    table = document.profiles.get(name, {})
    return [
        (secret, SecretRef(Kind.KEYRING, keyring_entry("profile", name, secret)))
        for secret in SECRETS
        if table.get(f"{secret}_keyring") is True
    ]


def _forget(ref: SecretRef, environ: Mapping[str, str]) -> bool:
    """Whether the keyring has it no more."""
    try:
        secrets.remove(ref, environ)
    except Problem:
        return False
    return True


def _words(secret: str) -> str:
    return secret.replace("_", " ")
