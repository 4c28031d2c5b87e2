from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from smtpctl.model.finding import Evidence, Finding, Severity
from smtpctl.model.report import ExitStatus, Failure, Outcome, RecipientResult, Report, StageResult
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.render import renderer
from smtpctl.render.canvas import Canvas, duration
from smtpctl.render.text import TextRenderer, summary

cases = runpy.run_path(str(Path(__file__).parents[2] / "golden" / "cases.py"))


ROW = StageResult(Stage.DNS, "passed", "x", 1)


def made(width: int = 80, fail_on: Severity | None = Severity.ERROR, *, verbose: bool = False) -> TextRenderer:
    text = renderer("text", schema="smtpctl.check/1", width=width, fail_on=fail_on, verbose=verbose)
    assert isinstance(text, TextRenderer)
    return text


def last(report: Report, fail_on: Severity | None = Severity.ERROR) -> str:
    return made(120, fail_on).report(report).splitlines()[-1]


def finding(severity: Severity) -> Finding:
    return Finding("tls.expired", severity, Stage.TLS, "Expired")


@pytest.mark.parametrize(
    ("width", "label", "before", "shown"),
    [
        (80, "fingerprint:", "sha256:", ["fingerprint:", f"  sha256:{'a' * 64}"]),
        (120, "fingerprint:", "sha256:", [f"fingerprint: sha256:{'a' * 64}"]),
        (80, "", "sha256:", [f"sha256:{'a' * 64}"]),
        (80, "", "public key sha256:", ["public key", f"sha256:{'a' * 64}"]),
        (80, "then:", "SHA-256 ", ["then: SHA-256", f"      {'a' * 64}"]),
        (60, "x:", "sha256:", [f"x: sha256:{'a' * 45}", f"   {'a' * 19}"]),
    ],
)
def test_a_fingerprint_is_on_one_line_where_the_screen_has_one(
    width: int, label: str, before: str, shown: list[str]
) -> None:
    piece = Evidence(f"{before}{'a' * 64}", label)
    lines = made(width).report(Report("x", Transcript(), (finding(Severity.ERROR)._replace(evidence=(piece,)),)))
    assert [line[5:] for line in lines.splitlines() if line.startswith("   │")] == shown


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (0.2, "<1 ms"),
        (12.4, "12 ms"),
        (9999, "9999 ms"),
        (9999.6, "10.0 s"),
        (99_940, "99.9 s"),
        (99_960, "100 s"),
    ],
)
def test_duration(ms: float, text: str) -> None:
    assert duration(ms) == text


def test_a_live_run_prints_what_the_report_prints() -> None:
    text = made()
    report = cases["AUTH_REFUSED"]
    live = text.heading(report.target, report.headline)
    live += "".join(map(text.stage_line, report.stages)) + text.conclusion(report)
    assert live == text.report(report)


UNASKED = {"revocation": {"status": "unknown"}}


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({}, "Everything works."),
        ({"facts": {"ms": 40, "round_trips": 3}, "stages": (ROW,)}, "Everything works. 40 ms, 3 round trips."),
        ({"facts": UNASKED}, "Works. Whether its certificate was revoked is not known."),
        (
            {"facts": UNASKED, "findings": (finding(Severity.NOTE),)},
            "Works, with 1 note. Whether its certificate was revoked is not known.",
        ),
        ({"facts": {"round_trips": 1}, "stages": (ROW,)}, "Everything works. 1 ms, 1 round trip."),
        ({"findings": (finding(Severity.WARNING),)}, "Works, with 1 warning."),
        ({"findings": (finding(Severity.NOTE),) * 2}, "Everything works, with 2 notes."),
        ({"findings": (finding(Severity.ERROR), finding(Severity.NOTE))}, "1 error, 1 note. (exit 1)"),
        (
            {"failure": Failure(ExitStatus.TEMPORARY, Stage.RCPT, True)},
            "It can pass by itself: try again later. (exit 75)",
        ),
        (
            {"failure": Failure(ExitStatus.AUTH, Stage.AUTH, False), "facts": {"sent": 0}},
            "Nothing was sent. Trying again will not help until this is mended. (exit 77)",
        ),
        ({"facts": {"sent": 1, "queue_id": "4bX"}}, "Accepted for the recipient, queued as 4bX."),
        ({"facts": {"sent": 1}, "findings": (finding(Severity.NOTE),)}, "Accepted for the recipient. 1 note."),
        ({"facts": {"sent": 2}, "recipients": (RecipientResult("a@b", "accepted"),) * 2}, "Accepted for all 2 recipients."),
        ({"facts": {"sent": 1}, "recipients": (RecipientResult("a@b", "accepted"),) * 2}, "Accepted for 1 of 2 recipients."),
    ],
)  # fmt: skip
def test_the_last_line_says_what_it_means(changes: dict[str, Any], ending: str) -> None:
    assert last(Report("x", Transcript())._replace(**changes)) == ending


