from __future__ import annotations

from xml.etree import ElementTree

import pytest

from smtpctl.model.finding import Finding, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus, Failure, Outcome, Report, StageResult
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.render import renderer

FAILED = StageResult(Stage.AUTH, "failed", "535 no", 12)
FAILURE = Failure(ExitStatus.AUTH, Stage.AUTH, False, Reply(535, ("no",)))
FINDING = Finding("auth.refused", Severity.ERROR, Stage.AUTH, "Refused")


def cases(report: Report, fail_on: Severity | None = Severity.ERROR) -> dict[str, str]:
    """Name of each case and its result."""
    root = ElementTree.fromstring(renderer("junit", schema="smtpctl.check/1", fail_on=fail_on).report(report))
    return {str(case.get("name")): case[0].tag if len(case) else "passed" for case in root.iter("testcase")}


@pytest.mark.parametrize(
    ("stages", "findings", "expected"),
    [
        ((FAILED,), (FINDING,), {"auth": "skipped", "auth.refused": "failure"}),  # counted once
        ((FAILED,), (), {"auth": "failure"}),
        ((), (), {"auth": "failure"}),
    ],
)
def test_what_stopped_a_run_is_one_failure(
    stages: tuple[StageResult, ...], findings: tuple[Finding, ...], expected: dict[str, str]
) -> None:
    assert cases(Report("x", Transcript(), findings, stages=stages, failure=FAILURE)) == expected


def test_outcomes_are_cases() -> None:
    outcomes = (Outcome("a", "passed"), Outcome("b", "skipped", "no TLSA"), Outcome("c", "crashed", "KeyError"))
    assert cases(Report("x", Transcript(), outcomes=outcomes)) == {"a": "passed", "b": "skipped", "c": "error"}


def test_a_check_that_found_a_failure_has_not_passed() -> None:
    outcomes = (Outcome("login", "found", "auth.refused"), Outcome("b", "passed"))
    report = Report("x", Transcript(), (FINDING,), outcomes)
    assert cases(report) == {"login": "skipped", "b": "passed", "auth.refused": "failure"}
    assert cases(report, None) == {"login": "passed", "b": "passed", "auth.refused": "system-out"}


def test_a_finding_below_the_limit_passes_and_keeps_its_text() -> None:
    report = Report("x", Transcript(), (FINDING._replace(severity=Severity.WARNING),))
    assert cases(report) == {"auth.refused": "system-out"}
    assert cases(report, Severity.WARNING) == {"auth.refused": "failure"}
    assert cases(report._replace(findings=(FINDING,)), None) == {"auth.refused": "system-out"}
