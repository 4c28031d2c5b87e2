"""Secrets of the configuration: where each one is kept, put there, removed, moved to another store.

A secret is named like its keyring entry: `profile/work/password`, `oauth/m365/client_secret`. Short forms: `work` for
a profile's password, `oauth/m365` for a client secret. The file only ever gets the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from smtpctl.config import save, secrets
from smtpctl.config.edits import Edit, Set, Unset
from smtpctl.config.layers import SECRETS, secret_settings
from smtpctl.config.problems import did_you_mean
from smtpctl.config.secrets import Kind, SecretRef, keyring_entry
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.finding import Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.ops.settings import Change

# What stands before the first slash -> the table of the file, and the secrets that its entries can have.
NOUNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "profile": ("profiles", SECRETS),
    "oauth": ("oauth", ("client_secret", "refresh_token", "access_token", "client_key_password")),
}


class Held(NamedTuple):
    """One secret that the configuration refers to.

    `state` is `there`, `missing` or `not looked at`; `detail` says why it is missing, or was not looked at.
    """

    name: str
    place: str
    state: str
    detail: str = ""


class Name(NamedTuple):
    """A secret's name taken apart: `profile` or `oauth`, the thing's name, the setting."""

    noun: str
    owner: str
    secret: str

    @property
    def entry(self) -> str:
        """The full name, which is the keyring entry."""
        return keyring_entry(self.noun, self.owner, self.secret)

    @property
    def path(self) -> tuple[str, str]:
        """The table of the file that refers to it."""
        return NOUNS[self.noun][0], self.owner


def parse_name(text: str) -> Name:
    """A secret's name, full or short; UsageProblem for what is neither."""
    noun, *rest = text.split("/")
    if noun not in NOUNS or not rest:
        noun, rest = "profile", [noun, *rest]
    owner, *more = rest
    known = NOUNS[noun][1]
    secret = "/".join(more) or known[0]
    if not owner or secret not in known:
        raise UsageProblem(
            f'"{text}" names no secret{did_you_mean(secret, known)}',
            "PROFILE, profile/PROFILE/password or oauth/NAME/client_secret",
        )
    return Name(noun, owner, secret)


def parse_store(text: str, name: Name) -> SecretRef:
    """The place that `keyring` or `file:PATH` means for a secret; a PATH that is a folder gets a file for each."""
    if text == "keyring":
        return SecretRef(Kind.KEYRING, name.entry)
    ref = secrets.parse(text)
    if ref.kind is not Kind.FILE:
        return ref  # `secrets.store` says that it cannot be written
    folder = text.endswith(("/", "\\"))
    path = Path(ref.value).expanduser().absolute()
    return SecretRef(Kind.FILE, str(path / name.entry.replace("/", ".") if folder or path.is_dir() else path))


def status(document: Document, environ: Mapping[str, str]) -> list[Held]:
    """Every secret that the configuration refers to, in the order of the file. No program is run for it."""
    return [_held(name, ref, environ) for name, ref in _references(document)]


def put(document: Document, name: Name, where: SecretRef, secret: Secret, environ: Mapping[str, str]) -> Change:
    """Store a secret, then make the file refer to it. UsageProblem where the profile or credentials are not there."""
    owner_of(document, name)
    secrets.store(where, secret, environ)
    save.edit(document.path, lambda now: _refer(now, name, where))
    return Change(f"Stored {name.entry} in {_place(where)}.")


def remove(document: Document, name: Name, environ: Mapping[str, str]) -> Change:
    """Remove a secret and the reference to it; a place that smtpctl cannot write to keeps what it has."""
    ref = _reference(document, name)
    save.edit(document.path, lambda now: _unset(now, name))
    return Change(f"Removed {name.entry}.", _forget(ref, environ))


