"""Failures of this package, from the catalogue's family `secret`. None carries the secret."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding


def problem(name: str, /, evidence: Iterable[str] = (), **values: Any) -> Problem:
    """The problem `secret.NAME`; `values` fill its texts. An `entry` of a profile says which profile it is about."""
    from smtpctl.knowledge import families

    noun, _, rest = str(values.get("entry", "")).partition("/")
    if noun == "profile":
        values["profile"] = rest.partition("/")[0]
    return families.entry(f"secret.{name}").problem(evidence=evidence, **values)


def finding(name: str, /, evidence: Iterable[str] = (), **values: Any) -> Finding:
    """The finding `secret.NAME`, for what is worth a warning only."""
    from smtpctl.knowledge import families

    return families.entry(f"secret.{name}").finding(evidence=evidence, **values)
