"""Whether this machine and the server agree on what time it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from smtpctl.checks.facts import Facts
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.transcript import Kind, Stage

TOLERATED = 300  # seconds, what Kerberos allows (RFC 4120 1.6)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# A date as RFC 5322 3.3 has it; Sendmail, Exim and Exchange greet with one.
_DATE = rf"(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) (?:([+-])(\d\d)(\d\d)|GMT|UTC?)"


def skew(facts: Facts) -> Iterator[Finding]:
    """The date in the server's greeting is not ours, or no certificate of the chain is valid at our time."""
    for index, event in facts.transcript.at_stage(Stage.GREETING):
        theirs = _date(event.text) if event.kind is Kind.RECEIVED else None
        if theirs is None:
            continue
        off = facts.now + event.at - theirs
        if abs(off) > TOLERATED:
            seen = [Evidence(event.text, "S:", index), Evidence(_written(facts.now + event.at), "our clock:")]
            yield facts.finding("local.clock_skew", seen, offset=_length(abs(off)))
        return
    whole = [certificate for certificate in facts.chain if certificate]
    early = [certificate for certificate in whole if facts.now < certificate.not_before]
    if len(whole) > 1 and early == whole:  # authorities are years old: that none is valid yet is no mistake of theirs
        seen = [Evidence(f"valid from {_written(c.not_before)}", "certificate:") for c in whole]
        yield facts.finding("local.clock_skew", [*seen, Evidence(_written(facts.now), "our clock:")])


def _date(text: str) -> float | None:
    """The first date in a text in epoch seconds."""
    found = re.search(_DATE, text, re.IGNORECASE) if ":" in text else None  # most tell no time: nothing to compile
    if not found:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        local = datetime(
            int(year), _MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
    except ValueError:  # the 31st of February
        return None
    return (local - ahead).timestamp()


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _length(seconds: float) -> str:
    """`7 minutes`, `3 hours`, `2 days`."""
    size, unit = next(((n, u) for n, u in ((86400, "days"), (3600, "hours")) if seconds >= 2 * n), (60, "minutes"))
    return f"{seconds / size:.0f} {unit}"
