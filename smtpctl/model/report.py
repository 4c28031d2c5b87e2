"""The result of a use case and the one rule from it to an exit status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Self

from smtpctl.model.finding import Finding, Ignored, Location, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.transcript import Stage, Transcript


class Status(IntEnum):
    """What a process ends with; `meaning` is what the manual says of each code."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """A code that knows what it means."""
        status = int.__new__(cls, code)
        status._value_ = code
        status.meaning = meaning
        return status


class ExitStatus(Status):
    """Our exit codes; promises to users (sysexits.h where mail tools use them)."""

    OK = 0, "Done; no finding at or above --fail-on."
    FINDINGS = 1, "Done; there are findings at or above --fail-on."
    USAGE = 2, "Wrong usage; nothing was done."
    DATA = 65, "The message or the input is bad, or the server refused it for good."
    NO_HOST = 68, "The host or domain does not exist."
    UNAVAILABLE = 69, "The service cannot be used: another protocol, no TLS, a certificate that was refused."
    BUG = 70, "A defect in smtpctl."
    CANNOT_CREATE = 73, "A file cannot be written."
    IO = 74, "An input or output error."
    TEMPORARY = 75, "Temporary: a 4xx reply, refused, timed out. Trying again can help."
    PROTOCOL = 76, "The server broke the protocol."
    AUTH = 77, "The login was refused."
    CONFIG = 78, "The configuration is wrong."
    INTERRUPTED = 130, "Interrupted."


class Failure(NamedTuple):
    """What stopped a run before its end. `status` is an ExitStatus, or a code of `model.swaks`; `reply` is the server's
    refusal where there was one, `lookup` all that was known when it was explained (a `knowledge.match.Context`)."""

    status: Status
    stage: Stage
    retryable: bool
    reply: Reply | None = None
    lookup: Any = None


class Outcome(NamedTuple):
    """What became of one check: `passed`, `found`, `skipped` or `crashed`, and why where it is not plain."""

    check: str
    result: str
    reason: str = ""


class StageResult(NamedTuple):
    """One row of the stage table. `status` is `passed`, `failed`, `warning` or `skipped`; `ms` the time it took."""

    stage: Stage
    status: str
    detail: str
    ms: float | None = None
    facts: Mapping[str, Any] = {}


class RecipientResult(NamedTuple):
    """What the server said about one recipient: `accepted`, `temporary`, `permanent` or `unknown`."""

    address: str
    result: str
    reply: Reply | None = None


class Line(NamedTuple):
    """One line of a comparison. `status` as in `StageResult`, a cell for each thing that is told of it."""

    status: str
    cells: tuple[str, ...]
    ms: float | None = None


class Comparison(NamedTuple):
    """Ways that were tried, one line each, and what it comes to, for people; a document has the same in its facts."""

    title: str
    lines: tuple[Line, ...]
    note: str = ""


class Report(NamedTuple):
    """What one use case found out about one target. `facts` holds JSON values (tls, capabilities, queue_id ...);
    `ignored` are findings that were not to count; `place` is where a file says which server it is about;
    `chain` are the certificates that the server showed (DER), its own first."""

    target: str
    transcript: Transcript
    findings: tuple[Finding, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    stages: tuple[StageResult, ...] = ()
    recipients: tuple[RecipientResult, ...] = ()
    failure: Failure | None = None
    facts: Mapping[str, Any] = {}
    comparisons: tuple[Comparison, ...] = ()
    headline: str = ""  # e.g. "STARTTLS  OAuth 2.0 as noreply@example.com"
    next_command: str = ""
    ignored: tuple[Ignored, ...] = ()
    place: Location | None = None
    chain: tuple[bytes, ...] = ()

    def status(self, fail_on: Severity | None = Severity.ERROR) -> Status:
        """What stopped the run, else whether a finding reaches `fail_on` (None: never), else OK."""
        if self.failure:
            return self.failure.status
        if fail_on is not None and any(finding.severity >= fail_on for finding in self.findings):
            return ExitStatus.FINDINGS
        return ExitStatus.OK


def combined(reports: Iterable[Report], fail_on: Severity | None) -> Status:
    """The exit status of a run over several targets: the one they agree on where they are not OK, else FINDINGS, because
    there is no one cause."""
    seen = {report.status(fail_on) for report in reports} - {ExitStatus.OK}
    return seen.pop() if len(seen) == 1 else ExitStatus.FINDINGS if seen else ExitStatus.OK
