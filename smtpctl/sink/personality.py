"""Who the sink plays: a provider, or a server that gives one reply of the knowledge base, or shows one finding of ours.

A reply's text, stage and provider are the entry's (`knowledge/replies/*.toml`); `personalities.toml` has what an entry
does not say: how a provider's servers introduce themselves, and what has to be different for a few entries.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from smtpctl.knowledge import families
from smtpctl.knowledge.catalogue import GENERIC, Said, load
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.protocol.server.faults import HOSTILE, Fault
from smtpctl.protocol.server.talk import wire
from smtpctl.protocol.server.values import EXTENSIONS

FILE = Path(__file__).with_name("personalities.toml")
_REPLY = re.compile(r"([45]\d\d)[ -](.+)", re.DOTALL)
# Where the reply of an entry is given, by the entry's stage.
_PLACES = {stage: stage for stage in ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt")} | {"data": "eod"}
# Why no server can say the texts of these stages.
_ELSEWHERE = {
    "config": "it is about settings; no server speaks of it",
    "dns": "it is said before any server is reached",
    "connect": "it is said before any server is reached",
    "tls": "it is a client's word for a failed handshake, not a reply",
    "oauth": "an OAuth 2.0 token endpoint says it over HTTP, not a mail server",
    "queue": "it comes in a bounce, after the server took the mail",
}
_AFTER_A_CHALLENGE = "535 5.7.8 Authentication credentials invalid"  # RFC 4954 6
_CLIENTS = "its texts are a client program's words, not a server's"


class Manner(NamedTuple):
    """How a provider's servers introduce themselves; the fields are explained in `personalities.toml`."""

    greeting: str = ""
    hello: str = ""
    extensions: tuple[str, ...] = EXTENSIONS
    size: int = 0
    denial: str | None = None
    sources: tuple[str, ...] = ()


class Staging(NamedTuple):
    """How a finding is shown where its entry does not say it; explained there too."""

    at: str = ""
    hostile: str = ""
    reply: str = ""
    tls: TlsMode | None = None
    offers: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    login: bool | None = None
    certificate: str = ""
    client: tuple[str, ...] = ()
    within: str = ""


class Personality(NamedTuple):
    """A server as somebody meets it.

    `name` is what was asked for, `prefix` the provider's in the catalogue. `reply` is given at the stage `at` (of
    `faults.STAGES`), whatever the client did; `faults` do that and all else that goes wrong. `tls` None: as the provider
    has it. `offers` are mechanisms, none of them for the provider's; `login` and `token` say whether a client logs in,
    and with an access token. `grants` are those of the token that it is about, `client` the options to meet it with,
    `certificate` one of `authority.FLAWS`.
    """

    name: str
    title: str
    prefix: str = GENERIC
    manner: Manner = Manner()
    reply: str = ""
    at: str = ""
    faults: tuple[Fault, ...] = ()
    tls: TlsMode | None = None
    offers: tuple[str, ...] = ()
    login: bool = False
    token: bool = False
    grants: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    certificate: str = ""

    @property
    def sends(self) -> bool:
        """Whether it takes a mail to meet what is shown."""
        return self.at in ("mail", "rcpt", "data", "eod") or not (self.faults or self.client or self.certificate)


def play(name: str, sample: str = "") -> Personality:
    """The personality of an entry's id, of a finding's, or of a provider; `sample` is the entry's text to give, without
    it the first that a server can say. UsageProblem for what is unknown, and for what no server can show."""
    said = load().entries.get(name)
    if said:
        return _by_reply(said, sample or _sample(said))
    manners, stagings = _data()
    if name in stagings:
        return _by_finding(name, stagings[name])
    prefix = providers().get(name)
    if prefix:
        known = load().providers[prefix]
        return Personality(name, known.name, prefix, manners.get(prefix, Manner()), login=True)
    raise _unknown(name)


def samples(said: Said) -> tuple[str, ...]:
    """The texts of an entry that a server can say: replies, and what an OAuth error challenge holds (RFC 7628 3.2.2)."""
    if _data()[1].get(said.id, Staging()).within:
        return ()
    if said.challenge_status:
        return tuple(dict.fromkeys(map(_challenge, said.samples))) or tuple(
            f'{{"status":"{status}"}}' for status in said.challenge_status
        )
    return tuple(text for text in said.samples if _REPLY.match(text)) if said.stage in _PLACES else ()


def names() -> tuple[str, ...]:
    """All that can be played: entries, findings, providers."""
    playable = (said.id for said in load().entries.values() if samples(said))
    return (*playable, *sorted(name for name in _data()[1] if name not in load().entries), *providers())


