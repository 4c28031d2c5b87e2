"""Presets: what is known about providers (`presets.toml`), and which one fits an address or a server.

One preset is read by cutting its tables out of the file, which takes a tenth of the time of reading all of them:
a profile with `preset = "..."` is resolved at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple

FILE = Path(__file__).with_name("presets.toml")
COMMON = "common"  # the kind of presets that stand for no provider


class PresetEndpoint(NamedTuple):
    """One server of a provider; `host` may have {placeholders}."""

    host: str
    port: int
    tls: TlsMode
    note: str = ""


class OAuthEndpoints(NamedTuple):
    """Where a provider gives tokens. URLs may have `{tenant}`; `app_scopes` are for client credentials; `verified` False
    means that no word of the provider's own was found for it."""

    flows: tuple[str, ...] = ()
    authorize: str = ""
    token: str = ""
    device: str = ""
    scopes: tuple[str, ...] = ()
    app_scopes: tuple[str, ...] = ()
    source: str = ""
    as_of: str = ""
    verified: bool = True


class Preset(NamedTuple):
    """What is known about a provider; the fields are explained at the top of `presets.toml`."""

    id: str
    name: str
    kind: str
    endpoints: tuple[PresetEndpoint, ...]
    username: str = "email"
    credential: str = "password"
    mechanisms: tuple[str, ...] = ()
    oauth_only: bool = False
    domains: tuple[str, ...] = ()
    hosts: str = ""
    mx: str = ""
    variables: tuple[str, ...] = ()
    needs: Mapping[str, str] = {}
    contensis: tuple[str, ...] = ()
    oauth: OAuthEndpoints | None = None
    notes: tuple[str, ...] = ()
    verified: bool = True

    @property
    def auth(self) -> str:
        """How one logs in, as the setting `auth` says it; `auto` where both OAuth 2.0 and a password are possible."""
        if self.username == "none":
            return "none"
        if self.oauth_only:
            return "oauth2"
        return "basic" if self.kind == COMMON else "auto"

    def settings(self) -> dict[str, str | int]:
        """The profile settings that the preset stands for, by their names in the file.

        Without a host where that has {placeholders}: the user has to say it.
        """
        first = self.endpoints[0]
        settings: dict[str, str | int] = {"port": first.port, "tls": first.tls.value}
        if "{" not in first.host:
            settings["host"] = first.host
        if self.auth != "auto":
            settings["auth"] = self.auth
        if self.username.startswith("fixed:"):
            settings["username"] = self.username.removeprefix("fixed:")
        return settings

    def to_json(self) -> dict[str, Any]:
        """JSON values; what is empty is left out, `verified` never."""
        data: dict[str, Any] = {name: value for name, value in self._asdict().items() if value}
        data["endpoints"] = [
            {name: str(value) if name == "tls" else value for name, value in endpoint._asdict().items() if value}
            for endpoint in self.endpoints
        ]
        if self.oauth:
            known = {name: value for name, value in self.oauth._asdict().items() if value}
            data["oauth"] = {**known, "verified": self.oauth.verified}
        return {**data, "auth": self.auth, "verified": self.verified}


class Suggestion(NamedTuple):
    """A preset that fits, and why."""

    preset: Preset
    reason: str


def get(name: str) -> Preset:
    """One preset by its id; KeyError where there is none."""
    import tomllib

    text = FILE.read_text("utf-8")
    start = text.find(f"\n[{name}]\n")
    if start < 0:
        raise KeyError(name)
    end = text.find("\n[", start + 1)
    while text.startswith(f"\n[{name}.", end):
        end = text.find("\n[", end + 1)
    return _preset(name, tomllib.loads(text[start : end if end > 0 else None])[name])


def load() -> tuple[Preset, ...]:
    """All presets in the order of the file."""
    import tomllib

    with FILE.open("rb") as file:
        return tuple(_preset(name, table) for name, table in tomllib.load(file).items())


def names() -> tuple[str, ...]:
    """The ids of all presets, without reading what they hold."""
    import re

    return tuple(re.findall(r"^\[([^].]+)\]$", FILE.read_text("utf-8"), re.MULTILINE))


def suggest(domain: str = "", *, host: str = "", mx: Iterable[str] = ()) -> tuple[Suggestion, ...]:
    """The presets that fit, best first.

    `domain` is the part of an address after the @, `host` a server's name, `mx` the names of the domain's MX hosts.
    Where nothing fits, the two relay presets: a server of one's own or a transactional provider (any of kind `relay`).
    """
    presets = load()
    domain, host, exchangers = _name(domain), _name(host), [_name(name) for name in mx]
    questions: tuple[tuple[str, Callable[[Preset], bool]], ...] = (
        (f"{host} is a server of this provider", lambda preset: _matches(preset.hosts, [host])),
        (f"addresses at {domain} belong to this provider", lambda preset: _owns(preset, domain)),
        (f"this provider takes the mail of {domain or 'the domain'}", lambda preset: _matches(preset.mx, exchangers)),
    )
    found: dict[str, Suggestion] = {}
    for reason, fits in questions:
        for preset in presets:
            if preset.id not in found and fits(preset):
                found[preset.id] = Suggestion(preset, reason)
    if found:
        return tuple(found.values())
    reason = "no provider is known for it: use your own mail server's or a transactional provider's settings"
    return tuple(Suggestion(preset, reason) for preset in presets if preset.id in ("relay-starttls", "relay-implicit"))


def _owns(preset: Preset, domain: str) -> bool:
    """Whether addresses at a domain, or below one of the provider's (tenant.onmicrosoft.com), are the provider's."""
    return any(domain == own or domain.endswith(f".{own}") for own in preset.domains)


def _matches(pattern: str, names_: Iterable[str]) -> bool:
    import re

    return bool(pattern) and any(re.fullmatch(pattern, name) for name in names_)


def _name(text: str) -> str:
    return text.strip().rstrip(".").lower()


def _preset(name: str, table: Mapping[str, Any]) -> Preset:
    endpoints = tuple(
        PresetEndpoint(**{**endpoint, "tls": TlsMode(endpoint["tls"])}) for endpoint in table["endpoints"]
    )
    known = {**_tuples(table), "id": name, "endpoints": endpoints}
    if "oauth" in table:
        known["oauth"] = OAuthEndpoints(**_tuples(table["oauth"]))
    return Preset(**known)


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
