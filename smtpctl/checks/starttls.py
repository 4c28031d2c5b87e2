"""What is offered before TLS, and what is missing with it."""

from __future__ import annotations

from collections.abc import Iterator

from smtpctl.checks.facts import Facts
from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.finding import Evidence, Finding, Severity
from smtpctl.protocol.ehlo import Capabilities


def offers(facts: Facts) -> Iterator[Finding]:
    """AUTH in clear, no AUTH with TLS on a submission port, no TLS at all where it was left to the server."""
    before, now = facts.offered(secured=False), facts.offered(secured=True)
    if before and before.auth and now:
        yield _finding(facts, "starttls.auth_before_tls", before, "AUTH")
    if before and not before.has("STARTTLS") and facts.policy.mode is TlsMode.AUTO and not _local(facts):
        # Left to the server, the session goes on: less than it should be, but what was asked for.
        yield _finding(facts, "starttls.not_offered", before, "", Severity.WARNING)
    if now and not now.auth and facts.endpoint.port in (465, 587):
        yield _finding(facts, "starttls.auth_missing_after_tls", now, "")


def _local(facts: Facts) -> bool:
    """Whether no TLS is no fault: `localhost` is this machine's own server, its addresses may as well be a tunnel."""
    return facts.trusted or bool(facts.endpoint.path) or facts.endpoint.host == "localhost"


def _finding(
    facts: Facts, id: str, capabilities: Capabilities, keyword: str, severity: Severity | None = None
) -> Finding:
    lines = [line for line in capabilities.lines[1:] if line.upper().startswith(keyword)]
    return entry(id).finding(
        target=facts.target,
        role=facts.role,
        severity=severity,
        host=facts.endpoint.host,
        port=str(facts.endpoint.port),
        evidence=[Evidence(line, "S:") for line in lines[:12]],
    )
