"""Results as JSON: one document with a `schema` key, or one object a line for streams.

The shapes are promises; `smtpctl/schemas/*.schema.json` holds them and the tests hold both together. ASCII only, so
that no control or bidirectional character of a server reaches a terminal raw; any JSON reader gives the text back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignored, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import Failure, Report, combined
from smtpctl.render.base import Setting, status_of_findings


class JsonRenderer:
    """One report is one flat object; several stand in the list `reports` of one object."""

    def __init__(self, setting: Setting) -> None:
        self._schema = setting.schema
        self._fail_on = setting.fail_on

    def report(self, report: Report) -> str:
        """One target: the keys of `report_data` beside `schema`."""
        return document(self._schema, report_data(report, self._fail_on))

    def reports(self, reports: Sequence[Report]) -> str:
        """Several targets: `exit` of the run and the list `reports`."""
        exit_status = int(combined(reports, self._fail_on))
        data = [report_data(report, self._fail_on) for report in reports]
        return document(self._schema, {"exit": exit_status, "reports": data})

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """`exit`, `subject`, `counts` by severity and the lists `findings` and `ignored`."""
        labels = [finding.severity.label for finding in findings]
        data = {
            "exit": int(status_of_findings(findings, self._fail_on)),
            "subject": subject,
            "counts": {severity.label: labels.count(severity.label) for severity in Severity},
            "findings": [finding.to_json() for finding in findings],
            "ignored": [one.to_json() for one in ignored],
        }
        return document(self._schema, data)

    def problem(self, problem: Problem) -> str:
        """`smtpctl.problem/1`, whatever the command: what a report says of a failure, and the one finding."""
        data = {"exit": int(problem.status), **_failure(problem.failure), "findings": [problem.finding.to_json()]}
        return document("smtpctl.problem/1", data)


def document(schema: str, data: Mapping[str, Any]) -> str:
    """One indented document. A value that JSON does not know is written as its text (a Secret as its mask)."""
    return _dumps({"schema": schema, **data}, indent=2)


def line(schema: str, data: Mapping[str, Any]) -> str:
    """One object on one line, for streams (JSON Lines)."""
    return _dumps({"schema": schema, **data})


def _dumps(data: Mapping[str, Any], indent: int | None = None) -> str:
    # DEL is the one control character that JSON may hold raw; it can stand in strings only.
    return json.dumps(data, indent=indent, default=str).replace("\x7f", "\\u007f") + "\n"


def report_data(report: Report, fail_on: Severity | None = Severity.ERROR) -> dict[str, Any]:
    """A report as JSON values. `stage`, `code`, `enhanced` and `retryable` are null where nothing stopped the run."""
    return {
        "target": report.target,
        "exit": int(report.status(fail_on)),
        **_failure(report.failure),
        "findings": [finding.to_json() for finding in report.findings],
        "ignored": [one.to_json() for one in report.ignored],
        "stages": [
            {
                "stage": stage.stage.value,
                "status": stage.status,
                "detail": stage.detail,
                "ms": None if stage.ms is None else round(stage.ms, 3),
                "facts": dict(stage.facts),
            }
            for stage in report.stages
        ],
        "recipients": [
            {"address": recipient.address, "result": recipient.result, **_reply(recipient.reply)}
            for recipient in report.recipients
        ],
        "outcomes": [outcome._asdict() for outcome in report.outcomes],
        "facts": dict(report.facts),
        "next_command": report.next_command,
    }


def _failure(failure: Failure | None) -> dict[str, Any]:
    """What stopped a run, null where nothing did."""
    return {
        "stage": failure.stage.value if failure else None,
        "retryable": failure.retryable if failure else None,
        **_reply(failure.reply if failure else None),
    }


def _reply(reply: Reply | None) -> dict[str, Any]:
    """A reply as three values, null where there is none."""
    return {
        "code": reply.code if reply else None,
        "enhanced": str(reply.enhanced) if reply and reply.enhanced else None,
        "reply": reply.text if reply else None,
    }
