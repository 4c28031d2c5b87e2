"""Others than the server: who else a check asks about its certificate, where somebody wants it, by option."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smtpctl.checks.facts import Facts
from smtpctl.config.profile import Profile
from smtpctl.model.report import Report
from smtpctl.ops import aia, revocation
from smtpctl.ops.session import Surroundings

OTHERS: Mapping[str, Callable[[Report, Profile, Facts, Surroundings], Report]] = {
    "--fetch-aia": aia.proved,
    "--revocation": revocation.asked,
}


def asked(report: Report, profile: Profile, facts: Facts, around: Surroundings) -> Report:
    """The report, with what all that `around.others` names had to say."""
    for name in around.others:
        report = OTHERS[name](report, profile, facts, around)
    return report
