"""Whether an authority has revoked a certificate, as it says itself: OCSP (RFC 6960), then its list (CRL, RFC 5280 5).

An answer counts only with a signature of the issuer, or of a responder that the issuer named, and within its own dates; a
list only for the certificates and reasons it is about. It came in plain HTTP, so that anybody on the way may have put
another answer of the same issuer in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from smtpctl.model.endpoint import TlsPolicy
from smtpctl.model.record import NamedTuple
from smtpctl.net import certificate, plainhttp
from smtpctl.net.plainhttp import Errand, NotFetched

if TYPE_CHECKING:
    from cryptography import x509

LIST_LIMIT = 8 * 1024 * 1024  # octets of a list; large authorities divide theirs into parts of some hundred kB
_SKEW = timedelta(minutes=5)  # between its clock and ours
_UNDATED = timedelta(days=1)  # how long an answer counts that does not say until when
_REQUEST = "application/ocsp-request"


class Silence(NamedTuple):
    """Who was asked, and `why` that tells nothing."""

    source: str
    url: str
    why: str


class Revocation(NamedTuple):
    """What the authority says: `status` is `good`, `revoked` or `unknown`; `source` is `OCSP` or `CRL`, asked at `url`, as it
    was at `as_of` (epoch seconds). `on` and `reason` belong to `revoked`, `why` to `unknown`. `silent` were asked too."""

    status: str
    source: str = ""
    url: str = ""
    as_of: float = 0.0
    on: float = 0.0
    reason: str = ""
    why: str = ""
    silent: tuple[Silence, ...] = ()


class _Useless(Exception):
    """An answer that says nothing; its words say why."""


def ask(chain: tuple[bytes, ...], policy: TlsPolicy, errand: Errand, now: float) -> Revocation:
    """What the authority says of the first certificate of a presented chain."""
    leaf, issuer = certificate.with_issuer(chain, policy)
    if leaf is None or issuer is None:
        return Revocation(
            "unknown", why="the certificate of its issuer is not at hand, and answers are held against that"
        )
    silent: list[Silence] = []
    clock = datetime.fromtimestamp(now, UTC)
    for source, url, one in _ways(leaf):
        try:
            found = one(url, leaf, issuer, errand, clock)
        except (NotFetched, _Useless) as error:
            silent.append(Silence(source, url, str(error)))
            continue
        return found._replace(source=source, url=url, silent=tuple(silent))
    why = "; ".join(f"{one.source}: {one.why}" for one in silent) or "the certificate names nobody to ask"
    return Revocation("unknown", why=why, silent=tuple(silent))


def _ways(leaf: x509.Certificate) -> Iterator[tuple[str, str, Callable[..., Revocation]]]:
    """The first place of each kind; more of them are copies."""
    for source, urls, one in (
        ("OCSP", certificate.ocsp_urls(leaf), _ocsp),
        ("CRL", certificate.crl_urls(leaf), _crl),
    ):
        for url in urls[:1]:
            yield source, url, one


def _ocsp(url: str, leaf: x509.Certificate, issuer: x509.Certificate, errand: Errand, now: datetime) -> Revocation:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    names = hashes.SHA1()  # noqa: S303  # of public names, no signature; every responder knows it
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, names).build()
    octets = plainhttp.fetch(url, errand, form=(_REQUEST, request.public_bytes(Encoding.DER)))
    try:
        response = ocsp.load_der_ocsp_response(octets)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise _Useless(f"the responder said {response.response_status.name.lower().replace('_', ' ')}")
        asked = (request.serial_number, request.issuer_name_hash, request.issuer_key_hash)
        single = next(
            (
                one
                for one in response.responses
                if (one.serial_number, one.issuer_name_hash, one.issuer_key_hash) == asked
            ),
            None,
        )
        if single is None:
            raise _Useless("the responder answered about another certificate")
        if not any(_signed(response, signer.public_key()) for signer in _responders(response, issuer, now)):
            raise _Useless("the responder's signature is not that of the issuer")
    except ValueError as error:
        raise _Useless("what the responder said is no OCSP answer") from error
    as_of = _current(single.this_update_utc, single.next_update_utc, now)
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise _Useless("the responder does not know the certificate")
    if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return Revocation("good", as_of=as_of)
    return _revoked(single.revocation_time_utc, single.revocation_reason, as_of)


def _responders(response: Any, issuer: x509.Certificate, now: datetime) -> Iterator[x509.Certificate]:
    """Who may answer: the issuer, and those it made for this (RFC 6960 4.2.2.2)."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    yield issuer
    for one in response.certificates:
        purposes = certificate.extension(one, x509.ExtendedKeyUsage) or ()
        valid = one.not_valid_before_utc <= now <= one.not_valid_after_utc
        if valid and ExtendedKeyUsageOID.OCSP_SIGNING in purposes and certificate.signed(one, issuer, strictly=True):
            yield one


