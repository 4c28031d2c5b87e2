"""Certificates from DER to facts (cryptography here only). Nothing is judged: that is `checks.certificate`."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import TlsPolicy
from smtpctl.net.tls import fingerprints

if TYPE_CHECKING:
    from cryptography import x509

CHAIN_LIMIT = 20  # certificates that are looked at; more is no chain
_FILE_LIMIT = 1 << 20  # octets in which the first certificate of a file stands
_DAY = 86400.0
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
Anchors: TypeAlias = "Mapping[bytes, Sequence[x509.Certificate]]"


def parse(chain: Sequence[bytes], policy: TlsPolicy) -> tuple[Certificate | None, ...]:
    """The facts of a presented chain, leaf first; None for a certificate that a strict parser refuses."""
    if not chain:
        return ()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a later version will refuse it is no news for a terminal
        parsed = [_load(der) for der in chain[:CHAIN_LIMIT]]
        roots = _anchors(parsed, policy)
        return tuple(
            _facts(certificate, der, parsed, roots)._replace(notice=policy.renew_before * _DAY) if certificate else None
            for certificate, der in zip(parsed, chain, strict=False)
        )


def pem(chain: Sequence[bytes]) -> str:
    """Certificates as they stand in files of other programs (RFC 7468)."""
    return "".join(map(ssl.DER_cert_to_PEM_cert, chain))


def of_file(path: str) -> Certificate | None:
    """The facts of the first certificate of a PEM file; None without a path, and for what cannot be read: `net.tls`
    says so when the file is used."""
    if not path:
        return None
    try:
        if not Path(path).is_file():  # a device may have no end, and a pipe can be read once
            return None
        with Path(path).open("rb") as file:
            text = file.read(_FILE_LIMIT).decode("ascii", "replace")
        first = text[text.index(_BEGIN) : text.index(_END) + len(_END)]
        octets = ssl.PEM_cert_to_DER_cert(first)
    except (OSError, ValueError):
        return None
    return parse((octets,), TlsPolicy(ca_file=path))[0]


def with_issuer(chain: Sequence[bytes], policy: TlsPolicy) -> tuple[x509.Certificate | None, x509.Certificate | None]:
    """The first certificate of a presented chain and the one that signed it, sent with it or a trusted root; None where no
    signature proves that one is it."""
    parsed = [_load(der) for der in chain[:CHAIN_LIMIT]]
    leaf = parsed[0] if parsed else None
    if leaf is None:
        return None, None
    roots = _anchors([leaf], policy).get(leaf.issuer.public_bytes(), ())
    signers = [one for one in (*parsed[1:], *roots) if one and signed(leaf, one, strictly=True)]
    return leaf, next(iter(signers), None)


def of_octets(octets: bytes) -> tuple[str, tuple[bytes, ...]]:
    """The form of what came from an authority, and the certificates in it (DER): `DER`, which is one (RFC 5280 4.2.2.1),
    `PKCS #7`, which may be several, or `PEM`, which some serve although it is neither. Empty for octets that are none of these,
    given back as they are: no certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    if octets.lstrip().startswith(_BEGIN.encode()):
        try:
            return "PEM", (ssl.PEM_cert_to_DER_cert(octets.decode("ascii", "replace").strip()),)
        except ValueError:
            return "", (octets,)
    if _load(octets):
        return "DER", (octets,)
    try:
        found = pkcs7.load_der_pkcs7_certificates(octets)
        return "PKCS #7", tuple(one.public_bytes(Encoding.DER) for one in found)
    except Exception:  # UnsupportedAlgorithm, ValueError: a stranger wrote it
        return "", (octets,)


def _load(der: bytes) -> x509.Certificate | None:
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        # parsed on first use, and all of it can be malformed
        _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.not_valid_after_utc
    except Exception:  # InvalidVersion, DuplicateExtension, KeyError for an unknown flag ...: they share no other base
        return None
    return certificate


def _facts(
    certificate: x509.Certificate, der: bytes, chain: Sequence[x509.Certificate | None], roots: Anchors
) -> Certificate:
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID as Access

    constraints = extension(certificate, x509.BasicConstraints)
    usages = extension(certificate, x509.ExtendedKeyUsage)
    staple = extension(certificate, x509.TLSFeature)
    stamps = extension(certificate, x509.PrecertificateSignedCertificateTimestamps)
    own_id = extension(certificate, x509.SubjectKeyIdentifier)
    issuer_id = extension(certificate, x509.AuthorityKeyIdentifier)
    key, bits = _key(certificate)
    fingerprint, pin = fingerprints(der)
    namesakes = roots.get(certificate.issuer.public_bytes(), ())
    trusted = any(signed(certificate, root) for root in namesakes)
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        common_name=_common_name(certificate),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        serial=f"{certificate.serial_number:x}",
        key=key,
        bits=bits,
        hash=_hash(certificate),
        is_ca=bool(constraints and constraints.ca),
        usages=tuple(usage.dotted_string for usage in usages) if usages is not None else None,
        issuer_urls=_access(certificate, Access.CA_ISSUERS),
        revocation_urls=ocsp_urls(certificate) + crl_urls(certificate),
        must_staple=staple is not None and x509.TLSFeatureType.status_request in staple,
        timestamps=len(list(stamps)) if stamps is not None else 0,
        fingerprint=fingerprint,
        pin=pin,
        signed_by=_signer(certificate, chain, roots),
        trusted_issuer=trusted,
        namesake_root=bool(namesakes) and not trusted,
        key_id=own_id.digest.hex() if own_id else "",
        path_length=constraints.path_length if constraints else None,
        issuer_key_id=issuer_id.key_identifier.hex() if issuer_id and issuer_id.key_identifier else "",
    )


