"""What every format is read into and written from, and what it has to say about it.

A reference to a secret in another place is kept as text in `secret_ref` (`env:X`, `file:/run/x`, `command:pass x`);
the secret itself only ever stands in a Secret.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK, Secret


class OAuth(NamedTuple):
    """OAuth 2.0 credentials; an empty text is unset. `scope` has blanks between several scopes."""

    tenant: str = ""
    token_endpoint: str = ""
    client_id: str = ""
    client_secret: Secret = Secret("")
    scope: str = ""
    refresh_token: Secret = Secret("")
    access_token: Secret = Secret("")


class Settings(NamedTuple):
    """One server, in the words of all formats.

    `auth` is `none`, `password` or `oauth2`; times are seconds, None for the program's own default; `delivery` is
    `network`, `pickup` or `iis`; `priority` `high`, `normal` or `low`; `fingerprint` a SHA-256 in hex.
    """

    name: str = ""
    host: str = ""
    port: int = 25
    tls: TlsMode = TlsMode.AUTO
    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    tls_min: str = ""
    fingerprint: str = ""
    auth: str = "none"
    mechanisms: tuple[str, ...] = ()
    user: str = ""
    secret: Secret = Secret("")
    secret_ref: str = ""
    from_addr: str = ""
    from_name: str = ""
    envelope_from: str = ""
    reply_to: str = ""
    helo: str = ""
    timeout_connect: float | None = None
    timeout_read: float | None = None
    oauth: OAuth = OAuth()
    delivery: str = "network"
    pickup_dir: str = ""
    enabled: bool = True
    priority: str = "normal"
    sites: tuple[str, ...] = ()


class About(StrEnum):
    """What a notice is about."""

    UNKNOWN = "unknown"  # a key that the format does not have
    PLACEHOLDER = "placeholder"  # <...>: nobody has filled it in
    INVALID = "invalid"  # a value or a text that cannot be read, or not be written
    MASKED = "masked"  # a secret that was only shown as a mask
    NOT_CARRIED = "not_carried"  # the other side has no place for it
    CHANGED = "changed"  # carried, but not exactly
    BOTH_TLS = "both_tls"  # STARTTLS and implicit TLS are both on; implicit TLS is taken
    NOTE = "note"

    @property
    def refuses(self) -> bool:
        """Whether nothing may be imported or exported because of it."""
        return self in (About.PLACEHOLDER, About.INVALID)


class Notice(NamedTuple):
    """Something to say about one key. `text` is a sentence; `line` is 1-based, 0 where there is none."""

    about: About
    key: str
    text: str
    line: int = 0


class Reading(NamedTuple):
    """What a file says: its servers (the default one first, where the format has one) and sending settings.

    `scope` has the names of our own settings (`emails_enabled`, `log_emails` ...).
    """

    servers: tuple[Settings, ...] = ()
    scope: Mapping[str, Any] = {}
    notices: tuple[Notice, ...] = ()


class Writing(NamedTuple):
    """A file's text, and what it does not say."""

    text: str
    notices: tuple[Notice, ...] = ()


_DEFAULT = Settings()


def lost(server: Settings, carries: Collection[str]) -> Iterator[Notice]:
    """A notice for each field that is set and that a format has no place for."""
    for name in Settings._fields:
        value, default = getattr(server, name), getattr(_DEFAULT, name)
        if name == "oauth":
            unset = OAuth()
            parts = (part for part in OAuth._fields if getattr(value, part) != getattr(unset, part))
            missing = [f"oauth.{part}" for part in parts if f"oauth.{part}" not in carries]
        else:
            place = "secret" if name == "secret_ref" else name  # formats write a placeholder for it
            missing = [name] if value != default and place not in carries else []
        for field in missing:
            yield Notice(About.NOT_CARRIED, field, f"{field} has no place in this format")


def is_mask(value: str) -> bool:
    """Whether a value is what programs show instead of a secret."""
    return len(value) >= len(MASK) and set(value) <= {"*", "\u2022"}


def suggestion(name: str, known: Collection[str]) -> str:
    """` Did you mean X?`, or nothing."""
    import difflib

    by_lower = {key.lower(): key for key in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return f" Did you mean {by_lower[close[0]]}?" if close else ""


def port(text: str) -> int | None:
    """1 to 65535, or None."""
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text[:6]) < 65536 else None
