"""What is offered before TLS, and what is missing with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpctl.checks.facts import Facts
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.finding import Evidence, Finding, Severity
from smtpctl.model.transcript import Kind
from smtpctl.protocol.ehlo import Capabilities

_TLS_FIRST = re.compile(r"530[ -].*(?:STARTTLS|TLS|encrypt)", re.IGNORECASE)


def offers(facts: Facts) -> Iterator[Finding]:
    """AUTH in clear, no AUTH with TLS on a submission port, no TLS at all where it was left to the server."""
    before, now = facts.offered(secured=False), facts.offered(secured=True)
    wanted = facts.policy.mode is not TlsMode.NONE and not local(facts)
    if before and before.auth and (now or wanted):
        yield facts.finding("starttls.auth_before_tls", _lines(before, "AUTH"))
    if before and not before.has("STARTTLS") and facts.policy.mode is TlsMode.AUTO and not local(facts):
        if masked := masked_starttls(before):
            yield facts.finding("starttls.stripped", [Evidence(line, "S:") for line in masked])
        else:  # left to the server, the session goes on: less than it should be, but what was asked for
            yield facts.finding("starttls.not_offered", _lines(before), severity=Severity.WARNING)
    if now and not now.auth and facts.endpoint.port in (465, 587):
        yield facts.finding("starttls.auth_missing_after_tls", _lines(now))


def required(facts: Facts) -> Iterator[Finding]:
    """A command in clear that is answered with: TLS first (RFC 3207 4)."""
    for index, event in enumerate(facts.transcript):
        if event.kind is Kind.RECEIVED and not event.secured and _TLS_FIRST.match(event.text):
            yield facts.finding("starttls.required_530", [Evidence(event.text, "S:", index)])
            return


def masked_starttls(offered: Capabilities) -> tuple[str, ...]:
    """Lines whose keyword was overwritten and is as long as STARTTLS."""
    return tuple(line for line in offered.lines[1:] if line.split(" ")[0].upper() in offered.masked and len(line) == 8)


def local(facts: Facts) -> bool:
    """Whether no TLS is no fault: `localhost` is this machine's own server, its addresses may as well be a tunnel."""
    return facts.trusted or bool(facts.endpoint.path) or facts.endpoint.host == "localhost"


def _lines(capabilities: Capabilities, keyword: str = "") -> list[Evidence]:
    lines = [line for line in capabilities.lines[1:] if line.upper().startswith(keyword)]
    return [Evidence(line, "S:") for line in lines[:12]]
