"""Results as JUnit XML, which every CI system shows: a suite a target, a case a stage, check or finding.

A finding at or above the limit is a `failure`; a lesser one passes and keeps its text in `system-out`. A stage or check
that a failure is about is `skipped` and names it: it did not pass, and counts once.
Characters that XML 1.0 cannot hold (2.2) are written as visible escapes, all above ASCII as character references, so
that the document is right whatever the encoding of the stream it goes to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignored
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Report
from smtpctl.render.base import Setting, explanation, problem_report
from smtpctl.render.canvas import visible

_PLURALS = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_STAGE_RESULTS = {"failed": "failure", "skipped": "skipped"}
_OUTCOME_RESULTS = {"crashed": "error", "skipped": "skipped"}


class _Case(NamedTuple):
    """One test case: `result` is `passed`, `failure`, `error` or `skipped`; `text` is safe already, lines kept."""

    group: str
    name: str
    result: str = "passed"
    message: str = ""
    text: str = ""
    ms: float = 0.0


class JunitRenderer:
    """One `testsuites` document."""

    def __init__(self, setting: Setting) -> None:
        self._name = f"smtpctl {setting.command}"
        self._fail_on = setting.fail_on

    def report(self, report: Report) -> str:
        """One suite."""
        return self.reports([report])

    def reports(self, reports: Sequence[Report]) -> str:
        """A suite a target."""
        return self._document([(report.target, list(self._cases(report))) for report in reports])

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """One suite named by `subject`; without findings one case that passed."""
        cases = [self._finding(finding) for finding in findings] or [_Case("smtpctl", self._name)]
        cases += map(_skipped, ignored)
        return self._document([(subject or self._name, cases)])

    def problem(self, problem: Problem) -> str:
        """A suite with the one finding."""
        return self.report(problem_report(problem))

    def _cases(self, report: Report) -> Iterator[_Case]:
        worst_first = sorted(report.findings, key=lambda finding: -finding.severity)
        told = {finding.stage: finding.id for finding in reversed(worst_first)}
        failed = {finding.id for finding in report.findings if self._fails(finding)}
        for stage in report.stages:
            result, words = _STAGE_RESULTS.get(stage.status, "passed"), stage.detail
            if result == "failure" and stage.stage in told:
                result, words = "skipped", f"see {told[stage.stage]}: {words}"
            yield _Case("smtpctl.stage", stage.stage.value, result, words, ms=stage.ms or 0)
        for outcome in report.outcomes:
            result, words = _OUTCOME_RESULTS.get(outcome.result, "passed"), outcome.reason
            if outcome.result == "found" and failed.intersection(words.split()):
                result, words = "skipped", f"see {', '.join(words.split())}"
            yield _Case("smtpctl.check", outcome.check, result, words)
        yield from map(self._finding, report.findings)
        yield from map(_skipped, report.ignored)
        if report.failure and not told and all(stage.status != "failed" for stage in report.stages):
            reason = str(report.failure.reply or "stopped here")
            yield _Case("smtpctl.run", report.failure.stage.value, "failure", reason)

    def _finding(self, finding: Finding) -> _Case:
        place = finding.location
        at = [visible(f"{place.path}:{place.line}:{place.column}")] if place else []
        text = "\n".join([*at, *explanation(finding)])
        group = f"smtpctl.{finding.stage.value}"
        return _Case(group, finding.id, "failure" if self._fails(finding) else "passed", finding.title, text)

    def _fails(self, finding: Finding) -> bool:
        return self._fail_on is not None and finding.severity >= self._fail_on

    def _document(self, suites: Sequence[tuple[str, Sequence[_Case]]]) -> str:
        from xml.etree import ElementTree as Xml

        root = Xml.Element("testsuites", name=self._name)
        for name, cases in suites:
            suite = Xml.SubElement(root, "testsuite", {"name": visible(name), **_totals(cases)})
            for case in cases:
                at = {"classname": case.group, "name": visible(case.name), "time": f"{case.ms / 1000:.3f}"}
                element = Xml.SubElement(suite, "testcase", at)
                if case.result != "passed":
                    reason = Xml.SubElement(element, case.result, message=visible(case.message))
                    reason.text = case.text or None
                elif case.text:
                    Xml.SubElement(element, "system-out").text = case.text
        Xml.indent(root)
        body: bytes = Xml.tostring(root, encoding="us-ascii")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body.decode()}\n'


def _skipped(one: Ignored) -> _Case:
    """A finding that does not count."""
    finding = one.finding
    text = visible(f"{finding.title}")
    return _Case(f"smtpctl.{finding.stage.value}", finding.id, "skipped", f"ignored {one.why}", text)


def _totals(cases: Sequence[_Case]) -> dict[str, str]:
    """The attributes that sum a suite up."""
    results = [case.result for case in cases]
    counts = {plural: str(results.count(result)) for plural, result in _PLURALS.items()}
    return {"tests": str(len(cases)), **counts, "time": f"{sum(case.ms for case in cases) / 1000:.3f}"}
