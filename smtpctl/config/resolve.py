"""From a TARGET, options, the environment and the file to one effective profile; the last place settings are read.

Strongest first: options, the TARGET, the environment, the profile's own keys, the profiles it extends (nearest
first), the defaults. A preset stands right behind whoever names it, but never before a server that the TARGET names; only
the strongest name counts. Of the settings that say where one secret is, only the strongest source counts, as a whole. A
server named by address or by `--host` alone stands alone: no stored profile lends it credentials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from smtpctl.config import faults, layers, targets, values
from smtpctl.config.fields import FIELDS
from smtpctl.config.layers import SECRETS, Layer, secret_settings
from smtpctl.config.oauth import resolve_oauth
from smtpctl.config.problems import did_you_mean, finding, problem
from smtpctl.config.profile import OAuth, Origin, Profile
from smtpctl.config.scope import GLOBAL, known_site, resolve_scope
from smtpctl.config.secrets.refs import SecretRef, from_settings, keyring_entry
from smtpctl.config.store import Document
from smtpctl.model.command import quoted, sourced
from smtpctl.model.endpoint import USUAL_PORT, AuthPolicy, Endpoint, Route, Timeouts, TlsMode, TlsPolicy, is_loopback
from smtpctl.model.errors import UsageProblem
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Stage

LMTP_PORT = 24
_TLS_OF_PORT = {465: "implicit", 587: "starttls"}
_TOKEN_MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
_OWN_IDENTITY = ("EXTERNAL", "GSSAPI", "ANONYMOUS")  # mechanisms that need no password of ours
_NO_SERVER_FIXES = ("smtpctl profile add NAME --host HOST", "smtpctl preset list")

Found = dict[str, tuple[Any, Origin, str]]  # setting -> value, origin, the profile it stands in


def resolve(
    target: str | None,
    overrides: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    document: Document,
    site: str = "",
    need_host: bool = True,
) -> Profile:
    """The effective profile of a target (None: the default of the scope; empty: no stored profile at all).

    `overrides` are options that were given, by setting. UsageProblem for what was typed wrong, Problem `config.*`
    with the place for what is wrong in the file or the environment. Without `need_host` a profile that names no
    server is given back as it is (`endpoint.host` empty).
    """
    site = known_site(document, site)
    flags, environment = layers.from_flags(overrides), layers.from_environment(environ)
    name, address = _target(target, document)
    if target is None and not _names_server(flags, environment):
        name = default_profile(document, site, environ)
    typed = [flags, *([layers.from_target(address)] if address else [])]
    stack = [*typed, environment]
    stack += _stored(document, name, stack)
    stack = _with_preset(stack, document, len(typed))
    found = _merge(stack)
    if "from" not in found:
        _scope_sender(found, document, site, environ)
    _complete(found)
    if need_host and not _reaches(found):
        _no_host(name, document)
    return _profile(name, found, document)._replace(sources=_sources(document, site, environ))


def default_profile(document: Document, site: str, environ: Mapping[str, str]) -> str:
    """The profile that a scope's mails take first; the only one where none is chosen.

    Problem `config.no_server` without any profile, `config.default_missing` where none can be told.
    """
    site = "" if site == GLOBAL else site
    scope = resolve_scope(document, site, environ)
    name = scope.default_profile or (next(iter(document.profiles)) if len(document.profiles) == 1 else "")
    if not document.profiles and not name:
        title = "no SMTP server is configured"
        raise problem(
            finding(
                "config.no_server",
                title,
                fix="Add one.",
                commands=[sourced(line, document.sources) for line in _NO_SERVER_FIXES],
            )
        )
    if name in document.profiles:
        return name
    if name:
        own = site if site and "default_profile" in document.sites.get(site, {}) else ""
        raise problem(faults.no_default(document, own, name))
    where = f"site {site}" if site else GLOBAL
    title = f"{where} has no default profile; there are {', '.join(sorted(document.profiles))}"
    command = "smtpctl profile default NAME" + (f" --site {quoted(site)}" if site else "")
    raise problem(
        finding("config.default_missing", title, fix="Choose one.", commands=[sourced(command, document.sources)])
    )


def profile_name(name: str, document: Document) -> str:
    """The name back if such a profile is stored; UsageProblem with the nearest one."""
    if name not in document.profiles:
        hint = "See: smtpctl profile list" if document.profiles else "There are none. Add one: smtpctl profile add"
        raise UsageProblem(f'There is no profile "{name}".{did_you_mean(name, document.profiles)}', hint)
    return name


def names_server(overrides: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether options or the environment say which server is meant, so that no stored profile is asked for."""
    return _names_server(layers.from_flags(overrides), layers.from_environment(environ))


