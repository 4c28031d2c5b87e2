"""`check --save-chain`: the certificates that a server shows, as a file for other programs."""

from __future__ import annotations

from pathlib import Path

from smtpctl.model.report import Report
from smtpctl.net import certificate
from smtpctl.ops import files
from smtpctl.ops.files import Put

OPTION = "--save-chain"


def saved(report: Report, path: Path, put: Put = files.put) -> Report:
    """The report; the certificates are written to `path` as the server showed them, trusted or not. Problem where the
    file cannot be written."""
    number = len(report.chain)
    if not number:
        return files.noted(report, OPTION, path, "", "the server showed no certificate.")
    put(path, certificate.pem(report.chain), OPTION)
    where = files.told(path)
    one = f"The certificate that the server shows is {where}."
    more = f"The {number} certificates that the server shows are {where}, its own first."
    return files.noted(report, OPTION, path, one if number == 1 else more)
