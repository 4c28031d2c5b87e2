"""Profiles in the configuration file: add, change, rename, copy, remove, choose the default.

Every change is checked against the file as it is when it is written, and references to a profile (`extends`,
`default_profile`) follow its name. Nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from smtpctl.config import layers, save, values
from smtpctl.config.edits import Edit, Rename, Set, Unset
from smtpctl.config.fields import BY_NAME, FIELDS, Field
from smtpctl.config.layers import SECRETS, secret_settings
from smtpctl.config.resolve import profile_name, resolve
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.ops.settings import Change, clears, lookup, refuse_secret, split_assignment, to_file, unknown

STORED = tuple(field for field in FIELDS if field.stored)
_UNSAFE = tuple(
    f"config.{name}"
    for name in ("tls_verification_off", "plaintext_credentials", "untrusted_plaintext", "oauth_without_tls")
)
_EXAMPLE = "smtpctl profile set office port=587 tls=starttls"


def add(path: Path, name: str, settings: Mapping[str, Any]) -> Change:
    """Store a new profile. `settings` are options as given, by setting.

    UsageProblem when the name is taken or no name, a value is wrong, or nothing says where mail goes.
    """
    _name(name)
    notes: list[str] = []

    def change(document: Document) -> list[Edit]:
        if name in document.profiles:
            raise UsageProblem(f'There is a profile "{name}" already', f"Change it: smtpctl profile set {name} ...")
        written = dict(layers.from_flags({k: v for k, v in settings.items() if BY_NAME[k].stored}).values)
        _check_references(document, written)
        _check_delivery(written)
        by_network = written.get("delivery", "network") == "network"
        if by_network:
            resolve("", settings, {}, document=document)
        edits: list[Edit] = [Set(("profiles", name), _table(written))]
        if written.get("username") and not _has_login(settings):
            notes.append(f"No password is stored for it yet: smtpctl secret set {name}")
        first = not document.profiles and "default_profile" not in document.globals
        if first and by_network:
            edits.append(Set(("global", "default_profile"), name))
            notes.append("It is the default profile now: the first one is.")
        return edits

    after = save.edit(path, change)
    return Change(f'Added the profile "{name}" to {path}.', tuple(notes), _less_safe(name, None, after))


def assign(path: Path, name: str, words: Sequence[str], settings: Mapping[str, Any]) -> Change:
    """Change settings of a profile: `NAME=VALUE` words, also under Kentico's and Contensis' names, and options as given.
    UsageProblem for neither, for both with one setting, and for a wrong value."""
    raw: dict[str, Any] = dict(_assignments(words))
    options = {key: value for key, value in settings.items() if BY_NAME[key].stored}
    if twice := sorted(raw.keys() & options.keys()):
        raise UsageProblem(f"{twice[0]} is given twice", "Give it once, as KEY=VALUE or as an option.")
    raw |= options
    if not raw:
        raise UsageProblem(
            "Nothing is said to change", f"For example: smtpctl profile set {name} port=587 tls=starttls"
        )

    before: list[Document] = []

    def change(document: Document) -> list[Edit]:
        before.append(document)
        profile_name(name, document)
        kept = {key: value for key, value in raw.items() if not clears(BY_NAME[key], value)}
        written = layers.parsed(kept, _refuse, parse=values.typed)
        _check_references(document, written, name)
        _check_delivery({**document.profiles[name], **written})
        if written.get("delivery", "network") != "network":
            _check_default(document, name)
        edits: list[Edit] = [Set(("profiles", name, k), to_file(BY_NAME[k], v)) for k, v in _ordered(written)]
        gone = [key for key, value in raw.items() if clears(BY_NAME[key], value)] + list(_displaced(written))
        return edits + [Unset(("profiles", name, k)) for k in gone if k in document.profiles[name]]

    after = save.edit(path, change)
    return Change(f'Changed {", ".join(raw)} of the profile "{name}".', (), _less_safe(name, before[0], after))


def unset(path: Path, name: str, keys: Sequence[str]) -> Change:
    """Take settings out of a profile, so that its preset, what it extends or the default counts."""
    names = [_field(key).name for key in keys]
    notes: list[str] = []

    before: list[Document] = []

    def change(document: Document) -> list[Edit]:
        before.append(document)
        table = document.profiles[profile_name(name, document)]
        notes.extend(f"{key} was not set." for key in names if key not in table)
        return [Unset(("profiles", name, key)) for key in names if key in table]

    after = save.edit(path, change)
    text = f'Unset {", ".join(names)} of the profile "{name}".'
    return Change(text, tuple(notes), _less_safe(name, before[0], after))


def rename(path: Path, old: str, new: str) -> Change:
    """Give a profile another name; what refers to it follows."""
    _name(new)
    notes: list[str] = []

    def change(document: Document) -> list[Edit]:
        profile_name(old, document)
        if new in document.profiles:
            raise UsageProblem(f'There is a profile "{new}" already', "Choose another name, or remove that one first.")
        users = references(document, old)
        notes.extend(f"{'.'.join(user)} follows." for user in users)
        return [*(Set(user, new) for user in users), Rename(("profiles", old), new)]

    save.edit(path, change)
    return Change(f'Renamed the profile "{old}" to "{new}".', tuple(notes))


def copy(path: Path, source: str, name: str) -> Change:
    """Store a profile's settings again under another name. A secret in the keyring is not copied."""
    _name(name)
    notes: list[str] = []

    def change(document: Document) -> list[Edit]:
        table = dict(document.profiles[profile_name(source, document)])
        if name in document.profiles:
            raise UsageProblem(f'There is a profile "{name}" already', "Choose another name, or remove that one first.")
        for key in [f"{secret}_keyring" for secret in SECRETS if f"{secret}_keyring" in table]:
            del table[key]
            notes.append(f"{key} was not copied; store the secret: smtpctl secret set {name}")
        return [Set(("profiles", name), table)]

    save.edit(path, change)
    return Change(f'Copied the profile "{source}" to "{name}".', tuple(notes))


