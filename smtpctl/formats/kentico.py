"""Kentico 6 to 13: the settings of the category Emails, additional SMTP servers, and the debug keys of web.config.

Read are XML (`<add key value>` of a web.config's appSettings, `CMS_SettingsKey` and `CMS_SMTPServer` elements as
Kentico exports them) and `Key = value` lines, where each `ServerName` begins an additional server. Written is XML:
appSettings to paste into a web.config, and one `CMS_SMTPServer` element for each additional server.
Kentico 13 has no switch for TLS (it is used where offered); the older `CMSUseSSL` means STARTTLS, never implicit TLS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smtpctl.formats.settings import About, Notice, Reading, Settings, Writing, is_mask, lost, port, suggestion
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK, Secret

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TITLE = "Kentico"
CARRIES = frozenset(("host", "port", "tls", "auth", "user", "secret", "enabled", "priority", "delivery", "pickup_dir"))
TLS = frozenset((TlsMode.AUTO, TlsMode.STARTTLS, TlsMode.NONE))
AUTH = frozenset(("none", "password"))
SCOPE = frozenset(
    ("emails_enabled", "queue_enabled", "batch_size", "archive_days", "sender", "log_emails", "debug_emails")
)
MANY = True

# Settings of the default server, and their counterparts in the record of an additional one.
HOST, USER, PASSWORD, SSL = "CMSSMTPServer", "CMSSMTPServerUser", "CMSSMTPServerPassword", "CMSUseSSL"
ADDITIONAL: Mapping[str, str] = {
    "ServerName": HOST,
    "ServerUserName": USER,
    "ServerPassword": PASSWORD,
    "ServerUseSSL": SSL,
}
ENABLED, IS_GLOBAL, PRIORITY = "ServerEnabled", "ServerIsGlobal", "ServerPriority"
METHOD, PICKUP = "ServerDeliveryMethod", "ServerPickupDirectory"
# Columns of the record that say nothing about sending.
_BOOKKEEPING = ("ServerID", "ServerGUID", "ServerLastModified", "ServerAuthenticationType")
_RECORD = (*ADDITIONAL, ENABLED, IS_GLOBAL, PRIORITY, METHOD, PICKUP)
_PRIORITIES: Mapping[str, str] = {"-1": "low", "0": "normal", "1": "high"}
_METHODS: Mapping[str, str] = {"0": "network", "1": "pickup", "2": "iis"}
_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}

# Settings that are not a server's: our name, and how the value is read.
_SCOPE: Mapping[str, tuple[str, type]] = {
    "CMSEmailsEnabled": ("emails_enabled", bool),
    "CMSEmailQueueEnabled": ("queue_enabled", bool),
    "CMSEmailBatchSize": ("batch_size", int),
    "CMSArchiveEmails": ("archive_days", int),
    "CMSNoreplyEmailAddress": ("sender", str),
    "CMSLogEmails": ("log_emails", bool),
    "CMSDebugEmails": ("debug_emails", bool),
}
_NO_COUNTERPART = ("CMSEmailEncoding", "CMSEmailTransferEncoding", "CMSSimulateFailedEmails", "CMSEmailSendLimit")
_SETTINGS = (HOST, USER, PASSWORD, SSL, *_SCOPE, *_NO_COUNTERPART)
SCHEMA: Mapping[str, str] = dict.fromkeys(_SETTINGS, "")
_KNOWN: Mapping[str, str] = {name.lower(): name for name in (*_SETTINGS, *_RECORD, *_BOOKKEEPING)}


class _Value(NamedTuple):
    text: str
    line: int


class _Source(NamedTuple):
    """A file taken apart: settings by their names, one mapping for each additional server."""

    settings: dict[str, _Value]
    servers: list[dict[str, _Value]]


def read(text: str) -> Reading:
    """The default server, then the additional ones, and the sending settings."""
    notices: list[Notice] = []
    text = text.removeprefix("\ufeff")
    source = (_read_xml if text.lstrip().startswith("<") else _read_lines)(text, notices)
    servers = []
    if HOST in source.settings:
        servers.append(_server(source.settings, notices))
    servers += [_additional(record, notices) for record in source.servers]
    return Reading(tuple(servers), _scope(source.settings, notices), tuple(notices))


def write(servers: Sequence[Settings], scope: Mapping[str, object], *, reveal: bool = False) -> Writing:
    """An XML document with the settings and the additional servers.

    The first server is the default one unless it has what only an additional server can have.
    """
    from smtpctl.formats._xml import escape

    notices: list[Notice] = []
    default = [server for server in servers[:1] if not _only_additional(server)]
    settings = [pair for server in default for pair in _connection(server, notices, reveal=reveal)]
    settings += _scope_pairs(scope, notices)
    lines = [f'    <add key="{key}" value="{escape(value)}"/>' for key, value in settings]
    out = ["<kentico>", "  <!-- Settings, System, Emails; or configuration/appSettings in web.config -->"]
    out += ["  <appSettings>", *lines, "  </appSettings>"]
    for server in servers[len(default) :]:
        pairs = _record_pairs(server, notices, reveal=reveal)
        out += ["  <CMS_SMTPServer>", *(f"    <{k}>{escape(v)}</{k}>" for k, v in pairs), "  </CMS_SMTPServer>"]
    return Writing("\n".join([*out, "</kentico>", ""]), tuple(notices))


# Taking a file apart


def _read_lines(text: str, notices: list[Notice]) -> _Source:
    found = _Source({}, [])
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t\r")
        if not line or line.startswith("#"):
            continue
        key, equals, value = (part.strip(" \t") for part in line.partition("="))
        if equals:
            _put(found, key, _Value(value, number), notices)
        else:
            notices.append(Notice(About.UNKNOWN, "", "this line is not `Key = value`", number))
    return found


def _put(found: _Source, key: str, value: _Value, notices: list[Notice]) -> None:
    name = _KNOWN.get(key.lower())
    if name is None:
        notices.append(
            Notice(About.UNKNOWN, key, f"Kentico has no such setting.{suggestion(key, _SETTINGS)}", value.line)
        )
    elif name in _SETTINGS:
        found.settings[name] = value
    elif name == "ServerName":
        found.servers.append({name: value})
    elif found.servers:
        found.servers[-1][name] = value
    else:
        notices.append(Notice(About.INVALID, key, "it stands before the first ServerName", value.line))


def _read_xml(text: str, notices: list[Notice]) -> _Source:
    from smtpctl.formats import _xml

    found = _Source({}, [])
    try:
        root = _xml.parse(text)
    except _xml.BadXmlError as error:
        notices.append(Notice(About.INVALID, "", f"the XML is not read: {error}", error.line))
        return found
    for element in root.iter():
        children = {_xml.local(child): _Value(child.text or "", _xml.line(child)) for child in element}
        if _xml.local(element) == "appSettings":
            _app_settings(element, found, notices)
        elif _xml.local(element) == "mailSettings":
            text_ = "system.net/mailSettings belongs to .NET, not to Kentico; it is not read"
            notices.append(Notice(About.NOTE, "mailSettings", text_, _xml.line(element)))
        elif "ServerName" in children:
            record = {_KNOWN.get(name.lower(), name): value for name, value in children.items()}
            found.servers.append({name: value for name, value in record.items() if name in _RECORD})
            _unknown(record, notices)
        elif "KeyName" in children:
            name = children["KeyName"].text.strip()
            _mail_setting(name, children.get("KeyValue", _Value("", _xml.line(element))), found, notices)
    return found


def _app_settings(section: Element, found: _Source, notices: list[Notice]) -> None:
    """`add`, `remove` and `clear` in their order, as .NET applies them; other people's keys are left alone."""
    from smtpctl.formats import _xml

    if section.get("configProtectionProvider"):
        notices.append(
            Notice(
                About.INVALID,
                "appSettings",
                "the section is encrypted (aspnet_regiis -pd decrypts it)",
                _xml.line(section),
            )
        )
    for elsewhere in ("file", "configSource"):
        if section.get(elsewhere):
            words = f"more settings are in {section.get(elsewhere)}, which is not read; import it as well"
            notices.append(Notice(About.NOTE, "appSettings", words, _xml.line(section)))
    for element in section:
        key = element.get("key", "").strip()
        action = _xml.local(element)
        if action == "add":
            _mail_setting(key, _Value(element.get("value", ""), _xml.line(element)), found, notices)
        elif action == "remove":
            found.settings.pop(_KNOWN.get(key.lower(), ""), None)
        elif action == "clear":
            found.settings.clear()


