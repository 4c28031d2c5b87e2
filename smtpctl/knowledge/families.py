"""Everything smtpctl itself can find, as data: one entry an id, one module a family, loaded when asked.

Rules of an entry: ids are for ever (lower case, dotted; the family is what stands before the dots); the title
is one line, names the bad thing and is true without the rest; the message says what was going on and why it
matters; causes come most likely first and each carries what to do; the last word is one next command.
Texts are `str.format` templates over the values a finding is made with (`target`, and from it `host` and `port`,
are always among them); a value that is not given shows as `<its name>`, so a page and a finding come from the same
entry. Where a value may be unknown, brackets around it and its words make them optional: `expired[ on {day}]`; a command
that is all in brackets is left out.
Literal braces are doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Cause, Evidence, Finding, Location, Remedy, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

# Id prefix -> module; the longest prefix that fits decides.
FAMILIES: Mapping[str, str] = {
    "auth": "auth",
    "config": "config",
    "conn": "conn",
    "drift": "drift",
    "format": "formats",
    "local": "local",
    "oauth": "oauth",
    "reply": "reply",
    "secret": "secret",
    "smtp": "smtp",
    "starttls": "starttls",
    "tls": "tls",
    "tls.cert": "cert",
    "tls.chain": "chain",
    "tls.cipher": "tls_cipher",
    "tls.version": "tls_version",
}
# Names that the catalogue of checks has for a reply to one command, by code, where pages go by what the reply says.
ALIASES: Mapping[str, str] = {
    "smtp.greeting_421": "smtp.greeting_refused",
    "smtp.greeting_554": "smtp.greeting_refused",
    "starttls.454": "generic.starttls-454-not-available",
    "starttls.5xx": "starttls.refused",
}
NOTHING: Mapping[str, bool] = {}
SUBMISSION = "submission"  # the role of a server that takes mail from those who log in
MX = "mx"  # that of one which takes mail for its own domains, without a login


class Entry(NamedTuple):
    """One thing that can be wrong.

    `severity` is for a submission server (and wherever the role does not matter), `mx_severity` for an MX where
    the catalogue rates it otherwise; `role` is the only role that it is about, where it is about one. `status` and `retryable` are what a run ends with when this stops it.
    `as_of` dates a fact that changes (ISO date); `verified` False was seen in no source; `since` is the version
    that first had the id.
    """

    id: str
    severity: Severity
    stage: Stage
    title: str
    message: str = ""
    causes: tuple[Cause, ...] = ()
    source: str = ""
    status: ExitStatus = ExitStatus.UNAVAILABLE
    retryable: bool = False
    mx_severity: Severity | None = None
    role: str = ""
    knowledge: tuple[str, ...] = ()
    as_of: str = ""
    verified: bool = True
    since: str = "0.1"

    def finding(
        self,
        *,
        target: str = "",
        evidence: Iterable[Evidence | str] = (),
        role: str = "",
        stage: Stage | None = None,
        severity: Severity | None = None,
        location: Location | None = None,
        facts: Mapping[str, bool] = NOTHING,
        **values: object,
    ) -> Finding:
        """A finding of this entry; `values` fill the templates, `target` is one of them too. `facts` are those of its causes
        that are known to hold, or not to."""
        fill = _Values(_place(target) | values)
        return Finding(
            id=self.id,
            severity=severity or self.severity_for(role),
            stage=stage or self.stage,
            title=_format(self.title, fill),
            message=_format(self.message, fill),
            target=target,
            evidence=tuple(e if isinstance(e, Evidence) else Evidence(e) for e in evidence),
            causes=tuple(_fill_cause(cause, fill) for cause in known(self.causes, facts)),
            knowledge=self.knowledge,
            source=self.source,
            role=role,
            location=location,
            verified=self.verified,
            as_of=self.as_of,
        )

    def problem(self, *, reply: Reply | None = None, **arguments: Any) -> Problem:
        """The finding of the same arguments as an exception with this entry's exit status."""
        return Problem(self.finding(**arguments), self.status, retryable=self.retryable, reply=reply)

    def concerns(self, role: str) -> bool:
        """Whether it is a fault of a server of this role at all."""
        return not self.role or role in ("", self.role)

    def severity_for(self, role: str) -> Severity:
        """How bad it is for a server of this role (`submission`, `mx` or empty)."""
        return self.mx_severity if role == MX and self.mx_severity else self.severity


_OPTIONAL = re.compile(r"\[([^\[\]]*\{\w+\}[^\[\]]*)\]")
_NAME = re.compile(r"\{(\w+)\}")


class _Values(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def _place(target: str) -> dict[str, object]:
    """What a target says about itself: `target`, and `host` and `port` where it is written `host:port`."""
    host, colon, port = target.rpartition(":")
    if colon and port.isdigit():
        return {"target": target, "host": host, "port": port}
    return {"target": target, "host": target} if target else {}


def _format(template: str, values: Mapping[str, object]) -> str:
    if "[" in template:
        template = _OPTIONAL.sub(lambda part: part[1] if values.keys() >= set(_NAME.findall(part[1])) else "", template)
    return template.format_map(values)


def _fill_cause(cause: Cause, values: Mapping[str, object]) -> Cause:
    remedies = (
        Remedy(_format(r.text, values), tuple(filter(None, (_format(line, values) for line in r.commands))))
        for r in cause.remedies
    )
    return cause._replace(text=_format(cause.text, values), remedies=tuple(remedies))


def known(causes: tuple[Cause, ...], facts: Mapping[str, bool]) -> tuple[Cause, ...]:
    """The causes as `ranking` has them where these facts hold, or do not."""
    if not facts:
        return causes
    from smtpctl.knowledge.ranking import ranked

    true = frozenset(name for name, holds in facts.items() if holds)
    return ranked(causes, true, frozenset(facts) - true)


def because(likelihood: float, text: str, *remedies: Remedy, facts: tuple[str, ...] = ()) -> Cause:
    """A cause, written shorter: how likely (0 to 1, against the other causes of its entry), why, what to do, and what
    makes it likelier."""
    return Cause(text, likelihood, remedies, facts)


def fix(text: str, *commands: str) -> Remedy:
    """A remedy, written shorter."""
    return Remedy(text, commands)


LONGEST = 100  # characters of an id


@cache
def family(module: str) -> Mapping[str, Entry]:
    """The entries of one module, by id."""
    entries: Iterable[Entry] = import_module(f"{__package__}.{module}").ENTRIES
    return {entry.id: entry for entry in entries}


def entry(finding_id: str) -> Entry:
    """The entry of an id; KeyError for one that does not exist."""
    prefix = finding_id[:LONGEST]  # a whole text of dots, looked up as an id, would take quadratic time
    while prefix:
        if module := FAMILIES.get(prefix):
            return family(module)[finding_id]
        prefix = prefix.rpartition(".")[0]
    raise KeyError(finding_id)


def all_entries() -> Iterator[Entry]:
    """Every entry of every family; loads all of them."""
    for module in sorted(set(FAMILIES.values())):
        yield from family(module).values()


def similar(finding_id: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three known ids that read like `finding_id`, the nearest first."""
    import difflib

    return tuple(difflib.get_close_matches(finding_id[:LONGEST].lower(), known, n=3, cutoff=0.6))
