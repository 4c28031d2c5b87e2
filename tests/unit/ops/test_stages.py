"""The stage table comes from the transcript, row by row as stages end."""

from __future__ import annotations

from smtpctl.model.report import StageResult
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.ops.stages import Rows


def rows(*events: Event, stopped: Stage | None = None, detail: str = "") -> tuple[list[StageResult], list[Stage]]:
    shown: list[Stage] = []
    transcript = Transcript()
    table = Rows(transcript, 0.0, lambda row: shown.append(row.stage))
    for event in events:
        transcript.add(event)
    return table.finish(stopped, detail), shown


def event(at: float, stage: Stage, text: str, kind: Kind = Kind.RECEIVED, **facts: object) -> Event:
    return Event(at, stage, kind, text, False, facts)


SESSION = (
    event(0.01, Stage.CONNECT, "connected to 192.0.2.1:25", Kind.ATTEMPT, address="192.0.2.1"),
    event(0.05, Stage.GREETING, "220 mx ESMTP"),
    event(0.06, Stage.EHLO, "EHLO me", Kind.SENT),
    event(0.09, Stage.EHLO, "250-mx"),
    event(0.09, Stage.EHLO, "250-HELP"),
    event(0.09, Stage.EHLO, "250 SIZE 1000"),
)


def test_a_row_for_each_stage_with_its_time() -> None:
    found, shown = rows(*SESSION, event(0.1, Stage.QUIT, "221 bye"))
    assert [(row.stage, row.status, row.ms) for row in found] == [
        (Stage.CONNECT, "passed", 10.0), (Stage.GREETING, "passed", 40.0), (Stage.EHLO, "passed", 40.0),
    ]  # fmt: skip
    assert found[-1].detail.startswith("SIZE 1000")
    assert shown == [Stage.CONNECT, Stage.GREETING, Stage.EHLO]


def test_the_stage_that_stopped_it_has_failed() -> None:
    found, _ = rows(*SESSION, stopped=Stage.EHLO, detail="no answer")
    assert (found[-1].stage, found[-1].status, found[-1].detail) == (Stage.EHLO, "failed", "no answer")


def test_a_stage_that_was_not_reached_has_failed_too() -> None:
    found, _ = rows(stopped=Stage.CONFIG, detail="wrong")
    assert [(row.stage, row.status) for row in found] == [(Stage.CONFIG, "failed")]


def test_a_refusal_fails_its_stage_and_an_observation_warns() -> None:
    refused, _ = rows(event(0.1, Stage.GREETING, "554 no"))
    assert refused[0].status == "failed"
    warned, _ = rows(
        event(0.1, Stage.EHLO, "EHLO was refused", Kind.NOTE, observed="helo_fallback"),
        event(0.2, Stage.EHLO, "250 mx"),
    )
    assert warned[0].status == "warning"


def test_starttls_and_the_handshake_are_one_row() -> None:
    tls = {"version": "TLSv1.3", "expires": 86400.0 * 30, "subject": "mx", "verified": True, "certificates": 2}
    found, _ = rows(
        event(0.1, Stage.STARTTLS, "220 go"),
        event(0.2, Stage.TLS, "TLSv1.3", Kind.TLS, **tls),
    )
    assert [(row.stage, row.detail) for row in found] == [(Stage.TLS, "TLS 1.3 · mx, valid 30 days · chain of 2")]


def test_a_failure_before_the_handshake_is_of_starttls() -> None:
    said, answer = event(0.1, Stage.STARTTLS, "STARTTLS", Kind.SENT), event(0.2, Stage.STARTTLS, "454 no")
    for found, _ in (
        rows(*SESSION, stopped=Stage.STARTTLS, detail="not offered"),
        rows(*SESSION, said, answer, event(0.3, Stage.QUIT, "221 bye"), stopped=Stage.STARTTLS),
        rows(*SESSION, said, answer, stopped=Stage.STARTTLS),
    ):
        assert (found[-1].stage, found[-1].status) == (Stage.STARTTLS, "failed")
    found, _ = rows(*SESSION, said, event(0.2, Stage.STARTTLS, "220 go"), stopped=Stage.TLS, detail="no answer")
    assert (found[-1].stage, found[-1].status) == (Stage.TLS, "failed")


def test_what_is_noted_after_the_session_makes_no_row() -> None:
    shown: list[StageResult] = []
    transcript = Transcript()
    table = Rows(transcript, 0.0, shown.append)
    transcript.add(SESSION[1])
    table.finish(Stage.GREETING, "no")
    transcript.add(event(0.2, Stage.TLS, "certificate 1 of 1", Kind.NOTE))
    transcript.add(event(0.2, Stage.GREETING, "no", Kind.ERROR))
    assert [row.stage for row in shown] == [Stage.GREETING]