def extension(certificate: Any, kind: type[Any]) -> Any:
    """The value of an extension of a certificate, a list or an entry of one; None without it, or where it is malformed."""
    from cryptography.x509 import DuplicateExtension, ExtensionNotFound

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (ExtensionNotFound, DuplicateExtension, ValueError):
        return None


def _common_name(certificate: x509.Certificate) -> str:
    from cryptography.x509.oid import NameOID

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    alternative = extension(certificate, x509.SubjectAlternativeName)
    if alternative is None:
        return ()
    addresses = (str(address) for address in alternative.get_values_for_type(x509.IPAddress))
    return (*alternative.get_values_for_type(x509.DNSName), *addresses)


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    """What kind of key, and its size in bits."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "unknown", 0
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}", key.key_size
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return f"{'RSA' if isinstance(key, rsa.RSAPublicKey) else 'DSA'} {key.key_size}", key.key_size
    return type(key).__name__.removesuffix("PublicKey"), 256


def _hash(certificate: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name.upper() if algorithm else ""


def _access(certificate: x509.Certificate, method: Any) -> tuple[str, ...]:
    from cryptography import x509

    access = extension(certificate, x509.AuthorityInformationAccess) or ()
    return tuple(
        item.access_location.value
        for item in access
        if item.access_method == method and isinstance(item.access_location, x509.UniformResourceIdentifier)
    )


def ocsp_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where its OCSP responders are."""
    from cryptography.x509.oid import AuthorityInformationAccessOID as Access

    return _access(certificate, Access.OCSP)


def crl_points(certificate: x509.Certificate) -> tuple[x509.DistributionPoint, ...]:
    """Where the lists are that it would be in (RFC 5280 4.2.1.13)."""
    from cryptography import x509

    return tuple(extension(certificate, x509.CRLDistributionPoints) or ())


def crl_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """The addresses of these lists."""
    return tuple(url for point in crl_points(certificate) for url in urls(point))


def urls(point: x509.DistributionPoint) -> tuple[str, ...]:
    """Its addresses; they lead to the same list."""
    from cryptography import x509

    names = point.full_name or ()
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _signer(certificate: x509.Certificate, chain: Sequence[x509.Certificate | None], roots: Anchors) -> int:
    """Which certificate of the chain signed this one, by its key and not its name alone; -1 for none. Of several with the
    same key (cross-signed ones), that which leads to a trusted root, then that which is valid longest."""
    signers = [index for index, candidate in enumerate(chain) if candidate and signed(certificate, candidate)]

    def worth(index: int) -> tuple[bool, Any]:
        candidate: Any = chain[index]
        return candidate.issuer.public_bytes() in roots, candidate.not_valid_after_utc

    return max(signers, key=worth, default=-1)


def signed(certificate: x509.Certificate, issuer: x509.Certificate, *, strictly: bool = False) -> bool:
    """Whether the issuer's key signed the certificate; `strictly` also where it cannot be verified."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if issuer.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        # cryptography verifies no SHA-1 signatures any more; the name has to do then, weak_signature says the rest.
        return not strictly and not isinstance(error, InvalidSignature) and "nsupported" in str(error)
    return True


def _anchors(parsed: Sequence[x509.Certificate | None], policy: TlsPolicy) -> Anchors:
    """The trusted roots that have the name of an issuer of the chain, by that name (DER)."""
    issuers = {certificate.issuer.public_bytes() for certificate in parsed if certificate}
    found = {issuer: [_load(root) for root in _roots(policy) if issuer in root] for issuer in issuers}
    # The name may stand in a root as its issuer only: an intermediate in the trust store is no root.
    own = {
        issuer: tuple(
            root for root in roots if root and root.subject == root.issuer and issuer == root.subject.public_bytes()
        )
        for issuer, roots in found.items()
    }
    return {issuer: roots for issuer, roots in own.items() if roots}


@lru_cache(maxsize=4)
def _roots(policy: TlsPolicy) -> tuple[bytes, ...]:
    """The trusted roots in DER. OpenSSL looks a hashed folder up only as it needs it, so the bundle beside it is read."""
    store = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    system = ssl.get_default_verify_paths()
    explicit = bool(policy.ca_file or policy.ca_dir)
    file = policy.ca_file or (None if explicit else system.cafile)
    folder = policy.ca_dir or (None if explicit or file else system.capath)
    paths = [Path(file)] if file else []
    paths += sorted(Path(folder).iterdir()) if folder else []
    for path in paths:
        try:
            store.load_verify_locations(path)
        except (OSError, ValueError):  # ssl.SSLError is an OSError: a folder holds other files too
            continue
    if not paths:
        store.load_default_certs()  # Windows keeps roots in no file
    return tuple(store.get_ca_certs(binary_form=True))