def _signed(response: Any, key: Any) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    more: tuple[Any, ...] = ()
    with suppress(InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError):
        if isinstance(key, rsa.RSAPublicKey):
            more = (padding.PKCS1v15(), response.signature_hash_algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            more = (ec.ECDSA(response.signature_hash_algorithm),)
        key.verify(response.signature, response.tbs_response_bytes, *more)
        return True
    return False


def _crl(url: str, leaf: x509.Certificate, issuer: x509.Certificate, errand: Errand, now: datetime) -> Revocation:
    from cryptography import x509
    from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

    octets = plainhttp.fetch(url, errand, limit=LIST_LIMIT)
    try:
        found = x509.load_der_x509_crl(octets)
        mine = found.issuer == issuer.subject and found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        entry = found.get_revoked_certificate_by_serial_number(leaf.serial_number)
        demands = {one.oid for one in (*found.extensions, *(entry.extensions if entry else ())) if one.critical}
        scope = certificate.extension(found, x509.IssuingDistributionPoint)
        reason = certificate.extension(entry, x509.CRLReason) if entry else None
    except Exception as error:  # ValueError, TypeError, DuplicateExtension ...: a stranger wrote it
        raise _Useless("what is there is no list of revoked certificates") from error
    if not mine:
        raise _Useless("the list is not signed by the issuer")
    if ExtensionOID.DELTA_CRL_INDICATOR in demands:
        raise _Useless("the list has only what is new since another one")
    if demands - {ExtensionOID.ISSUING_DISTRIBUTION_POINT, CRLEntryExtensionOID.CRL_REASON}:
        raise _Useless("the list demands what is not known here")  # RFC 5280 5.2: it must not be used
    point = next(one for one in certificate.crl_points(leaf) if url in certificate.urls(one))
    if scope and not _covers(scope, point, leaf):
        raise _Useless("the list is about other certificates")
    as_of = _current(found.last_update_utc, found.next_update_utc, now)
    if entry:
        return _revoked(entry.revocation_date_utc, reason.reason if reason else None, as_of)
    if point.reasons or (scope and scope.only_some_reasons):  # in another list it may be for another
        raise _Useless("the list is about some reasons to revoke one, not about all")
    return Revocation("good", as_of=as_of)


def _covers(scope: x509.IssuingDistributionPoint, point: x509.DistributionPoint, leaf: x509.Certificate) -> bool:
    """Whether a list of this scope is one for the certificate, which names it in `point` (RFC 5280 6.3.3 b 2). A list of
    several issuers is none, nor one that says its name in part."""
    from cryptography import x509

    constraints = certificate.extension(leaf, x509.BasicConstraints)
    kind = scope.only_contains_user_certs if constraints and constraints.ca else scope.only_contains_ca_certs
    if kind or scope.only_contains_attribute_certs or scope.indirect_crl or scope.relative_name:
        return False
    return scope.full_name is None or not set(scope.full_name).isdisjoint(point.full_name or ())


def _current(since: datetime, until: datetime | None, now: datetime) -> float:
    """When the answer was true; _Useless where it is not any more, or not yet."""
    if since > now + _SKEW:
        raise _Useless(f"the answer is from the future ({since:%Y-%m-%d %H:%M} UTC)")
    if until is not None and until < now - _SKEW:
        raise _Useless(f"the answer is out of date since {until:%Y-%m-%d %H:%M} UTC")
    if until is None and since < now - _UNDATED - _SKEW:  # RFC 6960 2.4: newer information is available at all times
        raise _Useless(f"the answer is of {since:%Y-%m-%d %H:%M} UTC, and does not say how long it counts")
    return since.timestamp()


def _revoked(on: datetime | None, reason: x509.ReasonFlags | None, as_of: float) -> Revocation:
    told = reason.value if reason and reason.value != "unspecified" else ""
    return Revocation("revoked", as_of=as_of, on=on.timestamp() if on else as_of, reason=told)
