"""THE tables of settings: what a profile, a scope and a set of OAuth 2.0 credentials can hold.

Everything that lists settings is made from these: options, environment variables, the file's keys, the man page
and the JSON Schema. The name of a setting is its key in the file; `option` is the same name with dashes.
What a value may look like is decided in `config.values`, what wins over what in `config.resolve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

from smtpctl.model.finding import Ignore
from smtpctl.model.record import NamedTuple

Value: TypeAlias = str | int | float | bool | tuple[str, ...] | tuple[Ignore, ...] | Mapping[str, float] | None


class Type(StrEnum):
    """What kind of value a setting takes; `config.values` has one parser for each."""

    TEXT = "text"
    HOST = "host"  # name or address, also with `:port`
    SERVER_NAME = "server_name"  # name or address, nothing else
    HELO = "helo"  # name, or address in brackets
    PORT = "port"  # 1 to 65535
    CHOICE = "choice"  # one of `choices`
    FLAG = "flag"  # true or false; an option without an argument
    COUNT = "count"  # a whole number from 1
    DAYS = "days"  # a whole number from 0
    SECONDS = "seconds"  # more than 0
    RATIO = "ratio"  # 0 to 1
    STAGES = "stages"  # STAGE=SECONDS, several
    LIST = "list"  # several texts
    PINS = "pins"  # sha256:HEX, several
    ADDRESS = "address"  # a mail address
    IP = "ip"
    PROXY = "proxy"  # URL
    URL = "url"  # https://
    PATH = "path"
    COMMAND = "command"  # a program and its arguments; no shell
    DATE = "date"  # YYYY-MM-DD
    IGNORES = "ignores"  # finding id = reason, or a table of reason and until; several
    NAME = "name"  # of a profile, a preset or OAuth 2.0 credentials

    @property
    def several(self) -> bool:
        """Whether the option may be given more than once."""
        return self in (Type.LIST, Type.PINS, Type.STAGES)


class Group(StrEnum):
    """Under which heading help lists a setting."""

    CONNECTION = "Connection"
    TLS = "TLS"
    AUTHENTICATION = "Authentication"
    MESSAGE = "Message"
    SENDING = "Sending"  # which mails take this profile, and how
    OAUTH = "OAuth 2.0"
    SCOPE = "Scope"


# Options of every command that connects; SENDING besides where profiles are written.
CONNECTING = (Group.CONNECTION, Group.TLS, Group.AUTHENTICATION, Group.MESSAGE)


class Field(NamedTuple):
    """One setting.

    `name` is the key in the file, `default` the value without any source (None: inferred or unset), `help` one
    sentence without a full stop, `env` the environment variable (empty: none), `secret` whether the value itself
    must never be shown, `option` the long option (empty: none), `metavar` its argument in help. `stored` is False
    for what only makes sense for one run. `global_only` settings cannot differ between sites. `aliases` are the names
    that Kentico and Contensis give the same setting.
    """

    name: str
    type: Type
    default: Value
    help: str
    group: Group
    env: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()
    option: str = ""
    metavar: str = ""
    stored: bool = True
    global_only: bool = False
    aliases: tuple[str, ...] = ()


def _profile(name: str, type_: Type, default: Value, help_: str, group: Group, metavar: str = "", **more: Any) -> Field:
    """A profile setting with the option and the environment variable that its name gives."""
    environment = "" if group is Group.SENDING else f"SMTPCTL_{name.upper()}"
    field = Field(
        name, type_, default, help_, group, environment, option=f"--{name.replace('_', '-')}", metavar=metavar
    )
    return field._replace(**more)


def _secret(name: str, title: str, group: Group, *aliases: str, options: bool) -> tuple[Field, ...]:
    """The secret NAME: itself (never an option) and the places it can be fetched from, first set wins."""

    def where(suffix: str, type_: Type, help_: str, metavar: str = "") -> Field:
        key = f"{name}_{suffix}"
        shown = options and suffix != "keyring"
        option, environment = (f"--{key.replace('_', '-')}", f"SMTPCTL_{key.upper()}") if shown else ("", "")
        return Field(key, type_, None, help_, group, environment, option=option, metavar=metavar)

    return (
        Field(name, Type.TEXT, "", title, group, f"SMTPCTL_{name.upper()}" if options else "", True, aliases=aliases),
        where("file", Type.PATH, f"read the {title} from the first line of a file, or fd:N", "FILE"),
        where("env", Type.TEXT, f"read the {title} from an environment variable", "NAME"),
        where("command", Type.COMMAND, f"read the {title} from the first line that a program prints", "COMMAND"),
        where("keyring", Type.FLAG, f"the {title} is in the system keyring"),
    )


_C, _T, _A, _M, _S = Group.CONNECTION, Group.TLS, Group.AUTHENTICATION, Group.MESSAGE, Group.SENDING

FIELDS: tuple[Field, ...] = (
    _profile("host", Type.HOST, None, "name or address of the server, also HOST:PORT", _C, "HOST",
             aliases=("SMTPServer", "CMSSMTPServer", "EmailSMTPHost", "ServerName")),
    _profile("port", Type.PORT, None, "port (465 with implicit TLS, 587 with STARTTLS, else 25)", _C, "PORT",
             aliases=("EmailSmtpPort",)),
    _profile("socket", Type.PATH, "", "UNIX socket to connect to instead of a host", _C, "PATH"),
    _profile("lmtp", Type.FLAG, False, "speak LMTP instead of SMTP", _C),
    _profile("family", Type.CHOICE, "any", "IP version to use", _C, choices=("any", "4", "6")),
    _profile("source", Type.IP, "", "local address to connect from", _C, "ADDRESS"),
    _profile("proxy", Type.PROXY, "", "proxy to connect through (socks5:// or http://)", _C, "URL"),
    _profile("timeout", Type.SECONDS, 300.0, "seconds for the whole run; no server can stretch it", _C, "SECONDS"),
    _profile("stage_timeout", Type.STAGES, {}, "seconds for one stage", _C, "STAGE=SECONDS"),
    _profile("trusted", Type.FLAG, False, "the network to the server is trusted: no TLS is no fault", _C),
    _profile("role", Type.CHOICE, "auto", "what the server is for (auto: mx on port 25 without a login)",
             _C, choices=("auto", "submission", "mx")),
    _profile("preset", Type.NAME, "", "take settings from a provider's preset", _C, "PRESET"),
    _profile("extends", Type.NAME, "", "take unset settings from another profile", _C, "PROFILE"),
    _profile("tls", Type.CHOICE, "auto", "how the connection is encrypted", _T,
             choices=("implicit", "starttls", "auto", "none")),
    _profile("insecure", Type.FLAG, False, "accept any certificate", _T),
    _profile("ca_file", Type.PATH, "", "certificates to trust instead of the system's", _T, "FILE"),
    _profile("ca_dir", Type.PATH, "", "folder of certificates to trust instead of the system's", _T, "DIR"),
    _profile("client_cert", Type.PATH, "", "certificate to present to the server", _T, "FILE"),
    _profile("client_key", Type.PATH, "", "private key of the client certificate", _T, "FILE"),
    _profile("sni", Type.SERVER_NAME, "", "server name to ask for (default: the host)", _T, "NAME"),
    _profile("verify_name", Type.SERVER_NAME, "", "name the certificate must carry (default: the host)", _T, "NAME"),
    _profile("pin", Type.PINS, (), "accept only this certificate or public key", _T, "sha256:HEX"),
    _profile("tls_min", Type.CHOICE, "1.2", "oldest TLS version to accept", _T, choices=("1.2", "1.3")),
    _profile("renew_before", Type.DAYS, 0, "days that a certificate is to last (0: 14, or a third of a shorter life)", _T, "DAYS"),
    _profile("auth", Type.CHOICE, "auto", "how to log in", _A, choices=("auto", "oauth2", "basic", "none"),
             aliases=("AuthenticationType", "ServerAuthenticationType")),
    _profile("auth_mech", Type.TEXT, "", "SASL mechanism to use, and no other", _A, "NAME"),
    _profile("auth_requirement", Type.CHOICE, "required", "what to do where logging in is not possible", _A,
             choices=("required", "optional", "optional-strict")),
    _profile("auth_initial_response", Type.CHOICE, "auto", "send the first response along with AUTH", _A,
             choices=("auto", "never", "always")),
    _profile("allow_plaintext_auth", Type.FLAG, False, "send credentials also without TLS", _A),
    _profile("username", Type.TEXT, "", "name to log in with", _A, "USER",
             aliases=("SMTPServerUser", "CMSSMTPServerUser", "EmailSmtpUsername", "ServerUserName")),
    *_secret("password", "password", _A, "SMTPServerPassword", "CMSSMTPServerPassword", "EmailSmtpPassword",
             "ServerPassword", options=True),
    _profile("password_stdin", Type.FLAG, False, "read the password from the first line of standard input", _A,
             env="", stored=False),
    _profile("oauth", Type.NAME, "", "OAuth 2.0 credentials to use", _A, "NAME",
             aliases=("SMTPServerOAuthCredentials", "OAuthCredentials")),
    *_secret("access_token", "access token", _A, options=True),
    _profile("from", Type.ADDRESS, "", "sender address", _M, "ADDRESS"),
    _profile("helo", Type.HELO, "", "name to introduce this machine with (default: its host name)", _M, "NAME"),
    _profile("priority", Type.CHOICE, "normal", "which profile takes a mail first", _S,
             choices=("high", "normal", "low"), aliases=("ServerPriority",)),
    _profile("enabled", Type.FLAG, True, "whether mails may take this profile", _S, aliases=("ServerEnabled",)),
    _profile("sites", Type.LIST, (), "sites it is for (none: all of them)", _S, "SITE"),
    _profile("delivery", Type.CHOICE, "network", "how mails leave", _S, choices=("network", "pickup", "iis"),
             aliases=("DeliveryMethod", "ServerDeliveryMethod")),
    _profile("pickup_dir", Type.PATH, "", "folder that mails are written to, absolute", _S, "DIR",
             aliases=("PickupDirectory", "ServerPickupDirectory")),
    Field("ignore", Type.IGNORES, (), "findings that do not count, each with the reason", _S),
)  # fmt: skip


def _scope(name: str, type_: Type, default: Value, help_: str, metavar: str = "", *aliases: str, **more: Any) -> Field:
    field = Field(name, type_, default, help_, Group.SCOPE, f"SMTPCTL_{name.upper()}", metavar=metavar, aliases=aliases)
    return field._replace(**more)


SCOPE_FIELDS: tuple[Field, ...] = (
    _scope("default_profile", Type.NAME, "", "profile that mails take first", "PROFILE"),
    _scope("sender", Type.ADDRESS, "", "sender of mails that name none", "ADDRESS",
           "NoreplyEmailAddress", "CMSNoreplyEmailAddress"),
    _scope("emails_enabled", Type.FLAG, True, "whether mails are sent at all", "",
           "EmailsEnabled", "CMSEmailsEnabled", "EnableEmails"),
    _scope("queue_enabled", Type.FLAG, True, "store mails in the queue instead of sending them at once", "",
           "EmailQueueEnabled", "CMSEmailQueueEnabled", "EnableEmailQueue"),
    _scope("batch_size", Type.COUNT, 50, "mails loaded from the queue at a time", "N",
           "BatchSize", "EmailBatchSize", "CMSEmailBatchSize", global_only=True),
    _scope("interval", Type.SECONDS, 60.0, "seconds between two runs of the queue", "SECONDS",
           "LoadInterval", global_only=True),
    _scope("archive_days", Type.DAYS, 0, "days that sent mails are kept (0: not at all)", "DAYS",
           "ArchiveEmails", "CMSArchiveEmails"),
    _scope("log_emails", Type.FLAG, False, "write every sent mail to the mail log", "", "LogEmails", "CMSLogEmails"),
    _scope("log_file", Type.PATH, "", "the mail log (default: logemails.log in the state folder)", "FILE"),
    _scope("debug_emails", Type.FLAG, False, "send nothing; write mails to the event log", "",
           "DebugEmails", "CMSDebugEmails"),
    _scope("debug_failure_rate", Type.RATIO, 0.01, "share of mails that fail in debug mode", "RATIO"),
    _scope("debug_seed", Type.TEXT, "", "makes the failures of debug mode repeatable", "TEXT"),
    _scope("queue_url", Type.TEXT, "sqlite", "where the queue is: sqlite, sqlite:PATH or a postgresql:// URL", "URL",
           global_only=True),
)  # fmt: skip


def _oauth(name: str, type_: Type, default: Value, help_: str, metavar: str = "", **more: Any) -> Field:
    option = f"--{name.replace('_', '-')}"
    return Field(name, type_, default, help_, Group.OAUTH, option=option, metavar=metavar)._replace(**more)


OAUTH_FIELDS: tuple[Field, ...] = (
    _oauth("grant", Type.CHOICE, "client_credentials", "how a token is obtained",
           choices=("client_credentials", "authorization_code", "device_code", "refresh_token", "service_account",
                    "token_command", "access_token")),
    _oauth("tenant_id", Type.TEXT, "", "Microsoft Entra tenant (id or domain)", "TENANT",
           aliases=("EmailSmtpOAuth2AzureTenantId",)),
    _oauth("cloud", Type.CHOICE, "global", "Microsoft's cloud that the tenant is in", choices=("global", "usgov", "china")),
    _oauth("authority", Type.URL, "", "sign-in server of a tenant, where it is none of Microsoft's clouds", "URL"),
    _oauth("issuer", Type.URL, "", "provider that publishes its endpoints (OpenID Connect discovery)", "URL"),
    _oauth("token_endpoint", Type.URL, "", "where tokens are obtained, for other providers", "URL",
           aliases=("EmailSmtpOAuth2TokenEndpoint",)),
    _oauth("authorization_endpoint", Type.URL, "", "where somebody signs in with a browser", "URL"),
    _oauth("device_endpoint", Type.URL, "", "where a code for another device is given out", "URL"),
    _oauth("client_id", Type.TEXT, "", "id of the registered application", "ID",
           aliases=("EmailSmtpOAuth2ClientId",)),
    _oauth("client_auth", Type.CHOICE, "body", "where the client secret stands in a request", choices=("body", "basic")),
    _oauth("scope", Type.TEXT, "", "scopes, separated by blanks", "SCOPE", aliases=("EmailSmtpOAuth2Scope",)),
    _oauth("client_cert", Type.PATH, "", "certificate that proves the application (PEM or PFX)", "FILE"),
    _oauth("client_key", Type.PATH, "", "private key of the certificate, where it has none with it", "FILE"),
    _oauth("assertion_file", Type.PATH, "", "signed assertion that proves the application (workload identity)", "FILE"),
    _oauth("managed_identity", Type.TEXT, "", "identity of this Azure machine: system, or a client id", "ID"),
    _oauth("key_file", Type.PATH, "", "JSON key of a Google service account", "FILE"),
    _oauth("subject", Type.ADDRESS, "", "mailbox that a service account speaks for (default: the user name)", "ADDRESS"),
    _oauth("redirect_port", Type.PORT, None, "port that a browser login comes back to (default: any)", "PORT"),
    _oauth("cache", Type.CHOICE, "memory", "where tokens are kept between runs", choices=("memory", "keyring", "file")),
    _oauth("secret_expires", Type.DATE, "", "last day of the client secret or certificate", "DATE"),
    _oauth("ca_file", Type.PATH, "", "certificates to trust at the token endpoint", "FILE"),
    _oauth("proxy", Type.PROXY, "", "proxy for token requests", "URL"),
    *_secret("client_secret", "client secret", Group.OAUTH, "EmailSmtpOAuth2ClientSecret", options=False),
    *_secret("client_key_password", "pass phrase of the client's key", Group.OAUTH, options=False),
    *_secret("refresh_token", "refresh token", Group.OAUTH, options=False),
    *_secret("access_token", "access token", Group.OAUTH, options=False),
)  # fmt: skip

BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}
SCOPE_BY_NAME: Mapping[str, Field] = {field.name: field for field in SCOPE_FIELDS}
OAUTH_BY_NAME: Mapping[str, Field] = {field.name: field for field in OAUTH_FIELDS}