def _target(target: str | None, document: Document) -> tuple[str, dict[str, Any]]:
    """The name of a stored profile, or what an address says."""
    if not target:
        return "", {}
    if target in document.profiles:
        return target, {}
    if targets.is_server(target):
        return "", targets.settings(target)
    try:
        profile_name(target, document)
    except UsageProblem as error:
        raise UsageProblem(
            error.message, f"{error.hint}. A server of that name is meant by {quoted(f'smtp://{target}')}"
        ) from None
    return target, {}


def _names_server(*stack: Layer) -> bool:
    return any(layer.values.get(key) for layer in stack for key in ("host", "socket", "preset", "extends"))


def _stored(document: Document, name: str, stack: Iterable[Layer]) -> list[Layer]:
    """The profile and what it extends; `--extends` (or its variable) stands in for what the profile says."""
    extends, option = "", ""
    for layer in stack:
        if layer.values.get("extends"):
            extends, option = layer.values["extends"], layer.origin("extends").where
            break
    own = list(layers.chain(document, name)) if name and not extends else []
    if name and extends:
        own = [layers.from_profile(document, name)]
    if extends:
        own += layers.chain(document, extends, option)
    return own


def _with_preset(stack: list[Layer], document: Document, typed: int) -> list[Layer]:
    """The strongest preset, right behind the layer that names it, and behind the `typed` ones of the command line: who
    names a server there does not want to reach the provider's.

    A preset's port goes with its mode: where only one of them is said elsewhere, the other one follows from that.
    """
    for index, layer in enumerate(stack):
        name = layer.values.get("preset")
        if name:
            preset = layers.from_preset(name, layer.origin("preset"), layer.owner, document)
            before = max(index + 1, typed)
            stronger = {key for above in stack[:before] for key in above.values}
            kept = dict(preset.values)
            for said, follows in (("tls", "port"), ("port", "tls")):
                if said in stronger and follows not in stronger and _first(stack, said) != preset.values.get(said):
                    kept.pop(follows, None)
            return [*stack[:before], preset._replace(values=kept), *stack[before:]]
    return stack


def _first(stack: Iterable[Layer], key: str) -> Any:
    return next((layer.values[key] for layer in stack if key in layer.values), None)


def _merge(stack: Iterable[Layer]) -> Found:
    """The strongest value of every setting; the settings of a secret from one layer only."""
    found: Found = {}
    taken: set[str] = set()
    for layer in stack:
        for key, value in layer.values.items():
            if key not in found and key not in taken and value is not None:
                found[key] = (value, layer.origin(key), layer.owner)
        for secret in SECRETS:
            if any(layer.values.get(name) for name in secret_settings(secret)):
                taken.update(secret_settings(secret))
    return found


def _scope_sender(found: Found, document: Document, site: str, environ: Mapping[str, str]) -> None:
    scope = resolve_scope(document, site, environ)
    if scope.sender:
        found["from"] = (scope.sender, scope.origins["sender"], "")


def _complete(found: Found) -> None:
    """The defaults; port and TLS mode follow from each other where only one is known."""
    if "tls" not in found:
        port = found["port"][0] if "port" in found else 0
        if port in _TLS_OF_PORT:
            found["tls"] = (_TLS_OF_PORT[port], Origin("default", f"port {port}"), "")
    for field in FIELDS:
        if field.stored and field.name not in found:
            found[field.name] = (Secret("") if field.secret else field.default, Origin("default"), "")
    if found["port"][0] is None and not found["socket"][0]:
        lmtp, tls = found["lmtp"][0], found["tls"][0]
        port = LMTP_PORT if lmtp else USUAL_PORT[TlsMode(tls)]
        found["port"] = (port, Origin("default", "lmtp" if lmtp else f"tls {tls}"), "")


def _sources(document: Document, site: str, environ: Mapping[str, str]) -> dict[str, str]:
    """By which options this run came to its settings; what a variable says holds for the next one, too."""
    named = {"--site": site} if site not in ("", GLOBAL, environ.get("SMTPCTL_SITE", "")) else {}
    return {**document.sources, **named}


def _reaches(found: Found) -> bool:
    return bool(found["host"][0] or found["socket"][0] or found["delivery"][0] != "network")


def _no_host(name: str, document: Document) -> None:
    if not name:
        raise UsageProblem("No server is named", "Give a TARGET, --host or --preset.")
    location = document.locate("profiles", name)
    fix = sourced(f"smtpctl profile set {quoted(name)} host=HOST", document.sources)
    title = f'The profile "{name}" names no server'
    raise problem(finding("config.no_host", title, target=name, location=location, fix="Give it one.", commands=[fix]))


