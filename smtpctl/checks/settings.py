"""The static rules: what can be said about settings without a network. One function a rule, one table of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import AuthPolicy, Endpoint, TlsMode, TlsPolicy
from smtpctl.model.finding import Finding, Location, Severity
from smtpctl.model.record import NamedTuple

MICROSOFT_HOSTS = (
    "smtp.office365.com",
    "smtp.office365.us",
    "smtp.partner.outlook.cn",
)  # the last two: national clouds
# Servers that are meant to be used as they are, for senders of these domains only: the default of Contensis.
_OWN_DOMAIN_ONLY: Mapping[str, tuple[str, ...]] = {"smtp.zengenti.com": ("contensis.com", "zengenti.com")}
SECRET_SOON = 30  # days
_PLACEHOLDER = re.compile(r"<[^<>@\s][^<>@]*>|\{[A-Za-z_]+\}|[Yy][Oo][Uu][Rr][_-][A-Za-z_-]+")
_BATCH = range(10, 1001)  # outside, the database is asked too often or holds too much at once


class Grant(NamedTuple):
    """OAuth 2.0 credentials as far as rules look at them; texts may be empty.

    `proof` is how the application proves who it is, as a setting's name; empty where there is none. `needed` are names of
    settings that this grant cannot do without, `static` that a token is there and none is asked for.
    """

    name: str = ""
    tenant_id: str = ""
    token_endpoint: str = ""
    issuer: str = ""
    scope: str = ""
    needed: Mapping[str, bool] = {}
    static: bool = False
    days_left: int | None = None
    elsewhere: bool = False  # a managed identity asks the machine it runs on
    own_authority: bool = False  # the tenant signs in at none of Microsoft's clouds, so its mail server is another, too


class Settings(NamedTuple):
    """One profile, resolved, as rules see it.

    `method` is how it will log in (`oauth2`, `basic`, `anonymous` ...), `asked` what `auth` says; `has_password` that
    there is one or a place for it; `senders` the From addresses known for it; `texts` every textual value by its key;
    `locate` gives the place of a key in the file.
    """

    name: str
    endpoint: Endpoint
    tls: TlsPolicy
    auth: AuthPolicy
    asked: str
    method: str
    username: str
    senders: tuple[str, ...]
    has_password: bool
    has_token: bool
    trusted: bool
    oauth_only: bool
    password_retired: bool
    grant: Grant | None
    texts: Mapping[str, str]
    locate: Callable[[str], Location | None]

    @property
    def private(self) -> bool:
        """Whether what is sent reaches nobody but this machine or a network that is not public."""
        host = self.endpoint.host
        if self.trusted or self.endpoint.path or host == "localhost":
            return True
        import ipaddress

        try:
            return ipaddress.ip_address(host).is_private
        except ValueError:
            return (
                host.endswith((".internal", ".local", ".lan", ".home.arpa")) or "." not in host or ".internal." in host
            )

    @property
    def encrypted(self) -> bool:
        """Whether TLS is asked for."""
        return self.tls.mode is not TlsMode.NONE

    def finding(self, id: str, at: str, **values: Any) -> Finding:
        """A finding of this profile, located at the key `at`."""
        where = self.locate(at)
        # A server that is no stored profile: advice turns commands for one into options.
        name = {"profile": self.name} if self.name else {}
        about = {**name, "host": self.endpoint.host, "port": str(self.endpoint.port), **values}
        return entry(f"config.{id}").finding(target=self.name or str(self.endpoint), location=where, **about)


Rule = Callable[[Settings], Iterator[Finding]]


def port_and_mode(it: Settings) -> Iterator[Finding]:
    """465 is for implicit TLS, 587 and 25 are for STARTTLS (RFC 8314 3.3)."""
    port, mode = it.endpoint.port, it.tls.mode
    wrong = mode is TlsMode.IMPLICIT if port in (25, 587) else port == 465 and mode is not TlsMode.IMPLICIT
    if wrong and not it.endpoint.path:
        yield it.finding("port_tls_mismatch", "port", tls=mode.value)


def login(it: Settings) -> Iterator[Finding]:
    """Both halves of a login, never in clear, and nothing that is not used."""
    if it.asked in ("auto", "basic") and it.method == "anonymous" and bool(it.username) != it.has_password:
        missing = "password" if it.username else "user name"
        yield it.finding("half_credentials", "username" if it.username else "password", missing=missing)
    if it.method == "basic" and not it.encrypted and not it.auth.allow_plaintext:
        yield it.finding("plaintext_credentials", "tls")
    if it.method == "anonymous" and not it.encrypted and not it.private and it.endpoint.host not in _OWN_DOMAIN_ONLY:
        yield it.finding("untrusted_plaintext", "tls")
    if it.method == "oauth2" and it.has_password:
        yield it.finding("password_ignored", "password")
    if it.method == "basic" and (it.oauth_only or it.password_retired):
        yield it.finding("basic_auth_retired", "auth")


def oauth(it: Settings) -> Iterator[Finding]:
    """What a token needs: TLS, a place to come from, a mailbox it is for."""
    if it.method != "oauth2":
        return
    if not it.encrypted:
        yield it.finding("oauth_without_tls", "tls")
    if not it.username and not it.senders:
        yield it.finding("oauth_no_username", "username")
    if not it.username and len(it.senders) > 1:
        yield it.finding("oauth_multiple_senders", "username")
    if it.grant and not it.grant.static and not it.has_token:
        yield from _grant(it, it.grant)
    elif not it.has_token:
        yield it.finding("oauth_no_token" if it.grant else "oauth_no_endpoint", "oauth")


def _grant(it: Settings, grant: Grant) -> Iterator[Finding]:
    if grant.tenant_id and grant.token_endpoint:
        yield it.finding("token_endpoint_ignored", "oauth")
    endpoint = grant.token_endpoint or grant.issuer
    if not (grant.tenant_id or endpoint or grant.elsewhere):
        yield it.finding("oauth_no_endpoint", "oauth", oauth=grant.name)
    elif not (grant.tenant_id or grant.elsewhere) and not endpoint.startswith("https://"):
        yield it.finding("endpoint_not_https", "oauth")
    if grant.days_left is not None and grant.days_left < SECRET_SOON:
        yield it.finding("oauth_secret_expires_soon", "oauth", oauth=grant.name, days=grant.days_left)
    missing = [name for name, there in grant.needed.items() if not there]
    scope = [] if grant.scope or not endpoint or grant.tenant_id else ["scope"]
    if missing or scope:
        # Some providers give a token without a scope; without the others none does.
        severity = Severity.ERROR if missing else Severity.WARNING
        about = {"oauth": grant.name, "missing": ", ".join(missing + scope)}
        yield it.finding("oauth_incomplete", "oauth", severity=severity, **about)
    if grant.tenant_id and not grant.own_authority:
        yield from _microsoft(it)


def _microsoft(it: Settings) -> Iterator[Finding]:
    """The settings that Microsoft 365 needs, each that differs."""
    wanted = (
        ("host", it.endpoint.host, MICROSOFT_HOSTS),
        ("port", str(it.endpoint.port), ("587",)),
        ("tls", it.tls.mode.value, (TlsMode.STARTTLS.value,)),
    )
    for key, value, right in wanted:
        if value not in right:
            yield it.finding("m365_required_setting", key, key=key, wanted=right[0])


def certificate(it: Settings) -> Iterator[Finding]:
    """Verification that is switched off."""
    if it.encrypted and not it.tls.verify and not it.private:
        yield it.finding("tls_verification_off", "insecure")


def sender(it: Settings) -> Iterator[Finding]:
    """A From address at somebody else's server, as far as settings alone tell."""
    allowed = _OWN_DOMAIN_ONLY.get(it.endpoint.host)
    for address in it.senders if allowed else ():
        domain = address.rpartition("@")[2].lower()
        if allowed and domain not in allowed:
            yield it.finding("from_domain_not_authorised", "from", domain=domain)


