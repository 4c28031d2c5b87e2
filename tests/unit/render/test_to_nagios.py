"""The plugin output: what a monitor reads of it, by the grammar of the guidelines, and the state it ends with."""

from __future__ import annotations

import re

import pytest

from smtpctl.model.finding import Cause, Finding, Remedy, Severity
from smtpctl.model.report import ExitStatus, Failure, Report, StageResult
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.render import MONITORING, exit_status, failed_status, renderer
from smtpctl.render.to_nagios import State

FINE = Report("office", Transcript(), facts={"ms": 265})
DATUM = re.compile(
    r"('[^'=|]+'|[^'= |]+)=(-?[\d.]+)(s|%|B|c)?(?:;([\d.:@~-]*))?(?:;([\d.:@~-]*))?(?:;([\d.]*))?(?:;([\d.]*))?"
)


def found(severity: Severity, id: str = "tls.x") -> Report:
    return FINE._replace(findings=(Finding(id, severity, Stage.TLS, "It is | so"),))


def stopped(status: ExitStatus) -> Report:
    return FINE._replace(failure=Failure(status, Stage.AUTH, False))


def drawn(*reports: Report, fail_on: Severity | None = Severity.ERROR) -> str:
    return renderer("nagios", schema="smtpctl.check/1", fail_on=fail_on).reports(reports)


def data(text: str) -> dict[str, tuple[str, ...]]:
    """Label -> value, unit, warning, critical, least."""
    first = text.splitlines()[0].partition(" | ")[2]
    assert re.fullmatch(rf"({DATUM.pattern} ?)*", first), first
    return {match[1].strip("'"): match.groups()[1:6] for match in DATUM.finditer(first)}


@pytest.mark.parametrize(
    ("report", "fail_on", "state"),
    [
        (FINE, Severity.ERROR, State.OK),
        (found(Severity.NOTE), Severity.ERROR, State.OK),
        (found(Severity.WARNING), Severity.ERROR, State.WARNING),
        (found(Severity.ERROR), Severity.ERROR, State.CRITICAL),
        (found(Severity.WARNING), Severity.WARNING, State.CRITICAL),
        (found(Severity.NOTE), Severity.NOTE, State.CRITICAL),
        (found(Severity.ERROR), None, State.WARNING),
        (stopped(ExitStatus.TEMPORARY), None, State.CRITICAL),
        (stopped(ExitStatus.NO_HOST), Severity.ERROR, State.CRITICAL),
        (stopped(ExitStatus.AUTH), Severity.ERROR, State.CRITICAL),
        (stopped(ExitStatus.CONFIG), Severity.ERROR, State.UNKNOWN),
    ],
)
def test_the_state_is_said_and_returned(report: Report, fail_on: Severity | None, state: State) -> None:
    assert exit_status("nagios", [report], fail_on) == state
    assert drawn(report, fail_on=fail_on).startswith(f"SMTP {state.name}: office")


def test_every_status_has_a_state_of_a_plugin() -> None:
    assert {failed_status("nagios", status) for status in ExitStatus} <= set(State)
    assert failed_status("nagios", ExitStatus.USAGE) == State.UNKNOWN
    assert failed_status("json", ExitStatus.USAGE) == ExitStatus.USAGE


def test_the_worst_of_several_stands_for_all() -> None:
    reports = (FINE, stopped(ExitStatus.CONFIG), found(Severity.WARNING))
    assert exit_status("nagios", reports, Severity.ERROR) == State.WARNING
    assert drawn(*reports).startswith(
        "SMTP WARNING: 3 targets, 1 warning, 1 unknown, 1 ok: office: It is ¦ so [tls.x] | "
    )


def test_a_note_is_no_news() -> None:
    text = drawn(found(Severity.NOTE))
    assert text.startswith("SMTP OK: office: works in 265 ms | ")
    assert "note [tls.x] It is ¦ so" in text


def test_only_performance_data_stands_behind_a_bar() -> None:
    text = drawn(found(Severity.ERROR)._replace(target="a|b 'c=d'", headline="x|y"))
    assert text.count("|") == 1
    assert data(text)["errors"] == ("1", None, "", "0", "0")


def test_thresholds_are_those_of_the_state() -> None:
    assert data(drawn(FINE))["warnings"][2:4] == ("0", "")
    assert data(drawn(FINE, fail_on=Severity.WARNING))["warnings"][2:4] == ("", "0")
    assert data(drawn(FINE, fail_on=None))["errors"][2:4] == ("0", "")


def test_times_and_the_certificate_have_units() -> None:
    stages = (
        StageResult(Stage.EHLO, "passed", "", 10),
        StageResult(Stage.TLS, "passed", "", 30),
        StageResult(Stage.EHLO, "passed", "", 5),
    )
    certificates = [{"not_after": 2_000_000, "renewal_due": 1_900_000}]
    told = data(
        drawn(FINE._replace(stages=stages, facts={"ms": 45, "checked_at": 1_950_000, "certificates": certificates}))
    )
    assert told["time"][:2] == ("0.0450", "s")
    assert told["time_ehlo"][:2] == ("0.0150", "s")
    assert told["certificate"] == ("50000", "s", "100000:", "0:", None)


def test_labels_of_several_targets_differ() -> None:
    told = data(drawn(FINE, FINE._replace(target="shop='x'")))
    assert {"office time", "shop=_x_ time".replace("=", "_")} <= set(told)


def test_only_what_connects_is_monitored() -> None:
    assert MONITORING == ("nagios", "prometheus")


def test_a_command_with_a_pipe_is_left_out() -> None:
    """Without its bar it would be another one; and what stands beside it is only a part of what to do."""
    remedies = (Remedy("Append it:", ("curl x | openssl x509", "postfix stop")), Remedy("Reload:", ("postfix reload",)))
    finding = Finding("tls.x", Severity.NOTE, Stage.TLS, "It is so", causes=(Cause("", 1, remedies),))
    text = drawn(FINE._replace(findings=(finding,)))
    assert text.splitlines()[-3:] == ["    fix: Append it", "    fix: Reload:", "      postfix reload"]
