"""What the value of a setting may look like: one parser for each type, the same for options, environment and file.

A parser takes what was written (a text, or what TOML made of it) and gives the canonical value, or raises BadValueError
whose message names what was written, what is wrong and what would be right. `text` is the way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from smtpctl.config.fields import Field, Type, Value
from smtpctl.model.endpoint import DEFAULT_TIMEOUTS
from smtpctl.model.finding import Ignore

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
_NAME = re.compile(r"\w[\w.@+-]{0,63}\Z")
_DOMAIN = re.compile(r"[^\s@<>\[\],;:\"]+|\[[^\s\[\]]+\]")
_MAILBOX = re.compile(r"\s*(?:(?:\"[^\"]*\"\s*|[^<>\"@]*)<(?P<angle>[^<>]*)>|(?P<bare>\S+))\s*\Z")
# Compiled when they are tried, which is seldom.
_IPV4 = r"(?a:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3})\Z"
_LITERAL = r"\[[!-Z^-~]+\]\Z"  # RFC 5321 4.1.3
_PIN = r"(?i:(?:sha256:)?((?:[0-9a-f]{2}:?){32}))\Z"
_DAY = r"\d{4}-\d\d-\d\d"
_CONTROL = r"[\x00-\x1f\x7f\ud800-\udfff]"
PASSWORD_IN_URL = "there is a password in the URL; other users see it in the list of processes, shells keep it"
_PROXIES = ("socks5://", "socks5h://", "socks4://", "http://")


class BadValueError(ValueError):
    """A value that a setting cannot take; the message is a sentence for the user."""


def parse(field: Field, raw: object) -> Value:
    """The canonical value of `field` for what was written.

    None stays None (inferred or unset). Raises BadValueError; the caller says which setting it was, and where.
    """
    return None if raw is None else _PARSERS[field.type](field, raw)


def typed(field: Field, raw: object) -> Value:
    """The same for what stands on a command line, where a URL may have no password. BadValueError."""
    value = parse(field, raw)
    if field.type is Type.PROXY and ":" in _user_information(str(value)):
        elsewhere = f" or into ${field.env}" if field.env else ""
        raise BadValueError(f"{PASSWORD_IN_URL}. Put it into the configuration file{elsewhere}")
    return value


def text(value: Value) -> str:
    """A value as one would type it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ",".join(f"{stage}={seconds:g}" for stage, seconds in value.items())
    if isinstance(value, tuple) and value and isinstance(value[0], Ignore):
        from smtpctl.config.edits import dump

        return dump(table_of(value))
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def split_host(raw: str) -> tuple[str, int | None]:
    """Host and port of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare v6 address; BadValueError with the reason.

    The host is in A-label form (RFC 5891), lower case, without brackets and without a final dot.
    """
    written = raw.strip()
    if "://" in written:
        bare = written.split("://", 1)[1].split("/", 1)[0].rpartition("@")[2]
        raise BadValueError(f"{_quote(hide_password(raw))} is a URL; give the name or address alone: {bare}")
    if written.startswith("["):
        inside, closed, rest = written[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise BadValueError(f"{_quote(raw)} is not [ADDRESS] or [ADDRESS]:PORT")
        return _ipv6(inside, raw), port_number(rest[1:]) if rest else None
    if "@" in written:
        return host_name(written), None  # which it is not, and whose words hide a password
    if written.count(":") > 1:
        return _ipv6(written, raw), None
    name, colon, port = written.partition(":")
    return host_name(name), port_number(port) if colon else None


def host_name(raw: str) -> str:
    """A name in A-label form or an IPv4 address; BadValueError with the reason."""
    if not raw:
        raise BadValueError("the host is empty")
    if any(c.isspace() for c in raw):
        raise BadValueError(f"{_quote(hide_password(raw))} has a blank in it; a host name has none")
    if "@" in raw:
        raise BadValueError(f"{_quote(hide_password(raw))} is a mail address; the server's name is needed")
    name = raw.removesuffix(".")
    if not name.isascii():
        name = _a_labels(name)
    labels = name.lower().split(".")
    if "" in labels:
        raise BadValueError(f"{_quote(raw)} has an empty part between two dots")
    if labels[-1].isdecimal():
        if re.match(_IPV4, name):
            return name
        raise BadValueError(
            f"{_quote(raw)} looks like an IPv4 address but is none: four numbers from 0 to 255 are needed"
        )
    for label in labels:
        if len(label) > 63:
            raise BadValueError(f"{_quote(raw)} has a part of {len(label)} characters; 63 is the most (RFC 1035 2.3.4)")
        if not _LABEL.match(label):
            raise BadValueError(f"{_quote(raw)} is not a host name: letters, digits, hyphens and dots are allowed")
    if len(name) > 253:
        raise BadValueError(f"the host name has {len(name)} characters; 253 is the most (RFC 1035 2.3.4)")
    return name.lower()


def port_number(raw: object) -> int:
    """1 to 65535; BadValueError for anything else."""
    number = _whole(raw)
    if number is None or not 1 <= number <= 65535:
        raise BadValueError(f"{_quote(raw)} is not a port: a number from 1 to 65535 is needed")
    return number


def name_word(raw: object, what: str = "name") -> str:
    """A name of a profile, site or set of credentials; BadValueError with the reason."""
    if not isinstance(raw, str) or not _NAME.match(raw):
        raise BadValueError(f"{_quote(raw)} is not a {what}: letters, digits and . _ - + @ are allowed, 64 at most")
    return raw


def bare_address(address: str) -> str:
    """The address alone of `"Name" <address>` or `address`; empty for the null sender `<>`."""
    found = _MAILBOX.match(address)
    if not found:
        return address.strip()
    return (found["angle"] if found["angle"] is not None else found["bare"]).strip()


def hide_password(raw: str) -> str:
    """The text with what stands between `:` and `@` of its user information masked."""
    return re.sub(r"(//[^@:]*|^(?!\w+://)[^/@:]*):.*@", r"\1:********@", raw, flags=re.DOTALL)


def _text(field: Field, raw: object) -> str:
    shown = "the value" if field.secret else _quote(raw)
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise BadValueError(f"{shown} is not a text")
    value = str(raw)
    if not value.isprintable() and re.search(_CONTROL, value):
        raise BadValueError(f"{shown} has a line break, a control character or broken text in it")
    return value


def _host(field: Field, raw: object) -> str:
    host, port = split_host(_text(field, raw))
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _server_name(field: Field, raw: object) -> str:
    value = _text(field, raw)
    return host_name(value) if value else ""


def _helo(field: Field, raw: object) -> str:
    """What may stand behind EHLO (RFC 5321 4.1.1.1)."""
    return value if re.match(_LITERAL, value := _text(field, raw)) else _server_name(field, raw)


def _choice(field: Field, raw: object) -> str:
    value = _text(field, raw)
    known = {choice.lower(): choice for choice in field.choices}
    if value.lower() not in known:
        raise BadValueError(f"{_quote(raw)} is not one of {', '.join(field.choices)}")
    return known[value.lower()]


def _flag(_field: Field, raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word not in _TRUE | _FALSE:
        raise BadValueError(f"{_quote(raw)} is neither true nor false")
    return word in _TRUE


def _count(least: int) -> Callable[[Field, object], int]:
    def parse_count(_field: Field, raw: object) -> int:
        number = _whole(raw)
        if number is None or not least <= number <= 10**9:
            raise BadValueError(f"{_quote(raw)} is not a whole number from {least}")
        return number

    return parse_count


def _seconds(_field: Field, raw: object) -> float:
    number = _number(raw)
    if number is None or not 0 < number <= 10**7:
        raise BadValueError(f"{_quote(raw)} is not a number of seconds above 0")
    return number


def _ratio(_field: Field, raw: object) -> float:
    number = _number(raw)
    if number is None or not 0 <= number <= 1:
        raise BadValueError(f"{_quote(raw)} is not a number from 0 to 1")
    return number


def _stages(field: Field, raw: object) -> Mapping[str, float]:
    if isinstance(raw, Mapping):
        pairs: Iterable[tuple[str, object]] = ((str(stage), seconds) for stage, seconds in raw.items())
    else:
        pairs = ((stage, seconds) for stage, _, seconds in (item.partition("=") for item in _list(field, raw)))
    known = {stage.value for stage in DEFAULT_TIMEOUTS}
    result = {}
    for stage, seconds in pairs:
        if stage not in known:
            raise BadValueError(f"{_quote(stage)} is not a stage: {', '.join(sorted(known))}")
        result[stage] = _seconds(field, seconds)
    return result


def _list(field: Field, raw: object) -> tuple[str, ...]:
    """Several texts; each may hold several more, separated by commas."""
    items = raw if isinstance(raw, (list, tuple)) else (raw,)
    return tuple(part.strip() for item in items for part in _text(field, item).split(",") if part.strip())


def _pins(field: Field, raw: object) -> tuple[str, ...]:
    pins = []
    for item in _list(field, raw):
        found = re.match(_PIN, item)
        if not found:
            raise BadValueError(f"{_quote(item)} is not a pin: sha256: and 64 hexadecimal digits are needed")
        pins.append("sha256:" + found[1].replace(":", "").lower())
    return tuple(pins)


def ignores(raw: object) -> tuple[Ignore, ...]:
    """`{id: reason}` or `{id: {reason, until}}`, also as TOML; why a finding may be passed over is not left out."""
    if isinstance(raw, tuple):
        return raw
    if raw == "":
        return ()
    table = _inline(raw) if isinstance(raw, str) else raw
    if not isinstance(table, Mapping):
        raise BadValueError(
            'a table is needed: the id of a finding and why it does not count, { "tls.no_ems" = "..." }'
        )
    return tuple(_ignore(str(name), said) for name, said in table.items())


def table_of(wished: Iterable[Ignore]) -> dict[str, Any]:
    """Ignores as the file holds them."""
    from datetime import date

    return {
        one.id: {"reason": one.reason, "until": date.fromisoformat(one.until)} if one.until else one.reason
        for one in wished
    }


def _inline(written: str) -> object:
    import tomllib

    try:
        return tomllib.loads(f"it = {written}").get("it")
    except ValueError:
        return None


def _ignore(name: str, said: object) -> Ignore:
    table = said if isinstance(said, Mapping) else {"reason": said}
    if isinstance(said, Mapping) and not {"reason", "until"} & said.keys():
        raise BadValueError(f'an id stands in quotes: "{name}.{next(iter(said), "")}"')
    if unknown := next((key for key in table if key not in ("reason", "until")), ""):
        raise BadValueError(f"{_quote(name)} has no {_quote(unknown)}; reason and until are known")
    reason, until = str(table.get("reason", "")).strip(), str(table.get("until", ""))
    if not reason:
        raise BadValueError(f"{_quote(name)} needs a reason")
    if until and not (re.fullmatch(_DAY, until) and _is_day(until)):
        raise BadValueError(f"{_quote(name)}: until is a day such as 2027-01-31, not {_quote(until)}")
    return Ignore(name, reason, until)


def _is_day(written: str) -> bool:
    from datetime import date

    try:
        return bool(date.fromisoformat(written))
    except ValueError:
        return False


def _address(field: Field, raw: object) -> str:
    """An address, also `"Name" <address>`; `<>` is the null sender (RFC 5321 4.5.5)."""
    value = _text(field, raw).strip()
    if value in ("", "<>"):
        return value
    bare = bare_address(value) if _MAILBOX.match(value) else ""
    local, at, domain = bare.rpartition("@")
    if not (at and local and _DOMAIN.fullmatch(domain)) or " " in bare or "," in bare:
        raise BadValueError(f"{_quote(raw)} is not a mail address: name@domain is needed")
    if not domain.startswith("["):
        host_name(domain)
    return value


def _ip(field: Field, raw: object) -> str:
    from ipaddress import ip_address

    value = _text(field, raw).strip().strip("[]")
    try:
        return str(ip_address(value)) if value else ""
    except ValueError:
        raise BadValueError(f"{_quote(raw)} is not an IP address") from None


def _proxy(field: Field, raw: object) -> str:
    value = _text(field, raw).strip()
    if value and not value.startswith(_PROXIES):
        raise BadValueError(f"{_quote(hide_password(value))} is not a proxy: {', '.join(_PROXIES)}HOST:PORT is needed")
    if value:
        if any(mark in _user_information(value) for mark in "/?#"):
            raise BadValueError("a proxy's user name and password have /, ? and # written as %2F, %3F and %23")
        split_host(value.split("://", 1)[1].rpartition("@")[2].rstrip("/"))
    return value


def _user_information(url: str) -> str:
    """What stands before the `@` of a URL (RFC 3986 3.2.1), empty where nothing does."""
    return url.partition("://")[2].rpartition("@")[0]


def _url(field: Field, raw: object) -> str:
    value = _text(field, raw).strip()
    if value and not value.startswith("https://"):
        raise BadValueError(f"{_quote(hide_password(value))} must be HTTPS: it carries a secret")
    if value:
        split_host(value[8:].split("/", 1)[0].split("?", 1)[0])
    return value


def _date(field: Field, raw: object) -> str:
    value = str(raw).strip()
    if value and not (re.fullmatch(_DAY, value) and _is_day(value)):
        raise BadValueError(f"{_quote(value)} is no day such as 2027-01-31")
    return value


def _command(field: Field, raw: object) -> tuple[str, ...]:
    """A program and its arguments: a list, or one text split as a shell would (without running one)."""
    if isinstance(raw, (list, tuple)):
        words = tuple(_text(field, item) for item in raw)
    else:
        import shlex

        try:
            words = tuple(shlex.split(_text(field, raw)))
        except ValueError as error:
            raise BadValueError(f"{_quote(raw)} cannot be split into words: {error}") from None
    if not words or not words[0]:
        raise BadValueError("the command is empty")
    return words


def _name(_field: Field, raw: object) -> str:
    return "" if raw == "" else name_word(raw)


_PARSERS: Mapping[Type, Callable[[Field, Any], Value]] = {
    Type.TEXT: _text,
    Type.HOST: _host,
    Type.SERVER_NAME: _server_name,
    Type.HELO: _helo,
    Type.PORT: lambda _field, raw: port_number(raw),
    Type.CHOICE: _choice,
    Type.FLAG: _flag,
    Type.COUNT: _count(1),
    Type.DAYS: _count(0),
    Type.SECONDS: _seconds,
    Type.RATIO: _ratio,
    Type.STAGES: _stages,
    Type.LIST: _list,
    Type.PINS: _pins,
    Type.ADDRESS: _address,
    Type.IP: _ip,
    Type.PROXY: _proxy,
    Type.URL: _url,
    Type.PATH: _text,
    Type.COMMAND: _command,
    Type.DATE: _date,
    Type.IGNORES: lambda _field, raw: ignores(raw),
    Type.NAME: _name,
}


def _quote(raw: object) -> str:
    """What was written, in quotes, on one line and not without end."""
    shown = str(raw)
    shown = re.sub(_CONTROL, "?", shown if len(shown) <= 80 else shown[:77] + "...")
    return f'"{shown}"'


def _whole(raw: object) -> int | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, str)):
        return None
    if isinstance(raw, int):
        return raw
    word = raw.strip()
    return int(word) if word.isascii() and word.isdecimal() and len(word) <= 10 else None


def _number(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        return float(raw)
    except (ValueError, OverflowError):
        return None


def _ipv6(written: str, raw: str) -> str:
    from ipaddress import IPv6Address

    try:
        return str(IPv6Address(written))
    except ValueError:
        raise BadValueError(f"{_quote(raw)} is not an IPv6 address") from None


def _a_labels(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadValueError(f"{_quote(name)} is not a name that DNS can hold: {error}") from None
