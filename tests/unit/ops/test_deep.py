"""`check --deep` against the sink."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.report import ExitStatus, Failure, Report, StageResult
from smtpctl.model.tlsscan import TlsScan, VersionScan
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net import errands
from smtpctl.ops import deep
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.faults import HOSTILE, Fault, Faults, refusal
from smtpctl.protocol.server.values import Setup
from smtpctl.protocol.tls.hello import TLS12, TLS13, VERSIONS
from smtpctl.sink.server import Sink

AROUND = Surroundings({})


def look(sink: Sink, around: Surroundings = AROUND, **more: str) -> Report:
    overrides = {"host": sink.host, "port": str(sink.port), "tls": "starttls", "ca_file": sink.ca_file, **more}
    return deep.check_deep(resolve(None, overrides, {}, document=Document(Path("none.toml"))), around, (), 5)


def skipped(report: Report) -> set[str]:
    return {
        outcome.reason
        for outcome in report.outcomes
        if outcome.result == "skipped" and outcome.check == "cipher suites"
    }


def test_a_check_and_what_the_server_takes() -> None:
    rows: list[StageResult] = []
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        report = look(sink, AROUND._replace(show=rows.append))
    assert rows == list(report.stages)
    assert report.stages[-1].stage is Stage.TLS
    assert report.stages[-1].detail.startswith("takes TLS 1.2 (")
    scan: dict[str, Any] = report.facts["scan"]
    assert scan["versions"]["TLS 1.3"]["ciphers"] and not scan["versions"]["SSL 3.0"]["ciphers"]
    assert scan["versions"]["SSL 3.0"]["answer"].startswith("alert")
    assert (scan["command_injection"], scan["finished"], scan["compression"]) == ("ignored", True, False)
    assert "x25519" in scan["curves"] and scan["post_quantum"] is not None
    results = {outcome.check: outcome.result for outcome in report.outcomes}
    assert results["greeting"] == results["TLS versions"] == results["command injection"] == "passed"
    assert "tls.version.no_tls13" not in {finding.id for finding in report.findings}


def test_the_scan_is_no_part_of_the_transcript() -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        report = look(sink)
    assert sum(event.text.startswith("EHLO") for event in report.transcript) == 2


def test_without_tls_there_is_nothing_to_scan() -> None:
    with Sink(Setup()) as sink:
        report = look(sink, tls="none")
    assert skipped(report) == {"TLS is switched off for this server"}


@pytest.mark.parametrize("fault", ["not_for_you", "starttls_refused"])
def test_a_session_that_does_not_get_there(fault: str) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS, faults=Faults(*HOSTILE[fault]))) as sink:
        report = look(sink)
    assert skipped(report) == {"the session did not get to tls"}
    assert report.failure
    assert "scan" not in report.facts


class OneOnly(Faults):
    """The first session goes well, all others are turned away."""

    def at(self, stage: str, line: str = "") -> tuple[Fault, ...]:
        self._seen = [*self._seen, stage == "greeting"]
        return (refusal("greeting:421 4.7.0 Too many of you"),) if stage == "greeting" and sum(self._seen) > 1 else ()


def test_a_server_that_takes_one_session_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "PAUSE", 0.0)
    with Sink(Setup(tls=TlsMode.STARTTLS, faults=OneOnly())) as sink:
        report = look(sink)
    assert skipped(report).pop().startswith("the server could not be scanned: ")
    assert not report.failure
    assert "scan" not in report.facts


def test_a_scan_that_is_not_whole_says_so() -> None:
    versions = (VersionScan(TLS12, (1,)), VersionScan(TLS13, complete=False))
    assert deep.told(TlsScan(versions, connections=9)).endswith("9 connections · not all could be asked")


@pytest.mark.parametrize(
    ("suites", "more", "told"),
    [
        ({TLS12: (1, 2), TLS13: (3,)}, {}, "takes TLS 1.2 (2 ciphers) · TLS 1.3 (1) · 9 connections"),
        ({}, {}, "takes no version · 9 connections"),
        (
            {TLS12: (1, 2), TLS13: (3,)},
            {"hybrid": 0x11EC},
            "takes TLS 1.2 (2 ciphers) · TLS 1.3 (1, X25519MLKEM768) · 9 connections",
        ),
        (
            {TLS13: (3,)},
            {"finished": False},
            "takes TLS 1.3 (1 cipher) · 9 connections · not all could be asked in time",
        ),
    ],
)
def test_a_scan_in_a_line(suites: dict[int, tuple[int, ...]], more: dict[str, Any], told: str) -> None:
    versions = tuple(VersionScan(version, suites.get(version, ())) for version in VERSIONS)
    assert deep.told(TlsScan(versions, connections=9, **more)) == told


def test_what_a_scan_saw_too_is_told_once_and_in_the_place_of_the_first() -> None:
    stopped = Finding("tls.version.no_tls12", Severity.ERROR, Stage.TLS, "as the session saw it")
    better = stopped._replace(title="as the scan saw it")
    other = Finding("tls.no_ems", Severity.NOTE, Stage.TLS, "other")
    failure = Failure(ExitStatus.UNAVAILABLE, Stage.TLS, False)
    report = Report("mx", Transcript(), findings=(stopped,), failure=failure)
    assert deep.with_scan(report, (other, better), ()).findings == (better, other)
    said = stopped._replace(id="generic.said")
    same = other._replace(knowledge=("generic.said",))
    assert deep.with_scan(report._replace(findings=(said,)), (same,), ()).findings == (said,)
