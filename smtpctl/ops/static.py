"""The static rules applied to a resolved profile: what `validate` says, and what a live run says before it connects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from smtpctl.checks import settings as rules
from smtpctl.config.problems import finding, problem
from smtpctl.config.profile import OAuth, Profile
from smtpctl.config.store import Document
from smtpctl.knowledge.families import entry
from smtpctl.model.command import sourced
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Location, Severity
from smtpctl.ops.advice import about_file, personal

if TYPE_CHECKING:
    from smtpctl.config.presets import Preset

# With these there is nothing to connect for: what would be sent must not be, or does not exist.
_STOPPING = frozenset({
    "config.oauth_without_tls", "config.oauth_no_username", "config.oauth_no_endpoint", "config.oauth_no_token",
    "config.oauth_incomplete", "config.endpoint_not_https", "config.plaintext_credentials",
})  # fmt: skip


def judge(
    profile: Profile, document: Document | None = None, preset: Preset | None = None, senders: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """What the rules say about one profile, located in the `document` it stands in.

    `preset` is the provider that the host belongs to, where that is known besides what the profile names; `senders` the
    From addresses that it is used with, where they are more than its own.
    """
    settings = _settings(profile, document, preset)
    found = rules.judge(settings._replace(senders=senders) if senders else settings)
    return tuple(personal(finding, profile) for finding in found)


def stopper(profile: Profile, findings: Iterable[Finding]) -> Problem | None:
    """The first of these findings that a live run must not begin with, as what ends it.

    Credentials that name no place of a token, and no way to one, end it too. A pickup folder is no server.
    """
    if profile.delivery != "network":
        return entry("config.pickup_no_server").problem(
            target=profile.label, profile=profile.name, path=profile.pickup_dir
        )
    stopping = next(filter(stops, findings), None)
    if stopping is None and profile.method == "oauth2" and not _way_to_token(profile):
        about: dict[str, Any] = {"oauth": profile.oauth.name} if profile.oauth else {}
        stopping = entry("config.oauth_no_token").finding(target=profile.label, **about)
    return Problem(stopping, entry(stopping.id).status) if stopping else None


def stops(finding: Finding) -> bool:
    """Whether a live run must not begin with this."""
    return finding.id in _STOPPING and finding.severity is Severity.ERROR


def enabled(document: Document) -> list[str]:
    """The profiles that mails may take, in the order of the file; Problem `config.no_server` where there are none."""
    names = [name for name, keys in document.profiles.items() if keys.get("enabled", True)]
    if not names and not document.profiles:
        none = entry("config.no_server").problem(target=str(document.path))
        none.finding = about_file(none.finding, document)
        raise none
    if not names:
        title = f"no SMTP server is configured that is enabled; switched off: {', '.join(document.profiles)}"
        raise problem(
            finding(
                "config.no_server",
                title,
                fix="Enable one.",
                commands=[sourced("smtpctl profile enable NAME", document.sources)],
            )
        )
    return names


def _way_to_token(profile: Profile) -> bool:
    """Whether there is a token, or a way to one."""
    return bool(profile.token_ref or (profile.oauth and not profile.oauth.static))


def _settings(profile: Profile, document: Document | None, preset: Preset | None) -> rules.Settings:
    if profile.preset:
        from smtpctl.config import presets

        preset = presets.get(profile.preset)
    oauth = profile.oauth
    grant = None
    if oauth:
        grant = _grant(oauth)
    texts = {**_texts(profile.values), **(_texts(oauth.values) if oauth else {})}
    return rules.Settings(
        name=profile.name,
        endpoint=profile.endpoint,
        tls=profile.tls,
        auth=profile.auth,
        asked=str(profile.values.get("auth", "auto")),
        method=profile.method,
        username=profile.username,
        senders=tuple(filter(None, (profile.sender,))),
        has_password=bool(profile.secret_ref),
        has_token=bool(profile.token_ref),
        trusted=profile.trusted,
        oauth_only=bool(preset and preset.oauth_only),
        password_retired=profile.endpoint.host.endswith((".office365.com", ".outlook.com")),
        grant=grant,
        texts=texts,
        locate=lambda key: _place(profile, document, key),
    )


def _grant(oauth: OAuth) -> rules.Grant:
    values, proofs = oauth.values, ("client_cert", "assertion_file", "managed_identity")
    proven = bool(oauth.client_secret) or any(values[name] for name in proofs)
    needed = {"client_id": bool(oauth.client_id or values["managed_identity"])}
    if oauth.grant == "client_credentials":
        needed["client_secret"] = proven
    elif oauth.grant == "service_account":
        needed = {"key_file": bool(values["key_file"])}
    return rules.Grant(
        oauth.name,
        oauth.tenant_id,
        oauth.endpoint if oauth.grant == "service_account" else oauth.token_endpoint,
        values["issuer"],
        oauth.scopes,
        needed,
        static=oauth.static,
        days_left=_days_left(values),
        elsewhere=bool(values["managed_identity"]),
        own_authority=bool(values["authority"]),
    )


def _days_left(values: Mapping[str, Any]) -> int | None:
    """Until the client's secret or certificate ends, as far as that is known."""
    today = datetime.now(UTC)
    last = values["secret_expires"]
    ends = [(date.fromisoformat(last) - today.date()).days] if last else []
    if values["client_cert"]:
        from smtpctl.net import certificate

        found = certificate.of_file(values["client_cert"])
        ends += [int((found.not_after - today.timestamp()) // 86400)] if found else []
    return min(ends, default=None)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in values.items() if isinstance(value, str) and value}


def _place(profile: Profile, document: Document | None, key: str) -> Location | None:
    """Where a setting is written: its own line, else the heading of the profile."""
    own = document.profiles.get(profile.name) if document else None
    # A password is set by one of several keys: password_env, password_file ...
    for name in (key, *(other for other in profile.origins if other.startswith(f"{key}_"))):
        origin = profile.origins.get(name)
        if origin and origin.kind == "file" and ":" in origin.where:
            path, _, line = origin.where.rpartition(":")
            exact = document.locate("profiles", profile.name, name) if document and own and name in own else None
            return exact or Location(path, int(line))
    return document.locate("profiles", profile.name) if document and own is not None else None
