"""Findings as SARIF 2.1.0, for code scanning: rules from the findings, results at the line or at the server.

A path becomes a URI only by quoting (RFC 3986), so no file name can turn into another scheme; a server is a logical
location, never a URI that a viewer would open; a message holds no link and no placeholder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from smtpctl import __version__
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignored
from smtpctl.model.report import ExitStatus, Report, Status, combined
from smtpctl.render.base import Setting, explanation, status_of_findings
from smtpctl.render.canvas import visible

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


class SarifRenderer:
    """One document with one run."""

    def __init__(self, setting: Setting) -> None:
        self._command = setting.command
        self._fail_on = setting.fail_on

    def report(self, report: Report) -> str:
        """The findings of one target."""
        return self.reports([report])

    def reports(self, reports: Sequence[Report]) -> str:
        """The findings of all targets in one run."""
        found = [_about(report, finding) for report in reports for finding in report.findings]
        ignored = [one._replace(finding=_about(report, one.finding)) for report in reports for one in report.ignored]
        return self._document(found, combined(reports, self._fail_on), ignored)

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """The findings; SARIF has no place for `subject`."""
        return self._document(findings, status_of_findings(findings, self._fail_on), ignored)

    def problem(self, problem: Problem) -> str:
        """The one finding of the problem."""
        return self._document([problem.finding], problem.status)

    def _document(self, findings: Sequence[Finding], status: Status, ignored: Sequence[Ignored] = ()) -> str:
        import json

        told = [*findings, *(one.finding for one in ignored)]
        alike: dict[str, list[Finding]] = {}
        for finding in told:
            alike.setdefault(finding.id, []).append(finding)
        rules = list(map(_rule, alike.values()))
        index = {rule["id"]: at for at, rule in enumerate(rules)}
        run = {
            "tool": {"driver": {"name": "smtpctl", "version": __version__, "rules": rules}},
            "automationDetails": {"id": f"smtpctl/{self._command}/"},
            "invocations": [{"executionSuccessful": status is not ExitStatus.BUG, "exitCode": int(status)}],
            "columnKind": "unicodeCodePoints",
            "results": [
                *(_result(finding, index[finding.id]) for finding in findings),
                *(_suppressed(one, index[one.finding.id]) for one in ignored),
            ],
        }
        return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(alike: Sequence[Finding]) -> dict[str, Any]:
    """What is about the same for every finding of one id; what it means and what to do is what a viewer shows as help.
    Titles that differ name their own servers: the rule is called by its id then."""
    finding = alike[0]
    short = finding.title if len({one.title for one in alike}) == 1 else finding.id.replace(".", ": ").replace("_", " ")
    meaning = [line for line in explanation(finding._replace(evidence=()))[1:] if line]
    return {
        "id": finding.id,
        "shortDescription": {"text": _literal(visible(short))},
        **({"fullDescription": {"text": _literal(visible(finding.message))}} if finding.message else {}),
        "help": {"text": _literal("\n".join([*meaning, f"all about it: smtpctl explain {visible(finding.id)}"]))},
        "defaultConfiguration": {"level": finding.severity.label},
        "properties": {"tags": ["smtp", finding.stage.value]},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.location:
        place = finding.location
        location["physicalLocation"] = {
            "artifactLocation": {"uri": file_uri(place.path)},
            "region": {"startLine": max(place.line, 1), "startColumn": max(place.column, 1)},
        }
    if finding.target:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(finding.target), "kind": "resource"}]
    return {
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": finding.severity.label,
        "message": {"text": _literal("\n".join(explanation(finding)))},
        **({"locations": [location]} if location else {}),
    }


def _suppressed(one: Ignored, rule: int) -> dict[str, Any]:
    """A result that does not count (3.27.23)."""
    return {**_result(one.finding, rule), "suppressions": [{"kind": "external", "justification": visible(one.why)}]}


def _about(report: Report, finding: Finding) -> Finding:
    """The finding with what it is about: the server, and the line of the file that has it."""
    return finding._replace(target=finding.target or report.target, location=finding.location or report.place)


def _literal(text: str) -> str:
    """A plain text message that means itself: braces doubled (3.11.5), `[text](uri)` no embedded link (3.11.6)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def file_uri(path: str) -> str:
    """A path as a relative URI reference, or as a `file:` URI when it is absolute (RFC 8089)."""
    from urllib.parse import quote

    pure = PurePath(path)
    text = visible(pure.as_posix())
    if pure.is_absolute():
        return pure.as_uri() if path.isprintable() else "file://" + quote(text)
    return quote(text)