def move(document: Document, name: Name, where: SecretRef, environ: Mapping[str, str]) -> Change:
    """Put a secret into another store: stored there first, then referred to, then removed from where it was."""
    ref = _reference(document, name)
    if ref == where:
        return Change(f"{name.entry} is in {_place(where)} already.")
    secrets.store(where, secrets.fetch(ref, environ, hidden=document.secret_variables), environ)
    save.edit(document.path, lambda now: _refer(now, name, where))
    return Change(f"Moved {name.entry} from {_place(ref)} to {_place(where)}.", _forget(ref, environ))


def settings_of(name: Name, where: SecretRef) -> dict[str, object]:
    """The settings of a table of the file that refer to a secret."""
    return dict(secrets.to_settings(name.secret, where))


def _references(document: Document) -> Iterator[tuple[Name, SecretRef]]:
    for noun, (table, known) in NOUNS.items():
        for owner, settings in getattr(document, table).items():
            for secret in known:
                name = Name(noun, owner, secret)
                ref = secrets.from_settings(secret, settings, name.entry)
                if ref:
                    yield name, _beside(document, ref)


def _reference(document: Document, name: Name) -> SecretRef:
    ref = secrets.from_settings(name.secret, owner_of(document, name), name.entry)
    if ref is None:
        raise UsageProblem(f"{name.entry} is not set", f"Set it: smtpctl secret set {name.entry}")
    return _beside(document, ref)


def _beside(document: Document, ref: SecretRef) -> SecretRef:
    """Relative paths of the configuration are meant from its folder."""
    if ref.kind is not Kind.FILE:
        return ref
    return ref._replace(value=str(document.path.parent.absolute() / Path(ref.value).expanduser()))


def _forget(ref: SecretRef, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Remove what a reference stood for; a note where it stays, or was not there."""
    if ref.kind is Kind.LITERAL:
        return ()
    try:
        gone = secrets.remove(ref, environ)
    except Problem:
        return (f"{_place(ref)} still has it.",)
    return () if gone else (f"{_place(ref)} did not have it.",)


def owner_of(document: Document, name: Name) -> Mapping[str, object]:
    """The table that the secret belongs to; UsageProblem where there is no such profile or set of credentials."""
    table = getattr(document, name.path[0])
    if name.owner not in table:
        kind = "profile" if name.noun == "profile" else "set of OAuth 2.0 credentials"
        hint = "See: smtpctl profile list" if name.noun == "profile" else "See: smtpctl secret status"
        raise UsageProblem(f'There is no {kind} "{name.owner}".{did_you_mean(name.owner, table)}', hint)
    found: Mapping[str, object] = table[name.owner]
    return found


def _refer(document: Document, name: Name, where: SecretRef) -> list[Edit]:
    wanted = settings_of(name, where)
    edits: list[Edit] = [edit for edit in _unset(document, name) if edit.path[-1] not in wanted]
    return [*edits, *(Set((*name.path, key), value) for key, value in wanted.items())]


def _unset(document: Document, name: Name) -> list[Edit]:
    settings = owner_of(document, name)
    return [Unset((*name.path, key)) for key in secret_settings(name.secret) if key in settings]


def _held(name: Name, ref: SecretRef, environ: Mapping[str, str]) -> Held:
    if ref.kind is Kind.LITERAL:
        return Held(name.entry, _place(ref), "there", "in plain text: move it with `smtpctl secret move`")
    if ref.kind not in (Kind.KEYRING, Kind.FILE, Kind.ENV, Kind.CREDENTIAL):
        return Held(name.entry, _place(ref), "not looked at", "only when it is needed")
    warnings: list[Finding] = []
    try:
        secrets.fetch(ref, environ, warn=warnings.append)
    except Problem as problem:
        return Held(name.entry, _place(ref), "missing", problem.finding.title)
    return Held(name.entry, _place(ref), "there", "; ".join(found.title for found in warnings))


def _place(ref: SecretRef) -> str:
    """A place in words."""
    words = {
        Kind.KEYRING: "the keyring",
        Kind.ENV: f"${ref.value}",
        Kind.FILE: ref.value,
        Kind.CREDENTIAL: f"the systemd credential {ref.value}",
        Kind.LITERAL: "the configuration file",
    }
    return words.get(ref.kind, str(ref))
