"""Sites and the sending settings of a scope: read with their origins, set, unset.

A setting is named as in the file, or as Kentico or Contensis name it. Their names for the server's own settings
(`SMTPServer`, `EmailSMTPHost` ...) mean the default profile of the scope: a site without one of its own gets one that
extends the global one, so what is not set for the site is inherited from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from smtpctl.config import save, scope, values
from smtpctl.config.edits import Edit, Set, Unset
from smtpctl.config.fields import SCOPE_FIELDS, Field, Group, Type
from smtpctl.config.profile import Origin
from smtpctl.config.resolve import profile_name, resolve
from smtpctl.config.scope import GLOBAL, resolve_scope
from smtpctl.config.store import Document
from smtpctl.model.endpoint import USUAL_PORT, TlsMode
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK
from smtpctl.ops import profiles
from smtpctl.ops.profiles import STORED
from smtpctl.ops.settings import Change, clears, lookup, refuse_secret, split_assignment, to_file, unknown
from smtpctl.ops.show import plain

SMALL_BATCH, LARGE_BATCH = 10, 1000
_EXAMPLE = "smtpctl config set batch_size=100"
# Switches of other products that say together what one setting says here: name -> setting, value when on.
_SWITCHES: Mapping[str, tuple[str, str]] = {
    "emailsmtpuseimplicitssl": ("tls", "implicit"),
    "emailsmtpusessl": ("tls", "starttls"),
    "cmsusessl": ("tls", "starttls"),
    "emailsmtpuseoauth2": ("auth", "oauth2"),
}
_WITH_PORT = ("smtpserver", "cmssmtpserver", "servername")  # Kentico: the port stands in the server's name
_SWITCH = Field("switch", Type.FLAG, False, "", Group.SCOPE)


class Setting(NamedTuple):
    """One effective setting of a scope. `name` is as it was asked for; `value` a JSON value."""

    name: str
    value: Any
    origin: Origin
    help: str = ""


def listing(document: Document, site: str, environ: Mapping[str, str]) -> list[Setting]:
    """All settings of a scope, in the order of the table."""
    here = resolve_scope(document, site, environ)
    return [Setting(f.name, plain(getattr(here, f.name)), here.origins[f.name], f.help) for f in SCOPE_FIELDS]


def get(document: Document, site: str, environ: Mapping[str, str], names: Sequence[str]) -> list[Setting]:
    """The settings of these names; UsageProblem for an unknown one."""
    known = {setting.name: setting for setting in listing(document, site, environ)}
    found = []
    for name in names:
        field = lookup(name, SCOPE_FIELDS)
        found.append(known[field.name]._replace(name=name) if field else _server(document, site, environ, name))
    return found


def assign(path: Path, site: str, words: Sequence[str]) -> Change:
    """Set `NAME=VALUE` for a site, or for `(global)` when `site` is empty."""
    scope_words: dict[str, Any] = {}
    server_words: list[str] = []
    port = False
    for word in words:
        name, value = split_assignment(word, _EXAMPLE)
        field = lookup(name, SCOPE_FIELDS)
        if field is None:
            server_words.append(_server_word(name, value))
            port |= _lacks_port(name, value)
        elif clears(field, value):
            raise UsageProblem(f"{name}: the value is empty", f"To take it away: smtpctl config unset {name}")
        else:
            scope_words[field.name] = _parsed(field, value, site)

    def change(document: Document) -> list[Edit]:
        if scope_words.get("default_profile"):
            profile_name(scope_words["default_profile"], document)
        return [Set((*table(site), key), to_file(_field(key), value)) for key, value in scope_words.items()]

    if scope_words:
        save.edit(path, change)
    if port and not any(word.startswith("port=") for word in server_words):
        server_words.append(f"port={USUAL_PORT[TlsMode.NONE]}" if site else "port=")  # a site would inherit one
    warnings: tuple[str, ...] = ()
    if server_words:
        warnings = profiles.assign(path, _own_server(path, site, server_words), server_words, {}).warnings
    text = f"Set {', '.join(word.partition('=')[0] for word in words)} for {title(site)}."
    return Change(text, _notes(scope_words), warnings)


def unset(path: Path, site: str, names: Sequence[str]) -> Change:
    """Take settings of a scope away: a site inherits again, `(global)` has the default."""
    fields = [lookup(name, SCOPE_FIELDS) for name in names]
    keys = [field.name for field in fields if field]
    server = [key for name, field in zip(names, fields, strict=True) if not field for key in _server_keys(name)]

    def change(document: Document) -> list[Edit]:
        scope.known_site(document, site)
        here = document.sites.get(site, {}) if site else document.globals
        edits: list[Edit] = [Unset((*table(site), key)) for key in keys if key in here]
        own = here.get("default_profile", "")
        if server and own in document.profiles:
            edits += [Unset(("profiles", own, key)) for key in server if key in document.profiles[own]]
        return edits

    save.edit(path, change)
    return Change(f"Unset {', '.join(names)} for {title(site)}.")


def sites(document: Document) -> list[dict[str, Any]]:
    """A row for each site: its own settings, and the profiles that are limited to it."""
    return [
        {
            "name": site,
            "settings": dict(document.sites.get(site, {})),
            "profiles": [name for name, table_ in document.profiles.items() if site in scope.limits(table_)],
        }
        for site in scope.sites(document)
    ]


def add_site(path: Path, site: str) -> Change:
    """Add a site, which inherits everything from `(global)` until something is set for it."""
    _site(site)

    def change(document: Document) -> list[Edit]:
        if site in document.sites:
            raise UsageProblem(f'There is a site "{site}" already', f"See: smtpctl config list --site {site}")
        return [Set(("sites", site), {})]

    save.edit(path, change)
    return Change(f'Added the site "{site}".')


def removable(document: Document, site: str) -> None:
    """UsageProblem where there is no such site, or profiles are limited to it."""
    _site(site)
    scope.known_site(document, site)
    users = [name for name, table_ in document.profiles.items() if site in scope.limits(table_)]
    if users:
        hint = f"First: smtpctl profile set {users[0]} sites="
        raise UsageProblem(f'"{site}" is one of the sites of the profiles {", ".join(users)}', hint)


def remove_site(path: Path, site: str) -> Change:
    """Remove a site and its settings. UsageProblem as `removable`."""

    def change(document: Document) -> list[Edit]:
        removable(document, site)
        return [Unset(("sites", site))]

    save.edit(path, change)
    return Change(f'Removed the site "{site}" and its settings.')


def table(site: str) -> tuple[str, ...]:
    """The path of a scope's table in the file."""
    return ("sites", site) if site else ("global",)


