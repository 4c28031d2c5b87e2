"""The transcript: every event of a session, redacted before it is made. Checks are lints on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from math import isfinite
from typing import Any

from smtpctl.model.record import NamedTuple


class Stage(StrEnum):
    """Where in a session something happened; the order of the members is the order of a session."""

    CONFIG = "config"
    DNS = "dns"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    QUIT = "quit"


class Kind(StrEnum):
    """What an event is."""

    SENT = "sent"  # text: one command line, or a note on content
    RECEIVED = "received"  # text: one reply line as the server wrote it
    ATTEMPT = "attempt"  # a name looked up or an address tried; facts: address, error, ms
    TLS = "tls"  # a handshake; facts: see model.tls.TlsSession.facts()
    NOTE = "note"  # an observation: HELO fallback, mechanism chosen, bytes after the 220 ...
    ERROR = "error"  # what ended the session


class Event(NamedTuple):
    """One event.

    `at` is seconds since the transcript began; `secured` whether TLS was on; `text` is already
    redacted; `facts` holds JSON values.
    """

    at: float
    stage: Stage
    kind: Kind
    text: str
    secured: bool = False
    facts: Mapping[str, Any] = {}

    def to_json(self) -> dict[str, Any]:
        """The JSON shape of a line of a transcript file (`smtpctl.transcript/1`)."""
        return {
            "at": round(self.at, 6),
            "stage": self.stage.value,
            "kind": self.kind.value,
            "tls": self.secured,
            "text": self.text,
            **({"facts": dict(self.facts)} if self.facts else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Event:
        """The inverse of `to_json`; KeyError or ValueError for anything else."""
        at, facts = float(value["at"]), value.get("facts", {})
        if not (isfinite(at) and isinstance(facts, Mapping)):  # JSON in Python has numbers that no other JSON has
            raise ValueError(value)
        return cls(at, Stage(value["stage"]), Kind(value["kind"]), str(value["text"]), bool(value["tls"]), facts)


class Transcript:
    """An append-only list of events; observers (progress, `-v`, a file) subscribe to `add`."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events: list[Event] = list(events)
        self._observers: list[Callable[[Event], None]] = []

    def subscribe(self, observer: Callable[[Event], None]) -> None:
        """Call `observer` with every event from now on."""
        self._observers.append(observer)

    def add(self, event: Event) -> int:
        """Append `event`; returns its index, which evidence can point at."""
        self.events.append(event)
        for observer in self._observers:
            observer(event)
        return len(self.events) - 1

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, index: int) -> Event:
        return self.events[index]

    def at_stage(self, *stages: Stage) -> Iterator[tuple[int, Event]]:
        """The events of these stages with their indices."""
        return ((i, event) for i, event in enumerate(self.events) if event.stage in stages)

    def dumps(self) -> str:
        """JSON Lines, one event a line; ASCII only, so that no control or bidirectional character of a server reaches a
        terminal when the file is looked at."""
        import json

        return "".join(json.dumps(event.to_json()) + "\n" for event in self.events).replace("\x7f", "\\u007f")

    @classmethod
    def loads(cls, text: str) -> Transcript:
        """The inverse of `dumps`; ValueError or KeyError for anything else."""
        import json

        return cls(Event.from_json(json.loads(line)) for line in text.split("\n") if line.strip())
