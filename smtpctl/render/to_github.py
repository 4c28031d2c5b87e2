"""Findings as GitHub workflow commands: annotations at the line of the file, or of the run.

Every line written is a command of ours with its values escaped, so nothing that a server said can be a command
(docs.github.com: workflow commands; the escapes are those of actions/toolkit `command.ts`).
"""

from __future__ import annotations

from collections.abc import Sequence

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignored, Location, Severity
from smtpctl.model.report import Report
from smtpctl.render.base import Setting, explanation
from smtpctl.render.canvas import visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


class GithubRenderer:
    """One command a finding; nothing where there is none."""

    def __init__(self, setting: Setting) -> None:
        self._command = setting.command

    def report(self, report: Report) -> str:
        """The findings of one target."""
        return _commands(report.findings, report.ignored, report.place)

    def reports(self, reports: Sequence[Report]) -> str:
        """The findings of all targets."""
        return "".join(map(self.report, reports))

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """A command a finding; annotations have no place for `subject`."""
        return _commands(findings, ignored)

    def problem(self, problem: Problem) -> str:
        """The finding of the problem."""
        return _annotation(problem.finding)


def _commands(findings: Sequence[Finding], ignored: Sequence[Ignored], place: Location | None = None) -> str:
    """What is ignored makes no annotation, but stands in the log of a run with debugging on."""
    notes = (_data(f"ignored {one.finding.id}: {visible(one.why)}") for one in ignored)
    return "".join([*(_annotation(finding, place) for finding in findings), *(f"::debug::{note}\n" for note in notes)])


def _annotation(finding: Finding, elsewhere: Location | None = None) -> str:
    """`::error file=...,line=...,col=...,title=ID::text`, at `elsewhere` where the finding has no place of its own."""
    place = finding.location or elsewhere
    properties = {"file": place.path, "line": str(place.line), "col": str(place.column)} if place else {}
    properties["title"] = finding.id
    where = f"{finding.target}: " if finding.target and not finding.location else ""
    text = visible(where) + "\n".join(explanation(finding))
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
