"""What resolving gives: one profile, one scope, one set of OAuth 2.0 credentials, every value with its origin.

After resolving, functions take these or the part they need (`profile.endpoint`, `profile.tls`), never loose settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from smtpctl.config.secrets.refs import Kind, SecretRef
from smtpctl.model.endpoint import AuthPolicy, Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.finding import Ignore, Location
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret

_METHODS = {"oauth2": "OAuth 2.0", "basic": "password", "anonymous": "no login"}
MODES = {
    TlsMode.IMPLICIT: "implicit TLS",
    TlsMode.STARTTLS: "STARTTLS",
    TlsMode.AUTO: "TLS if offered",
    TlsMode.NONE: "no TLS",
}


class Cloud(NamedTuple):
    """One of Microsoft's clouds: where its tenants sign in, and the scopes of an application and of a person."""

    authority: str
    application: str
    person: str


# Microsoft: national clouds. The global cloud has two names for the same resource, one for each kind of token.
CLOUDS: Mapping[str, Cloud] = {
    "global": Cloud(
        "https://login.microsoftonline.com",
        "https://outlook.office365.com/.default",
        "https://outlook.office.com/SMTP.Send",
    ),
    "usgov": Cloud(
        "https://login.microsoftonline.us",
        "https://outlook.office365.us/.default",
        "https://outlook.office365.us/SMTP.Send",
    ),
    "china": Cloud(
        "https://login.partner.microsoftonline.cn",
        "https://partner.outlook.cn/.default",
        "https://partner.outlook.cn/SMTP.Send",
    ),
}
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
GOOGLE_SCOPE = "https://mail.google.com/"


class Origin(NamedTuple):
    """Where a value comes from.

    `kind` is `flag`, `environment`, `file`, `preset` or `default`; `where` the option, `$VARIABLE`, `path:line`, the
    preset's name, or what a default follows from. `scope` says `profile`, `site` or `global` for values of a file.
    """

    kind: str
    where: str = ""
    scope: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}".rstrip()


class OAuth(NamedTuple):
    """Named OAuth 2.0 credentials. `grant` is one of the choices in `config.fields`; what has no field of its own is in
    `values` by its name."""

    name: str
    grant: str
    tenant_id: str
    token_endpoint: str
    client_id: str
    scope: str
    client_secret: SecretRef | None
    client_key_password: SecretRef | None
    refresh_token: SecretRef | None
    access_token: SecretRef | None
    values: Mapping[str, Any]
    origins: Mapping[str, Origin]
    sources: Mapping[str, str] = MappingProxyType({})

    @property
    def authority(self) -> str:
        """Where the tenant signs in, without the tenant."""
        return str(self.values["authority"]).rstrip("/") or CLOUDS[self.values["cloud"]].authority

    @property
    def endpoint(self) -> str:
        """Where tokens come from: a tenant means Microsoft Entra, whatever `token_endpoint` says; else that, or ''."""
        if self.tenant_id:
            return f"{self.authority}/{self.tenant_id}/oauth2/v2.0/token"
        return self.token_endpoint or (GOOGLE_TOKENS if self.grant == "service_account" else "")

    @property
    def scopes(self) -> str:
        """The scopes to ask for, separated by blanks; with a tenant or a service account there is a default."""
        if self.scope or not (self.tenant_id or self.values["managed_identity"]):
            return self.scope or (GOOGLE_SCOPE if self.grant == "service_account" else "")
        cloud = CLOUDS[self.values["cloud"]]
        return cloud.application if self.grant == "client_credentials" else cloud.person

    @property
    def static(self) -> bool:
        """Whether no token is asked for: it is there, or another program has it."""
        return self.grant in ("access_token", "token_command")


class Profile(NamedTuple):
    """One server and how to use it; every value in it is effective.

    `name` is empty for a server that stands in no file. `values` holds every setting by its name (secrets as Secret),
    `origins` where each one comes from. `method` is how it will log in: `oauth2`, `basic`, `anonymous`, or the
    mechanism that was asked for by name. `secret_variables` are the environment variables that hold any profile's secrets:
    no child process gets them. `secret_ref` is where the password is, `token_ref` where a ready access
    token is; None where there is none. `role` is what the server is for, `auto` where that is to be seen.
    `sources` are the options that say where settings come from, as they were given (`model.command.sourced`).
    """

    name: str
    endpoint: Endpoint
    route: Route
    tls: TlsPolicy
    timeouts: Timeouts
    auth: AuthPolicy
    method: str
    username: str
    sender: str
    helo: str
    secret_ref: SecretRef | None
    token_ref: SecretRef | None
    oauth: OAuth | None
    preset: str
    extends: str
    priority: str
    enabled: bool
    sites: tuple[str, ...]
    delivery: str
    pickup_dir: str
    trusted: bool
    role: str
    secret_variables: frozenset[str]
    values: Mapping[str, Any]
    origins: Mapping[str, Origin]
    sources: Mapping[str, str] = MappingProxyType({})

    @property
    def login(self) -> str:
        """The name to log in with: the user name, with OAuth 2.0 else the bare sender address."""
        return self.username or (self.sender if self.method == "oauth2" else "")

    @property
    def credential(self) -> str:
        """What it logs in with: `password`, `token`, or empty where that is not settled."""
        return {"oauth2": "token", "basic": "password"}.get(self.method, "")

    @property
    def headline(self) -> str:
        """How it is reached, in a line: `smtp.example.com:587  STARTTLS  password as ann@example.com`; the address is
        left out where it is the label already."""
        method = _METHODS.get(self.method, self.method)
        who = f" as {self.login}" if self.login and self.method != "anonymous" else ""
        parts = (str(self.endpoint) if self.name else "", MODES[self.tls.mode], f"{method}{who}")
        return "  ".join(part for part in parts if part)

    @property
    def lacks_password(self) -> bool:
        """Whether there is a user name that wants to log in, and nothing to log in with."""
        wanted = self.values.get("auth") in ("auto", "basic")
        return bool(self.username) and wanted and self.method == "anonymous" and self.secret_ref is None

    def with_password(self, secret: Secret) -> Profile:
        """The same profile with a password for this run."""
        reference = SecretRef(Kind.LITERAL, literal=secret)
        return self._replace(secret_ref=reference, method="basic", auth=self.auth._replace(method="basic"))

    @property
    def ignores(self) -> tuple[Ignore, ...]:
        """The findings that do not count for it."""
        return tuple(self.values.get("ignore", ()))

    @property
    def place(self) -> Location | None:
        """Where a file says which server it is; None where none does."""
        origins = (self.origins.get(name) for name in ("host", "socket", "preset"))
        where = next((origin.where for origin in origins if origin and origin.kind == "file"), "")
        path, _, line = where.rpartition(":")
        return Location(path, int(line)) if where else None

    @property
    def label(self) -> str:
        """What to call it: its name, else where it connects to."""
        return self.name or str(self.endpoint)


class Scope(NamedTuple):
    """The sending settings of one site, or of none (`site` empty): `(global)`. `interval` in seconds."""

    site: str
    default_profile: str
    sender: str
    emails_enabled: bool
    queue_enabled: bool
    batch_size: int
    interval: float
    archive_days: int
    log_emails: bool
    log_file: str
    debug_emails: bool
    debug_failure_rate: float
    debug_seed: str
    queue_url: str
    origins: Mapping[str, Origin]
