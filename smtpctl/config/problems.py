"""Problems of the configuration: one table of ids with what stops a run, and the two ways to say one.

What is wrong with what was typed is a `UsageProblem` (exit 2); what is wrong in a file or in the environment is a
`Problem` that points at the place. The knowledge base has the long form under the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Cause, Evidence, Finding, Location, Remedy, Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

# id -> how bad, and what a run ends with when this stops it
IDS: Mapping[str, tuple[Severity, ExitStatus]] = {
    "config.syntax": (Severity.ERROR, ExitStatus.CONFIG),
    "config.unreadable": (Severity.ERROR, ExitStatus.CONFIG),
    "config.version": (Severity.ERROR, ExitStatus.CONFIG),
    "config.rights": (Severity.ERROR, ExitStatus.CONFIG),
    "config.not_writable": (Severity.ERROR, ExitStatus.CANNOT_CREATE),
    "config.write_failed": (Severity.ERROR, ExitStatus.IO),
    "config.locked": (Severity.ERROR, ExitStatus.TEMPORARY),
    "config.cannot_edit": (Severity.ERROR, ExitStatus.CONFIG),
    "config.unknown_key": (Severity.WARNING, ExitStatus.CONFIG),
    "config.invalid_value": (Severity.ERROR, ExitStatus.CONFIG),
    "config.port_conflict": (Severity.ERROR, ExitStatus.CONFIG),
    "config.extends_missing": (Severity.ERROR, ExitStatus.CONFIG),
    "config.extends_cycle": (Severity.ERROR, ExitStatus.CONFIG),
    "config.preset_missing": (Severity.ERROR, ExitStatus.CONFIG),
    "config.oauth_missing": (Severity.ERROR, ExitStatus.CONFIG),
    "config.default_missing": (Severity.ERROR, ExitStatus.CONFIG),
    "config.no_server": (Severity.ERROR, ExitStatus.CONFIG),
    "config.no_host": (Severity.ERROR, ExitStatus.CONFIG),
    "config.plain_secret": (Severity.WARNING, ExitStatus.CONFIG),
}


def finding(
    id_: str,
    title: str,
    *,
    fix: str = "",
    commands: Iterable[str] = (),
    evidence: str = "",
    target: str = "",
    location: Location | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding of the configuration. `title` says what is wrong with the exact words of the file, `fix` what to do."""
    causes = (Cause("", 1.0, (Remedy(fix, tuple(commands)),)),) if fix else ()
    return Finding(
        id=id_,
        severity=severity or IDS[id_][0],
        stage=Stage.CONFIG,
        title=title,
        target=target,
        evidence=(Evidence(evidence),) if evidence else (),
        causes=causes,
        location=location,
    )


def problem(found: Finding) -> Problem:
    """The Problem that stops a run because of `found`."""
    return Problem(found, IDS[found.id][1])


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """` Did you mean X?` for the nearest of `words`, or nothing."""
    from difflib import get_close_matches

    by_lower = {known.lower(): known for known in words}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f' Did you mean "{by_lower[near[0]]}"?' if near else ""
