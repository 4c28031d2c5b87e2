"""Findings that are not to count: what `--ignore` and a profile's `ignore` do to findings.

What is ignored is still told, with the reason; it decides no exit status. What stops a run is never ignored. An ignore
whose last day has passed does nothing any more and is a finding itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from smtpctl.config import values
from smtpctl.config.profile import Profile
from smtpctl.config.store import Document
from smtpctl.knowledge import families
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Finding, Ignore, Ignored, Location, Severity
from smtpctl.model.report import Report

Split = tuple[tuple[Finding, ...], tuple[Ignored, ...]]


def given(ids: Iterable[str]) -> tuple[Ignore, ...]:
    """What `--ignore ID` asks for; UsageProblem for an id that no finding has."""
    wished = tuple(Ignore(name, "asked for with --ignore") for name in ids)
    for one in wished:
        if not _exists(one.id):
            raise UsageProblem(f'--ignore: there is no finding "{one.id}".{_near(one.id)}', "See: smtpctl explain ID")
    return wished


def applied(report: Report, profile: Profile, more: Sequence[Ignore] = (), today: str = "") -> Report:
    """The report without what its profile and `more` ignore on this day (ISO date; without one: now)."""
    today = today or _today()
    over = (_ended(one, profile.label) for one in profile.ignores if _is_over(one, today))
    failure = report.failure

    def stopped(finding: Finding) -> bool:
        return failure is not None and finding.stage is failure.stage and finding.severity is Severity.ERROR

    counted, ignored = split((*report.findings, *over), (*profile.ignores, *more), stopped, today)
    return report._replace(findings=counted, ignored=ignored)


def split(
    findings: Iterable[Finding], ignores: Sequence[Ignore], kept: Callable[[Finding], bool], today: str = ""
) -> Split:
    """Findings that count, and those that do not. What is `kept` counts in any case."""
    today = today or _today()
    valid = [one for one in ignores if not _is_over(one, today)]
    counted: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        by = next((one for one in valid if _meant(one).covers(finding.id)), None)
        if by is None or kept(finding):
            counted.append(finding)
        else:
            ignored.append(Ignored(finding, by))
    return tuple(counted), tuple(ignored)


def of_file(document: Document, name: str, today: str = "") -> Iterator[Finding]:
    """What is wrong with the ignores that stand in a profile: ids that no finding has, days that have passed."""
    try:
        written = values.ignores(document.profiles[name].get("ignore", ()))
    except values.BadValueError:
        return  # said already
    for one in written:
        where = document.locate("profiles", name, "ignore", one.id)
        if not _exists(one.id):
            known: dict[str, Any] = {"near": near} if (near := _near(one.id)) else {}
            entry = families.entry("config.ignore_unknown")
            yield entry.finding(target=name, location=where, id=one.id, profile=name, **known)
        elif _is_over(one, today or _today()):
            yield _ended(one, name, where)


def _meant(one: Ignore) -> Ignore:
    return one._replace(id=families.ALIASES.get(one.id, one.id))


def _ended(one: Ignore, name: str, where: Location | None = None) -> Finding:
    entry = families.entry("config.ignore_expired")
    return entry.finding(target=name, location=where, id=one.id, until=one.until, reason=one.reason, profile=name)


def _is_over(one: Ignore, today: str) -> bool:
    return bool(one.until) and one.until < today


def _today() -> str:
    return time.strftime("%Y-%m-%d")


def _exists(wanted: str) -> bool:
    """Whether a finding has the id; one that ends in `.*` must be the beginning of some."""
    one = Ignore(wanted, "")
    return any(one.covers(name) for name in _ids())


def _near(wanted: str) -> str:
    """` Did you mean X?`, or nothing."""
    near = families.similar(wanted, _ids())
    return f' Did you mean "{near[0]}"?' if near else ""


def _ids() -> list[str]:
    from smtpctl.knowledge.catalogue import load

    return [*(entry.id for entry in families.all_entries()), *families.ALIASES, *load().entries]