def _mail_setting(key: str, value: _Value, found: _Source, notices: list[Notice]) -> None:
    """One setting among many: only those that are about mail are looked at."""
    name = _KNOWN.get(key.lower())
    if name in _SETTINGS:
        found.settings[name] = value
    elif "mail" in key.lower() or "smtp" in key.lower():
        hint = suggestion(key, _SETTINGS)
        notices.append(
            Notice(About.UNKNOWN, key, f"it looks like mail, but Kentico has no such setting.{hint}", value.line)
        )


def _unknown(record: Mapping[str, _Value], notices: list[Notice]) -> None:
    known = (*_RECORD, *_BOOKKEEPING)
    notices += [
        Notice(About.UNKNOWN, name, f"an SMTP server has no such field.{suggestion(name, _RECORD)}", value.line)
        for name, value in record.items()
        if name not in known
    ]


# From keys to servers


def _server(values: Mapping[str, _Value], notices: list[Notice], names: Mapping[str, str] | None = None) -> Settings:
    """What a host, a user, a password and the old SSL switch say; `names` are the keys in the file, for notices."""
    shown = names or {}
    host, number = _split_host(values[HOST].text.strip())
    if not host or number is None:
        text = f"{values[HOST].text.strip()!r} is neither HOST nor HOST:PORT"
        notices.append(Notice(About.INVALID, shown.get(HOST, HOST), text, values[HOST].line))
    user = values[USER].text.strip() if USER in values else ""
    password = values.get(PASSWORD, _Value("", 0))
    if is_mask(password.text):
        text = "the value is only a mask; set it with `smtpctl secret set`"
        notices.append(Notice(About.MASKED, shown.get(PASSWORD, PASSWORD), text, password.line))
        password = _Value("", password.line)
    ssl = _boolean(SSL, values, notices, shown)
    return Settings(
        host=host,
        port=number or 25,
        tls=TlsMode.AUTO if ssl is None else TlsMode.STARTTLS if ssl else TlsMode.NONE,
        auth="password" if user else "none",
        user=user,
        secret=Secret(password.text),
    )


