"""The chain from the server's certificate up to a root that is trusted here: what is missing, wrong or too much.

A missing intermediate is named, with the place it can be had from; that is the one fault that clients hide from each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from smtpctl.checks.certificate import date, finding, strength
from smtpctl.checks.facts import Facts
from smtpctl.model.certificate import Certificate
from smtpctl.model.finding import Evidence, Finding

EXPIRED, PATH_LENGTH = 10, 25  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_PATH_LENGTH_EXCEEDED
# What OpenSSL can say of a server's own certificate: `certificate` has it. Dates, purpose, name, address, key, signature.
_OF_ITSELF = frozenset({9, EXPIRED, 26, 62, 63, 64, 66, 67, 68})
# What may stand in a command that is to be pasted: whoever answered wrote it.
PLAIN_URL = r"https?://[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?/[a-zA-Z0-9_./%+,=-]*"


def chain(facts: Facts) -> Iterator[Finding]:
    """From the server's certificate up to a root that is trusted here."""
    if not facts.chain or facts.chain[0] is None:
        return
    path = needed(facts)
    found = [*_link(facts, path)]
    for certificate in path[1:]:
        found += strength(facts, certificate, _sent(facts, certificate))
    found += [*_expired(facts, path), *_too_long(facts, path)]
    yield from found or _refused(facts, path)
    yield from _tidiness(facts, _path(facts.chain))


def needed(facts: Facts) -> Sequence[Certificate]:
    """The server's certificate and those above it, up to the first that a trusted root signed, or as far as they were
    sent. What is sent above that is a bridge for other clients."""
    path = _path(facts.chain)
    anchor = next((index for index, certificate in enumerate(path) if certificate.trusted_issuer), len(path))
    return path[: anchor + 1]


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
        url = next(iter(last.issuer_urls), "")
        seen = [*(_sent(facts, certificate) for certificate in path), Evidence(last.issuer, "missing:")]
        seen += [Evidence(url, "get it from:")] if url else []
        command = {"url": url} if re.fullmatch(PLAIN_URL, url) else {}
        yield finding(facts, "tls.chain.missing_intermediate", seen, **command)


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


def _too_long(facts: Facts, path: Sequence[Certificate]) -> Iterator[Finding]:
    """An authority with more authorities below it than its issuer allowed. Those that signed themselves anew under their
    own name do not count (RFC 5280 6.1.4 l, m)."""
    for number, certificate in enumerate(path[1:], 1):
        below = [one for one in path[1:number] if not one.self_issued]
        if certificate.path_length is not None and len(below) > certificate.path_length:
            allowed = Evidence(
                f"{certificate.path_length} below it; the chain has {len(below)}", "authorities allowed:"
            )
            seen = [*(_sent(facts, one) for one in (*below, certificate)), allowed]
            yield finding(facts, "tls.chain.path_length", seen, subject=certificate.subject)
            return
    if facts.tls and facts.tls.verify_code == PATH_LENGTH:
        seen = [*(_sent(facts, one) for one in path), Evidence("allows fewer, as OpenSSL says", "its root:")]
        yield finding(facts, "tls.chain.path_length", seen, subject=path[-1].issuer)


def _refused(facts: Facts, path: Sequence[Certificate]) -> Iterator[Finding]:
    """What OpenSSL refused for a reason that nothing here explains: its words, with the chain."""
    if facts.tls and facts.tls.verify_code > 0 and facts.tls.verify_code not in _OF_ITSELF:
        words = facts.tls.verify_message
        seen = [Evidence(f"{words} (verify code {facts.tls.verify_code})", "OpenSSL:")]
        seen += [_sent(facts, certificate) for certificate in path]
        yield finding(facts, "tls.cert.untrusted", seen, reason=words)


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
