"""From a report to an exit status, and from findings to their JSON."""

from __future__ import annotations

import pytest

from smtpctl.model.errors import Obstacle, Problem, Refused, SmtpctlError, UsageProblem
from smtpctl.model.finding import Cause, Evidence, Finding, Location, Remedy, Severity, worst
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus, Failure, Report
from smtpctl.model.transcript import Stage, Transcript

WARNING = Finding("a.b", Severity.WARNING, Stage.EHLO, "Something is odd")
ERROR = WARNING._replace(severity=Severity.ERROR)


@pytest.mark.parametrize(
    ("findings", "fail_on", "status"),
    [
        ((), Severity.NOTE, ExitStatus.OK), ((WARNING,), Severity.ERROR, ExitStatus.OK), ((WARNING,), Severity.WARNING, ExitStatus.FINDINGS),
        ((WARNING, ERROR), Severity.ERROR, ExitStatus.FINDINGS), ((ERROR,), None, ExitStatus.OK),
    ],
)  # fmt: skip
def test_status(findings: tuple[Finding, ...], fail_on: Severity | None, status: ExitStatus) -> None:
    assert Report("x", Transcript(), findings).status(fail_on) is status


def test_what_stopped_the_run_decides() -> None:
    failure = Failure(ExitStatus.AUTH, Stage.AUTH, retryable=False)
    assert Report("x", Transcript(), (ERROR,), failure=failure).status(None) is ExitStatus.AUTH


def test_exit_codes_are_promises() -> None:
    assert {status.name: int(status) for status in ExitStatus} == {
        "OK": 0, "FINDINGS": 1, "USAGE": 2, "DATA": 65, "NO_HOST": 68, "UNAVAILABLE": 69, "BUG": 70, "CANNOT_CREATE": 73,
        "IO": 74, "TEMPORARY": 75, "PROTOCOL": 76, "AUTH": 77, "CONFIG": 78, "INTERRUPTED": 130,
    }  # fmt: skip


def test_severities() -> None:
    assert Severity.NOTE < Severity.WARNING < Severity.ERROR
    assert [Severity.parse(severity.label) for severity in Severity] == list(Severity)
    assert worst([WARNING, ERROR]) is Severity.ERROR
    assert worst([]) is None


def test_the_shape_of_a_finding_as_json_does_not_hang_on_what_is_known() -> None:
    assert WARNING.to_json() == {
        "id": "a.b", "severity": "warning", "stage": "ehlo", "role": "", "target": "", "title": "Something is odd",
        "evidence": [], "causes": [], "knowledge": [], "source": "",
    }  # fmt: skip
    assert Finding.from_json(WARNING.to_json()) == WARNING
    full = WARNING._replace(
        evidence=(Evidence("250 X", "S:"),),
        causes=(Cause("because", 0.456, (Remedy("do", ("smtpctl check",)),)),),
        verified=False,
        location=Location("c.toml", 3),
    )
    data = full.to_json()
    assert data["evidence"] == ["S: 250 X"]
    assert data["causes"] == [{"text": "because", "likelihood": 0.46, "fix": ["do"], "commands": ["smtpctl check"]}]
    assert data["verified"] is False
    assert data["location"] == {"path": "c.toml", "line": 3, "column": 1}


def test_errors() -> None:
    reply = Reply(535, ("5.7.8 no",))
    problem = Problem(ERROR, ExitStatus.AUTH, retryable=True, reply=reply)
    assert problem.failure == Failure(ExitStatus.AUTH, Stage.EHLO, True, reply)
    refused = Refused(Stage.AUTH, "AUTH PLAIN", reply)
    assert str(refused) == "AUTH PLAIN: 535 5.7.8 no"
    for error in (problem, refused, Obstacle(Stage.AUTH, "x.y"), UsageProblem("what", "do")):
        assert isinstance(error, SmtpctlError)


def test_every_exit_status_says_what_it_means() -> None:
    meanings = [status.meaning for status in ExitStatus]
    assert all(meaning.endswith(".") for meaning in meanings)
    assert len(set(meanings)) == len(meanings)
    assert ExitStatus(75) is ExitStatus.TEMPORARY