def _additional(record: Mapping[str, _Value], notices: list[Notice]) -> Settings:
    names = {setting: column for column, setting in ADDITIONAL.items()}
    server = _server({ADDITIONAL.get(key, key): value for key, value in record.items()}, notices, names)
    if _boolean(IS_GLOBAL, record, notices) is False:
        text = (
            f"{server.host} is for some sites only, and the file does not say which: add them with `profile set sites=`"
        )
        notices.append(Notice(About.NOTE, IS_GLOBAL, text, record[IS_GLOBAL].line))
    return server._replace(
        enabled=_boolean(ENABLED, record, notices) is not False,
        priority=_word(PRIORITY, _PRIORITIES, record, notices) or "normal",
        delivery=_word(METHOD, _METHODS, record, notices) or "network",
        pickup_dir=record[PICKUP].text if PICKUP in record else "",
    )


def _scope(settings: Mapping[str, _Value], notices: list[Notice]) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    for key, (name, kind) in _SCOPE.items():
        if key not in settings or not settings[key].text.strip():
            continue
        value = settings[key].text.strip()
        if kind is bool:
            scope[name] = _boolean(key, settings, notices)
        elif kind is int and not (value.isascii() and value.isdecimal()):
            notices.append(Notice(About.INVALID, key, f"{value!r} is not a whole number", settings[key].line))
        else:
            scope[name] = kind(value)
    notices += [
        Notice(About.NOT_CARRIED, key, f"{key} has no counterpart in smtpctl", settings[key].line)
        for key in _NO_COUNTERPART
        if key in settings
    ]
    return {name: value for name, value in scope.items() if value is not None}


