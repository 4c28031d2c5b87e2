"""The stage table: what a transcript says happened at each stage, in one row each.

`Rows` watches a transcript and hands out a row as soon as its stage is over, so that a live run and a report show the
same. Everything in a row comes from events; nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smtpctl.model.report import StageResult
from smtpctl.model.tls import version_name
from smtpctl.model.transcript import Event, Kind, Stage, Transcript

# What a reader wants to see of an EHLO reply; the transcript has the rest.
_TELLING = ("STARTTLS", "AUTH", "SIZE", "PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS")
_ENVELOPE = (Stage.MAIL, Stage.RCPT, Stage.DATA)
_DAY = 86400.0


class Rows:
    """Collects rows from `transcript`; `show` is called with each when it is complete.

    `now` gives epoch seconds, for how long a certificate still lasts.
    """

    def __init__(self, transcript: Transcript, now: float, show: Callable[[StageResult], None] | None = None) -> None:
        self.rows: list[StageResult] = []
        self._now = now
        self._show = show
        self._stage: Stage | None = None
        self._over = False  # what is noted after the session belongs to no row
        self._events: list[Event] = []
        self._since = 0.0
        transcript.subscribe(self._take)

    def add(self, row: StageResult) -> None:
        """A row that no event tells of (`config`)."""
        self.rows.append(row)
        if self._show:
            self._show(row)

    def finish(self, stopped: Stage | None = None, detail: str = "") -> list[StageResult]:
        """The session is over; `stopped` is the stage that a problem ended it at, `detail` what to say there. All rows."""
        if stopped and _row_of(stopped) is self._stage:
            self._close("failed", detail, stopped)
        self._close("passed")
        if stopped and not any(row.status == "failed" for row in self.rows):
            self.add(StageResult(stopped, "failed", detail))
        self._over = True
        return self.rows

    def _take(self, event: Event) -> None:
        stage = _row_of(event.stage)
        if self._over:
            return
        if event.kind is Kind.SENT and stage in _ENVELOPE:
            return  # they leave as a group; a row is made of the replies, which come in order
        if stage is not self._stage:
            self._close("passed")
            self._stage = stage
        self._events.append(event)
        if event.kind is Kind.ATTEMPT and not ("error" in event.facts or "overtaken" in event.facts):
            self._close("passed")  # the addresses, or a connection: there is no more to come

    def _close(self, status: str, detail: str = "", at: Stage | None = None) -> None:
        """Make a row of what came since the last one. One that failed is of the stage `at` which it did, without it the
        last that was heard of."""
        if self._stage is None:
            return
        events, stage = self._events, self._stage
        ms = (events[-1].at - self._since) * 1000
        self._since = events[-1].at
        self._events, self._stage = [], None
        if stage is Stage.QUIT:
            return
        told = detail or _DETAILS.get(stage, _last_reply)(events, self._now)
        if status == "passed":
            status = _status(events)
        if status == "failed" and stage in _ENVELOPE and any(row.status == "failed" for row in self.rows):
            return  # what was sent ahead is refused as a consequence: the first refusal says why
        named = at or events[-1].stage if status == "failed" else stage
        self.add(StageResult(named, status, told, round(ms, 1), _facts(stage, events)))


def _row_of(stage: Stage) -> Stage:
    """STARTTLS and the handshake are one step for people, as long as it works."""
    return Stage.TLS if stage is Stage.STARTTLS else stage


def _status(events: Sequence[Event]) -> str:
    """A stage that ended with a refusal has failed; one with an observation, or that refused some recipients, is worth a
    look."""
    replies = _received(events)
    if events[-1].facts.get("observed") == "token_renewed":
        return "warning"
    refused = [reply[:1] in ("4", "5") for reply in replies]
    if events[0].stage is Stage.RCPT and any(refused) and not all(refused):
        return "warning"
    if replies and refused[-1]:
        return "failed"
    return "warning" if any("observed" in event.facts for event in events) else "passed"


def _facts(stage: Stage, events: Sequence[Event]) -> Mapping[str, Any]:
    if stage is Stage.TLS:
        return next((event.facts for event in events if event.kind is Kind.TLS), {})
    if stage is Stage.CONNECT:
        return {"attempts": [dict(event.facts) for event in events if event.kind is Kind.ATTEMPT]}
    return {}


def _received(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if event.kind is Kind.RECEIVED]


def _last_reply(events: Sequence[Event], now: float) -> str:
    lines = _received(events)
    return lines[-1] if lines else (events[-1].text if events else "")


def _dns(events: Sequence[Event], now: float) -> str:
    addresses = events[-1].facts.get("addresses", [])
    if not addresses:
        return events[-1].text
    more = f" (+{len(addresses) - 1})" if len(addresses) > 1 else ""
    return f"{addresses[0]}{more}"


def _connect(events: Sequence[Event], now: float) -> str:
    last = events[-1]
    failed = sum("error" in event.facts for event in events)
    told = last.text.removeprefix("connected to ")
    return f"{told} ({failed} other {'address' if failed == 1 else 'addresses'} failed)" if failed else told


def _ehlo(events: Sequence[Event], now: float) -> str:
    lines = [line[4:] for line in _received(events)][1:]
    words = {line.split(" ")[0].upper(): line for line in lines if line}
    telling = [words.pop(keyword) for keyword in _TELLING if keyword in words]
    return " · ".join(telling or words.values()) or _last_reply(events, now)


def _tls(events: Sequence[Event], now: float) -> str:
    facts = next((event.facts for event in events if event.kind is Kind.TLS), None)
    if facts is None:
        return _last_reply(events, now)
    parts = [version_name(str(facts["version"]))]
    if facts["expires"]:
        days = int((facts["expires"] - now) / _DAY)
        parts.append(f"{facts['subject']}, valid {days} {'day' if days == 1 else 'days'}")
    elif not facts["verified"]:
        parts.append("certificate not verified")
    if facts["certificates"] > 1:
        parts.append(f"chain of {facts['certificates']}")
    return " · ".join(parts)


def _rcpt(events: Sequence[Event], now: float) -> str:
    lines = _received(events)
    refused = [line for line in lines if line[:1] != "2"]
    if len(lines) == 1:
        return lines[0]
    return f"{len(lines) - len(refused)} of {len(lines)} accepted" + (f" · {refused[0]}" if refused else "")


def _auth(events: Sequence[Event], now: float) -> str:
    sent = [event.text for event in events if event.kind is Kind.SENT and event.text.startswith("AUTH ")]
    reply = _last_reply(events, now)
    return f"{sent[-1].split(' ')[1]} · {reply}" if sent else reply


_DETAILS: Mapping[Stage, Callable[[Sequence[Event], float], str]] = {
    Stage.DNS: _dns,
    Stage.CONNECT: _connect,
    Stage.EHLO: _ehlo,
    Stage.TLS: _tls,
    Stage.AUTH: _auth,
    Stage.RCPT: _rcpt,
}
