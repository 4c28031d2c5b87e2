"""What the server can do beyond plain SMTP, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smtpctl.checks.facts import Facts
from smtpctl.model.finding import Evidence, Finding

WANTED: Mapping[str, str] = {
    "8BITMIME": "smtp.missing_8bitmime",
    "SMTPUTF8": "smtp.missing_smtputf8",
    "PIPELINING": "smtp.missing_pipelining",
    "CHUNKING": "smtp.missing_chunking",
    "DSN": "smtp.missing_dsn",
}
# What TLS is meant to change: STARTTLS is done, a login is safe now (RFC 3207 4.2), REQUIRETLS may be asked for (RFC 8689 2).
_MEANT = frozenset({"STARTTLS", "AUTH", "REQUIRETLS"})


def missing(facts: Facts) -> Iterator[Finding]:
    """Extensions that are not offered. Where a firewall overwrites the answer nobody can know."""
    offered = facts.final
    if offered is None or not offered.extended or offered.masked:
        return
    seen = [Evidence(" · ".join(offered.lines[1:13]) or "no extensions", "S:")]
    for keyword, id in WANTED.items():
        if not offered.has(keyword):
            yield facts.finding(id, seen)


def changes(facts: Facts) -> Iterator[Finding]:
    """What EHLO is answered inside TLS and was not before, or the other way round."""
    before, now = facts.offered(secured=False), facts.offered(secured=True)
    if not before or not now:
        return
    gone = sorted(before.keywords.keys() - now.keywords.keys() - _MEANT)
    come = sorted(now.keywords.keys() - before.keywords.keys() - _MEANT)
    if gone or come:
        told = ((" ".join(gone), "only in clear:"), (" ".join(come), "only with TLS:"))
        yield facts.finding("smtp.ehlo_changes_after_tls", [Evidence(words, label) for words, label in told if words])