def _profile(name: str, found: Found, document: Document) -> Profile:
    effective = {key: value for key, (value, _, _) in found.items()}
    password, token = (_secret(secret, found) for secret in SECRETS)
    oauth = _oauth(effective["oauth"], found["oauth"], document)
    if not token and oauth:
        token = oauth.access_token  # one that is there needs no asking, whatever the grant
    sender = values.bare_address(effective["from"])
    method = auth_method(effective, password=bool(password), token=bool(token or oauth))
    host = effective["host"] or ""
    return Profile(
        name=name,
        endpoint=Endpoint(host, effective["port"] or 0, effective["socket"], effective["lmtp"]),
        route=Route(0 if effective["family"] == "any" else int(effective["family"]), effective["source"], effective["proxy"]),
        tls=_tls(effective),
        timeouts=Timeouts(effective["timeout"], {Stage(k): v for k, v in effective["stage_timeout"].items()}),
        auth=AuthPolicy(
            "none" if method == "anonymous" else method if method in ("oauth2", "basic") else "auto",
            effective["auth_mech"],
            effective["auth_requirement"],
            effective["allow_plaintext_auth"] or effective["trusted"] or _stays_here(effective),
            effective["auth_initial_response"],
        ),
        method=method,
        username=effective["username"],
        sender=sender,
        helo=effective["helo"],
        secret_ref=password,
        token_ref=token,
        oauth=oauth,
        **{key: effective[key] for key in (
            "preset", "extends", "priority", "enabled", "sites", "delivery", "pickup_dir", "trusted", "role")},
        secret_variables=document.secret_variables | {effective[key] for key in effective if key.endswith("_env")} - {None},
        values=effective,
        origins={key: origin for key, (_, origin, _) in found.items()},
    )  # fmt: skip


def _oauth(name: str, found: tuple[Any, Origin, str], document: Document) -> OAuth | None:
    """The credentials that are named, by an option or in a profile."""
    if not name:
        return None
    _, origin, owner = found
    if name not in document.oauth and owner:
        raise problem(faults.no_oauth(document, owner, name))
    if name not in document.oauth and origin.kind == "flag":
        message = f'{origin.where}: There are no OAuth 2.0 credentials "{name}".{did_you_mean(name, document.oauth)}'
        raise UsageProblem(message, "They stand in the file as [oauth.NAME].")
    return resolve_oauth(name, document)


def auth_method(effective: Mapping[str, Any], *, password: bool, token: bool) -> str:
    """`oauth2`, `basic`, `anonymous`, or the mechanism asked for where that needs no password.

    OAuth 2.0 where it is set up, else user name and password where both are there, else nobody logs in.
    """
    mechanism, wanted = effective["auth_mech"].upper(), effective["auth"]
    if wanted == "none":
        return "anonymous"
    if mechanism in _OWN_IDENTITY:
        return str(mechanism.lower())
    if wanted == "oauth2" or mechanism in _TOKEN_MECHANISMS or (wanted == "auto" and token and not mechanism):
        return "oauth2"
    return "basic" if effective["username"] and password else "anonymous"


def _stays_here(effective: Mapping[str, Any]) -> bool:
    """Whether clear text reaches nobody else. Behind a proxy `localhost` is another machine."""
    return bool(effective["socket"]) or (is_loopback(effective["host"] or "") and not effective["proxy"])


def _secret(name: str, found: Found) -> SecretRef | None:
    """Where a secret is; its keyring entry is named after the profile that says so."""
    given = {key: found[key] for key in secret_settings(name) if key in found}
    owner = next((owner for _, _, owner in given.values() if owner), "")
    return from_settings(
        name, {key: value for key, (value, _, _) in given.items()}, keyring_entry("profile", owner, name)
    )


def _tls(effective: Mapping[str, Any]) -> TlsPolicy:
    return TlsPolicy(
        mode=TlsMode(effective["tls"]),
        verify=not effective["insecure"],
        pins=tuple(pin.removeprefix("sha256:") for pin in effective["pin"]),
        minimum=effective["tls_min"],
        renew_before=effective["renew_before"],
        sni=effective["sni"],
        verify_name=effective["verify_name"],
        **{key: _expanded(effective[key]) for key in ("ca_file", "ca_dir", "client_cert", "client_key")},
    )


def _expanded(path: str) -> str:
    return str(Path(path).expanduser()) if path.startswith("~") else path
