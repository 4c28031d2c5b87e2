"""What a server was like at one time, as values that can be stored and compared: a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Event, Kind, Stage, Transcript

SCHEMA = "smtpctl.baseline/1"

_YEAR_10000 = 253_402_300_800  # in epoch seconds

Offer = Mapping[str, tuple[str, ...]]  # EHLO keyword -> its parameters, TLS version -> its suites


class Step(NamedTuple):
    """One step of a session. `what` is what is compared (`AUTH PLAIN 235`), `said` the line that people see."""

    stage: Stage
    what: str
    said: str


class Leaf(NamedTuple):
    """The server's certificate: issuer as an RFC 4514 string, SHA-256 of it and of its public key, epoch seconds of its
    end, the names it is for."""

    issuer: str
    sha256: str
    pin: str
    not_after: int
    names: tuple[str, ...]


class Baseline(NamedTuple):
    """One server at one time.

    `taken` is an ISO time in UTC, `version` of the program that took it, `server` how it was reached. `clear` and `secured`
    are the extensions offered before and inside TLS; `suites` are the cipher suites by TLS version, as a scan found them,
    of each version that was asked for all; what the session did not come to is None or empty.
    """

    taken: str
    version: str
    server: str
    addresses: tuple[str, ...] = ()
    greeting: str = ""
    clear: Offer | None = None
    secured: Offer | None = None
    tls: str = ""
    cipher: str = ""
    suites: Offer | None = None
    certificate: Leaf | None = None
    dialogue: tuple[Step, ...] = ()

    @property
    def day(self) -> str:
        """The day it was taken."""
        return self.taken[:10]

    def to_json(self) -> dict[str, Any]:
        """JSON values, without the schema."""
        return {
            **self._asdict(),
            "certificate": self.certificate._asdict() if self.certificate else None,
            "dialogue": [step._asdict() for step in self.dialogue],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Baseline:
        """The inverse of `to_json`; KeyError, TypeError or ValueError for anything else."""
        leaf, texts = value["certificate"], ("taken", "version", "server", "greeting", "tls", "cipher")
        return cls(
            **{name: _text(value[name]) for name in texts},
            addresses=_texts(value["addresses"]),
            clear=_offer(value["clear"]),
            secured=_offer(value["secured"]),
            suites=_offer(value.get("suites")),
            certificate=None
            if leaf is None
            else Leaf(
                _text(leaf["issuer"]),
                _text(leaf["sha256"]),
                _text(leaf["pin"]),
                _time(leaf["not_after"]),
                _texts(leaf["names"]),
            ),
            dialogue=tuple(
                Step(Stage(step["stage"]), _text(step["what"]), _text(step["said"]))
                for step in _list(value["dialogue"])
            ),
        )


_ASKED = {
    Stage.EHLO: "EHLO", Stage.STARTTLS: "STARTTLS", Stage.MAIL: "MAIL FROM", Stage.RCPT: "RCPT TO", Stage.DATA: "DATA",
}  # fmt: skip


def steps(transcript: Transcript) -> Iterator[Step]:
    """What a session did, with what normally differs left out: a reply is its code (and why, where it is a refusal), never
    its words; the farewell counts for nothing. People see every line of a reply."""
    login, before = "AUTH", ""
    for event in transcript:
        if event.kind is Kind.NOTE:  # it may stand between the lines of a reply
            continue
        if event.kind is Kind.SENT and event.text.startswith("AUTH "):
            login = " ".join(event.text.split(" ")[:2])
        asked = login if event.stage is Stage.AUTH else _ASKED.get(event.stage, "")
        what = _what(event)
        received = event.kind is Kind.RECEIVED
        line = f"{before}, {event.text[4:]}" if received and before else event.text
        said = line if what else f"{line[:3]} {line[4:]}"
        before = said if received and not what else ""
        if what and event.stage is not Stage.QUIT:
            spoken = asked if received else ""
            yield Step(event.stage, f"{spoken} {what}".strip(), f"{spoken}: {said}" if spoken else said)


def _what(event: Event) -> str:
    """What happened, to be compared; empty for what is no step."""
    text = event.text
    if event.kind is Kind.RECEIVED and text[3:4] != "-":
        why = text[4:].split(" ")[0]
        return f"{text[:3]} {why}" if text[:1] in ("4", "5") and why[:2] == f"{text[0]}." else text[:3]
    if event.kind is Kind.ATTEMPT and event.stage is Stage.CONNECT:
        return "" if "error" in event.facts else "connected"
    if event.kind is Kind.TLS:
        return "handshake"
    return f"ended by {event.facts.get('id', '')}" if event.kind is Kind.ERROR else ""


def _offer(value: Any) -> Offer | None:
    return None if value is None else {_text(keyword): _texts(words) for keyword, words in dict(value).items()}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, _list(value)))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _time(value: Any) -> int:
    """Epoch seconds that a calendar has."""
    if not isinstance(value, int) or not 0 <= value < _YEAR_10000:
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
