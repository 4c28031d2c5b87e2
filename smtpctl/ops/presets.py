"""Presets for the command line: found by name, listed, suggested, and written in another program's format."""

from __future__ import annotations

from collections.abc import Sequence

from smtpctl import formats
from smtpctl.config import presets
from smtpctl.config.presets import Preset, Suggestion
from smtpctl.config.problems import did_you_mean
from smtpctl.formats.settings import OAuth, Settings
from smtpctl.model.errors import UsageProblem
from smtpctl.model.secret import Secret

FORMATS = formats.names()
_USER, _PASSWORD = "<username>", "<password>"


def get(name: str) -> Preset:
    """A preset by its name; UsageProblem where there is none."""
    try:
        return presets.get(name)
    except KeyError:
        near = did_you_mean(name, presets.names())
        raise UsageProblem(f'There is no preset "{name}".{near}', "See: smtpctl preset list") from None


def listing(words: Sequence[str] = ()) -> list[Preset]:
    """All presets, or those whose name, domains or hosts have each of the words in them."""
    return [preset for preset in presets.load() if all(word.lower() in _searched(preset) for word in words)]


def suggest(address: str, host: str, mx: Sequence[str]) -> tuple[Suggestion, ...]:
    """The presets for a mail address or domain, a server, or MX hosts; UsageProblem where nothing is given."""
    domain = address.rpartition("@")[2]
    if not domain and not host and not mx:
        raise UsageProblem("Nothing to look for", "Give a mail address, a domain, or --host HOST.")
    return presets.suggest(domain, host=host, mx=mx)


def written(preset: Preset, format_name: str) -> str:
    """The preset in another program's format, with placeholders for what only the user knows."""
    server = _server(preset)
    if format_name == "contensis" and preset.contensis:
        from smtpctl.formats import contensis

        return contensis.listing(server, preset.contensis)
    return formats.get(format_name).write([server], {}).text


def _server(preset: Preset) -> Settings:
    first, needs = preset.endpoints[0], preset.needs
    oauth = OAuth()
    if preset.auth == "oauth2":
        secret = Secret(needs.get("client_secret", "<client secret>"))
        tenant, client = needs.get("tenant_id", "<tenant ID>"), needs.get("client_id", "<client ID>")
        oauth = OAuth(tenant=tenant, client_id=client, client_secret=secret)
    login = preset.auth in ("auto", "basic")
    return Settings(
        host=first.host,
        port=first.port,
        tls=first.tls,
        auth={"oauth2": "oauth2", "none": "none"}.get(preset.auth, "password"),
        user=str(preset.settings().get("username", needs.get("username", _USER))) if login else "",
        secret=Secret(needs.get("password", _PASSWORD)) if login else Secret(""),
        oauth=oauth,
    )


def _searched(preset: Preset) -> str:
    hosts = (endpoint.host for endpoint in preset.endpoints)
    return " ".join((preset.id, preset.name, preset.kind, *preset.domains, *hosts)).lower()