def placeholders(it: Settings) -> Iterator[Finding]:
    """Examples that were never replaced."""
    for key, value in it.texts.items():
        if _PLACEHOLDER.search(value):
            yield it.finding("placeholder_left", key, example=f"{key} = {value[:60]}")


RULES: tuple[Rule, ...] = (port_and_mode, login, oauth, certificate, sender, placeholders)


def judge(settings: Settings) -> Iterator[Finding]:
    """What all rules say about one profile."""
    for rule in RULES:
        yield from rule(settings)


class ScopeSettings(NamedTuple):
    """The sending settings of one scope as rules see them; `site` is empty for `(global)`."""

    site: str
    emails_enabled: bool
    batch_size: int
    locate: Callable[[str], Location | None]


def judge_scope(scope: ScopeSettings) -> Iterator[Finding]:
    """Sending switched off, a batch size out of all proportion."""
    name = f"site {scope.site}" if scope.site else "(global)"
    if not scope.emails_enabled:
        where = scope.locate("emails_enabled")
        about: dict[str, Any] = {"site": scope.site} if scope.site else {}
        yield entry("config.emails_disabled").finding(target=name, location=where, scope=name, **about)
    if not scope.site and scope.batch_size not in _BATCH:
        size = "large" if scope.batch_size >= _BATCH.stop else "small"
        where = scope.locate("batch_size")
        yield entry("config.batch_size").finding(target=name, location=where, value=f"{scope.batch_size}, very {size}")
