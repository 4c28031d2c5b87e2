"""Results as a monitoring plugin says them: one status line, performance data, then the details; and its exit status.

Nagios, Icinga, Naemon and others read it (Monitoring Plugins Development Guidelines, sections 2 and 3). Performance data
stands on the first line, because what is longer than the monitor takes is cut off at the end. A bar would begin
performance data, so none of a text of ours or a peer's stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignored, Remedy, Severity
from smtpctl.model.report import ExitStatus, Report, Status
from smtpctl.model.transcript import Transcript
from smtpctl.render.base import Setting, by_stage, ends, explanation, problem_report
from smtpctl.render.canvas import visible

_BAR = "|"  # begins performance data
_NAME = 40  # characters of a label


class State(IntEnum):
    """What a plugin may end with."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_WORST_FIRST = (State.CRITICAL, State.WARNING, State.UNKNOWN, State.OK)
# What stops a run is critical, but for what keeps the plugin itself from asking: then nothing is known of the server.
_UNKNOWN = (ExitStatus.USAGE, ExitStatus.CONFIG, ExitStatus.BUG, ExitStatus.CANNOT_CREATE, ExitStatus.IO)


def failed(status: Status) -> State:
    """The state that a run ends with that stopped with `status`."""
    return State.UNKNOWN if status in _UNKNOWN or status is ExitStatus.INTERRUPTED else State.CRITICAL


def state(report: Report, fail_on: Severity | None) -> State:
    """Critical from `fail_on` on (None: never), warning from there down to warnings."""
    if report.failure:
        return failed(report.failure.status)
    highest = max((finding.severity for finding in report.findings), default=Severity.NOTE)
    if report.status(fail_on):
        return State.CRITICAL
    return State.WARNING if highest >= Severity.WARNING else State.OK


def worst(states: Sequence[State]) -> State:
    """The one that stands for all."""
    return next((one for one in _WORST_FIRST if one in states), State.UNKNOWN)


def usage(message: str) -> str:
    """The status line where the command line is wrong."""
    return f"SMTP {State.UNKNOWN.name}: {_safe(message)}\n"


class NagiosRenderer:
    """One service, also for several targets: the worst of them is its state."""

    def __init__(self, setting: Setting) -> None:
        self._fail_on = setting.fail_on

    def report(self, report: Report) -> str:
        """One target."""
        return self.reports([report])

    def reports(self, reports: Sequence[Report]) -> str:
        """All targets, the status line about the worst one."""
        states = [state(report, self._fail_on) for report in reports]
        several = len(reports) > 1
        first = _several(reports, states) if several else _told(reports[0], states[0])
        data = [
            _datum(f"{report.target} {name}" if several else name, value)
            for report in reports
            for name, value in self._data(report)
        ]
        lines = [f"SMTP {worst(states).name}: {first}" + (f" | {' '.join(data)}" if data else "")]
        for report, its in zip(reports, states, strict=True):
            lines += [f"{its.name}: {_safe(report.target)}  {_safe(report.headline)}".rstrip()] if several else []
            lines += _details(report)
        return "".join(f"{line}\n" for line in lines)

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """Findings as the details of one target named `subject`."""
        return self.report(Report(subject, Transcript(), findings=tuple(findings), ignored=tuple(ignored)))

    def problem(self, problem: Problem) -> str:
        """What ended the run before there was a report."""
        return self.report(problem_report(problem))

    def _data(self, report: Report) -> Iterator[tuple[str, str]]:
        """Label and value with its thresholds: `value;warn;crit;min` (guidelines 2.6)."""
        if "ms" in report.facts:
            yield "time", f"{float(report.facts['ms']) / 1000:.4f}s;;;0"
        for name, stage in by_stage(report).items():
            if stage.ms is not None:
                yield f"time_{name}", f"{stage.ms / 1000:.4f}s;;;0"
        known = ends(report)
        if known and "checked_at" in report.facts:
            leaf: Mapping[str, float] = next(iter(report.facts.get("certificates", ())), {})
            early = f"{int(known[0] - leaf['renewal_due'])}:" if leaf else ""
            yield "certificate", f"{int(known[0] - report.facts['checked_at'])}s;{early};0:"
        for severity in reversed(Severity):
            count = sum(finding.severity is severity for finding in report.findings)
            yield f"{severity.label}s", f"{count};{self._thresholds(severity)};0"

    def _thresholds(self, severity: Severity) -> str:
        """More than none of them is worth a state, as `state` has it."""
        if self._fail_on is not None and severity >= self._fail_on:
            return ";0"
        return "0;" if severity >= Severity.WARNING else ";"


def _told(report: Report, its: State) -> str:
    """What it comes to, in a sentence; what is no reason to act stands in the details alone."""
    took = f" in {float(report.facts['ms']):.0f} ms" if "ms" in report.facts else ""
    about = f"{_safe(report.target)}: " if report.target else ""
    if its is not State.OK and report.findings:
        first = max(report.findings, key=lambda one: one.severity)  # of equals the first, which stopped the run
        more = f" (+{len(report.findings) - 1} more)" if len(report.findings) > 1 else ""
        return f"{about}{_safe(first.title)} [{_safe(first.id)}]{more}"
    if report.failure:
        return f"{about}{_safe(str(report.failure.reply or f'stopped at {report.failure.stage.value}'))}"
    return f"{about}works{took}"


def _several(reports: Sequence[Report], states: Sequence[State]) -> str:
    """`3 targets, 1 critical: shop: ...`"""
    counted = ", ".join(f"{states.count(one)} {one.name.lower()}" for one in _WORST_FIRST if one in states)
    head = f"{len(reports)} targets, {counted}"
    if worst(states) is State.OK:
        return head
    return f"{head}: {_told(reports[states.index(worst(states))], worst(states))}"


def _details(report: Report) -> Iterator[str]:
    for stage in report.stages:
        time = "" if stage.ms is None else f" ({stage.ms:.0f} ms)"
        yield _safe(f"  {stage.stage.value}: {stage.status}{time} {stage.detail}")
    for finding in report.findings:
        first, *more = explanation(_without_pipes(finding))
        yield _safe(f"  {finding.severity.label} [{finding.id}] {first}")
        yield from (f"    {_safe(line)}" for line in more)
    for one in report.ignored:
        yield _safe(f"  ignored [{one.finding.id}] {one.finding.title} ({one.why})")


def _without_pipes(finding: Finding) -> Finding:
    """A finding where a remedy with a bar in its commands is told in words: the command would be another one without it, and
    the rest of a series is not the series."""

    def told(remedy: Remedy) -> Remedy:
        if not any(_BAR in command for command in remedy.commands):
            return remedy
        return remedy._replace(text=remedy.text.removesuffix(":"), commands=())

    causes = (cause._replace(remedies=tuple(map(told, cause.remedies))) for cause in finding.causes)
    return finding._replace(causes=tuple(causes))


def _datum(label: str, value: str) -> str:
    """`'label'=value`; quoted where a blank makes it necessary (guidelines 2.6)."""
    name = _safe(label)[:_NAME].replace("=", "_").replace("'", "_")
    return f"'{name}'={value}" if " " in name else f"{name}={value}"


def _safe(text: str) -> str:
    """On one line, and without a bar."""
    return visible(text).replace(_BAR, "¦")
