"""What every renderer is: all formats behind one small interface, so that no command knows which one it feeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Evidence, Finding, Ignored, Severity, worst
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import ExitStatus, Report, StageResult
from smtpctl.model.transcript import Transcript
from smtpctl.render.canvas import PLAIN, Canvas, visible

_QUOTED = 2_000  # characters of one piece of evidence where a format has no lines to count


class Setting(NamedTuple):
    """What a renderer is made with. `schema` names the document (`smtpctl.check/1`); `fail_on` decides its exit status.
    `verbose`: also what is left out for being of little weight."""

    schema: str
    fail_on: Severity | None = Severity.ERROR
    canvas: Canvas = PLAIN
    verbose: bool = False

    @property
    def command(self) -> str:
        """The command the schema belongs to: `check` of `smtpctl.check/1`."""
        return self.schema.removeprefix("smtpctl.").partition("/")[0]


class Renderer(Protocol):
    """Results as text that ends in a line end, or is empty where there is nothing to say."""

    def report(self, report: Report) -> str:
        """One target."""

    def reports(self, reports: Sequence[Report]) -> str:
        """Several targets as one document."""

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """Findings without a session; `subject` says what was looked at (`2 profiles`), `ignored` do not count."""

    def problem(self, problem: Problem) -> str:
        """A failure that ended the run before there was a report."""


def problem_report(problem: Problem) -> Report:
    """A problem in the shape of a report: all formats but text need no second way."""
    finding = problem.finding
    return Report(finding.target, Transcript(), findings=(finding,), failure=problem.failure)


def ends(report: Report) -> list[float]:
    """When the certificates end that the server showed, its own first; all that is known of them may be that one's."""
    told = [certificate["not_after"] for certificate in report.facts.get("certificates", ())]
    return told or list(filter(None, [report.facts.get("tls", {}).get("expires")]))


def by_stage(report: Report) -> dict[str, StageResult]:
    """The stages by name; one that came twice (EHLO before and after TLS) took the time of both and failed with either."""
    found: dict[str, StageResult] = {}
    for stage in report.stages:
        before = found.get(stage.stage.value)
        if before:
            ms = None if before.ms is None and stage.ms is None else (before.ms or 0) + (stage.ms or 0)
            stage = stage._replace(
                ms=ms, status="failed" if "failed" in (before.status, stage.status) else stage.status
            )
        found[stage.stage.value] = stage
    return found


def status_of_findings(findings: Iterable[Finding], fail_on: Severity | None) -> ExitStatus:
    """FINDINGS when one reaches `fail_on` (None: never), else OK."""
    highest = worst(findings)
    return ExitStatus.FINDINGS if fail_on and highest and highest >= fail_on else ExitStatus.OK


def quoted(evidence: Evidence) -> str:
    """Evidence on one line, label first: `S: 535 5.7.3 ...`; what a peer drags out is cut."""
    text = f"{evidence.label} {evidence.text}".strip()
    left = len(text) - _QUOTED
    return f"{text[:_QUOTED]}… {left} more characters" if left > 0 else text


def explanation(finding: Finding) -> list[str]:
    """A finding's title, message, evidence, causes and fixes as safe lines, for formats that take one block of text."""
    lines = [finding.title, *finding.message.split("\n")]
    lines += [quoted(evidence) for evidence in finding.evidence]
    for cause in finding.causes:
        lines.append(f"cause: {cause.text}" if cause.text else "")
        for remedy in cause.remedies:
            lines.append(f"fix: {remedy.text}" if remedy.text else "")
            lines += [f"  {command}" for command in remedy.commands]
    lines.append(f"source: {finding.source}" if finding.source else "")
    return [visible(line) for line in lines if line]
