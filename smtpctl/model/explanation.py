"""What `explain` gives back: one explanation, the meaning of a code, or the summary of a log."""

from __future__ import annotations

from typing import Any, TypeAlias

from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.record import NamedTuple

LOG_NAMES = 50  # that the summary of a log has of each kind


class Explanation(NamedTuple):
    """One text, or one id (`said` is empty then).

    `retryable` None means that it does not apply; `alternatives` are findings that the same text may be as well,
    each with its condition in `message`; `deciding` names the options of `explain` (`login`, `provider`, `stage`) that
    would tell more.
    """

    finding: Finding
    said: str = ""
    retryable: bool | None = None
    alternatives: tuple[Finding, ...] = ()
    deciding: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What it is, for the formats that write findings."""
        return (self.finding,)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": "finding",
            "text": self.said,
            "retryable": self.retryable,
            "findings": [self.finding.to_json()],
            "alternatives": [finding.to_json() for finding in self.alternatives],
            "deciding": list(self.deciding),
        }


class Meaning(NamedTuple):
    """What a reply code or an enhanced code means: `parts` are the piece and its meaning, `entries` id and title of
    what is known to come with it."""

    subject: str
    parts: tuple[tuple[str, str], ...]
    fix: str = ""
    retryable: bool | None = None
    entries: tuple[tuple[str, str], ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """None: nothing was found."""
        return ()

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


class LogShare(NamedTuple):
    """The failures of a log that go to one name: a provider's, a server's, a recipient domain's. `retryable` is how many
    of them can pass when tried again; the times are as the log has them."""

    name: str
    failures: int = 0
    retryable: int = 0
    first: str = ""
    last: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "name": self.name,
            "count": self.failures,
            "retryable": self.retryable,
            "first": self.first,
            "last": self.last,
        }


class LogCause(NamedTuple):
    """One cause of failures in a log: how often, one line of it, who it was about, the times as the log has them, and
    the recipient domains that met it most. `others` are ids that the same words can mean as well, where the log does not
    tell which it was; `neutral` is a title that claims none of them."""

    finding: Finding
    sample: str
    failures: int
    retryable: bool
    about: str = ""
    first: str = ""
    last: str = ""
    recipients: tuple[LogShare, ...] = ()
    neutral: str = ""
    others: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What is known to be wrong."""
        return self.neutral or self.finding.title

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "count": self.failures,
            "title": self.title,
            "alternatives": list(self.others),
            "retryable": self.retryable,
            "first": self.first,
            "last": self.last,
            "about": self.about,
            "recipients": [{"name": share.name, "count": share.failures} for share in self.recipients],
            "sample": self.sample,
            "finding": self.finding.to_json(),
        }


class LogSummary(NamedTuple):
    """A log: how many lines, how many of them failures, and the causes, most frequent first; the same failures by who
    answered (a provider's name, else a server's domain) and by the recipients' domains, as far as the lines say it.
    `refused` is apart from all of these: what the server that wrote the log refused to its clients."""

    lines: int
    failures: int
    causes: tuple[LogCause, ...]
    providers: tuple[LogShare, ...] = ()
    recipients: tuple[LogShare, ...] = ()
    refused: tuple[LogCause, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The causes, each with its number of failures and one line of the log."""
        return tuple(
            cause.finding._replace(title=f"{cause.failures} x {cause.title}", evidence=(Evidence(cause.sample),))
            for cause in self.causes
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "kind": "log",
            "lines": self.lines,
            "failures": self.failures,
            "retryable": sum(cause.failures for cause in self.causes if cause.retryable),
            "causes": [cause.to_json() for cause in self.causes],
            "providers": [share.to_json() for share in self.providers],
            "recipients": [share.to_json() for share in self.recipients],
            "refused": [cause.to_json() for cause in self.refused],
        }


class Bounced(NamedTuple):
    """One recipient of a bounce: the address, `failed` or `delayed`, and why."""

    recipient: str
    action: str
    explanation: Explanation

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "recipient": self.recipient,
            "action": self.action,
            "text": self.explanation.said,
            "retryable": self.explanation.retryable,
            "finding": self.explanation.finding.to_json(),
        }


class Bounce(NamedTuple):
    """A mail that reports failed deliveries (RFC 3464), by recipient."""

    recipients: tuple[Bounced, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What each recipient's mail met."""
        return tuple(one.explanation.finding._replace(target=one.recipient) for one in self.recipients)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"kind": "bounce", "recipients": [one.to_json() for one in self.recipients]}


Explained: TypeAlias = Explanation | Meaning | LogSummary | Bounce
