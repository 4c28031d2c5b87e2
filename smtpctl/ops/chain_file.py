"""`check --save-chain`: the certificates that a server shows, as a file for other programs."""

from __future__ import annotations

from pathlib import Path

from smtpctl.model.report import Comparison, Report
from smtpctl.net import certificate
from smtpctl.ops import files


def saved(report: Report, path: Path) -> Report:
    """The report; the certificates are written to `path` as the server showed them, trusted or not. UsageProblem where the
    file cannot be written."""
    number = len(report.chain)
    if number:
        files.put(path, certificate.pem(report.chain), "--save-chain")
    note = (
        f"{path} was not written: the server showed no certificate."
        if not number
        else f"The certificate that the server shows is in {path}."
        if number == 1
        else f"The {number} certificates that the server shows are in {path}, its own first."
    )
    return report._replace(comparisons=(*report.comparisons, Comparison("", (), note)))
