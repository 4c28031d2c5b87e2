"""Profiles from other programs' settings and back.

An import is whole or not at all: a placeholder or a value that cannot be read refuses everything before anything is
stored. Secrets go to a store, the file gets references. An export has masks for secrets unless they are asked
for, and says what the other format cannot hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from smtpctl import formats
from smtpctl.config import layers, save, secrets
from smtpctl.config.edits import Edit, Set, Unset
from smtpctl.config.fields import SCOPE_FIELDS, Field
from smtpctl.config.profile import OAuth as StoredOAuth
from smtpctl.config.profile import Profile
from smtpctl.config.resolve import resolve
from smtpctl.config.scope import resolve_scope
from smtpctl.config.store import Document
from smtpctl.formats.settings import About, Notice, OAuth, Reading, Settings
from smtpctl.knowledge import families
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.ops.secrets import Name, parse_store, settings_of
from smtpctl.ops.validate import validate

MAX_OCTETS = 4 * 1024 * 1024
_AUTH: Mapping[str, str] = {"none": "none", "password": "basic", "oauth2": "oauth2"}
_METHODS: Mapping[str, str] = {"basic": "password", "oauth2": "oauth2"}
_FINDINGS: Mapping[About, str] = {
    About.PLACEHOLDER: "config.placeholder_left",
    About.BOTH_TLS: "config.implicit_wins",
    About.INVALID: "format.invalid",
    About.UNKNOWN: "format.unknown_key",
    About.NOT_CARRIED: "format.not_carried",
    About.CHANGED: "format.changed",
    About.MASKED: "format.masked",
    About.NOTE: "format.note",
}


class Imported(NamedTuple):
    """What an import did: the profiles it stored and the settings of the scope it set, by name.

    `findings` are what the reader had to say, and what `validate` says about the new profiles.
    """

    profiles: tuple[str, ...]
    scope: tuple[str, ...]
    findings: tuple[Finding, ...]


class Exported(NamedTuple):
    """The text of an export, and what it does not say."""

    text: str
    findings: tuple[Finding, ...]


class _Plan(NamedTuple):
    """One server on its way into the file: its profile's name, the secrets to store and where."""

    name: str
    server: Settings
    secrets: tuple[tuple[Name, Secret], ...]


