"""OAuth 2.0 credentials in the configuration file: add, change, remove, and who uses them.

They stand there as `[oauth.NAME]` and are shared: a profile names them. Their secrets are never in the file, and go
with them when they are removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smtpctl.config import layers, presets, save, secrets, store, values
from smtpctl.config.edits import Edit, Set, Unset
from smtpctl.config.fields import OAUTH_BY_NAME, OAUTH_FIELDS
from smtpctl.config.oauth import resolve_oauth
from smtpctl.config.problems import did_you_mean
from smtpctl.config.profile import CLOUDS, OAuth
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.ops import show, tokens
from smtpctl.ops.settings import Change, clears, lookup, refuse_secret, split_assignment, to_file, unknown

_SECRETS = tuple(field.name for field in OAUTH_FIELDS if field.secret)  # and the places of each, told with it
_EXAMPLE = "smtpctl oauth set m365 client_id=ID"


def add(path: Path, name: str, settings: Mapping[str, Any], preset: str = "") -> Change:
    """Store new credentials, with what the preset of a provider says. UsageProblem where the name is taken or is none, or
    a value is wrong."""
    try:
        values.name_word(name, "name for OAuth 2.0 credentials")
    except values.BadValueError as error:
        raise UsageProblem(str(error)) from None
    given = {**_preset(preset, settings), **_parsed(settings)}

    def change(document: Document) -> list[Edit]:
        if name in document.oauth:
            raise UsageProblem(f'There are credentials "{name}" already', f"Change them: smtpctl oauth set {name} ...")
        return [Set(("oauth", name), _table(given))]

    save.edit(path, change)
    return Change(f'Added the OAuth 2.0 credentials "{name}" to {path}.', tuple(_following(name, given)))


def assign(path: Path, name: str, words: Sequence[str], settings: Mapping[str, Any]) -> Change:
    """Change settings: `NAME=VALUE` words, and options as given. UsageProblem for neither, and for a wrong value."""
    raw = {**dict(_assignment(word) for word in words), **settings}
    if not raw:
        raise UsageProblem("Nothing is said to change", f"For example: {_EXAMPLE}")
    gone = [key for key, value in raw.items() if clears(OAUTH_BY_NAME[key], value)]
    written = _parsed({key: value for key, value in raw.items() if key not in gone})

    def change(document: Document) -> list[Edit]:
        table = document.oauth[known(document, name)]
        edits: list[Edit] = [Set(("oauth", name, k), to_file(OAUTH_BY_NAME[k], v)) for k, v in written.items()]
        return edits + [Unset(("oauth", name, key)) for key in gone if key in table]

    save.edit(path, change)
    return Change(f'Changed {", ".join(raw)} of the OAuth 2.0 credentials "{name}".')


def remove(path: Path, name: str, environ: Mapping[str, str]) -> Change:
    """Remove credentials and what the keyring and the state folder hold for them. UsageProblem while a profile uses them."""
    found = resolve_oauth(name, store.read(path, environ))

    def change(document: Document) -> list[Edit]:
        known(document, name)
        users = used_by(document, name)
        if users:
            hint = f"First: smtpctl profile unset {users[0]} oauth"
            raise UsageProblem(f'The credentials "{name}" are used by {", ".join(users)}', hint)
        return [Unset(("oauth", name))]

    save.edit(path, change)
    notes = []
    for reference in (found.client_secret, found.client_key_password, found.refresh_token, found.access_token):
        if reference and reference.kind is secrets.Kind.KEYRING:
            try:
                secrets.remove(reference, environ)
            except Problem as problem:
                notes.append(f"{reference.value} is still in the keyring: {problem.finding.title}")
    try:
        tokens.forget(found, environ)
    except Problem as problem:
        notes.append(f"Its token is still in the keyring: {problem.finding.title}")
    return Change(f'Removed the OAuth 2.0 credentials "{name}".', tuple(notes))


def known(document: Document, name: str) -> str:
    """The name, if there are such credentials; UsageProblem with the nearest one."""
    if name not in document.oauth:
        raise UsageProblem(
            f'There are no OAuth 2.0 credentials "{name}".{did_you_mean(name, document.oauth)}',
            "See: smtpctl oauth list",
        )
    return name


def used_by(document: Document, name: str) -> list[str]:
    """The profiles that log in with these credentials."""
    return [profile for profile, table in document.profiles.items() if table.get("oauth") == name]


def rows(document: Document) -> list[dict[str, Any]]:
    """The credentials of the file in short, as JSON values."""
    return [
        {
            "name": name,
            "grant": (found := resolve_oauth(name, document)).grant,
            "provider": found.tenant_id or found.values["issuer"] or found.endpoint,
            "client_id": found.client_id,
            "secret_expires": found.values["secret_expires"],
            "used_by": used_by(document, name),
        }
        for name in document.oauth
    ]


def shown(found: OAuth, document: Document) -> dict[str, Any]:
    """Credentials as JSON values: what is set, what follows from it, and who uses them; secrets are masks."""
    plain = [field.name for field in OAUTH_FIELDS if not field.name.startswith(_SECRETS)]
    rest = {name: show.plain(found.values[name]) for name in plain if found.values[name] not in ("", None)}
    return {**show.oauth(found), **rest, "scope": found.scopes, "used_by": used_by(document, found.name)}


def keep_refresh_in_keyring(path: Path, name: str) -> None:
    """Let the refresh token of a login have a place, where it has none yet: the keyring."""

    def change(document: Document) -> list[Edit]:
        table = document.oauth[known(document, name)]
        placed = any(key.startswith("refresh_token") for key in table)
        return [] if placed else [Set(("oauth", name, "refresh_token_keyring"), True)]

    save.edit(path, change)


def _assignment(word: str) -> tuple[str, str]:
    key, value = split_assignment(word, _EXAMPLE)
    field = lookup(key, OAUTH_FIELDS)
    if field is None:
        raise unknown(key, OAUTH_FIELDS, "smtpctl oauth set --help")
    refuse_secret(field, f"smtpctl secret set oauth/NAME/{field.name}, or {field.name}_env, {field.name}_file")
    return field.name, value


def _parsed(raw: Mapping[str, Any]) -> dict[str, Any]:
    result = {}
    for key, value in raw.items():
        try:
            result[key] = values.typed(OAUTH_BY_NAME[key], value)
        except values.BadValueError as error:
            raise UsageProblem(f"{key}: {error}") from None
    return result


def _preset(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider's preset says about its tokens, as settings."""
    if not name:
        return {}
    if name not in presets.names():
        raise UsageProblem(
            f'There is no preset "{name}".{did_you_mean(name, presets.names())}', "See: smtpctl preset list"
        )
    oauth = presets.get(name).oauth
    if oauth is None:
        raise UsageProblem(f'The preset "{name}" says nothing about OAuth 2.0', "See: smtpctl preset list")
    cloud = next((key for key, one in CLOUDS.items() if oauth.token.startswith(one.authority)), "")
    if cloud:  # a tenant says the rest
        tenant = oauth.token.removeprefix(CLOUDS[cloud].authority).split("/")[1]
        return {
            **({} if cloud == "global" else {"cloud": cloud}),
            **({} if "{" in tenant else {"tenant_id": tenant, "grant": settings.get("grant") or oauth.flows[0]}),
        }
    application = settings.get("grant") == "service_account"
    return {
        "grant": settings.get("grant") or oauth.flows[0],
        **({} if application else {"token_endpoint": oauth.token}),
        **({"authorization_endpoint": oauth.authorize} if oauth.authorize and not application else {}),
        **({"device_endpoint": oauth.device} if oauth.device and not application else {}),
        "scope": " ".join(oauth.scopes),
    }


def _table(written: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: to_file(field, written[field.name]) for field in OAUTH_FIELDS if field.name in written}


def _following(name: str, written: Mapping[str, Any]) -> list[str]:
    """What is left to do, by the grant."""
    grant = written.get("grant", OAUTH_BY_NAME["grant"].default)
    proofs = ("client_cert", "assertion_file", "managed_identity")
    lines = []
    if grant == "client_credentials" and not any(key in written for key in (*proofs, *_places("client_secret"))):
        lines.append(f"Its client secret: smtpctl secret set oauth/{name}/client_secret")
    if grant in ("authorization_code", "device_code"):
        lines.append(f"Log in once: smtpctl oauth login {name}")
    return [*lines, f"Use them: smtpctl profile set PROFILE oauth={name} auth=oauth2"]


def _places(secret: str) -> tuple[str, ...]:
    return layers.secret_settings(secret)