def test_what_fails_is_for_the_user_to_say() -> None:
    report = Report("x", Transcript(), findings=(finding(Severity.WARNING),))
    assert last(report, Severity.WARNING) == "Works, with 1 warning. (exit 1)"
    assert last(report, None) == "Works, with 1 warning."


def test_the_worst_comes_first() -> None:
    text = made().report(Report("x", Transcript(), findings=(finding(Severity.NOTE), finding(Severity.ERROR))))
    assert text.index("error[") < text.index("note[")


def test_carets_follow_their_text_over_the_edge_of_the_screen() -> None:
    text = "".join(str(n % 10) for n in range(100))
    quoted = finding(Severity.ERROR)._replace(evidence=(Evidence(text, "S:", None, (60, 80)),))
    lines = made(78).report(Report("x", Transcript(), findings=(quoted,))).splitlines()
    first, under, second, carets = lines[lines.index("error[tls.expired] Expired") + 1 :][:4]
    assert first[8:] + second[8:] == text
    marked = [
        c
        for row, below in ((first, under), (second, carets))
        for c, mark in zip(row, below.ljust(78), strict=False)
        if mark == "^"
    ]
    assert "".join(marked) == text[60:80]


@pytest.mark.parametrize("span", [(0, 0), (5, 3), (90, 99)])
def test_a_span_without_text_has_no_carets(span: tuple[int, int]) -> None:
    quoted = finding(Severity.ERROR)._replace(evidence=(Evidence("short text", "S:", None, span),))
    assert "^" not in made().report(Report("x", Transcript(), findings=(quoted,)))


def test_several_targets_begin_with_the_sum() -> None:
    text = made().reports(cases["TARGETS"])
    assert text.startswith("3 targets: 1 works, 2 fail (exit 69)\n\n  ✓ office ")
    assert made().reports([cases["PASSED"]]) == made().report(cases["PASSED"])


def test_summary_names_the_worst_finding() -> None:
    assert summary(cases["CERTIFICATE"]) == (
        "failed",
        "mail.example.com:587",
        63,
        "The server does not send the certificate that links it to a trusted root",
    )


def test_events_show_their_direction() -> None:
    line = made().event_line(Event(0.0123, Stage.EHLO, Kind.RECEIVED, "250 ok"))
    assert line == "    12 ms  S: 250 ok\n"


def test_a_pin_is_not_broken_by_the_edge_of_the_screen() -> None:
    pin = f"sha256:{'0' * 64}"
    event = Event(0.0123, Stage.TLS, Kind.NOTE, f"  {pin}")
    assert made(80).event_line(event) == pin.rjust(80) + "\n"
    assert made(120).event_line(event) == f"    12 ms  ·    {pin}\n"


def test_the_canvas_is_never_narrower_than_forty() -> None:
    assert Canvas(40).width == 40
    assert made(1).report(cases["HOSTILE"]) == made(40).report(cases["HOSTILE"])


def test_notes_are_one_line_each_unless_more_is_asked_for() -> None:
    report = Report("x", Transcript(), findings=(finding(Severity.WARNING), finding(Severity.NOTE)))
    short, long = made().report(report), made(verbose=True).report(report)
    assert "warning[tls.expired] Expired\n  More:" in short
    assert "note[tls.expired] Expired\n\nWorks, with 1 warning, 1 note." in short
    assert "note[tls.expired] Expired\n  More:" in long


def test_a_note_that_stopped_the_run_is_told_whole() -> None:
    failure = Failure(ExitStatus.UNAVAILABLE, Stage.TLS, False)
    report = Report("x", Transcript(), findings=(finding(Severity.NOTE),), failure=failure)
    assert "note[tls.expired] Expired\n  More:" in made().report(report)


def test_what_became_of_the_checks() -> None:
    late = "the session did not get to tls"
    outcomes = (
        Outcome("greeting", "passed"), Outcome("chain", "skipped", late), Outcome("ehlo", "found", "smtp.ehlo_masked"),
        Outcome("certificate", "skipped", late), Outcome("clock", "passed"), Outcome("broken", "crashed", "KeyError: 'x'"),
    )  # fmt: skip
    report = Report("x", Transcript(), outcomes=outcomes)
    assert made(verbose=True).conclusion(report).splitlines()[1:6] == [
        "Checks",
        "  ✓ passed   greeting, clock",
        "  ! found    ehlo",
        "  – skipped  chain, certificate: the session did not get to tls",
        "  ✗ crashed  broken: KeyError: 'x'",
    ]
    assert made().conclusion(report).splitlines()[1:3] == ["Checks", "  ✗ crashed  broken: KeyError: 'x'"]


def test_notes_beside_a_failure_are_counted() -> None:
    failure = Failure(ExitStatus.UNAVAILABLE, Stage.TLS, False)
    found = (finding(Severity.ERROR), finding(Severity.NOTE), finding(Severity.NOTE))
    report = Report("x", Transcript(), findings=found, failure=failure)
    assert "\n\n2 notes besides; -v tells them.\n" in made().report(report)
    assert "note[tls.expired]" not in made().report(report)
    assert made(verbose=True).report(report).count("note[tls.expired]") == 2
