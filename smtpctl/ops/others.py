"""Others than the server: who else a check asks about its certificate, where somebody wants it, by option."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from smtpctl.checks.facts import Facts
from smtpctl.config.profile import Profile
from smtpctl.model.report import Report
from smtpctl.model.transcript import Kind, Stage
from smtpctl.net.plainhttp import Errand
from smtpctl.ops import aia, revocation
from smtpctl.ops.session import Surroundings

# Each gives on the facts, with what it has found: an authority's answer is held against a certificate that was fetched.
OTHERS: Mapping[str, Callable[[Report, Profile, Facts, Errand], tuple[Report, Facts]]] = {
    "--fetch-aia": aia.proved,
    "--revocation": revocation.asked,
}


def asked(report: Report, profile: Profile, facts: Facts, around: Surroundings) -> Report:
    """The report, with what all that `around.others` names had to say, in the time that the session left of the run's."""
    events = facts.transcript.events
    left = profile.timeouts.total - (events[-1].at if events else 0)
    told = around.wait or (lambda *_: None)
    errand = Errand(_address(facts), profile.route, time.monotonic() + left, lambda seconds: told(Stage.TLS, seconds))
    for name in (name for name in OTHERS if name in around.others):
        shown = len(report.stages)
        report, facts = OTHERS[name](report, profile, facts, errand)
        if around.show:
            for row in report.stages[shown:]:
                around.show(row)
    return report


def _address(facts: Facts) -> str:
    """The address that the server was reached at; empty behind a proxy."""
    attempts = [event for _, event in facts.transcript.at_stage(Stage.CONNECT) if event.kind is Kind.ATTEMPT]
    reached = [event for event in attempts if "error" not in event.facts and "overtaken" not in event.facts]
    return str(reached[-1].facts.get("address", "")) if reached else ""
