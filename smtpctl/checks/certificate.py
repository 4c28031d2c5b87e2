"""The presented certificates, judged one by one.

OpenSSL stops at the first fault and names one; a wrong name even hides an expired date. Here every fault is told, each
with what was seen, and a missing intermediate is named with the place it can be had from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from smtpctl.checks.facts import Facts
from smtpctl.knowledge.families import entry
from smtpctl.model.certificate import Certificate
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.names import matches_any, nearest

DAY = 86400
PUBLIC_MAXIMUM = 398  # days, CA/Browser Forum Baseline Requirements 6.3.2
SERVER_AUTH = ("1.3.6.1.5.5.7.3.1", "2.5.29.37.0")  # id-kp-serverAuth, anyExtendedKeyUsage
WEAK_HASHES = ("MD2", "MD4", "MD5", "SHA1")
NAME_FAULTS = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def leaf(facts: Facts) -> Iterator[Finding]:
    """The server's own certificate."""
    certificate = facts.chain[0] if facts.chain else None
    if certificate is None:
        if facts.chain:
            yield _finding(facts, "tls.cert.unparseable")
        return
    yield from _dates(facts, certificate)
    yield from _name(facts, certificate)
    yield from _make(facts, certificate)


def _dates(facts: Facts, certificate: Certificate) -> Iterator[Finding]:
    left = certificate.not_after - facts.now
    life = certificate.not_after - certificate.not_before
    after, before = _date(certificate.not_after), _date(certificate.not_before)
    seen = [Evidence(f"valid {before} to {after}", "certificate:")]
    if left < 0:
        yield _finding(facts, "tls.cert.expired", seen, not_after=after, days=int(-left / DAY))
    elif facts.now < certificate.not_before:
        yield _finding(facts, "tls.cert.not_yet_valid", seen, not_before=before)
    elif facts.now > certificate.renewal_due:
        yield _finding(facts, "tls.cert.expires_soon", seen, not_after=after, days=int(left / DAY))
    if life > PUBLIC_MAXIMUM * DAY and certificate.trusted_issuer and certificate.timestamps:
        yield _finding(facts, "tls.cert.long_validity", seen, days=int(life / DAY))


def _name(facts: Facts, certificate: Certificate) -> Iterator[Finding]:
    asked = facts.tls.server_name if facts.tls else facts.endpoint.host
    names = certificate.names
    offered = ", ".join(names[:8]) or certificate.common_name
    seen = [Evidence(offered, "lists:"), Evidence(asked, "asked for:")]
    if not names:
        yield _finding(facts, "tls.cert.cn_only", [Evidence(certificate.subject, "subject:")])
        if asked.lower() != certificate.common_name.lower():
            yield _finding(facts, "tls.cert.hostname_mismatch", seen, name=asked, offered=offered)
        return
    if matches_any(names, asked):
        return
    if asked.replace(".", "").isdigit() or ":" in asked:
        yield _finding(facts, "tls.cert.ip_used", seen, offered=offered)
        return
    wildcard = next((name for name in names if name.startswith("*.") and asked.endswith(name[1:])), "")
    if wildcard or any(name == f"*.{asked}" for name in names):
        yield _finding(facts, "tls.cert.wildcard_depth", seen, wildcard=wildcard or f"*.{asked}", name=asked)
        return
    seen.append(Evidence(nearest(names, asked), "nearest:"))
    yield _finding(facts, "tls.cert.hostname_mismatch", seen, name=asked, offered=offered)


def _make(facts: Facts, certificate: Certificate) -> Iterator[Finding]:
    """How it was made: key, signature, purpose."""
    if (certificate.key.startswith(("RSA", "DSA")) and certificate.bits < 2048) or certificate.bits < 224:
        yield _finding(facts, "tls.cert.weak_key", [Evidence(certificate.key, "key:")], kind=certificate.key)
    if certificate.hash in WEAK_HASHES and not certificate.self_issued:
        yield _finding(facts, "tls.cert.weak_signature", algorithm=certificate.hash)
    if certificate.usages is not None and not set(SERVER_AUTH) & set(certificate.usages):
        yield _finding(facts, "tls.cert.eku", [Evidence(" ".join(certificate.usages), "extended key usage:")])
    if certificate.is_ca and not (certificate.self_issued and len(facts.chain) == 1):
        yield _finding(facts, "tls.cert.is_ca", [Evidence(certificate.subject, "subject:")])
    if certificate.must_staple:
        yield _finding(facts, "tls.cert.must_staple")