def remove(path: Path, names: Sequence[str]) -> Change:
    """Remove profiles. UsageProblem when another one extends them; a default that goes away is unset."""
    notes: list[str] = []

    def change(document: Document) -> list[Edit]:
        edits: list[Edit] = []
        for name in names:
            profile_name(name, document)
            for user in references(document, name):
                if user[0] == "profiles" and user[1] not in names:
                    hint = f"First: smtpctl profile unset {user[1]} extends"
                    raise UsageProblem(f'The profile "{user[1]}" extends "{name}"', hint)
                if user[0] != "profiles":
                    notes.append(f"{'.'.join(user)} was {name}; it is unset now.")
                    edits.append(Unset(user))
        return edits + [Unset(("profiles", name)) for name in names]

    save.edit(path, change)
    return Change(f"Removed {_listed(names)}.", tuple(notes))


def enable(path: Path, names: Sequence[str], enabled: bool) -> Change:
    """Let mails take profiles, or not. Nothing happens at the servers themselves."""

    def change(document: Document) -> list[Edit]:
        return [Set(("profiles", profile_name(name, document), "enabled"), enabled) for name in names]

    save.edit(path, change)
    return Change(f"{'Enabled' if enabled else 'Disabled'} {_listed(names)}.")


def choose_default(path: Path, name: str, site: str) -> Change:
    """Make a profile the default of a site, or of `(global)` when `site` is empty."""
    table = ("sites", site) if site else ("global",)

    def change(document: Document) -> list[Edit]:
        delivery = document.profiles[profile_name(name, document)].get("delivery", "network")
        if delivery != "network":
            raise UsageProblem(_DEFAULT_DELIVERS.format(name=name), f"{name} has delivery = {delivery}.")
        return [Set((*table, "default_profile"), name)]

    save.edit(path, change)
    return Change(f'The default profile of {f"site {site}" if site else "(global)"} is "{name}" now.')


def references(document: Document, name: str) -> list[tuple[str, ...]]:
    """The keys of the file that name a profile."""
    users: list[tuple[str, ...]] = [
        ("profiles", other, "extends") for other, table in document.profiles.items() if table.get("extends") == name
    ]
    if document.globals.get("default_profile") == name:
        users.append(("global", "default_profile"))
    return users + [
        ("sites", site, "default_profile")
        for site, table in document.sites.items()
        if table.get("default_profile") == name
    ]


_DEFAULT_DELIVERS = 'The default profile delivers by network only; "{name}" is one or would be'


