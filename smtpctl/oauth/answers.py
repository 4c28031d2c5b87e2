"""What a token endpoint answered, as a Problem: its own words looked up in the knowledge base, else what its `error` means.

What to do is decided by `error` (RFC 6749 5.2, RFC 8628 3.5); numbers such as AADSTS7000215 are for explaining, and may
change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.knowledge import match
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Evidence
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_LONGEST = 1000  # characters of a description that are kept
_LATER = ("temporarily_unavailable", "slow_down", "server_error")


def refused(answer: Mapping[str, Any], name: str, where: str) -> Problem:
    """The Problem of an error answer for the credentials `name` at `where`, an address. `answer` is its JSON object."""
    error, description = (str(answer.get(key, ""))[:_LONGEST] for key in ("error", "error_description"))
    said = " ".join(f"{error}: {description}".split()).strip(": ")
    context = match.Context(text=said, stage=Stage.AUTH)
    evidence = [Evidence(said, "token endpoint:")]
    matches = match.match(context)
    later = error in _LATER
    if not matches or matches[0].score < 0:
        made = entry("oauth.refused").finding(target=name, oauth=name, endpoint=where, error=said, evidence=evidence)
    else:
        made = match.finding(context, target=name, evidence=evidence)
    status = ExitStatus.TEMPORARY if later else ExitStatus.AUTH
    return Problem(made._replace(stage=Stage.AUTH), status, retryable=later, lookup=context)
