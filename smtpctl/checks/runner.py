"""Runs the checks over what a session gave. A check that crashes is an outcome, never a lost report."""

from __future__ import annotations

from smtpctl.checks.facts import Facts
from smtpctl.checks.registry import CHECKS, Check
from smtpctl.model.finding import Finding
from smtpctl.model.report import Outcome


def run(facts: Facts) -> tuple[tuple[Finding, ...], tuple[Outcome, ...]]:
    """All findings, worst first, and what became of each check."""
    findings: list[Finding] = []
    outcomes = []
    reached = {event.stage for event in facts.transcript}
    for check in CHECKS:
        if check.needs not in reached:
            outcomes.append(Outcome(check.name, "skipped", f"the session did not get to {check.needs.value}"))
            continue
        found, outcome = _one(check, facts)
        findings += found
        outcomes.append(outcome)
    return tuple(sorted(findings, key=lambda finding: -finding.severity)), tuple(outcomes)


def _one(check: Check, facts: Facts) -> tuple[list[Finding], Outcome]:
    try:
        found = list(check.run(facts))
    except Exception as error:
        return [], Outcome(check.name, "crashed", f"{type(error).__name__}: {error}")
    return found, Outcome(check.name, "found" if found else "passed", " ".join(finding.id for finding in found))