def title(site: str) -> str:
    """What to call a scope."""
    return f"site {site}" if site else GLOBAL


def _server(document: Document, site: str, environ: Mapping[str, str], name: str) -> Setting:
    """A setting of the scope's default profile, under another product's name."""
    field = _server_field(name)
    found = resolve(None, {}, environ, document=document, site=site, need_host=False)
    value, origin = plain(found.values[field.name]), found.origins[field.name]
    switch = _SWITCHES.get(name.lower())
    if switch:
        value = value == switch[1]
    elif name.lower() in _WITH_PORT:
        value = str(found.endpoint)
    elif field.secret:
        value = MASK if found.secret_ref else ""
    own = document.sites.get(site, {}).get("default_profile", "") if site else ""
    if origin.kind == "file":
        origin = origin._replace(scope="site" if field.name in document.profiles.get(own, {}) else "global")
    return Setting(name, value, origin, field.help)


def _server_field(name: str) -> Field:
    switch = _SWITCHES.get(name.lower())
    field = lookup(switch[0], STORED) if switch else lookup(name, STORED)
    if field is None or (not switch and field.name == name.lower()):
        if field:
            raise UsageProblem(f"{name} is a setting of a profile", f"Use: smtpctl profile set PROFILE {name}=...")
        raise unknown(name, SCOPE_FIELDS, "smtpctl config list")
    return field


def _server_keys(name: str) -> tuple[str, ...]:
    """The settings of a profile that one of another product means."""
    field = _server_field(name)
    return (field.name, "port") if name.lower() in _WITH_PORT else (field.name,)


def _server_word(name: str, value: str) -> str:
    field = _server_field(name)
    refuse_secret(field, "smtpctl secret set")
    switch = _SWITCHES.get(name.lower())
    if not switch:
        if field.name == "delivery" and value.lower() != "network":
            raise UsageProblem(f"{name}: the default server delivers by network only", "Add a profile for pickup.")
        return f"{field.name}={value}"
    on = _parsed(_SWITCH, value, "")
    return f"{switch[0]}={switch[1] if on else 'none' if switch[0] == 'tls' else 'auto'}"


def _lacks_port(name: str, value: str) -> bool:
    """Whether the server's name says by saying nothing that the port is the default one, whatever it was before."""
    try:
        return name.lower() in _WITH_PORT and values.split_host(value)[1] is None
    except values.BadValueError:
        return False  # told of where the value is stored


def _own_server(path: Path, site: str, words: Iterable[str]) -> str:
    """The profile of the scope that the words change; made where the scope has none of its own."""
    host = next((word.partition("=")[2] for word in words if word.startswith("host=")), "")
    chosen: list[str] = []

    def change(document: Document) -> list[Edit]:
        here = document.sites.get(site, {}) if site else document.globals
        own = here.get("default_profile", "")
        if own in document.profiles:
            chosen.append(own)
            return []
        name = site or "default"
        chosen.append(name)
        parent = document.globals.get("default_profile", "") if site else ""
        inherits = parent in document.profiles
        if not host and not inherits and name not in document.profiles:
            raise UsageProblem(f"{title(site)} has no server yet", "Set SMTPServer=HOST first, or add a profile.")
        start = {"extends": parent} if inherits else {"host": values.split_host(host)[0]} if host else {}
        made: list[Edit] = [] if name in document.profiles else [Set(("profiles", name), start)]
        return [*made, Set((*table(site), "default_profile"), name)]

    try:
        save.edit(path, change)
    except values.BadValueError as error:
        raise UsageProblem(f"host: {error}") from None
    return chosen[-1]


def _parsed(field: Field, value: str, site: str) -> Any:
    if site and field.global_only:
        raise UsageProblem(f"{field.name}: only {GLOBAL} can have it, it counts for all sites", "Leave out --site.")
    try:
        return values.parse(field, value)
    except values.BadValueError as error:
        raise UsageProblem(f"{field.name}: {error}") from None


def _notes(written: Mapping[str, Any]) -> tuple[str, ...]:
    size = written.get("batch_size")
    if size is not None and size < SMALL_BATCH:
        return (f"batch_size {size} is small: the queue is read often for few mails; {SMALL_BATCH} or more is usual.",)
    if size is not None and size > LARGE_BATCH:
        return (f"batch_size {size} is large: so many mails are held in memory at once; up to {LARGE_BATCH} is usual.",)
    return ()


def _field(name: str) -> Field:
    return next(field for field in SCOPE_FIELDS if field.name == name)


def _site(site: str) -> None:
    try:
        values.name_word(site, "name for a site")
    except values.BadValueError as error:
        raise UsageProblem(str(error)) from None
