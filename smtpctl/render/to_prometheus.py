"""Results as metrics, in the text exposition format 0.0.4: for node_exporter's textfile collector, or a push.

Every metric is a gauge, because a check tells of one moment. Labels hold what stays the same from run to run (target,
stage, finding id), never a text that changes, which would make a new time series each time. A sample stands once: the
collector refuses a file that says one twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from smtpctl import __version__
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignored, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Report
from smtpctl.model.transcript import Transcript
from smtpctl.render.base import Setting, by_stage, ends, problem_report
from smtpctl.render.canvas import visible


class _Sample(NamedTuple):
    """One value of a metric; the name goes without the command's prefix."""

    metric: str
    labels: Mapping[str, str]
    value: float


# In this order, with the help a reader of the metrics sees.
_METRICS: Mapping[str, str] = {
    "success": "1 when nothing stopped it and no finding reached --fail-on.",
    "exit_status": "The exit status of smtpctl for this target.",
    "timestamp_seconds": "When it ran, in epoch seconds.",
    "duration_seconds": "How long it took.",
    "stage_success": "1 when the stage did not fail; stages that were not reached are missing.",
    "stage_duration_seconds": "How long the stage took.",
    "findings": "Findings by severity.",
    "finding": "1 for each finding that there is, by its id.",
    "finding_ignored": "1 for each finding that is ignored, by its id.",
    "tls_info": "The TLS session; the value is always 1.",
    "certificate_expiry_timestamp_seconds": "When the server's certificate ends, in epoch seconds.",
    "chain_expiry_timestamp_seconds": "When the first certificate of the chain ends, in epoch seconds.",
    "info": "The version of smtpctl; the value is always 1.",
}


class PrometheusRenderer:
    """Metrics named after the command: `smtpctl_check_success`."""

    def __init__(self, setting: Setting) -> None:
        self._prefix = f"smtpctl_{setting.command.replace('-', '_').replace('.', '_')}"
        self._fail_on = setting.fail_on

    def report(self, report: Report) -> str:
        """One target."""
        return self.reports([report])

    def reports(self, reports: Sequence[Report]) -> str:
        """All targets; of a target that is there twice, the last one counts."""
        families: dict[str, dict[str, float]] = {metric: {} for metric in _METRICS}
        for report in reports:
            for sample in self._samples(report):
                families[sample.metric][_labels(sample.labels)] = sample.value
        families["info"][_labels({"version": __version__})] = 1
        lines: list[str] = []
        for metric, samples in families.items():
            name = f"{self._prefix}_{metric}"
            if samples:
                lines += [f"# HELP {name} {_METRICS[metric]}", f"# TYPE {name} gauge"]
            lines += [f"{name}{labels} {_number(value)}" for labels, value in samples.items()]
        return "".join(f"{line}\n" for line in lines)

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """Findings without a session, of a target named `subject`."""
        return self.report(Report(subject, Transcript(), findings=tuple(findings), ignored=tuple(ignored)))

    def problem(self, problem: Problem) -> str:
        """What ended the run before there was a report."""
        return self.report(problem_report(problem))

    def _samples(self, report: Report) -> Iterator[_Sample]:
        target = {"target": report.target}
        status = report.status(self._fail_on)
        yield _Sample("success", target, not status)
        yield _Sample("exit_status", target, status)
        if "checked_at" in report.facts:
            yield _Sample("timestamp_seconds", target, report.facts["checked_at"])
        if "ms" in report.facts:
            yield _Sample("duration_seconds", target, report.facts["ms"] / 1000)
        for name, stage in by_stage(report).items():
            labels = {**target, "stage": name}
            if stage.status != "skipped":
                yield _Sample("stage_success", labels, stage.status != "failed")
            if stage.ms is not None:
                yield _Sample("stage_duration_seconds", labels, stage.ms / 1000)
        for severity in Severity:
            count = sum(finding.severity is severity for finding in report.findings)
            yield _Sample("findings", {**target, "severity": severity.label}, count)
        for finding in report.findings:
            yield _Sample("finding", {**target, **_finding(finding)}, 1)
        for one in report.ignored:
            yield _Sample("finding_ignored", {**target, **_finding(one.finding)}, 1)
        yield from _tls(report, target)


def _finding(finding: Finding) -> dict[str, str]:
    return {"id": finding.id, "severity": finding.severity.label, "stage": finding.stage.value}


def _tls(report: Report, target: Mapping[str, str]) -> Iterator[_Sample]:
    tls = report.facts.get("tls", {})
    if tls.get("version"):  # none where the handshake came to no end
        verified = "true" if tls["verified"] else "false"
        yield _Sample(
            "tls_info", {**target, "version": tls["version"], "cipher": tls["cipher"], "verified": verified}, 1
        )
    if known := ends(report):
        yield _Sample("certificate_expiry_timestamp_seconds", target, known[0])
    if report.facts.get("certificates"):
        yield _Sample("chain_expiry_timestamp_seconds", target, min(known))


def _labels(labels: Mapping[str, str]) -> str:
    """`{name="value"}`; a backslash, a quote and a line end are escaped (exposition format, "Comments, help text")."""
    pairs = (f'{name}="{_escaped(visible(value))}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