def _boolean(
    key: str, values: Mapping[str, _Value], notices: list[Notice], names: Mapping[str, str] | None = None
) -> bool | None:
    """True or False; None where the key is not set (or not understood, which is noticed)."""
    found = values.get(key)
    if found is None or not found.text.strip():
        return None
    value = _BOOLEANS.get(found.text.strip().lower())
    if value is None:
        name = (names or {}).get(key, key)
        notices.append(Notice(About.INVALID, name, f"{found.text.strip()!r} is neither true nor false", found.line))
    return value


def _word(key: str, words: Mapping[str, str], values: Mapping[str, _Value], notices: list[Notice]) -> str:
    """One of our words for a number of Kentico's; the words themselves are taken too. Empty where it is not set."""
    found = values.get(key)
    if found is None or not found.text.strip():
        return ""
    text = found.text.strip().lower()
    if text in words.values():
        return text
    if text not in words:
        choices = ", ".join(f"{number} ({word})" for number, word in words.items())
        notices.append(Notice(About.INVALID, key, f"{text!r} is none of {choices}", found.line))
    return words.get(text, "")


def _split_host(text: str) -> tuple[str, int | None]:
    """Host and port; the port is 25 where none is written, None where what is written is none."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, 25 if not rest else port(rest[1:]) if rest.startswith(":") else None
    host, colon, number = text.partition(":")
    if ":" in number:  # an IPv6 address without brackets
        return text, 25
    return host, port(number) if colon else 25


# From servers to keys


def _only_additional(server: Settings) -> bool:
    plain = Settings()
    fields = ("enabled", "priority", "delivery", "pickup_dir")
    return any(getattr(server, field) != getattr(plain, field) for field in fields)


def _connection(server: Settings, notices: list[Notice], *, reveal: bool) -> Iterator[tuple[str, str]]:
    notices += lost(server, CARRIES)
    if server.auth == "oauth2":
        text = "OAuth 2.0 is written as no login: choose the credentials in the administration interface"
        notices.append(Notice(About.CHANGED, "auth", text))
    if server.tls is TlsMode.IMPLICIT:
        text = "Kentico cannot do implicit TLS; STARTTLS is written"
        notices.append(Notice(About.CHANGED, "tls", text))
    host = f"[{server.host}]" if ":" in server.host else server.host
    yield HOST, host if server.port == 25 else f"{host}:{server.port}"
    if server.auth == "password":
        yield USER, _writable("user", server.user, notices)
        secret = _writable("secret", server.secret.reveal(), notices, instead=MASK) if reveal and server.secret else ""
        if secret or server.secret or server.secret_ref:
            yield PASSWORD, secret or MASK
    elif server.auth == "none" and (server.user or server.secret):
        notices.append(Notice(About.CHANGED, "user", "it is left out, because Kentico would log in with it"))
    if server.tls is not TlsMode.AUTO:
        yield SSL, "false" if server.tls is TlsMode.NONE else "true"


def _record_pairs(server: Settings, notices: list[Notice], *, reveal: bool) -> Iterator[tuple[str, str]]:
    names = {setting: column for column, setting in ADDITIONAL.items()}
    yield from ((names[key], value) for key, value in _connection(server, notices, reveal=reveal))
    yield ENABLED, "true" if server.enabled else "false"
    yield IS_GLOBAL, "false" if server.sites else "true"
    yield PRIORITY, _number(server.priority, _PRIORITIES)
    yield METHOD, _number(server.delivery, _METHODS)
    if server.pickup_dir:
        yield PICKUP, _writable("pickup_dir", server.pickup_dir, notices)


def _scope_pairs(scope: Mapping[str, object], notices: list[Notice]) -> Iterable[tuple[str, str]]:
    keys = {name: key for key, (name, _) in _SCOPE.items()}
    pairs = []
    for name, value in scope.items():
        if name in keys:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            pairs.append((keys[name], _writable(name, text, notices)))
        else:
            notices.append(Notice(About.NOT_CARRIED, name, f"{name} has no place in this format"))
    return pairs


def _writable(name: str, value: str, notices: list[Notice], instead: str = "") -> str:
    from smtpctl.formats._xml import writable

    if writable(value):
        return value
    notices.append(Notice(About.INVALID, name, "it has characters that XML cannot hold"))
    return instead


def _number(word: str, words: Mapping[str, str]) -> str:
    return next(number for number, known in words.items() if known == word)