def providers() -> Mapping[str, str]:
    """The prefix in the catalogue by a provider's names."""
    known = {prefix: one for prefix, one in load().providers.items() if one.presets or prefix in _data()[0]}
    return {name: prefix for prefix, one in known.items() for name in dict.fromkeys((prefix, one.provider))}


def _by_reply(said: Said, text: str) -> Personality:
    from smtpctl.knowledge.match import TOKEN_MECHANISMS

    manners, stagings = _data()
    staging = stagings.get(said.id, Staging())
    manner = _without(manners.get(said.prefix, Manner()), staging.lacks)
    token = bool(said.mechanisms) and set(said.mechanisms) <= set(TOKEN_MECHANISMS)
    if said.challenge_status:
        manner, token, text = manner._replace(denial=text), True, _AFTER_A_CHALLENGE
        said = said._replace(stage="auth", mechanisms=(_challenger(said),))
    at = staging.at or _PLACES[said.stage]
    submits = said.prefix != GENERIC and at in ("mail", "rcpt", "data", "eod") and not text.startswith("530")
    return Personality(
        said.id,
        said.title,
        said.prefix,
        manner,
        text,
        at,
        (Fault(at, octets=_octets(text)),),
        staging.tls or (TlsMode.STARTTLS if said.prefix == GENERIC and at in ("starttls", "auth") else None),
        staging.offers or (said.mechanisms if token and said.prefix == GENERIC else ()),
        (at == "auth" or submits) if staging.login is None else staging.login,
        token,
        said.grants,
        staging.client,
    )


def _challenge(text: str) -> str:
    """What a challenge says, from its sample: perhaps a reply with base64."""
    return base64.b64decode(text.removeprefix("334 ")).decode() if text.startswith("334 ") else text


def _challenger(said: Said) -> str:
    """The mechanism whose challenge it is: XOAUTH2 has numbers for a status (Google), OAUTHBEARER words (RFC 7628)."""
    return "XOAUTH2" if said.challenge_status[0].isdigit() else "OAUTHBEARER"


def _by_finding(name: str, staging: Staging) -> Personality:
    from smtpctl.knowledge.match import by_id

    faults = HOSTILE[staging.hostile] if staging.hostile else ()
    if staging.reply:
        faults = (*faults, Fault(staging.at, octets=_octets(staging.reply)))
    return Personality(
        name,
        by_id(name).title,
        manner=_without(Manner(), staging.lacks),
        reply=staging.reply,
        at=staging.at,
        faults=faults,
        tls=staging.tls,
        offers=staging.offers,
        login=bool(staging.login),
        client=staging.client,
        certificate=staging.certificate,
    )


def _without(manner: Manner, lacks: tuple[str, ...]) -> Manner:
    return manner._replace(extensions=tuple(name for name in manner.extensions if name not in lacks))


def _octets(text: str) -> bytes:
    """A reply as its server wrote it: catalogues of replies join its lines with a blank, codes and all."""
    found = _REPLY.fullmatch(text)
    assert found
    return wire(int(found[1]), *re.split(rf" {found[1]}[ -](?=\d\.\d)", found[2]))


def _sample(said: Said) -> str:
    """The first text a server can say; UsageProblem says why there is none."""
    for text in samples(said):
        return text
    within = _data()[1].get(said.id, Staging()).within
    if within:
        raise UsageProblem(f"--as {said.id}: it is only heard along with {within}.", f"Play that: --as {within}")
    why = _ELSEWHERE.get(said.stage, _CLIENTS)
    raise UsageProblem(f"--as {said.id}: {why}.", f"See: smtpctl explain {said.id}")


def _unknown(name: str) -> UsageProblem:
    try:
        families.entry(name)
    except KeyError:
        near = families.similar(name, names())
        hint = f"Did you mean {', '.join(near)}?" if near else "Entries: smtpctl explain CODE, for example 535."
        return UsageProblem(f"--as {name}: there is no such entry, finding or provider.", hint)
    return UsageProblem(f"--as {name}: nothing that this server does shows it.", f"See: smtpctl explain {name}")


@cache
def _data() -> tuple[Mapping[str, Manner], Mapping[str, Staging]]:
    import tomllib

    data = tomllib.loads(FILE.read_text("utf-8"))
    stagings = {name: Staging(**_values(table)) for name, table in data["findings"].items()}
    return {prefix: Manner(**_values(table)) for prefix, table in data["providers"].items()}, stagings


def _values(table: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return made | ({"tls": TlsMode(made["tls"])} if "tls" in made else {})
