"""How the server was reached."""

from __future__ import annotations

from collections.abc import Iterator

from smtpctl.checks.facts import Facts
from smtpctl.knowledge.families import entry
from smtpctl.model.finding import Finding
from smtpctl.model.transcript import Kind, Stage


def addresses(facts: Facts) -> Iterator[Finding]:
    """Addresses that did not answer although another one did."""
    attempts = [event for _, event in facts.transcript.at_stage(Stage.CONNECT) if event.kind is Kind.ATTEMPT]
    failed = [event for event in attempts if "error" in event.facts]
    worked = [event for event in attempts if "error" not in event.facts]
    if not failed or not worked:
        return
    only_v6 = all(":" in str(event.facts["address"]) for event in failed)
    id = "local.ipv6_broken" if only_v6 and ":" not in str(worked[0].facts["address"]) else "conn.partial"
    yield entry(id).finding(
        target=facts.target, role=facts.role, host=facts.endpoint.host, evidence=[event.text for event in attempts]
    )
