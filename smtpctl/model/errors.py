"""What can be raised.

    SmtpctlError
    ├── Problem            foreseen: carries a Finding and an exit status; one renderer serves all
    ├── Refused            a reply that ends a dialogue; ops turn it into a Problem with the knowledge base
    ├── Obstacle           a dialogue cannot go on, for a reason that has a finding id; ops turn it into a Problem
    └── UsageProblem       the caller's words were wrong (exit 2); no finding page, one sentence and one hint

Anything else that reaches the top is a defect in smtpctl (exit 70).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.model.finding import Finding
from smtpctl.model.reply import Reply
from smtpctl.model.report import Failure, Status
from smtpctl.model.transcript import Stage


class SmtpctlError(Exception):
    """Base of all that smtpctl raises on purpose."""


class Problem(SmtpctlError):
    """A failure that was foreseen. `reply` is the server's word where it gave one, `lookup` what was known when it was
    explained (a `knowledge.match.Context`)."""

    def __init__(
        self,
        finding: Finding,
        status: Status,
        *,
        retryable: bool = False,
        reply: Reply | None = None,
        lookup: Any = None,
    ) -> None:
        super().__init__(f"{finding.id}: {finding.title}")
        self.finding = finding
        self.status = status
        self.retryable = retryable
        self.reply = reply
        self.lookup = lookup

    @property
    def failure(self) -> Failure:
        """The same as a value for a report."""
        return Failure(self.status, self.finding.stage, self.retryable, self.reply, self.lookup)


class Refused(SmtpctlError):
    """The server answered with a reply that ends the dialogue here.

    `command` is the verb it answered (`EHLO`, `AUTH`, `greeting` ...), `event` the transcript index is not
    known here; `facts` what the dialogue knows besides (mechanism, decoded challenge ...).
    """

    def __init__(self, stage: Stage, command: str, reply: Reply, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{command}: {reply}")
        self.stage = stage
        self.command = command
        self.reply = reply
        self.facts = dict(facts or {})


class Obstacle(SmtpctlError):
    """A dialogue cannot or must not go on. `id` names the finding (`starttls.not_offered`), `facts` fill its text."""

    def __init__(self, stage: Stage, id: str, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(id)
        self.stage = stage
        self.id = id
        self.facts = dict(facts or {})


class UsageProblem(SmtpctlError):
    """Wrong usage: `message` says what is wrong and where, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
