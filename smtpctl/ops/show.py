"""What the configuration says, as JSON values: one profile in full, all profiles in short. Secrets are masks already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.config.profile import OAuth, Origin, Profile
from smtpctl.config.resolve import resolve
from smtpctl.config.scope import resolve_scope
from smtpctl.config.secrets.refs import SecretRef
from smtpctl.config.store import Document
from smtpctl.config.values import hide_password
from smtpctl.model.errors import SmtpctlError
from smtpctl.model.finding import Ignore
from smtpctl.model.secret import MASK, Secret


def profile(resolved: Profile, *, origins: bool) -> dict[str, Any]:
    """Every effective value of a profile by its setting's name, the two decisions that they make (how to connect, how
    to log in) as `connection` and `authentication`, and with `origins` where each value comes from."""
    data: dict[str, Any] = {"name": resolved.name}
    data |= {key: plain(value) for key, value in resolved.values.items() if key != "oauth"}
    data["oauth"] = oauth(resolved.oauth) if resolved.oauth else None
    data["connection"] = _connection(resolved)
    data["authentication"] = _authentication(resolved)
    if origins:
        data["origins"] = {key: origin(value) for key, value in resolved.origins.items()}
    return data


def profiles(document: Document, site: str, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each profile, in the order of the file. One that cannot be resolved says why in `error`.

    The environment only decides which one is the default of the scope: it would change all rows alike.
    """
    default = resolve_scope(document, site, environ).default_profile
    return [_row(document, name) | {"default": name == default} for name in document.profiles]


def origin(value: Origin) -> dict[str, str]:
    """An origin as JSON."""
    data = {"kind": value.kind, "where": value.where}
    return data | {"scope": value.scope} if value.scope else data


def plain(value: Any) -> Any:
    """A value as JSON; a secret is its mask, or empty where it is unset, and a URL shows no password."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, str):
        return hide_password(value) if "://" in value else value
    if isinstance(value, Ignore):
        return value._asdict()
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _row(document: Document, name: str) -> dict[str, Any]:
    keys = ("host", "port", "socket", "tls", "username", "from", "priority", "enabled", "sites", "delivery")
    try:
        found = resolve(name, {}, {}, document=document, need_host=False)
    except SmtpctlError as error:
        finding = getattr(error, "finding", None)
        unknown = dict.fromkeys((*keys, "auth", "missing"))
        return {"name": name, **unknown, "error": finding.title if finding else str(error)}
    row = {key: plain(found.values[key]) for key in keys}
    return {"name": name, **row, "auth": found.method, "missing": _missing(found), "error": None}


def _connection(found: Profile) -> dict[str, Any]:
    return {
        "endpoint": str(found.endpoint) if found.endpoint.host or found.endpoint.path else "",
        "host": found.endpoint.host,
        "port": found.endpoint.port,
        "socket": found.endpoint.path,
        "protocol": "lmtp" if found.endpoint.lmtp else "smtp",
        "tls": found.tls.mode.value,
        "verify": found.tls.verify,
        "family": found.values["family"],
        "source": found.route.source,
        "proxy": plain(found.route.proxy),
    }


def _authentication(found: Profile) -> dict[str, Any]:
    return {
        "method": found.method,
        "mechanism": found.auth.mechanism,
        "requirement": found.auth.requirement,
        "login": found.login,
        "username": found.username,
        "password": _mask(found.secret_ref),
        "password_from": _place(found.secret_ref),
        "access_token": _mask(found.token_ref),
        "access_token_from": _place(found.token_ref),
        "oauth": found.oauth.name if found.oauth else "",
        "allow_plaintext": found.auth.allow_plaintext,
        "missing": _missing(found),
    }


def _missing(found: Profile) -> str:
    """The half of a login that is not set, `password` or `username`: mail is tried without a login then."""
    if found.method != "anonymous" or found.values["auth"] == "none" or bool(found.username) == bool(found.secret_ref):
        return ""
    return "password" if found.username else "username"


def oauth(found: OAuth) -> dict[str, Any]:
    return {
        "name": found.name,
        "grant": found.grant,
        "tenant_id": found.tenant_id,
        "client_id": found.client_id,
        "token_endpoint": plain(found.endpoint),
        "scope": found.scopes,
        "client_secret": _mask(found.client_secret),
        "client_secret_from": _place(found.client_secret),
        "refresh_token": _mask(found.refresh_token),
        "refresh_token_from": _place(found.refresh_token),
    }


def _mask(ref: SecretRef | None) -> str:
    return MASK if ref else ""


def _place(ref: SecretRef | None) -> str:
    return str(ref) if ref else ""
