"""The chain from the server's certificate up to a root that is trusted here: what is missing, wrong or too much.

A missing intermediate is named, with the place it can be had from; that is the one fault that clients hide from each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from smtpctl.checks.certificate import date, finding, strength
from smtpctl.checks.facts import Facts
from smtpctl.model.certificate import Certificate
from smtpctl.model.finding import Evidence, Finding

EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


def chain(facts: Facts) -> Iterator[Finding]:
    """From the server's certificate up to a root that is trusted here."""
    if not facts.chain or facts.chain[0] is None:
        return
    path = _path(facts.chain)
    # What is sent above a link to a trusted root is a bridge for other clients.
    anchor = next((index for index, certificate in enumerate(path) if certificate.trusted_issuer), len(path))
    needed = path[: anchor + 1]
    yield from _link(facts, needed)
    for certificate in needed[1:]:
        yield from strength(facts, certificate, _sent(facts, certificate))
    yield from _expired(facts, needed)
    yield from _tidiness(facts, path)


def _path(presented: Sequence[Certificate | None]) -> list[Certificate]:
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


def _link(facts: Facts, path: Sequence[Certificate]) -> Iterator[Finding]:
    """Whether the last certificate of the path leads to a trusted root, and if not, what is missing."""
    first, last = path[0], path[-1]
    if last.trusted_issuer or (facts.tls and facts.tls.verify_code == 0 and facts.tls.verified):
        return
    if first.self_issued and first.signed_by == 0:
        seen = [Evidence(first.subject, "subject:"), Evidence(f"sha256:{first.fingerprint}", "fingerprint:")]
        yield finding(facts, "tls.cert.self_signed", seen, pin=first.fingerprint)
        return
    namesake = next((c for c in facts.chain if c and c is not last and c.subject == last.issuer), None)
    if namesake and not last.self_issued:
        seen = [_sent(facts, last), _sent(facts, namesake)]
        if last.issuer_key_id and namesake.key_id:
            seen += [Evidence(last.issuer_key_id, "signed by key:"), Evidence(namesake.key_id, "key sent:")]
        yield finding(facts, "tls.chain.bad_signature", seen, subject=namesake.subject)
    elif last.self_issued or last.namesake_root or not _public(last):
        yield _unknown(facts, last)
    else:
        url = last.issuer_urls[0] if last.issuer_urls else ""
        seen = [_sent(facts, certificate) for certificate in path]
        seen.append(Evidence(last.issuer, "missing:"))
        if url:
            seen.append(Evidence(url, "get it from:"))
        yield finding(facts, "tls.chain.missing_intermediate", seen)


def _public(certificate: Certificate) -> bool:
    """Whether it looks like one of a public authority: those say where their own certificate is to be had, and log what
    they issue. A private authority's root, which nobody sends, is no intermediate that is missing."""
    return bool(certificate.issuer_urls or certificate.timestamps)


def _unknown(facts: Facts, last: Certificate) -> Finding:
    """A root that is not trusted here, sent or not."""
    seen = [_sent(facts, last)]
    if last.self_issued:
        seen.append(Evidence(f"sha256:{last.fingerprint}", "fingerprint:"))
    if last.namesake_root:
        seen.append(Evidence("a root of the same name, with another key", "trusted here:"))
    store = facts.policy.ca_file or facts.policy.ca_dir
    return finding(facts, "tls.chain.unknown_ca", seen, root=last.issuer, **({"store": store} if store else {}))


def _expired(facts: Facts, path: Sequence[Certificate]) -> Iterator[Finding]:
    """Certificates of authorities that have run out, also a root that was not sent."""
    for certificate in path[1:]:
        if certificate.not_after < facts.now:
            seen = [_sent(facts, certificate)]
            values = {"not_after": date(certificate.not_after), "subject": certificate.subject}
            yield finding(facts, "tls.chain.expired_ca", seen, **values)
    verdict = facts.tls.verify_code if facts.tls else 0
    if verdict == EXPIRED and all(certificate.not_after >= facts.now for certificate in path):
        seen = [_sent(facts, path[-1]), Evidence("expired, as OpenSSL says", "its root:")]
        yield finding(facts, "tls.chain.expired_ca", seen, subject=path[-1].issuer)


def _tidiness(facts: Facts, path: Sequence[Certificate]) -> Iterator[Finding]:
    """Order and surplus; they cost something or trouble old clients, and stop nobody."""
    positions = [facts.chain.index(certificate) for certificate in path]
    if any(above < below for below, above in pairwise(positions)):
        yield finding(facts, "tls.chain.order", [_sent(facts, c) for c in facts.chain if c])
    namesakes = {certificate.issuer for certificate in path}
    surplus = [
        c
        for i, c in enumerate(facts.chain)
        if c and (c in facts.chain[:i] or (c not in path and (c.subject not in namesakes or c.not_after < facts.now)))
    ]
    if surplus:
        yield finding(facts, "tls.chain.extra_certs", [_sent(facts, c) for c in surplus])
    if len(path) > 1 and path[-1].self_issued and path[-1].trusted_issuer:
        yield finding(facts, "tls.chain.root_sent", [_sent(facts, path[-1])])


def _sent(facts: Facts, certificate: Certificate) -> Evidence:
    number = facts.chain.index(certificate) + 1
    over = f", expired {date(certificate.not_after)}" if certificate.not_after < facts.now else ""
    text = f"{certificate.subject}, issued by {certificate.issuer}{over}"
    return Evidence(text, f"sent {number} of {len(facts.chain)}:")
