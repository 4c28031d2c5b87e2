"""What an authority says of a certificate, and whether it counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chains import NOW, Authority, Made, made
from smtpctl.model.endpoint import TlsPolicy
from smtpctl.net.plainhttp import Errand
from smtpctl.net.revocation import Revocation, ask

SHA256 = hashes.SHA256()
OCSP_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
DIRECTORY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CRL7")])
COMPROMISED = frozenset({x509.ReasonFlags.key_compromise})
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def authority() -> Iterator[Authority]:
    made = Authority()
    with made.web:
        yield made


def leaf(
    authority: Authority,
    *,
    responder: bool = True,
    lists: bool = True,
    reasons: frozenset[x509.ReasonFlags] | None = None,
) -> Made:
    def at(path: str) -> x509.UniformResourceIdentifier:
        return x509.UniformResourceIdentifier(authority.url(path))

    more: list[x509.ExtensionType] = []
    if responder:
        more.append(x509.AuthorityInformationAccess([x509.AccessDescription(Access.OCSP, at("/ocsp"))]))
    if lists:
        names = [x509.DirectoryName(DIRECTORY), at("/crl"), at("/copy")]
        more.append(x509.CRLDistributionPoints([x509.DistributionPoint(names, None, reasons, None)]))
    return made("localhost", authority.root, server=True, more=more)


def said(authority: Authority, of: Made) -> Revocation:
    return ask((of.der, authority.root.der), TlsPolicy(ca_file="none.pem"), Errand("127.0.0.1"), NOW.timestamp())


def answer(
    of: Made,
    issuer: Made,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    *,
    signer: Made | None = None,
    named: list[Made] | None = None,
    since: timedelta = -HOUR,
    until: timedelta | None = DAY,
) -> bytes:
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        of.certificate, issuer.certificate, hashes.SHA1(), status, NOW + since, NOW + until if until else None,
        NOW - DAY if revoked else None, x509.ReasonFlags.key_compromise if revoked else None,
    )  # fmt: skip
    signer = signer or issuer
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    if named:
        builder = builder.certificates([one.certificate for one in named])
    return builder.sign(signer.key, SHA256).public_bytes(Encoding.DER)


def listed(
    issuer: Made,
    *serials: int,
    since: timedelta = -HOUR,
    until: timedelta = DAY,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    **scope: Any,
) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(NOW + since).next_update(NOW + until)
    for serial in serials:
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY)
        one = one.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False)
        builder = builder.add_revoked_certificate(one.build())
    if scope:
        flags = dict.fromkeys(("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl",
                               "only_contains_attribute_certs"), False)  # fmt: skip
        names = dict.fromkeys(("full_name", "relative_name", "only_some_reasons"))
        builder = builder.add_extension(x509.IssuingDistributionPoint(**names | flags | scope), critical=True)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key, SHA256).public_bytes(Encoding.DER)


def test_good(authority: Authority) -> None:
    one = leaf(authority)
    authority.files["/ocsp"] = answer(one, authority.root)
    found = said(authority, one)
    assert (found.status, found.source, found.url) == ("good", "OCSP", authority.url("/ocsp"))
    assert found.as_of == int((NOW - HOUR).timestamp())
    [asked] = authority.web.requests
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/ocsp-request")


def test_revoked(authority: Authority) -> None:
    one = leaf(authority)
    authority.files["/ocsp"] = answer(one, authority.root, ocsp.OCSPCertStatus.REVOKED)
    found = said(authority, one)
    assert (found.status, found.reason, found.on) == ("revoked", "keyCompromise", int((NOW - DAY).timestamp()))


def test_a_responder_that_the_issuer_named(authority: Authority) -> None:
    one = leaf(authority, lists=False)
    named = made("Responder", authority.root, more=[OCSP_SIGNING])
    authority.files["/ocsp"] = answer(one, authority.root, signer=named, named=[named])
    assert said(authority, one).status == "good"


@pytest.mark.parametrize("flaw", ["purpose", "stranger", "expired", "key", "not sent"])
def test_a_responder_that_nobody_named(authority: Authority, flaw: str) -> None:
    one, other = leaf(authority, lists=False), made("Root")  # of the same name, with a key of its own
    issuer = other if flaw == "stranger" else authority.root
    purpose = [] if flaw == "purpose" else [OCSP_SIGNING]
    named = made("Responder", issuer, more=purpose, ends=-1 if flaw == "expired" else 9)
    signer = made("Responder", other, more=[OCSP_SIGNING]) if flaw == "key" else named
    authority.files["/ocsp"] = answer(one, authority.root, signer=signer, named=[] if flaw == "not sent" else [named])
    found = said(authority, one)
    assert (found.status, found.why) == ("unknown", "OCSP: the responder's signature is not that of the issuer")


USELESS: list[tuple[dict[str, Any], str]] = [
    ({"status": ocsp.OCSPCertStatus.UNKNOWN}, "does not know the certificate"),
    ({"since": -2 * DAY, "until": -DAY}, "out of date"),
    ({"since": DAY, "until": 2 * DAY}, "from the future"),
    ({"since": -2 * DAY, "until": None}, "does not say how long it counts"),
]


@pytest.mark.parametrize(("how", "why"), USELESS)
def test_an_answer_that_says_nothing(authority: Authority, how: dict[str, Any], why: str) -> None:
    one = leaf(authority, lists=False)
    authority.files["/ocsp"] = answer(one, authority.root, **how)
    found = said(authority, one)
    assert found.status == "unknown"
    assert why in found.why


def test_an_answer_about_another(authority: Authority) -> None:
    one = leaf(authority, lists=False)
    authority.files["/ocsp"] = answer(leaf(authority), authority.root)
    assert said(authority, one).why == "OCSP: the responder answered about another certificate"


def test_a_responder_that_refuses(authority: Authority) -> None:
    one = leaf(authority, lists=False)
    refusal = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    authority.files["/ocsp"] = refusal.public_bytes(Encoding.DER)
    assert said(authority, one).why == "OCSP: the responder said unauthorized"


@pytest.mark.parametrize("octets", [b"", b"<html>", b"\x30\x80" * 1000])
def test_no_answer_at_all(authority: Authority, octets: bytes) -> None:
    one = leaf(authority)
    authority.files |= {"/ocsp": octets, "/crl": octets}
    found = said(authority, one)
    told = {
        "OCSP": "what the responder said is no OCSP answer",
        "CRL": "what is there is no list of revoked certificates",
    }
    assert (found.status, found.why) == ("unknown", "; ".join(f"{source}: {why}" for source, why in told.items()))
    assert [(one.source, one.url, one.why) for one in found.silent] == [
        (source, authority.url(f"/{source.lower()}"), why) for source, why in told.items()
    ]


@pytest.mark.parametrize("flaw", range(40))
def test_no_octets_break_it(authority: Authority, flaw: int) -> None:
    one = leaf(authority)
    for path, whole in (("/ocsp", answer(one, authority.root)), ("/crl", listed(authority.root, 7))):
        octets = bytearray(whole)
        octets[len(octets) * flaw // 40] ^= 0xFF
        authority.files[path] = bytes(octets)
    assert said(authority, one).status == "unknown"


def test_the_list_where_the_responder_is_silent(authority: Authority) -> None:
    one = leaf(authority)
    authority.files["/crl"] = listed(authority.root, one.certificate.serial_number)
    found = said(authority, one)
    assert (found.status, found.source, found.reason) == ("revoked", "CRL", "superseded")
    assert [(one.source, one.why) for one in found.silent] == [("OCSP", "127.0.0.1 answered with status 404")]
    authority.files["/crl"] = listed(authority.root, 7, 8, only_contains_user_certs=True)
    assert said(authority, one).status == "good"


def at(url: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(url)]


UNKNOWN_TO_ALL = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\x05\x00")  # RFC 5612
LISTS: list[tuple[dict[str, Any], str]] = [
    ({"since": -2 * DAY, "until": -DAY}, "out of date"),
    ({"only_contains_ca_certs": True}, "about other certificates"),
    ({"indirect_crl": True}, "about other certificates"),
    ({"full_name": at("http://127.0.0.1/other.crl")}, "about other certificates"),
    ({"relative_name": x509.RelativeDistinguishedName(DIRECTORY)}, "about other certificates"),
    ({"only_some_reasons": COMPROMISED}, "about some reasons"),
    ({"more": [(x509.DeltaCRLIndicator(5), True)]}, "only what is new"),
    ({"more": [(UNKNOWN_TO_ALL, True)]}, "demands what is not known here"),
]


@pytest.mark.parametrize(("how", "why"), LISTS)
def test_a_list_that_says_nothing(authority: Authority, how: dict[str, Any], why: str) -> None:
    one = leaf(authority, responder=False)
    authority.files["/crl"] = listed(authority.root, **how)
    assert why in said(authority, one).why


def test_a_list_for_the_certificate(authority: Authority) -> None:
    one = leaf(authority, responder=False)
    for name in (at(authority.url("/crl")), at(authority.url("/copy")), [x509.DirectoryName(DIRECTORY)]):
        authority.files["/crl"] = listed(authority.root, full_name=[*at("http://127.0.0.1/"), *name])
        assert said(authority, one).status == "good"
    authority.files["/crl"] = listed(authority.root, more=[(x509.CRLNumber(5), False), (UNKNOWN_TO_ALL, False)])
    assert said(authority, one).status == "good"


def test_what_a_list_about_some_reasons_says(authority: Authority) -> None:
    """It can revoke, and cannot clear; whether the list itself says so, or the certificate of it."""
    one = leaf(authority, responder=False, reasons=COMPROMISED)
    for scope in ({}, {"only_some_reasons": COMPROMISED}):
        authority.files["/crl"] = listed(authority.root, one.certificate.serial_number, **scope)
        assert said(authority, one).status == "revoked"
        authority.files["/crl"] = listed(authority.root, **scope)
        assert "about some reasons" in said(authority, one).why


def test_an_answer_of_today_needs_no_end(authority: Authority) -> None:
    one = leaf(authority)
    authority.files["/ocsp"] = answer(one, authority.root, until=None)
    assert said(authority, one).status == "good"


def test_a_list_of_somebody_else(authority: Authority) -> None:
    one = leaf(authority, responder=False)
    for other in (made("Root"), made("Somebody")):
        authority.files["/crl"] = listed(other, one.certificate.serial_number)
        assert said(authority, one).why == "CRL: the list is not signed by the issuer"


def test_nobody_to_ask(authority: Authority) -> None:
    one = leaf(authority, responder=False, lists=False)
    assert said(authority, one).why == "the certificate names nobody to ask"
    alone = ask((leaf(authority).der,), TlsPolicy(ca_file="none.pem"), Errand("127.0.0.1"), NOW.timestamp())
    assert "not at hand" in alone.why
    assert authority.web.requests == []
