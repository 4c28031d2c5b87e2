"""Everything that turns results into text. Imports the model only; prints nothing.

A format is one module with one class and one row in `_FORMATS`; the module is imported when its format is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from smtpctl.model.finding import Severity
from smtpctl.model.report import Report, Status, combined
from smtpctl.render.base import Renderer, Setting
from smtpctl.render.canvas import Canvas

_FORMATS: Mapping[str, tuple[str, str]] = {
    "text": ("smtpctl.render.text", "TextRenderer"),
    "json": ("smtpctl.render.to_json", "JsonRenderer"),
    "junit": ("smtpctl.render.to_junit", "JunitRenderer"),
    "sarif": ("smtpctl.render.to_sarif", "SarifRenderer"),
    "github": ("smtpctl.render.to_github", "GithubRenderer"),
    "html": ("smtpctl.render.to_html", "HtmlRenderer"),
    "nagios": ("smtpctl.render.to_nagios", "NagiosRenderer"),
    "prometheus": ("smtpctl.render.to_prometheus", "PrometheusRenderer"),
}
FORMATS = tuple(_FORMATS)
MONITORING = ("nagios", "prometheus")  # these tell of sessions only


def renderer(
    format: str,
    *,
    schema: str,
    fail_on: Severity | None = Severity.ERROR,
    width: int = 80,
    colour: bool = False,
    unicode: bool = True,
    verbose: bool = False,
) -> Renderer:
    """The renderer for one of `FORMATS`; KeyError for another.

    `schema` names the document, `fail_on` the severity from which on its exit status is not 0; `width`, `colour`
    and `unicode` describe the terminal and matter to text only, as does `verbose`.
    """
    from importlib import import_module

    module, name = _FORMATS[format]
    setting = Setting(schema, fail_on, Canvas(max(width, 40), colour, unicode), verbose)
    return cast(Renderer, getattr(import_module(module), name)(setting))


def exit_status(format: str, reports: Sequence[Report], fail_on: Severity | None) -> int:
    """What a run ends with: `combined`, or the state of a monitoring plugin where the format is read by a monitor."""
    if format != "nagios":
        return combined(reports, fail_on)
    from smtpctl.render import to_nagios

    return to_nagios.worst([to_nagios.state(report, fail_on) for report in reports])


def failed_status(format: str, status: Status) -> int:
    """The same for a run that stopped with `status` before there was a report."""
    if format != "nagios":
        return status
    from smtpctl.render import to_nagios

    return to_nagios.failed(status)
