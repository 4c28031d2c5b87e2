"""Whatever a peer, a file name or a user's text holds, what is rendered is safe, complete and well formed."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.finding import Cause, Evidence, Finding, Ignore, Ignored, Location, Remedy, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import Comparison, ExitStatus, Failure, Line, Outcome, RecipientResult, Report, StageResult
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.render import renderer
from smtpctl.render.canvas import Canvas, broken, chunks, columns, fold, to_ascii, visible
from smtpctl.render.tables import Column, table
from smtpctl.render.text import TextRenderer

NASTY = [
    *"\x1b\x9b\x00\x07\x7f\r\n\t\x85\u2028\u202e\u2066\ud800\xa0|%:,<&]>'\" aé日\u0301",
    "\x1b[2J",
    "::error::",
    "]]>",
]
anything = st.text(max_size=20) | st.lists(st.sampled_from(NASTY), max_size=30).map("".join)
stages = st.sampled_from(Stage)
replies = st.builds(Reply, st.integers(200, 599), st.lists(anything, min_size=1, max_size=3).map(tuple))
spans = st.none() | st.tuples(st.integers(0, 70), st.integers(0, 70)).map(lambda span: (min(span), max(span)))
evidence = st.builds(Evidence, anything, anything, st.none(), spans)
remedies = st.builds(Remedy, anything, st.lists(anything, max_size=2).map(tuple))
causes = st.builds(Cause, anything, st.floats(0, 1), st.lists(remedies, max_size=2).map(tuple))
findings = st.builds(
    Finding,
    id=st.from_regex(r"[a-z]{1,8}\.[a-z_-]{1,12}", fullmatch=True),
    severity=st.sampled_from(Severity),
    stage=stages,
    title=anything,
    message=anything,
    target=anything,
    evidence=st.lists(evidence, max_size=3).map(tuple),
    causes=st.lists(causes, max_size=3).map(tuple),
    source=anything,
    location=st.none() | st.builds(Location, anything, st.integers(1, 9999), st.integers(1, 200)),
    verified=st.booleans(),
)
statuses = st.sampled_from(["passed", "failed", "warning", "skipped"])
lines = st.builds(Line, statuses, st.tuples(anything, anything, anything), st.none() | st.floats(0, 1e7))
reports = st.builds(
    Report,
    comparisons=st.lists(
        st.builds(Comparison, anything, st.lists(lines, max_size=2).map(tuple), anything), max_size=1
    ).map(tuple),
    target=anything,
    transcript=st.just(Transcript()),
    findings=st.lists(findings, max_size=3).map(tuple),
    stages=st.lists(
        st.builds(
            StageResult,
            stages,
            statuses,
            anything,
            st.none() | st.floats(0, 1e7),
            st.just({}),
        ),
        max_size=4,
    ).map(tuple),
    recipients=st.lists(
        st.builds(
            RecipientResult,
            anything,
            st.sampled_from(["accepted", "temporary", "permanent", "unknown"]),
            st.none() | replies,
        ),
        max_size=3,
    ).map(tuple),
    failure=st.none()
    | st.builds(Failure, st.sampled_from(ExitStatus), stages, st.booleans(), st.none() | replies, st.none()),
    facts=st.fixed_dictionaries({}, optional={"queue_id": anything, "sent": st.integers(0, 3)}),
    headline=anything,
    next_command=anything,
    outcomes=st.lists(
        st.builds(Outcome, anything, st.sampled_from(["passed", "found", "skipped", "crashed"]), anything), max_size=2
    ).map(tuple),
    ignored=st.lists(st.builds(Ignored, findings, st.builds(Ignore, anything, anything, anything)), max_size=1).map(
        tuple
    ),
)
screens = st.fixed_dictionaries({"width": st.integers(1, 200), "colour": st.booleans(), "unicode": st.booleans()})
SGR = re.compile(r"\x1b\[[0-9;]{1,4}m")


def safe(text: str) -> bool:
    """Nothing but printable characters and line ends, and it can be written."""
    text.encode()
    return text.replace("\n", "").isprintable()


@given(st.lists(reports, min_size=1, max_size=3), screens)
def test_text_never_holds_a_raw_control_character(several: list[Report], screen: dict[str, Any]) -> None:
    made = renderer("text", schema="smtpctl.check/1", **screen).reports(several)
    assert safe(SGR.sub("", made) if screen["colour"] else made)
    assert screen["unicode"] or made.isascii()
    assert made.endswith("\n")


@given(st.lists(findings, max_size=4), anything, screens)
def test_a_listing_never_holds_a_raw_control_character(
    several: list[Finding], subject: str, screen: dict[str, Any]
) -> None:
    made = renderer("text", schema="smtpctl.validate/1", **screen).findings(several, subject=subject)
    assert safe(SGR.sub("", made) if screen["colour"] else made)
    for finding in several:
        assert finding.id in SGR.sub("", made)


@given(st.lists(reports, min_size=2, max_size=3))
def test_json_is_one_safe_document_and_keeps_every_text(several: list[Report]) -> None:
    made = renderer("json", schema="smtpctl.check/1").reports(several)
    assert made.isascii()
    assert safe(made)
    for report, data in zip(several, json.loads(made)["reports"], strict=True):
        assert [stage["detail"] for stage in data["stages"]] == [stage.detail for stage in report.stages]
        assert [finding["title"] for finding in data["findings"]] == [finding.title for finding in report.findings]


@given(st.lists(reports, min_size=1, max_size=3))
def test_junit_is_well_formed(several: list[Report]) -> None:
    made = renderer("junit", schema="smtpctl.check/1").reports(several)
    assert safe(made)
    assert len(ElementTree.fromstring(made).findall("testsuite")) == len(several)


@given(st.lists(findings, max_size=4))
def test_sarif_uris_have_no_scheme_but_file(several: list[Finding]) -> None:
    made = renderer("sarif", schema="smtpctl.validate/1").findings(several)
    assert safe(made)
    for result in json.loads(made)["runs"][0]["results"]:
        place = result.get("locations", [{}])[0].get("physicalLocation")
        uri = place["artifactLocation"]["uri"] if place else ""
        assert re.fullmatch(r"(file://)?[A-Za-z0-9._~/%-]*", uri)


@given(st.lists(findings, max_size=4))
def test_github_writes_one_line_a_finding(several: list[Finding]) -> None:
    made = renderer("github", schema="smtpctl.validate/1").findings(several)
    assert safe(made)
    assert [line.split(" ")[0] in ("::error", "::warning", "::notice") for line in made.splitlines()] == [True] * len(
        several
    )


@given(
    st.builds(Event, st.floats(0, 1e6), stages, st.sampled_from(Kind), anything, st.booleans(), st.just({})), screens
)
def test_an_event_is_one_safe_line(event: Event, screen: dict[str, Any]) -> None:
    canvas = Canvas(**screen)
    renderer_ = renderer("text", schema="smtpctl.check/1", **screen)
    assert isinstance(renderer_, TextRenderer)
    (line,) = SGR.sub("", renderer_.event_line(event)).splitlines()
    assert safe(line)
    assert canvas.text(event.text).strip() in line


@given(anything)
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert visible(text).isprintable()
    assert to_ascii(visible(text)).isascii()


@given(anything.map(visible), st.integers(2, 50))
def test_cutting_loses_nothing_and_fits(text: str, width: int) -> None:
    for cut in (chunks, broken):
        pieces = list(cut(text, width))
        assert "".join(pieces) == text
        assert all(columns(piece) <= width for piece in pieces)


@given(anything.map(visible), st.integers(2, 50))
def test_folding_keeps_every_word_whole(text: str, width: int) -> None:
    lines = fold(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(columns(line) <= width or " " not in line for line in lines)


@given(anything, st.integers(2, 40), st.booleans())
def test_padding_gives_exactly_the_columns(text: str, width: int, unicode: bool) -> None:
    canvas = Canvas(unicode=unicode)
    padded = canvas.pad(canvas.text(text), width)
    assert columns(padded) == width


@pytest.mark.parametrize("width", [None, 30, 80])
@given(rows=st.lists(st.tuples(anything, anything, anything), max_size=4))
def test_a_table_is_safe_and_as_wide_as_asked(width: int | None, rows: list[tuple[str, str, str]]) -> None:
    made = table(rows, ["A", Column("B", right=True), Column("C", minimum=4)], width)
    assert safe(made)
    assert made == "" or len(made.splitlines()) == len(rows) + 1
    assert width is None or all(columns(line) <= width for line in made.splitlines())
