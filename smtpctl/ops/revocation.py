"""`check --revocation`: what the authority says of the server's certificate now. Never part of a session: mail programs do
not ask either, and an answer that does not come would be no reason to refuse one."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from smtpctl.checks.facts import Facts
from smtpctl.config.profile import Profile
from smtpctl.model.finding import Evidence
from smtpctl.model.report import Outcome, Report, StageResult
from smtpctl.model.transcript import Stage
from smtpctl.net import revocation
from smtpctl.net.plainhttp import Errand
from smtpctl.net.revocation import Revocation

NAME = "revocation"
REVOKED = "tls.cert.revoked"
_COMPROMISED = ("keyCompromise", "cACompromise", "privilegeWithdrawn")  # RFC 5280 5.3.1
_ROWS = {"good": "passed", "revoked": "failed", "unknown": "warning"}


def asked(report: Report, profile: Profile, facts: Facts, errand: Errand) -> tuple[Report, Facts]:
    """The report, with what the authority said; the facts as they are."""
    shown = facts.tls.chain if facts.tls else ()
    if not shown and report.failure:
        outcome = Outcome(NAME, "skipped", "the session did not get to tls")
        return report._replace(outcomes=(*report.outcomes, outcome)), facts
    began = time.monotonic()
    found = Revocation("unknown", why="the server showed none")
    if shown:
        found = revocation.ask(shown, profile.tls, errand, facts.now)
    row = StageResult(Stage.TLS, _ROWS[found.status], told(found), (time.monotonic() - began) * 1000)
    whole = report._replace(stages=(*report.stages, row), facts={**report.facts, "revocation": as_json(found)})
    if found.status != "revoked":
        outcome = Outcome(NAME, "passed") if found.status == "good" else Outcome(NAME, "skipped", found.why)
        return whole._replace(outcomes=(*report.outcomes, outcome)), facts
    seen = [Evidence(f"{found.source} {found.url}", "asked:"), Evidence(told(found), "answer:")]
    reason = {"reason": found.reason} if found.reason else {}
    finding = facts.finding(REVOKED, seen, host=facts.tls and facts.tls.server_name, on=_day(found.on), **reason)
    if found.reason in _COMPROMISED:  # the authority says which of the two causes it is
        ranks = [cause.likelihood for cause in finding.causes]
        turned = zip(reversed(finding.causes), ranks, strict=True)
        finding = finding._replace(causes=tuple(cause._replace(likelihood=rank) for cause, rank in turned))
    first = report.findings[:1] if report.failure else ()  # what stopped the session stays the first
    rest = sorted((*report.findings[len(first) :], finding), key=lambda one: -one.severity)
    outcome = Outcome(NAME, "found", REVOKED)
    return whole._replace(findings=(*first, *rest), outcomes=(*report.outcomes, outcome)), facts


def told(found: Revocation) -> str:
    """`not revoked · OCSP of 2026-11-21 18:30 UTC`."""
    if found.status == "unknown":
        return f"not known whether the certificate was revoked: {found.why}"
    as_of = f"{found.source} of {datetime.fromtimestamp(found.as_of, UTC):%Y-%m-%d %H:%M} UTC"
    if found.status == "good":
        return f"not revoked · {as_of}"
    return f"revoked on {_day(found.on)}" + (f" ({found.reason})" if found.reason else "") + f" · {as_of}"


def as_json(found: Revocation) -> dict[str, object]:
    """The JSON document's `facts.revocation`."""
    return {
        "status": found.status,
        "source": found.source or None,
        "url": found.url or None,
        "as_of": int(found.as_of) or None,
        "revoked_on": int(found.on) or None,
        "reason": found.reason or None,
        "why": found.why or None,
        "silent": [{"source": one.source, "url": one.url, "why": one.why} for one in found.silent],
    }


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
