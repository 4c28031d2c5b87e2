"""What `explain` gives back: one explanation, the meaning of a code, or the summary of a log."""

from __future__ import annotations

from typing import Any, TypeAlias

from smtpctl.model.finding import Finding
from smtpctl.model.record import NamedTuple


class Explanation(NamedTuple):
    """One text, or one id (`said` is empty then).

    `retryable` None means that it does not apply; `alternatives` are findings that the same text may be as well,
    each with its condition in `message`.
    """

    finding: Finding
    said: str = ""
    retryable: bool | None = None
    alternatives: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": "finding",
            "text": self.said,
            "retryable": self.retryable,
            "findings": [self.finding.to_json()],
            "alternatives": [finding.to_json() for finding in self.alternatives],
        }


class Meaning(NamedTuple):
    """What a reply code or an enhanced code means: `parts` are the piece and its meaning, `entries` id and title of
    what is known to come with it."""

    subject: str
    parts: tuple[tuple[str, str], ...]
    fix: str = ""
    retryable: bool | None = None
    entries: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": "code",
            "text": self.subject,
            "retryable": self.retryable,
            "meaning": dict(self.parts),
            "fix": self.fix,
            "entries": [{"id": name, "title": title} for name, title in self.entries],
        }


class LogCause(NamedTuple):
    """One cause of failures in a log: how often, one line of it, who it was about, and the times as the log has them."""

    finding: Finding
    sample: str
    failures: int
    retryable: bool
    about: str = ""
    first: str = ""
    last: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "count": self.failures,
            "retryable": self.retryable,
            "first": self.first,
            "last": self.last,
            "about": self.about,
            "sample": self.sample,
            "finding": self.finding.to_json(),
        }


class LogSummary(NamedTuple):
    """A log: how many lines, how many of them failures, and the causes, most frequent first."""

    lines: int
    failures: int
    causes: tuple[LogCause, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": "log",
            "lines": self.lines,
            "failures": self.failures,
            "retryable": sum(cause.failures for cause in self.causes if cause.retryable),
            "causes": [cause.to_json() for cause in self.causes],
        }


Explained: TypeAlias = Explanation | Meaning | LogSummary
