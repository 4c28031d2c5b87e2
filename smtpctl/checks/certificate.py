"""The presented certificates, judged one by one.

OpenSSL stops at the first fault and names one; a wrong name even hides an expired date. Here every fault is told, each
with what was seen. The chain above the server's own certificate is in `chain.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from smtpctl.checks.facts import Facts
from smtpctl.knowledge.families import entry
from smtpctl.model.certificate import Certificate
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.names import matches_any, nearest

DAY = 86400
PUBLIC_MAXIMUM = 398  # days, CA/Browser Forum Baseline Requirements 6.3.2
# Extended key usage (RFC 5280 4.2.1.12).
SERVER_AUTH, CLIENT_AUTH, ANY = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"
_PURPOSES = {SERVER_AUTH: "serverAuth", CLIENT_AUTH: "clientAuth", ANY: "any",
             "1.3.6.1.5.5.7.3.3": "codeSigning", "1.3.6.1.5.5.7.3.4": "emailProtection"}  # fmt: skip
WEAK_HASHES = ("MD2", "MD4", "MD5", "SHA1")
# What may stand in a command that is to be pasted: the names come from whoever answered.
_HOST_NAME = r"[a-zA-Z0-9_](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?"


def leaf(facts: Facts) -> Iterator[Finding]:
    """The server's own certificate."""
    certificate = facts.chain[0] if facts.chain else None
    if certificate is None:
        if facts.chain:
            yield finding(facts, "tls.cert.unparseable", [Evidence("a strict X.509 parser refuses it", "certificate:")])
        return
    yield from _dates(facts, certificate)
    yield from _name(facts, certificate)
    yield from strength(facts, certificate, Evidence(certificate.subject, "subject:"))
    yield from _purpose(facts, certificate)


def own(facts: Facts) -> Iterator[Finding]:
    """The certificate that we would present, where the profile names one."""
    yield from client_purpose(facts.client, facts.policy.client_cert, target=facts.target, role=facts.role)


def client_purpose(certificate: Certificate | None, path: str, **about: Any) -> Iterator[Finding]:
    """A client certificate that is not one: servers that look at its purpose refuse it."""
    if certificate and not _may(certificate, CLIENT_AUTH):
        seen = [Evidence(path, "file:"), _purposes(certificate)]
        yield entry("tls.client_cert_no_clientauth_eku").finding(evidence=seen, path=path, **about)


def _dates(facts: Facts, certificate: Certificate) -> Iterator[Finding]:
    left = certificate.not_after - facts.now
    life = certificate.not_after - certificate.not_before
    after, before = date(certificate.not_after), date(certificate.not_before)
    seen = [Evidence(f"valid {before} to {after}", "certificate:"), Evidence(certificate.serial, "serial:")]
    if left < 0:
        yield finding(facts, "tls.cert.expired", seen, not_after=after, ago=_days(-left))
    elif facts.now < certificate.not_before:
        ahead = _days(certificate.not_before - facts.now)
        yield finding(facts, "tls.cert.not_yet_valid", seen, not_before=before, ahead=ahead)
    elif facts.now > certificate.renewal_due:
        asked = {"days": int(certificate.notice / DAY)} if certificate.notice else {}
        yield finding(facts, "tls.cert.expires_soon", seen, not_after=after, left=_days(left), **asked)
    if life > PUBLIC_MAXIMUM * DAY and certificate.trusted_issuer and certificate.timestamps:
        yield finding(facts, "tls.cert.long_validity", seen, days=int(life / DAY))