def read_text(path: str, stdin: BinaryIO) -> str:
    """The text of a file, or of standard input for `-`: UTF-8, or UTF-16 with a byte order mark.

    UsageProblem where the file cannot be read; Problem `format.invalid` for what is no text or longer than 4 MiB.
    """
    try:
        if path == "-":
            octets = stdin.read(MAX_OCTETS + 1)
        else:
            with Path(path).open("rb") as file:
                octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise UsageProblem(f"{path}: {error.strerror}") from None
    if len(octets) > MAX_OCTETS:
        raise families.entry("format.invalid").problem(target=path, text=f"it is longer than {MAX_OCTETS >> 20} MiB")
    encoding = "utf-16" if octets[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError:
        raise families.entry("format.invalid").problem(target=path, text="it is not UTF-8 text") from None


def import_(
    document: Document,
    format_name: str,
    text: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    site: str = "",
    secret_store: str = "keyring",
    replace: bool = False,
    source: str = "",
) -> Imported:
    """Store the servers of another program's settings as profiles: NAME, NAME-2, ... (the format's name by default).

    The first one becomes the default profile where there is none. `source` says where the text is from. Problem for what refuses, UsageProblem where a name
    is taken and `replace` is not given.
    """
    reading = formats.get(format_name).read(text)
    _refuse(reading.notices, source or format_name)
    plans = [_plan(server, number, name or format_name) for number, server in enumerate(reading.servers, 1)]
    _check_names(document, plans, replace=replace)
    _check_values(plans, source or format_name)
    for plan in plans:
        for secret_name, secret in plan.secrets:
            secrets.store(parse_store(secret_store, secret_name), secret, environ)

    def change(now: Document) -> list[Edit]:
        _check_names(now, plans, replace=replace)
        edits = [edit for plan in plans for edit in _profile_edits(now, plan, secret_store, site)]
        return [*edits, *_scope_edits(now, reading, plans, site)]

    after = save.edit(document.path, change)
    names = tuple(plan.name for plan in plans)
    findings = [_finding(notice, names[0] if names else "") for notice in reading.notices]
    findings += validate(after, names, {}, environ, site=site).findings if names else ()
    return Imported(names, tuple(reading.scope), tuple(findings))


def export(
    document: Document,
    format_name: str,
    names: Sequence[str],
    environ: Mapping[str, str],
    *,
    site: str = "",
    reveal: bool = False,
) -> Exported:
    """Profiles in another program's format, the default one first; without names all of them, if it can hold several.

    Problem where a value cannot be written, or a secret that is to be revealed cannot be fetched.
    """
    module = formats.get(format_name)
    scope = resolve_scope(document, site, environ)
    wanted = list(names) or _all(document, scope.default_profile, many=module.MANY)
    if not wanted and not module.SCOPE:
        raise UsageProblem("There is no profile to export", "Add one: smtpctl profile add NAME --host HOST")
    servers = [_settings(resolve(name, {}, {}, document=document), environ, reveal=reveal) for name in wanted]
    set_ = {name: getattr(scope, name) for name, origin in scope.origins.items() if origin.kind != "default"}
    written = module.write(servers, {k: v for k, v in set_.items() if k in module.SCOPE}, reveal=reveal)
    _refuse(written.notices, format_name)
    return Exported(written.text, tuple(_finding(notice, wanted[0] if wanted else "") for notice in written.notices))


# Reading


def _refuse(notices: Sequence[Notice], source: str) -> None:
    """Problem with every notice that refuses as evidence."""
    refusing = [notice for notice in notices if notice.about.refuses]
    if not refusing:
        return
    first = refusing[0]
    evidence = [_evidence(notice) for notice in refusing]
    more = f" (and {len(refusing) - 1} more)" if len(refusing) > 1 else ""
    text = f"{first.key}: {first.text}{more}".removeprefix(": ")
    raise families.entry(_FINDINGS[first.about]).problem(target=source, evidence=evidence, text=text)


def _finding(notice: Notice, profile: str) -> Finding:
    entry = families.entry(_FINDINGS[notice.about])
    return entry.finding(
        target=profile, evidence=[_evidence(notice)], key=notice.key or "text", text=notice.text, profile=profile
    )


def _evidence(notice: Notice) -> Evidence:
    text = f"{notice.key}: {notice.text}" if notice.key else notice.text
    return Evidence(text, f"line {notice.line}:" if notice.line else "")


def _plan(server: Settings, number: int, base: str) -> _Plan:
    name = base if number == 1 else f"{base}-{number}"
    found = [(Name("profile", name, "password"), server.secret)]
    parts = server.oauth._asdict()
    found += [(Name("oauth", name, key), value) for key, value in parts.items() if isinstance(value, Secret)]
    return _Plan(name, server, tuple((secret_name, secret) for secret_name, secret in found if secret))


def _check_names(document: Document, plans: Sequence[_Plan], *, replace: bool) -> None:
    from smtpctl.config import values

    for plan in plans:
        try:
            values.name_word(plan.name, "name for a profile")
        except values.BadValueError as error:
            raise UsageProblem(str(error)) from None
        taken = plan.name in document.profiles or (_has_oauth(plan.server) and plan.name in document.oauth)
        if taken and not replace:
            hint = "Choose another with --name, or give --replace."
            raise UsageProblem(f'There is a profile or set of credentials "{plan.name}" already', hint)


def _check_values(plans: Sequence[_Plan], source: str) -> None:
    """Problem `format.invalid` for what the configuration would not take: no host, two different ports ..."""

    def refuse(field: Field, error: str) -> NoReturn:
        raise families.entry("format.invalid").problem(
            target=source, evidence=[f"{field.name}: {error}"], text=f"{field.name}: {error}"
        )

    for plan in plans:
        layers.parsed(_profile_table(plan.server), refuse)


def _profile_edits(document: Document, plan: _Plan, secret_store: str, site: str) -> Iterator[Edit]:
    refs = {
        secret_name: settings_of(secret_name, parse_store(secret_store, secret_name)) for secret_name, _ in plan.secrets
    }
    profile = {**_profile_table(plan.server), **refs.get(Name("profile", plan.name, "password"), {})}
    profile |= secrets.to_settings("password", secrets.parse(plan.server.secret_ref)) if plan.server.secret_ref else {}
    if site:
        profile["sites"] = [site]
    if _has_oauth(plan.server):
        profile["oauth"] = plan.name
        oauth = _oauth_table(plan.server.oauth)
        for secret_name, settings in refs.items():
            oauth |= settings if secret_name.noun == "oauth" else {}
        yield from _table(document.oauth, ("oauth", plan.name), oauth)
    yield from _table(document.profiles, ("profiles", plan.name), profile)


def _table(tables: Mapping[str, Any], path: tuple[str, str], values: Mapping[str, Any]) -> Iterator[Edit]:
    """A table of its own, or in place of the one that is there: what is set now stays where it stands."""
    if path[1] not in tables:
        yield Set(path, dict(values))
        return
    yield from (Unset((*path, key)) for key in tables[path[1]] if key not in values)
    yield from (Set((*path, key), value) for key, value in values.items())


def _profile_table(server: Settings) -> dict[str, Any]:
    """A server as the settings of a profile; host, port, encryption and login always, the rest where it is set."""
    stages = {"connect": server.timeout_connect, "data": server.timeout_read}
    optional = {
        "insecure": not server.verify,
        "ca_file": server.ca_file,
        "client_cert": server.client_cert,
        "client_key": server.client_key,
        "tls_min": server.tls_min,
        "pin": [f"sha256:{server.fingerprint}"] if server.fingerprint else [],
        "auth_mech": server.mechanisms[0] if server.mechanisms else "",
        "username": server.user,
        "from": server.from_addr,
        "helo": server.helo,
        "stage_timeout": {stage: seconds for stage, seconds in stages.items() if seconds},
        "priority": server.priority if server.priority != "normal" else "",
        "delivery": server.delivery if server.delivery != "network" else "",
        "pickup_dir": server.pickup_dir,
        "sites": list(server.sites),
    }
    # Half a login is none as long as the other half is missing, and validate says so.
    half = bool(server.user) != bool(server.secret or server.secret_ref)
    auth = "auto" if server.auth == "none" and half else _AUTH[server.auth]
    table = {"host": server.host, "port": server.port, "tls": server.tls.value, "auth": auth}
    table |= {key: value for key, value in optional.items() if value}
    return table if server.enabled else {**table, "enabled": False}


def _has_oauth(server: Settings) -> bool:
    return server.oauth != OAuth()


def _oauth_table(oauth: OAuth) -> dict[str, Any]:
    table = {
        "tenant_id": oauth.tenant,
        "token_endpoint": oauth.token_endpoint,
        "client_id": oauth.client_id,
        "scope": oauth.scope,
        "grant": "refresh_token" if oauth.refresh_token else "access_token" if oauth.access_token else "",
    }
    return {key: value for key, value in table.items() if value}


def _scope_edits(document: Document, reading: Reading, plans: Sequence[_Plan], site: str) -> Iterator[Edit]:
    global_only = {field.name for field in SCOPE_FIELDS if field.global_only}
    for key, value in reading.scope.items():
        yield Set(("global", key) if not site or key in global_only else ("sites", site, key), value)
    place = ("sites", site) if site else ("global",)
    there = document.sites.get(site, {}) if site else document.globals
    first = next((plan.name for plan in plans if plan.server.delivery == "network"), "")
    if first and "default_profile" not in there:
        yield Set((*place, "default_profile"), first)


# Writing


def _all(document: Document, default: str, *, many: bool) -> list[str]:
    rest = [name for name in document.profiles if name != default]
    names = [default, *rest] if default in document.profiles else rest
    return names if many else names[:1]


def _settings(profile: Profile, environ: Mapping[str, str], *, reveal: bool) -> Settings:
    def fetch(ref: secrets.SecretRef | None) -> Secret:
        return secrets.fetch(ref, environ, hidden=profile.secret_variables) if ref and reveal else Secret("")

    password = fetch(profile.secret_ref)
    stages = profile.timeouts.stages
    by_name = {stage.value: seconds for stage, seconds in stages.items()}
    return Settings(
        host=profile.endpoint.host,
        port=profile.endpoint.port or 25,
        tls=profile.tls.mode,
        verify=profile.tls.verify,
        ca_file=profile.tls.ca_file,
        client_cert=profile.tls.client_cert,
        client_key=profile.tls.client_key,
        tls_min=profile.tls.minimum if profile.origins["tls_min"].kind != "default" else "",
        fingerprint=profile.tls.pins[0] if profile.tls.pins else "",
        auth=_METHODS.get(profile.method, "none"),
        mechanisms=(profile.auth.mechanism,) if profile.auth.mechanism else (),
        user=profile.username,
        secret=password,
        secret_ref="" if password or not profile.secret_ref else str(profile.secret_ref),
        from_addr=profile.sender,
        helo=profile.helo,
        timeout_connect=by_name.get("connect"),
        timeout_read=by_name.get("data"),
        oauth=_oauth(profile.oauth, fetch) if profile.oauth else OAuth(),
        delivery=profile.delivery,
        pickup_dir=profile.pickup_dir,
        enabled=profile.enabled,
        priority=profile.priority,
        sites=profile.sites,
    )


def _oauth(stored: StoredOAuth, fetch: Callable[[secrets.SecretRef | None], Secret]) -> OAuth:
    return OAuth(
        tenant=stored.tenant_id,
        token_endpoint=stored.token_endpoint,
        client_id=stored.client_id,
        client_secret=fetch(stored.client_secret) or _hidden(stored.client_secret),
        scope=stored.scope,
        refresh_token=fetch(stored.refresh_token) or _hidden(stored.refresh_token),
    )


def _hidden(ref: secrets.SecretRef | None) -> Secret:
    """Something in place of a secret that is there and not to be shown: formats write a mask for it."""
    return Secret(str(ref)) if ref else Secret("")
