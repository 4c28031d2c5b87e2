"""Baselines as files: written when all is well, refused when they are none, compared with what is true now."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from profiles import profile
from smtpctl.config.profile import Profile
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.finding import Severity
from smtpctl.model.report import Report
from smtpctl.model.secret import Secret
from smtpctl.ops import baseline, files
from smtpctl.ops.check import check
from smtpctl.ops.schemas import of_output
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

SETUP = Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("wonderland")})


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(SETUP) as running:
        yield running


def made(sink: Sink, **settings: Any) -> Profile:
    options = {"tls": "starttls", "ca_file": sink.ca_file, "username": "ann", "password": "wonderland", **settings}
    return profile(sink.host, sink.port, **options)


def saved(sink: Sink, path: Path, **settings: Any) -> Report:
    settled = made(sink, **settings)
    return baseline.saved(check(settled, Surroundings(os.environ)), settled, path)


def compared(sink: Sink, path: Path, **settings: Any) -> Report:
    settled = made(sink, **settings)
    return baseline.compared(check(settled, Surroundings(os.environ)), settled, path, baseline.read(path, settled))


def drifted(report: Report) -> list[str]:
    return list(report.facts["baseline"]["drift"])


def test_a_baseline_is_private_whole_and_without_secrets(sink: Sink, tmp_path: Path) -> None:
    path = tmp_path / "a b.json"
    report = saved(sink, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    text = path.read_text()
    jsonschema.Draft202012Validator(json.loads(of_output("baseline"))).validate(json.loads(text))
    assert "wonderland" not in text
    assert "--compare '" in report.next_command
    assert report.next_command.startswith(f"smtpctl check {sink.host}:{sink.port} --compare ")


def test_the_same_server_has_not_changed(sink: Sink, tmp_path: Path) -> None:
    saved(sink, tmp_path / "b.json")
    report = compared(sink, tmp_path / "b.json")
    assert drifted(report) == []
    assert report.comparisons[-1].note.startswith("Nothing has changed since ")
    assert report.outcomes[-1][:2] == ("drift", "passed")


def test_what_is_only_to_be_known_can_be_taken_over(sink: Sink, tmp_path: Path) -> None:
    saved(sink, tmp_path / "b.json")
    sink.setup = sink.setup._replace(extensions=(*SETUP.extensions, "X-NEW"))
    report = compared(sink, tmp_path / "b.json")
    assert {one.severity for one in report.findings if one.id.startswith("drift.")} == {Severity.NOTE}
    assert " --save-baseline " in report.next_command


def test_what_may_be_wrong_is_not_offered_as_the_new_state(sink: Sink, tmp_path: Path) -> None:
    saved(sink, tmp_path / "b.json")
    sink.setup = sink.setup._replace(
        extensions=tuple(keyword for keyword in SETUP.extensions if keyword != "DSN"), mechanisms=("PLAIN",)
    )
    report = compared(sink, tmp_path / "b.json")
    assert drifted(report) == ["drift.extensions", "drift.mechanisms"]
    assert {one.severity for one in report.findings if one.id.startswith("drift.")} == {Severity.WARNING}
    assert report.next_command == ""
    assert report.failure is None
    assert report.comparisons[-1].note.startswith("2 differences since ")


def test_another_port_is_the_first_difference(sink: Sink, tmp_path: Path) -> None:
    saved(sink, tmp_path / "b.json")
    with Sink(SETUP._replace(mechanisms=("PLAIN",))) as other:
        report = compared(other, tmp_path / "b.json")
    assert drifted(report) == ["drift.endpoint", "drift.mechanisms", "drift.certificate"]
    first = next(finding for finding in report.findings if finding.id == "drift.endpoint")
    assert [piece.text for piece in first.evidence] == [
        f"smtp {sink.host}:{sink.port} tls=starttls", f"smtp {other.host}:{other.port} tls=starttls",
    ]  # fmt: skip


def test_what_tls_takes_is_compared_where_both_were_scanned(sink: Sink, tmp_path: Path) -> None:
    path, settled = tmp_path / "b.json", made(sink)
    plain = check(settled, Surroundings(os.environ))
    versions = {
        "TLS 1.2": {"ciphers": ["TLS_A", "TLS_B"], "complete": True},
        "TLS 1.3": {"ciphers": ["TLS_C"], "complete": False},
    }
    deep = plain._replace(facts={**plain.facts, "scan": {"versions": versions}})
    kept = baseline.saved(deep, settled, path, ("--deep",))
    assert " --deep --compare " in kept.next_command
    assert json.loads(path.read_text())["suites"] == {"TLS 1.2": ["TLS_A", "TLS_B"]}
    jsonschema.Draft202012Validator(json.loads(of_output("baseline"))).validate(json.loads(path.read_text()))
    then = baseline.read(path, settled)
    versions["TLS 1.2"]["ciphers"] = ["TLS_B"]
    report = baseline.compared(deep, settled, path, then, ("--deep",))
    assert drifted(report) == ["drift.suites"]
    assert report.comparisons[-1].note.startswith("1 difference since ")
    again = baseline.compared(plain, settled, path, then)
    assert drifted(again) == []
    assert "With --deep what its TLS takes is compared, too." in again.comparisons[-1].note


def test_a_session_that_fails_shows_where_it_left_the_way(sink: Sink, tmp_path: Path) -> None:
    saved(sink, tmp_path / "b.json")
    report = compared(sink, tmp_path / "b.json", password="looking-glass")
    assert report.failure and not report.findings[0].id.startswith("drift.")
    (dialogue,) = [finding for finding in report.findings if finding.id.startswith("drift.")]
    assert [f"{piece.label} {piece.text[:15]}" for piece in dialogue.evidence[1:]] == [
        "then: AUTH PLAIN: 235",
        "now: AUTH PLAIN: 535",
    ]
    assert "--save-baseline" not in report.next_command


def test_a_server_that_is_gone_left_it_at_the_start(tmp_path: Path) -> None:
    with Sink(SETUP) as sink:
        saved(sink, tmp_path / "b.json")
    report = compared(sink, tmp_path / "b.json")
    assert report.findings[0].id == "conn.refused"
    assert drifted(report) == ["drift.dialogue"]


def test_what_fails_is_not_kept(sink: Sink, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    saved(sink, path)
    before = path.read_bytes()
    report = saved(sink, path, password="looking-glass")
    assert report.failure
    assert "was not written" in report.comparisons[-1].note
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told_before_and_after(sink: Sink, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "b.json"):
        with pytest.raises(UsageProblem, match="--save-baseline"):
            files.judge({"--save-baseline": path}, {})
    files.judge({"--save-baseline": tmp_path / "b.json"}, {})
    with pytest.raises(Problem, match="No such file"):
        saved(sink, tmp_path / "none" / "b.json")


def damaged(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "not json", "no baseline of smtpctl"
    yield "[]", "no baseline of smtpctl"
    yield "[" * 100_000, "no baseline of smtpctl"
    yield json.dumps({"schema": "smtpctl.check/1"}), "it is smtpctl.check/1"
    yield json.dumps({"schema": "smtpctl.baseline/2"}), "smtpctl.baseline/1 is needed"
    yield " " * baseline.LIMIT + json.dumps(document), "no baseline of smtpctl"
    for key, value in (
        ("addresses", "x"), ("certificate", {}), ("dialogue", [{"stage": "x", "what": "", "said": ""}]), ("clear", 1),
        ("greeting", None), ("suites", {"TLS 1.2": "x"}), ("secured", {"SIZE": "1"}), ("certificate", {**document["certificate"], "not_after": 10**20}),
    ):  # fmt: skip
        yield json.dumps({**document, key: value}), "damaged"


def test_a_file_that_is_no_baseline_is_refused(sink: Sink, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    saved(sink, path)
    for text, words in list(damaged(json.loads(path.read_text()))):
        path.write_text(text)
        with pytest.raises(UsageProblem) as told:
            baseline.read(path, made(sink))
        assert words in told.value.message
    path.unlink()
    with pytest.raises(UsageProblem) as told:
        baseline.read(path, made(sink))
    assert f"--save-baseline {path}" in told.value.hint
