"""Contensis: twelve global settings, written as `Key = value` lines.

`(empty)` is the empty value and `<...>` a placeholder. Names are matched without regard to case. Implicit TLS wins
over STARTTLS; a user name and password are used only where both are set and OAuth 2.0 is off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from smtpctl.formats.settings import About, Notice, OAuth, Reading, Settings, Writing, is_mask, lost, port, suggestion
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK, Secret

TITLE = "Contensis"
_OAUTH = ("oauth.tenant", "oauth.token_endpoint", "oauth.client_id", "oauth.client_secret", "oauth.scope")
CARRIES = frozenset(("host", "port", "tls", "auth", "user", "secret", *_OAUTH))
TLS = frozenset((TlsMode.IMPLICIT, TlsMode.STARTTLS, TlsMode.NONE))
AUTH = frozenset(("none", "password", "oauth2"))
SCOPE: frozenset[str] = frozenset()
MANY = False
EMPTY = "(empty)"
WIDTH = 30  # columns of the key

HOST, PORT = "EmailSMTPHost", "EmailSmtpPort"
IMPLICIT, STARTTLS = "EmailSmtpUseImplicitSSL", "EmailSmtpUseSSL"
USER, PASSWORD = "EmailSmtpUsername", "EmailSmtpPassword"
OAUTH2 = "EmailSmtpUseOAuth2"
TENANT, TOKENS = "EmailSmtpOAuth2AzureTenantId", "EmailSmtpOAuth2TokenEndpoint"
CLIENT, CLIENT_SECRET = "EmailSmtpOAuth2ClientId", "EmailSmtpOAuth2ClientSecret"
SCOPES = "EmailSmtpOAuth2Scope"

# The settings in their order, with their defaults.
SCHEMA: Mapping[str, str] = {
    HOST: "smtp.zengenti.com",
    PORT: "25",
    IMPLICIT: "false",
    STARTTLS: "false",
    USER: "",
    PASSWORD: "",
    OAUTH2: "false",
    TENANT: "",
    TOKENS: "",
    CLIENT: "",
    CLIENT_SECRET: "",
    SCOPES: "",
}
_BOOLEANS = (IMPLICIT, STARTTLS, OAUTH2)
_SECRETS: Mapping[str, str] = {PASSWORD: "<password>", CLIENT_SECRET: "<your client secret>"}
_BY_LOWER = {name.lower(): name for name in SCHEMA}


class _Line(NamedTuple):
    number: int
    key: str
    value: str


def read(text: str) -> Reading:
    """The one server that the settings describe; what is not set has Contensis's default."""
    notices: list[Notice] = []
    values = dict(SCHEMA)
    seen: set[str] = set()
    for line in _lines(text, notices):
        key = _BY_LOWER.get(line.key.lower())
        if key is None:
            hint = suggestion(line.key, SCHEMA)
            notices.append(Notice(About.UNKNOWN, line.key, f"Contensis has no such setting.{hint}", line.number))
            continue
        if key in seen:
            notices.append(Notice(About.NOTE, key, "it is set twice; the last one counts", line.number))
        seen.add(key)
        fault = _fault(key, line.value)
        if fault:
            notices.append(Notice(fault[0], key, fault[1], line.number))
        else:
            values[key] = "" if line.value == EMPTY else line.value
    return Reading((_settings(values, notices),), {}, tuple(notices))


def write(servers: Sequence[Settings], scope: Mapping[str, object], *, reveal: bool = False) -> Writing:
    """The twelve settings of the first server; a secret that is not revealed is its mask."""
    if not servers:
        return Writing("", (Notice(About.INVALID, "servers", "there is no server to write"),))
    notices = [*lost(servers[0], CARRIES), *_changed(servers[0])]
    notices += [Notice(About.NOT_CARRIED, name, f"{name} has no place in this format") for name in scope]
    extra = len(servers) - 1
    if extra:
        notices.append(Notice(About.NOT_CARRIED, "servers", f"Contensis has one server; {extra} more are left out"))
    values = _values(servers[0], dict.fromkeys(_SECRETS, MASK), reveal=reveal)
    real = {
        PASSWORD: reveal and bool(servers[0].secret),
        CLIENT_SECRET: reveal and bool(servers[0].oauth.client_secret),
    }
    for key, value in values.items():
        if _cannot_stand(key, value, real=real.get(key, False)):
            notices.append(Notice(About.INVALID, key, "a value like this one cannot be written as a line"))
            values[key] = MASK if key in _SECRETS else ""
    return Writing(_text(values, SCHEMA), tuple(notices))


def listing(server: Settings, keys: Iterable[str]) -> str:
    """Only some settings, in the order of `keys`, with placeholders for secrets: a common configuration."""
    return _text(_values(server, _SECRETS, reveal=False), list(keys))


