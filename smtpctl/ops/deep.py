"""`check --deep`: a check, then a scan of the server's TLS over connections of its own, judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smtpctl.checks import facts as checks_facts
from smtpctl.checks import runner
from smtpctl.checks.facts import Scanned
from smtpctl.config.profile import Profile
from smtpctl.knowledge import ciphers, groups
from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import TlsMode, TlsPolicy
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.finding import Finding
from smtpctl.model.report import Outcome, Report, StageResult
from smtpctl.model.tlsscan import TlsScan
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net import certificate, tls
from smtpctl.net.connection import Log
from smtpctl.net.scan import scan
from smtpctl.ops import advice, session
from smtpctl.ops.check import check
from smtpctl.ops.refused import as_problem
from smtpctl.ops.session import Surroundings


def check_deep(profile: Profile, around: Surroundings, recipients: Sequence[str], max_connections: int) -> Report:
    """As `check`, and what the server's TLS takes besides what was negotiated, with at most so many connections at once.

    A scan that cannot be made is told by its checks, which are skipped with the reason.
    """
    report = check(profile, around, recipients)
    reason = _not_possible(profile, report)
    if reason:
        return with_scan(report, (), runner.skip_deep(reason))
    helo = profile.helo or session.own_name()
    try:
        found = scan(
            profile.endpoint,
            profile.route,
            profile.tls,
            profile.timeouts,
            helo,
            Log(Transcript()),
            max_connections,
            seen=_newest(report),
        )
    except (Problem, Refused, Obstacle) as error:
        problem = as_problem(error, profile)
        return with_scan(report, (), runner.skip_deep(f"the server could not be scanned: {problem.finding.title}"))
    row = StageResult(Stage.TLS, "passed" if found.finished else "warning", told(found), found.ms)
    if around.show:
        around.show(row)
    findings, outcomes = runner.run_deep(_scanned(profile, report, found))
    asked = {"tls.cert.revocation_info"} if "revocation" in report.facts else set()  # it says that nobody was asked
    own = tuple(advice.personal(finding, profile) for finding in findings if finding.id not in asked)
    whole = with_scan(report, own, outcomes)
    more = {"ms": round(report.facts["ms"] + found.ms, 1), "scan": as_json(found)}
    return whole._replace(stages=(*report.stages, row), facts={**report.facts, **more})


def _newest(report: Report) -> int | None:
    """The suite that the check got with TLS 1.3, 0 where it got an older version; None where it got none."""
    made = report.facts.get("tls", {})
    if made.get("version") == "TLSv1.3":
        return ciphers.number(made["cipher"])
    return 0 if made.get("version") else None


def told(found: TlsScan) -> str:
    """A scan in a line: `takes TLS 1.2 (57 ciphers) · TLS 1.3 (3) · 74 connections`."""
    versions = [f"{version.name} ({len(version.suites)})" for version in found.accepted]
    if versions:
        number = len(found.accepted[0].suites)
        versions[0] = versions[0].replace(")", f" cipher{'s' * (number != 1)})")
    if versions and found.hybrid:
        versions[-1] = versions[-1].replace(")", f", {groups.name(found.hybrid)})")
    whole = all(version.complete for version in found.versions)
    ended = [] if whole and found.finished else ["not all could be asked" + " in time" * (not found.finished)]
    return " · ".join([f"takes {versions[0] if versions else 'no version'}", *versions[1:],
                       f"{found.connections} connections", *ended])  # fmt: skip


def as_json(found: TlsScan) -> Mapping[str, Any]:
    """A scan as JSON values, suites by name; null for what could not be found out."""
    return {
        "versions": {
            version.name: {
                "ciphers": [ciphers.name(suite) for suite in version.suites],
                "complete": version.complete,
                "answer": version.told,
            }
            for version in found.versions
        },
        "curves": [groups.name(group) for group in found.curves],
        "curves_complete": found.curves_complete,
        "post_quantum": None if found.hybrid is None else groups.name(found.hybrid) if found.hybrid else "",
        "dh": {ciphers.name(suite): bits for suite, bits in found.dh},
        "extended_master_secret": found.extended_master_secret,
        "secure_renegotiation": found.secure_renegotiation,
        "compression": None if found.compression is None else bool(found.compression),
        "asks_certificate": found.asks_certificate,
        "demands_certificate": None if found.demands_certificate is None else bool(found.demands_certificate),
        "addresses": [
            {"address": one.address, "version": one.protocol, "answer": one.failure} for one in found.addresses
        ],
        "resumption": found.resumption,
        "command_injection": found.injection,
        "connections": found.connections,
        "ms": round(found.ms, 1),
        "finished": found.finished,
    }


def _not_possible(profile: Profile, report: Report) -> str:
    """Why there is nothing to scan; empty where there is."""
    if profile.tls.mode is TlsMode.NONE:
        return "TLS is switched off for this server"
    reached = any(event.stage is Stage.TLS for event in report.transcript)
    return "" if reached else "the session did not get to tls"


def _scanned(profile: Profile, report: Report, found: TlsScan) -> Scanned:
    name = profile.tls.sni or profile.endpoint.host
    leaves = None
    if found.certificates:
        named, default = found.certificates
        leaves = _leaf(named, profile.tls), _leaf(default, profile.tls)
    return Scanned(
        endpoint=profile.endpoint,
        role=checks_facts.role(profile.endpoint, profile.role, logged_in="mechanism" in report.facts),
        server_name=name,
        scan=found,
        certificates=leaves,
        ours=frozenset(cipher["id"] & 0xFFFF for cipher in tls.context(profile.tls).get_ciphers()),
        leaf=_leaf(found.leaf, profile.tls),
        addresses=tuple((address, _leaf(address.certificate, profile.tls)) for address in found.addresses),
        presents=bool(profile.tls.client_cert),
    )


def _leaf(octets: bytes, policy: TlsPolicy) -> Certificate | None:
    return certificate.parse((octets,), policy)[0] if octets else None


def with_scan(report: Report, findings: tuple[Finding, ...], outcomes: tuple[Outcome, ...]) -> Report:
    """The report with what the scan adds. What stopped the session stands first; a scan that saw the same has better
    evidence of it. What a reply told already is not told again."""
    told_already = {finding.id for finding in report.findings}
    seen = {finding.id: finding for finding in findings if told_already.isdisjoint(finding.knowledge)}
    before = tuple(seen.pop(finding.id, finding) for finding in report.findings)
    first = before[:1] if report.failure else ()
    rest = sorted((*before[len(first) :], *seen.values()), key=lambda finding: -finding.severity)
    return report._replace(findings=(*first, *rest), outcomes=(*report.outcomes, *outcomes))