def _less_safe(name: str, before: Document | None, after: Document) -> tuple[str, ...]:
    """What the rules say about the safety of a profile that they did not say before."""
    known = _unsafe(name, before) if before else {}
    new = (title for id, title in _unsafe(name, after).items() if id not in known)
    return tuple(f"{title}. See: smtpctl validate {name}" for title in new)


def _unsafe(name: str, document: Document) -> dict[str, str]:
    from smtpctl.ops import static

    try:
        profile = resolve(name, {}, {}, document=document, need_host=False)
    except (Problem, UsageProblem):  # which `validate` tells
        return {}
    return {found.id: found.title for found in static.judge(profile, document) if found.id in _UNSAFE}


def _assignments(words: Sequence[str]) -> dict[str, str]:
    """Setting -> value as written; UsageProblem for what is not NAME=VALUE, unknown or a secret."""
    raw = {}
    for word in words:
        key, value = split_assignment(word, _EXAMPLE)
        field = _field(key)
        refuse_secret(field, f"smtpctl secret set, or {field.name}_file, {field.name}_env, {field.name}_command")
        raw[field.name] = value
    return raw


def _field(key: str) -> Field:
    field = lookup(key, STORED)
    if field is None:
        raise unknown(key, STORED, "smtpctl profile set --help")
    return field


def _refuse(field: Field, error: str) -> NoReturn:
    raise UsageProblem(f"{field.name}: {error}")


def _check_references(document: Document, written: Mapping[str, Any], name: str = "") -> None:
    """What the settings name must be there, and profiles must not extend each other in a circle."""
    if written.get("preset"):
        from smtpctl.config import presets
        from smtpctl.config.problems import did_you_mean

        known = presets.names()
        if written["preset"] not in known:
            message = f'preset: there is no preset "{written["preset"]}".{did_you_mean(written["preset"], known)}'
            raise UsageProblem(message, "See: smtpctl preset list")
    if written.get("oauth") and written["oauth"] not in document.oauth:
        message = f'oauth: there are no OAuth 2.0 credentials "{written["oauth"]}"'
        raise UsageProblem(message, f"Write them into the file first, as [oauth.{written['oauth']}].")
    parent = written.get("extends")
    seen = [name]
    while parent:
        if parent in seen:
            raise UsageProblem(f"extends: profiles would extend each other in a circle: {' -> '.join([*seen, parent])}")
        profile_name(parent, document)
        seen.append(parent)
        parent = document.profiles[parent].get("extends", "")


def _check_delivery(table: Mapping[str, Any]) -> None:
    """A pickup folder is needed, and absolute: nobody knows from where it will be written to."""
    folder = table.get("pickup_dir", "")
    if folder and not Path(folder).is_absolute():
        raise UsageProblem(f'pickup_dir: "{folder}" is not an absolute path')
    if table.get("delivery") == "pickup" and not folder:
        raise UsageProblem(
            "delivery = pickup needs the folder that mails are written to", "Give --pickup-dir (pickup_dir=DIR)."
        )


def _has_login(settings: Mapping[str, Any]) -> bool:
    """Whether the options say where a password or token is, leave that to something else, or want no login."""
    elsewhere = ("oauth", "extends", *(way for secret in SECRETS for way in secret_settings(secret)))
    return settings.get("auth") in ("none", "oauth2") or any(settings.get(key) for key in elsewhere)


def _check_default(document: Document, name: str) -> None:
    if any(user[0] != "profiles" for user in references(document, name)):
        raise UsageProblem(
            _DEFAULT_DELIVERS.format(name=name), "Choose another default first: smtpctl profile default NAME"
        )


def _displaced(written: Mapping[str, Any]) -> Iterable[str]:
    """Other settings of the same secret: a new place takes the place of the old one."""
    for secret in SECRETS:
        ways = secret_settings(secret)
        if any(written.get(way) for way in ways):
            yield from (way for way in ways if way not in written)


def _table(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: to_file(BY_NAME[key], value) for key, value in _ordered(written)}


def _ordered(written: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(field.name, written[field.name]) for field in STORED if field.name in written]


def _name(name: str) -> None:
    try:
        values.name_word(name, "name for a profile")
    except values.BadValueError as error:
        raise UsageProblem(str(error)) from None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