def _lines(text: str, notices: list[Notice]) -> Iterator[_Line]:
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.strip(" \t\r")
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if equals:
            yield _Line(number, key.rstrip(" \t"), value.lstrip(" \t"))
        else:
            notices.append(Notice(About.UNKNOWN, "", "this line is not `Key = value`", number))


def _fault(key: str, value: str) -> tuple[About, str] | None:
    """Why a value cannot be taken."""
    if value.startswith("<") and value.endswith(">"):
        return About.PLACEHOLDER, f"{value} is a placeholder; put the value there"
    if key in _SECRETS and is_mask(value):
        return About.MASKED, "the value is only a mask; set it with `smtpctl secret set`"
    if key in _BOOLEANS and value.lower() not in ("true", "false"):
        return About.INVALID, f"{value!r} is neither true nor false"
    if key == PORT and port(value) is None:
        return About.INVALID, f"{value!r} is not a port (1 to 65535)"
    if key == HOST and value in ("", EMPTY):
        return About.INVALID, "the host is empty"
    return None


def _settings(values: Mapping[str, str], notices: list[Notice]) -> Settings:
    on = {key: values[key].lower() == "true" for key in _BOOLEANS}
    if on[IMPLICIT] and on[STARTTLS]:
        notices.append(Notice(About.BOTH_TLS, IMPLICIT, f"{STARTTLS} is true as well; implicit TLS takes precedence"))
    both = bool(values[USER] and values[PASSWORD])
    return Settings(
        host=values[HOST],
        port=port(values[PORT]) or 25,
        tls=TlsMode.IMPLICIT if on[IMPLICIT] else TlsMode.STARTTLS if on[STARTTLS] else TlsMode.NONE,
        auth="oauth2" if on[OAUTH2] else "password" if both else "none",
        user=values[USER],
        secret=Secret(values[PASSWORD]),
        oauth=OAuth(
            tenant=values[TENANT],
            token_endpoint=values[TOKENS],
            client_id=values[CLIENT],
            client_secret=Secret(values[CLIENT_SECRET]),
            scope=values[SCOPES],
        ),
    )


def _values(server: Settings, hidden: Mapping[str, str], *, reveal: bool) -> dict[str, str]:
    """Every setting as it is written, `hidden` in place of a secret that is not revealed. Without a login user name and password stay away: Contensis would use them."""
    unused = server.auth == "none" and bool(server.user)
    secret = Secret("") if unused else server.secret
    ref = "" if unused else server.secret_ref
    return {
        HOST: server.host,
        PORT: str(server.port),
        IMPLICIT: _word(server.tls is TlsMode.IMPLICIT),
        STARTTLS: _word(server.tls in (TlsMode.STARTTLS, TlsMode.AUTO)),
        USER: server.user,
        PASSWORD: _shown(hidden[PASSWORD], secret, ref, reveal=reveal),
        OAUTH2: _word(server.auth == "oauth2"),
        TENANT: server.oauth.tenant,
        TOKENS: server.oauth.token_endpoint,
        CLIENT: server.oauth.client_id,
        CLIENT_SECRET: _shown(hidden[CLIENT_SECRET], server.oauth.client_secret, "", reveal=reveal),
        SCOPES: server.oauth.scope,
    }


def _changed(server: Settings) -> Iterator[Notice]:
    if server.tls is TlsMode.AUTO:
        text = "STARTTLS where offered does not exist in Contensis; STARTTLS is written, which fails where it is not"
        yield Notice(About.CHANGED, "tls", text)
    has_secret = bool(server.secret or server.secret_ref)
    if server.auth == "none" and server.user and has_secret:
        yield Notice(About.CHANGED, "secret", "it is left out, because Contensis would log in with it")
    if server.auth == "password" and not (server.user and has_secret):
        yield Notice(About.CHANGED, "auth", "Contensis does not log in unless both user name and password are set")


def _shown(instead: str, secret: Secret, ref: str, *, reveal: bool) -> str:
    if reveal and secret:
        return secret.reveal()
    return instead if secret or ref else ""


def _cannot_stand(key: str, value: str, *, real: bool) -> bool:
    """Whether a value would be read back as something else; `real` for a secret that is no placeholder."""
    if value != value.strip(" \t\r") or "\n" in value or value == EMPTY:
        return True
    return real and _fault(key, value) is not None


def _text(values: Mapping[str, str], keys: Collection[str]) -> str:
    return "".join(f"{key:<{WIDTH}} = {values[key] or EMPTY}\n" for key in keys)


def _word(on: bool) -> str:
    return "true" if on else "false"
