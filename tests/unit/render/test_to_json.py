from __future__ import annotations

import json
from typing import Any

import pytest

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus, Failure, Report
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.render import renderer
from smtpctl.render.to_json import document, line

FINDING = Finding("auth.refused", Severity.ERROR, Stage.AUTH, "Refused", target="mx:25")
REPLY = Reply(535, ("5.7.8 No", "5.7.8 Really"))


def loaded(text: str) -> dict[str, Any]:
    return json.loads(text)  # type: ignore[no-any-return]


def test_what_stopped_a_run_stands_at_the_top() -> None:
    report = Report("mx:25", Transcript(), (FINDING,), failure=Failure(ExitStatus.AUTH, Stage.AUTH, False, REPLY))
    data = loaded(renderer("json", schema="smtpctl.check/1").report(report))
    assert {key: data[key] for key in ("exit", "stage", "retryable", "code", "enhanced", "reply")} == {
        "exit": 77,
        "stage": "auth",
        "retryable": False,
        "code": 535,
        "enhanced": "5.7.8",
        "reply": "5.7.8 No 5.7.8 Really",
    }


def test_a_problem_has_one_schema_whatever_the_command() -> None:
    problem = Problem(FINDING, ExitStatus.AUTH, reply=REPLY)
    data = loaded(renderer("json", schema="smtpctl.profile.list/1").problem(problem))
    assert data["schema"] == "smtpctl.problem/1"
    assert (data["exit"], data["code"]) == (77, 535)
    assert [finding["id"] for finding in data["findings"]] == ["auth.refused"]


@pytest.mark.parametrize(
    ("statuses", "exit_status"),
    [([], 0), ([ExitStatus.AUTH], 77), ([ExitStatus.AUTH] * 2, 77), ([ExitStatus.AUTH, ExitStatus.TEMPORARY], 1)],
)
def test_several_targets_agree_on_a_status_or_it_is_1(statuses: list[ExitStatus], exit_status: int) -> None:
    failed = [Report("x", Transcript(), failure=Failure(status, Stage.AUTH, False)) for status in statuses]
    data = loaded(renderer("json", schema="smtpctl.check/1").reports([Report("fine", Transcript()), *failed]))
    assert data["exit"] == exit_status


@pytest.mark.parametrize(("fail_on", "exit_status"), [(Severity.WARNING, 1), (Severity.ERROR, 0), (None, 0)])
def test_the_exit_status_follows_fail_on(fail_on: Severity | None, exit_status: int) -> None:
    warning = FINDING._replace(severity=Severity.WARNING)
    data = loaded(renderer("json", schema="smtpctl.validate/1", fail_on=fail_on).findings([warning], subject="1 file"))
    assert (data["exit"], data["counts"]) == (exit_status, {"note": 0, "warning": 1, "error": 0})


def test_documents_and_lines_hold_nothing_raw() -> None:
    text = "\x1b\x7f\x9b\u202eé\ud800"
    for made in (document("smtpctl.x/1", {"text": text}), line("smtpctl.x/1", {"text": text})):
        assert made.replace("\n", "").isascii()
        assert made.replace("\n", "").isprintable()
        assert loaded(made) == {"schema": "smtpctl.x/1", "text": text}
    assert line("smtpctl.x/1", {"a": "b\nc"}).count("\n") == 1
