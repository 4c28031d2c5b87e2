"""What is wrong in the configuration file, without any server: unknown keys, values that cannot be, names that lead
nowhere, secrets in plain text, open rights. Every finding points at its place; none holds a value that is secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from smtpctl.config import faults, values
from smtpctl.config.fields import FIELDS, OAUTH_BY_NAME, SCOPE_BY_NAME, SCOPE_FIELDS, Field
from smtpctl.config.problems import did_you_mean, finding
from smtpctl.config.secrets.refs import keyring_entry
from smtpctl.config.store import TABLES, Document
from smtpctl.model.command import quoted, sourced
from smtpctl.model.finding import Finding

_TOP = ("version", *TABLES)
_STORED = {field.name: field for field in FIELDS if field.stored}


def review(document: Document) -> tuple[Finding, ...]:
    """All findings about the file, in the order of their places."""
    found = [
        *document.warnings,
        *_unknown(document, (), document.values, _TOP),
        *_tables(document),
        *_references(document),
    ]
    return tuple(
        sorted(found, key=lambda item: (item.location.line, item.location.column) if item.location else (0, 0))
    )


def _tables(document: Document) -> Iterator[Finding]:
    site_fields = {field.name: field for field in SCOPE_FIELDS if not field.global_only}
    yield from _table(document, ("global",), document.globals, SCOPE_BY_NAME)
    for site, table in document.sites.items():
        for name in table:
            if name in SCOPE_BY_NAME and name not in site_fields:
                title = f"[sites.{site}] {name}: only [global] can have it"
                location = document.locate("sites", site, name)
                yield finding("config.invalid_value", title, fix="Move it to [global].", location=location)
        own = {name: value for name, value in table.items() if name not in SCOPE_BY_NAME or name in site_fields}
        yield from _table(document, ("sites", site), own, site_fields)
    for name, table in document.profiles.items():
        yield from _table(document, ("profiles", name), table, _STORED)
        yield from _conflict(document, name, table)
        yield from _pickup(document, name, table)
    for name, table in document.oauth.items():
        yield from _table(document, ("oauth", name), table, OAUTH_BY_NAME)


def _table(
    document: Document, path: tuple[str, ...], table: Mapping[str, Any], fields: Mapping[str, Field]
) -> Iterator[Finding]:
    yield from _unknown(document, path, table, fields)
    for name, raw in table.items():
        field = fields.get(name)
        if field is None:
            continue
        location, where = document.locate(*path, name), f"[{'.'.join(path)}] {name}"
        try:
            values.parse(field, raw)
        except values.BadValueError as error:
            yield faults.bad_value(document, (*path, name), str(error))
            continue
        if field.secret and raw:
            noun = "profile" if path[0] == "profiles" else "oauth"
            command = f"smtpctl secret move {quoted(keyring_entry(noun, path[-1], name))} --to keyring"
            title = f"{where}: the secret stands in the file in plain text"
            yield finding("config.plain_secret", title, fix="Move it into the keyring, or to a file or command of its own.",
                          commands=[sourced(command, document.sources)], target=path[-1], location=location)  # fmt: skip


def _unknown(
    document: Document, path: tuple[str, ...], table: Mapping[str, Any], known: Iterable[str]
) -> Iterator[Finding]:
    names = list(known)
    for key in table:
        if key not in names:
            where = f"[{'.'.join(path)}] " if path else ""
            hint = did_you_mean(key, names)
            yield finding("config.unknown_key", f'{where}There is no setting "{key}".{hint}',
                          fix="Correct or remove it; it has no effect.", target=path[-1] if path else "",
                          location=document.locate(*path, key))  # fmt: skip


def _conflict(document: Document, name: str, table: Mapping[str, Any]) -> Iterator[Finding]:
    """`host = "a:587"` beside another `port`."""
    try:
        _, port = values.split_host(str(table.get("host", "localhost")))
        given = values.port_number(table["port"]) if "port" in table else port
    except values.BadValueError:
        return  # said already
    if port is not None and given != port:
        yield faults.port_conflict(document, name, given, port)


def _pickup(document: Document, name: str, table: Mapping[str, Any]) -> Iterator[Finding]:
    folder = table.get("pickup_dir", "")
    location = document.locate("profiles", name, "pickup_dir")
    if isinstance(folder, str) and folder and not Path(folder).is_absolute():
        title = f'[profiles.{name}] pickup_dir: "{folder}" is not an absolute path'
        yield finding("config.invalid_value", title, fix="Write the whole path.", target=name, location=location)
    if table.get("delivery") == "pickup" and not folder:
        title = f"[profiles.{name}] delivery is pickup and pickup_dir is not set"
        fix = sourced(f"smtpctl profile set {quoted(name)} pickup_dir=DIR", document.sources)
        yield finding("config.invalid_value", title, fix="Set it.", commands=[fix], target=name, location=location)


def _references(document: Document) -> Iterator[Finding]:
    """Names of profiles, presets and credentials that lead nowhere."""
    for site, table in {"": document.globals, **document.sites}.items():
        name = table.get("default_profile")
        if isinstance(name, str) and name and name not in document.profiles:
            yield faults.no_default(document, site, name)
    circles: set[frozenset[str]] = set()
    for name, table in document.profiles.items():
        yield from _extends(document, name, circles)
        yield from _named(document, name, table)


def _named(document: Document, name: str, table: Mapping[str, Any]) -> Iterator[Finding]:
    oauth, preset = table.get("oauth"), table.get("preset")
    if isinstance(oauth, str) and oauth and oauth not in document.oauth:
        yield faults.no_oauth(document, name, oauth)
    if isinstance(preset, str) and preset:
        from smtpctl.config import presets

        known = presets.names()
        if preset not in known:
            yield faults.no_preset(document, name, preset, known)


def _extends(document: Document, name: str, circles: set[frozenset[str]]) -> Iterator[Finding]:
    """A missing parent is told at the profile that names it, a circle once."""
    parent = document.profiles[name].get("extends")
    if not isinstance(parent, str) or not parent:
        return
    if parent not in document.profiles:
        yield faults.no_parent(document, name, parent)
        return
    seen = [name]
    while isinstance(parent, str) and parent in document.profiles and parent not in seen:
        seen.append(parent)
        parent = document.profiles[parent].get("extends")
    if parent == name and frozenset(seen) not in circles:
        circles.add(frozenset(seen))
        yield faults.circle(document, seen)