def chain(facts: Facts) -> Iterator[Finding]:
    """From the server's certificate up to a root that is trusted here."""
    first = facts.chain[0] if facts.chain else None
    if first is None:
        return
    path = _path(facts.chain)
    yield from _link(facts, first, path)
    for certificate in path[1:]:
        if certificate.not_after < facts.now:
            yield _finding(
                facts, "tls.chain.expired_ca", [_sent(facts, certificate)],
                not_after=_date(certificate.not_after), subject=certificate.subject,
            )  # fmt: skip
    yield from _tidiness(facts, path)


def _path(presented: tuple[Certificate | None, ...]) -> list[Certificate]:
    """The certificates that lead upwards from the first, in that order, as far as they were sent."""
    path: list[Certificate] = []
    index = 0
    while 0 <= index < len(presented) and presented[index] not in path:
        certificate = presented[index]
        if certificate is None:
            break
        path.append(certificate)
        index = certificate.signed_by if certificate.signed_by != index else -1
    return path


def _link(facts: Facts, first: Certificate, path: list[Certificate]) -> Iterator[Finding]:
    """Whether the last certificate of the path leads to a trusted root, and if not, what is missing."""
    last = path[-1]
    if last.trusted_issuer or (facts.tls and facts.tls.verify_code == 0 and facts.tls.verified):
        return
    if first.self_issued:
        yield _finding(
            facts, "tls.cert.self_signed",
            [Evidence(first.subject, "subject:"), Evidence(f"sha256:{first.fingerprint}", "fingerprint:")],
        )  # fmt: skip
        return
    namesake = next((c for c in facts.chain if c and c is not last and c.subject == last.issuer), None)
    if namesake and not last.self_issued:
        yield _finding(facts, "tls.chain.bad_signature", [_sent(facts, namesake)], subject=namesake.subject)
    elif last.self_issued:
        yield _finding(facts, "tls.chain.unknown_ca", [_sent(facts, last)], root=last.subject)
    else:
        source = f"  {last.issuer_urls[0]}" if last.issuer_urls else ""
        sent = [_sent(facts, certificate) for certificate in path]
        missing = Evidence(f"{last.issuer}{source}", "missing:")
        yield _finding(
            facts, "tls.chain.missing_intermediate", [*sent, missing],
            count=len(facts.chain), missing=last.issuer, url=last.issuer_urls[0] if last.issuer_urls else "",
        )  # fmt: skip


def _tidiness(facts: Facts, path: list[Certificate]) -> Iterator[Finding]:
    """Order and surplus; they cost something or trouble old clients, and stop nobody."""
    positions = [facts.chain.index(certificate) for certificate in path]
    if any(above < below for below, above in pairwise(positions)):
        yield _finding(facts, "tls.chain.order", [_sent(facts, c) for c in facts.chain if c])
    surplus = [c for i, c in enumerate(facts.chain) if c and (c not in path or c in facts.chain[:i])]
    namesakes = {certificate.issuer for certificate in path}
    surplus = [certificate for certificate in surplus if certificate in path or certificate.subject not in namesakes]
    if surplus:
        yield _finding(facts, "tls.chain.extra_certs", [_sent(facts, c) for c in surplus])
    if len(path) > 1 and path[-1].self_issued and path[-1].trusted_issuer:
        yield _finding(facts, "tls.chain.root_sent", [_sent(facts, path[-1])])


def _sent(facts: Facts, certificate: Certificate) -> Evidence:
    number = facts.chain.index(certificate) + 1
    return Evidence(f"{certificate.subject}, issued by {certificate.issuer}", f"sent {number} of {len(facts.chain)}:")


def _finding(facts: Facts, id: str, evidence: list[Evidence] | None = None, **values: Any) -> Finding:
    host = facts.tls.server_name if facts.tls else facts.endpoint.host
    return entry(id).finding(target=facts.target, role=facts.role, evidence=evidence or (), host=host, **values)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
