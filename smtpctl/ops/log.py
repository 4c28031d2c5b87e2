"""A log, summed up while it is read: failures by cause, by who answered and by recipient domain, in flat memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from smtpctl.knowledge import families
from smtpctl.knowledge.catalogue import GENERIC, load, owner
from smtpctl.knowledge.match import Context, alternatives, finding, match, recognised, retryable, weighed, whose
from smtpctl.knowledge.match import by_id as by_finding_id
from smtpctl.model.explanation import LOG_NAMES, LogCause, LogShare, LogSummary
from smtpctl.model.finding import Finding
from smtpctl.model.record import NamedTuple
from smtpctl.ops.extract import Failure
from smtpctl.ops.hints import Hints

_SHOWN = 10  # names that a summary keeps of a cause
_ENOUGH = 30  # a line without a code counts as a failure from this score on
_PASTED = 3  # failures up to which a text with one reply is taken for one failure, and not for a log
_SEEN_LIMIT = 4096  # different texts of a log that are remembered
_NAMES, _NAMES_OF_A_CAUSE = 20_000, 1_000  # names that are counted at a time
_KEY = 400  # characters of a text from which what varies is taken out; it takes quadratic time
_VARYING = re.compile(
    r"<[^>]*>|[^\s<>]+@[^\s<>]+|\b(?=[\w.-]*\d)(?=[\w.-]*[a-zA-Z])[\w.-]{8,}|\b\d{1,3}(?:\.\d{1,3}){3}\b|\d{5,}|\[\d+\]"
)
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_HALF_A_YEAR = 183
# Whether the server of the log said it itself, the finding's id, and what else the words can mean.
_Place: TypeAlias = tuple[bool, str, tuple[str, ...]]


class Shares:
    """Failures by name, most frequent first, within a limit of names. When it is full, the rarer half is forgotten: a name
    that comes back is counted anew, so a count of a log with very many names is a lower bound."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: dict[str, LogShare] = {}

    def add(self, name: str, *, later: bool, when: str) -> None:
        """One failure more."""
        row = self._rows.get(name) or LogShare(name)
        first, last = _span(row.first, row.last, when)
        self._rows[name] = LogShare(name, row.failures + 1, row.retryable + later, first, last)
        if len(self._rows) > self._limit:
            self._rows = {row.name: row for row in self.top(self._limit // 2)}

    def top(self, number: int) -> tuple[LogShare, ...]:
        """The most frequent ones."""
        return tuple(sorted(self._rows.values(), key=lambda row: (-row.failures, row.name))[:number])


class _Meaning(NamedTuple):
    """What words mean: a finding; where they leave open which of several, the ids of the `others` and a title that claims
    none of them."""

    finding: Finding
    neutral: str = ""
    others: tuple[str, ...] = ()


class Log:
    """Failures of a stream, gathered."""

    def __init__(self, known: Hints) -> None:
        self._known = known
        self._lines = 0
        self._causes: dict[_Place, LogCause] = {}
        self._recipients_of: dict[_Place, Shares] = {}
        self._providers, self._recipients = Shares(_NAMES), Shares(_NAMES)
        self._few: list[Failure] = []  # the failures, as long as they are few
        self._seen: dict[tuple[object, ...], _Meaning | None] = {}  # what decides a meaning, without what varies

    def counted(self, lines: Iterable[str]) -> Iterator[str]:
        """The same lines; how many they are is remembered."""
        for line in lines:
            self._lines += 1
            yield line

    def add(self, failure: Failure) -> None:
        """Takes up a failure, unless its words are none after all."""
        meant = self._meaning(failure)
        if not meant:
            return
        found = meant.finding
        place = (failure.here, found.id, meant.others)
        later = retryable(Context(text=failure.text), found.id)
        old = self._causes.get(place) or LogCause(
            _of_any_server(found), failure.text, 0, later, failure.about, neutral=meant.neutral, others=meant.others
        )
        first, last = _span(old.first, old.last, failure.when)
        about = old.about if failure.about in ("", old.about) else "several"
        self._causes[place] = old._replace(failures=old.failures + 1, first=first, last=last, about=about)
        if len(self._few) <= _PASTED:
            self._few.append(failure)
        if not failure.here:
            self._share(failure, place, later=later)

    def _share(self, failure: Failure, place: _Place, *, later: bool) -> None:
        if failure.recipient:
            shares = self._recipients_of.setdefault(place, Shares(_NAMES_OF_A_CAUSE))
            for one in (shares, self._recipients):
                one.add(failure.recipient, later=later, when=failure.when)
        if name := _provider(failure.server) or _says(place[1]):
            self._providers.add(name, later=later, when=failure.when)

    def _meaning(self, failure: Failure) -> _Meaning | None:
        """What it means; None for words that are no failure after all."""
        context = self._known.context(failure)
        key = (
            failure.certain,
            whose(context),
            context._replace(text=_constant(failure.text), host="" if not context.host else "*"),
        )
        if key not in self._seen:
            if len(self._seen) >= _SEEN_LIMIT:
                self._seen.clear()
            self._seen[key] = _look_up(context, certain=failure.certain)
        return self._seen[key]

    def only(self) -> Failure | None:
        """The one failure that all of it is about: the only one, or of a few the only one that quotes a server, with what
        programs say around it. What the server refused to others counts where there is nothing else."""
        if len(self._few) > _PASTED:
            return None
        few = [failure for failure in self._few if not failure.here] or self._few
        told = few if len(few) == 1 else [failure for failure in few if failure.certain]
        return told[0] if len(told) == 1 else None

    def summary(self) -> LogSummary:
        """What was gathered, most frequent first."""
        causes, refused = self._sorted(here=False), self._sorted(here=True)
        return LogSummary(
            self._lines,
            sum(cause.failures for cause in causes),
            causes,
            self._providers.top(LOG_NAMES),
            self._recipients.top(LOG_NAMES),
            refused,
        )

    def _sorted(self, *, here: bool) -> tuple[LogCause, ...]:
        causes = [
            cause._replace(recipients=self._recipients_of[place].top(_SHOWN)) if place in self._recipients_of else cause
            for place, cause in self._causes.items()
            if place[0] is here
        ]
        return tuple(sorted(causes, key=lambda cause: (-cause.failures, cause.retryable, cause.finding.id)))


def _of_any_server(found: Finding) -> Finding:
    """Our own finding without the server that its title names; the next failure of this kind may be about another."""
    if found.id in load().entries:
        return found
    general = by_finding_id(found.id, evidence=found.evidence)
    whole = sum(cause.likelihood for cause in general.causes)
    return weighed(general, sum(cause.likelihood for cause in found.causes) / whole) if whole else general


def _constant(text: str) -> str:
    """A text without what varies in it."""
    return _VARYING.sub("*", text[:_KEY]) + text[_KEY:]


def _look_up(context: Context, *, certain: bool) -> _Meaning | None:
    matches = match(context)
    if not certain:
        best = max((one.score for one in matches), default=0)
        if best < _ENOUGH and not recognised(context, matches):
            return None
    found = finding(context, matches=matches)
    open_ = any(one.open for one in matches if one.said.id == found.id)
    others = tuple(one.said.id for one in alternatives(matches)) if open_ and context.code >= 400 else ()
    said = families.entry(f"reply.{context.code}").title if others else ""
    return _Meaning(found, f"{said} (one of {len(others) + 1} causes)" if others else "", others)


@lru_cache(maxsize=4096)
def _provider(host: str) -> str:
    """Whose server a host is: a provider's name, else the domain that the host is in."""
    known = owner(host)
    labels = host.lower().split(".")
    of_a_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3  # co.uk and the like
    return known.name if known else ".".join(labels[-3 if of_a_country else -2 :])


def _says(finding_id: str) -> str:
    """The provider whose words an entry knows; empty for words that are nobody's in particular."""
    said = load().entries.get(finding_id)
    return load().providers[said.prefix].name if said and said.prefix != GENERIC else ""


def _span(first: str, last: str, when: str) -> tuple[str, str]:
    """The first and the last of some times with one more, whichever way round the log is."""
    if not when or when == last:
        return first, last
    return (when if not first or _earlier(when, first) else first, when if not last or _earlier(last, when) else last)


def _earlier(one: str, other: str) -> bool:
    """Whether a time is earlier than another, as logs write them (`Nov 21 08:02:11` or an ISO date and time). Without a
    year, what is more than half a year ahead was last year."""
    if one[:6] == other[:6] or one[:1].isdigit():
        return one.replace("T", " ") < other.replace("T", " ")
    day, other_day = _day(one[:6]), _day(other[:6])
    return day > other_day if abs(day - other_day) > _HALF_A_YEAR else day < other_day


@lru_cache(maxsize=512)
def _day(day: str) -> int:
    """About which day of the year `Nov 21` is."""
    return max(_MONTHS.find(day[:3]), 0) // 3 * 31 + int(day[4:])
