"""Runs the checks over what a session gave. A check that crashes is an outcome, never a lost report."""

from __future__ import annotations

from typing import Any

from smtpctl.checks.facts import Facts, Scanned
from smtpctl.checks.registry import CHECKS, Check, DeepCheck, deep_checks
from smtpctl.knowledge.families import entry
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


def run_deep(scanned: Scanned) -> tuple[tuple[Finding, ...], tuple[Outcome, ...]]:
    """The same for a TLS scan."""
    findings: list[Finding] = []
    outcomes = []
    untested = dict(scanned.scan.untested)
    for check in deep_checks():
        if check.untested in untested:
            outcomes.append(Outcome(check.name, "skipped", untested[check.untested]))
            continue
        found, outcome = _one(check, scanned)
        findings += found
        outcomes.append(outcome)
    return tuple(sorted(findings, key=lambda finding: -finding.severity)), tuple(outcomes)


def skip_deep(reason: str) -> tuple[Outcome, ...]:
    """What became of the checks of a scan that was not made."""
    return tuple(Outcome(check.name, "skipped", reason) for check in deep_checks())


def _one(check: Check | DeepCheck, facts: Any) -> tuple[list[Finding], Outcome]:
    try:
        found = [finding for finding in check.run(facts) if entry(finding.id).concerns(facts.role)]
    except Exception as error:
        return [], Outcome(check.name, "crashed", f"{type(error).__name__}: {error}")
    return found, Outcome(check.name, "found" if found else "passed", " ".join(finding.id for finding in found))
