"""Access tokens between two runs: in the keyring, or in a 0600 file where the user chose that.

What is kept names what it was asked for with (`key`), so that a token of other settings is not taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

from smtpctl.config import state
from smtpctl.config.secrets import fetch, store
from smtpctl.config.secrets.problems import problem
from smtpctl.config.secrets.refs import Kind, SecretRef, keyring_entry
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret

LOCK_SECONDS = 90.0  # longer than any request for a token may take


class Kept(NamedTuple):
    """A token that was kept, and its end in epoch seconds."""

    token: Secret
    expires: float


def place(choice: str, name: str, environ: Mapping[str, str]) -> SecretRef | None:
    """Where the token of the credentials `name` is kept; None for the choice `memory`."""
    if choice == "keyring":
        return SecretRef(Kind.KEYRING, keyring_entry("oauth", name, "token"))
    if choice == "file":
        return SecretRef(Kind.FILE, str(state.folder(environ) / f"token-{_file(name)}.json"))
    return None


def read(where: SecretRef, key: str, environ: Mapping[str, str]) -> Kept | None:
    """What is kept there for `key`. Whatever else lies there, or cannot be read, is no token: a new one takes its place."""
    try:
        value = json.loads(fetch(where, environ).reveal())
        return Kept(Secret(value["token"]), float(value["expires"])) if value["for"] == key else None
    except (Problem, ValueError, KeyError, TypeError):
        return None


def write(where: SecretRef, key: str, kept: Kept, environ: Mapping[str, str]) -> None:
    """Keep a token. Problem `secret.not_writable` and what the keyring says."""
    value = {"for": key, "token": kept.token.reveal(), "expires": kept.expires}
    store(where, Secret(json.dumps(value)), environ)


@contextmanager
def exclusive(name: str, environ: Mapping[str, str]) -> Iterator[None]:
    """One process at a time asks for a token that others will find kept. Problem `oauth.timeout`,
    `secret.not_writable`."""
    import filelock

    place = state.folder(environ) / f".token-{_file(name)}.lock"
    lock = filelock.FileLock(place, timeout=LOCK_SECONDS, mode=0o600)
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise entry("oauth.timeout").problem(target=name, oauth=name, seconds=f"{LOCK_SECONDS:g}") from None
    except OSError as error:
        raise problem("not_writable", place=str(place), reason=error.strerror or str(error)) from None
    try:
        yield
    finally:
        lock.release()


def _file(name: str) -> str:
    """The credentials' name in a file's: one that somebody wrote into the configuration by hand leads nowhere else."""
    return quote(name, safe="@+")
