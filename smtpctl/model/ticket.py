"""What one file for a ticket holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Report


class Ticket(NamedTuple):
    """One server as it was seen at one moment, for somebody else to read.

    `made_at` is ISO 8601 in UTC; `versions` of the program, the system and libraries; `environment` facts of this
    machine as JSON values; `settings` the profile's with the origin of each (`profile show --resolved --json`).
    """

    made_at: str
    versions: Mapping[str, str]
    environment: Mapping[str, Any]
    settings: Mapping[str, Any]
    report: Report
    anonymised: bool = False