def _name(facts: Facts, certificate: Certificate) -> Iterator[Finding]:
    asked = facts.tls.server_name if facts.tls else facts.endpoint.host
    names = certificate.names
    seen = [Evidence(asked, "asked for:"), Evidence(_listed(names) or certificate.common_name, "it is for:")]
    if not names:
        yield finding(facts, "tls.cert.cn_only", [Evidence(certificate.subject, "subject:")])
        if asked.lower() != certificate.common_name.lower():
            yield finding(
                facts, "tls.cert.hostname_mismatch", seen, name=asked, **_near(facts, [certificate.common_name], asked)
            )
        return
    if matches_any(names, asked):
        return
    if asked.replace(".", "").isdigit() or ":" in asked:
        yield finding(facts, "tls.cert.ip_used", seen, **_near(facts, names, asked))
        return
    wildcard = next((name for name in names if name.startswith("*.") and asked.endswith(name[1:])), "")
    if wildcard or any(name == f"*.{asked}" for name in names):
        values = {"wildcard": wildcard or f"*.{asked}", "name": asked}
        yield finding(facts, "tls.cert.wildcard_depth", seen, **values, **_near(facts, names, asked))
        return
    if len(names) > 1:
        seen.append(Evidence(nearest(names, asked), "nearest:"))
    yield finding(facts, "tls.cert.hostname_mismatch", seen, name=asked, **_near(facts, names, asked))


def _listed(names: tuple[str, ...]) -> str:
    """So many names that a reader looks at them."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def _near(facts: Facts, names: Sequence[str], asked: str) -> dict[str, str]:
    """The name to try instead: the one that the server calls itself by, if the certificate is for it, else the one that
    reads most like what was asked for, among those that can be connected to. Of a wildcard alone it is a place to fill in."""
    offered = facts.offered(secured=False)
    own = offered.name if offered else ""
    if re.fullmatch(_HOST_NAME, own) and matches_any(names, own):
        return {"nearest": own}
    found = nearest([name for name in names if re.fullmatch(_HOST_NAME, name)], asked)
    return {"nearest": found or "<name>"}


def strength(facts: Facts, certificate: Certificate, which: Evidence) -> Iterator[Finding]:
    """Key and signature of any certificate; a root's own signature is not looked at by anybody."""
    if (certificate.key.startswith(("RSA", "DSA")) and certificate.bits < 2048) or certificate.bits < 224:
        yield finding(facts, "tls.cert.weak_key", [which, Evidence(certificate.key, "key:")], kind=certificate.key)
    if certificate.hash in WEAK_HASHES and not certificate.self_issued:
        seen = [which, Evidence(f"{certificate.hash}, by {certificate.issuer}", "signature:")]
        yield finding(facts, "tls.cert.weak_signature", seen, algorithm=certificate.hash)


def _purpose(facts: Facts, certificate: Certificate) -> Iterator[Finding]:
    if not _may(certificate, SERVER_AUTH):
        yield finding(facts, "tls.cert.eku", [_purposes(certificate)])
    if certificate.is_ca and not (certificate.self_issued and len(facts.chain) == 1):
        yield finding(facts, "tls.cert.is_ca", [Evidence(certificate.subject, "subject:")])
    if certificate.must_staple:
        yield finding(facts, "tls.cert.must_staple", [Evidence("status_request", "TLS feature:")])


def _may(certificate: Certificate, purpose: str) -> bool:
    """Whether it is for this purpose; without the extension it is for all."""
    return certificate.usages is None or bool({purpose, ANY} & set(certificate.usages))


def _purposes(certificate: Certificate) -> Evidence:
    named = [_PURPOSES.get(usage, usage) for usage in certificate.usages or ()]
    return Evidence(", ".join(named), "it is for:")


def finding(facts: Facts, id: str, evidence: list[Evidence] | None = None, **values: Any) -> Finding:
    """A finding about this server's certificates."""
    host = facts.tls.server_name if facts.tls else facts.endpoint.host
    return entry(id).finding(target=facts.target, role=facts.role, evidence=evidence or (), host=host, **values)


def date(seconds: float) -> str:
    """The day in UTC, as certificates count."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _days(seconds: float) -> str:
    """`3 days`, `1 day`, `less than a day`."""
    days = int(seconds / DAY)
    return f"{days} day{'s' * (days != 1)}" if days else "less than a day"
