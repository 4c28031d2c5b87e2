"""The exit codes of swaks (its manual, EXIT CODES), for scripts that were written for it. They say where a session stopped,
and nothing of what was found in one that went through."""

from __future__ import annotations

from collections.abc import Mapping

from smtpctl.model.report import ExitStatus, Failure, Report, Status
from smtpctl.model.transcript import Kind, Stage, Transcript


class SwaksStatus(Status):
    """A code of swaks that a session of ours can end with."""

    OK = 0, "The session went through to its end."
    USAGE = 1, "The command line or the configuration is wrong; nothing was begun."
    CONNECT = 2, "The server was not reached: name or connection."
    CLOSED = 6, "The server closed the connection where it should have answered."
    MISSING = 10, "A library that is needed is not installed."
    GREETING = 21, "The greeting was a refusal, no SMTP, or did not come."
    EHLO = 22, "EHLO was refused, or the answer did not come."
    MAIL = 23, "The sender was refused."
    RCPT = 24, "No recipient was accepted."
    DATA = 25, "DATA was refused."
    CONTENT = 26, "The mail was refused after its content."
    QUIT = 27, "QUIT was refused."
    AUTH = 28, "The login failed, or was not possible."
    TLS = 29, "TLS was not offered, not begun, or its certificate was refused."
    EHLO_IN_TLS = 32, "EHLO after TLS was refused."


_BY_STAGE: Mapping[Stage, SwaksStatus] = {
    Stage.CONFIG: SwaksStatus.USAGE,
    Stage.DNS: SwaksStatus.CONNECT,
    Stage.CONNECT: SwaksStatus.CONNECT,
    Stage.GREETING: SwaksStatus.GREETING,
    Stage.EHLO: SwaksStatus.EHLO,
    Stage.STARTTLS: SwaksStatus.TLS,
    Stage.TLS: SwaksStatus.TLS,
    Stage.AUTH: SwaksStatus.AUTH,
    Stage.MAIL: SwaksStatus.MAIL,
    Stage.RCPT: SwaksStatus.RCPT,
    Stage.DATA: SwaksStatus.DATA,
    Stage.QUIT: SwaksStatus.QUIT,
}
# What swaks has a code of its own for, whatever the stage; before and in a handshake it does not tell a hang-up apart.
_BY_FINDING: Mapping[str, SwaksStatus] = {
    "auth.library_missing": SwaksStatus.MISSING,
    "conn.closed": SwaksStatus.CLOSED,
    "conn.reset": SwaksStatus.CLOSED,
    "smtp.closed_by_server": SwaksStatus.CLOSED,
}
_NO_HANG_UP = (Stage.CONNECT, Stage.TLS)


def styled(report: Report) -> Report:
    """The report with swaks's code in place of ours, where something stopped it."""
    failure = report.failure
    return report._replace(failure=failure._replace(status=_code(report, failure))) if failure else report


def of_status(status: Status) -> Status:
    """The code for a run that stopped before there was a session; ours where swaks has none for it."""
    return SwaksStatus.USAGE if status in (ExitStatus.USAGE, ExitStatus.CONFIG) else status


def _code(report: Report, failure: Failure) -> SwaksStatus:
    stage = failure.stage
    here = (_BY_FINDING.get(finding.id) for finding in report.findings if finding.stage is stage)
    special = next(filter(None, here), None) if stage not in _NO_HANG_UP else None
    if special:
        return special
    if stage is Stage.EHLO and _secured(report.transcript):
        return SwaksStatus.EHLO_IN_TLS
    if stage is Stage.DATA and _had_content(report.transcript):
        return SwaksStatus.CONTENT
    if stage is Stage.RCPT and any(recipient.result == "accepted" for recipient in report.recipients):
        return SwaksStatus.OK
    return _BY_STAGE[stage]


def _secured(transcript: Transcript) -> bool:
    return any(event.kind is Kind.TLS for event in transcript)


def _had_content(transcript: Transcript) -> bool:
    """Whether the server let the content come: it said 354, or BDAT asked for no leave (RFC 3030 2)."""
    data = [event for event in transcript if event.stage is Stage.DATA]
    asked = any(event.kind is Kind.RECEIVED and event.text.startswith("354") for event in data)
    return asked or any(event.kind is Kind.SENT and event.text.startswith("BDAT") for event in data)
