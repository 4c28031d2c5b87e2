"""A throw-away certificate authority for a server on loopback (`cryptography`, loaded only when TLS is on).

ECDSA P-256 and SHA-256 throughout; valid for a week, or as long as the folder it was written to is kept.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smtpctl.model.record import NamedTuple

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_VALID = timedelta(days=7)
_BEFORE = timedelta(hours=1)  # clocks differ
_NAMES = ("localhost", "sink.localhost", "127.0.0.1", "::1")


class Files(NamedTuple):
    """PEM files of one folder: the authority's certificate for clients, and what the server shows."""

    ca: Path
    certificate: Path
    key: Path


class Flaw(NamedTuple):
    """What is wrong with the server's certificate: `begins` is how far from now it begins to be valid, `name` the only name
    that it has, `alone` whether nobody but itself signed it."""

    begins: timedelta = -_BEFORE
    name: str = ""
    alone: bool = False


SOUND = Flaw()
FLAWS: Mapping[str, Flaw] = {
    "expired": Flaw(begins=-_VALID - timedelta(days=3)),
    "not_yet_valid": Flaw(begins=timedelta(days=2)),
    "other_name": Flaw(name="mail.example.net"),
    "self_signed": Flaw(alone=True),
}


class Identity(NamedTuple):
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes


def create(folder: Path, names: Sequence[str] = (), clients: Sequence[str] = (), flaw: str = "") -> Files:
    """Write an authority and a certificate for `names` besides the loopback's, unless the folder holds them already.

    A certificate with one of `FLAWS`, and an authority for it, goes to a folder of its own in there. For each of `clients` a client certificate goes to `client-NAME.pem`, key included. OSError if it cannot write.
    """
    folder, wrong = folder / flaw, FLAWS.get(flaw, SOUND)
    files = Files(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if all(path.exists() for path in files):
        return files
    ca_key, ca = _authority()
    whole = (wrong.name,) if wrong.name else (names[0] if names else _NAMES[0], *_NAMES, *names)
    server = _issue(ca_key, ca, whole[0], whole, server=True, flaw=wrong)
    _write(files.ca, _pem(ca))
    _write(files.certificate, server.certificate)
    _write(files.key, server.key)
    for name in clients:
        client = _issue(ca_key, ca, name, (), server=False)
        _write(folder / f"client-{name}.pem", client.certificate + client.key)
    return files


def context(files: Files, *, ask_client: bool = False) -> ssl.SSLContext:
    """A server's context; `ask_client` wants a certificate of this authority from clients but takes them without."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files.certificate, files.key)
    if ask_client:
        made.load_verify_locations(files.ca)
        made.verify_mode = ssl.CERT_OPTIONAL
    return made


def certificate_hash(files: Files) -> bytes:
    """The tls-server-end-point channel binding (RFC 5929 4.1); SHA-256, as the certificate is signed with it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(files.certificate.read_text("ascii"))).digest()


def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("smtpctl sink, not for real use", key)
    builder = builder.issuer_name(_name("smtpctl sink, not for real use"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(sign_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return key, _sign(builder, key)


def _issue(
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    name: str,
    alternatives: Sequence[str],
    *,
    server: bool,
    flaw: Flaw = SOUND,
) -> Identity:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    signer = key if flaw.alone else ca_key
    builder = _builder(name, key, flaw.begins).issuer_name(_name(name) if flaw.alone else ca.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(sign_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    if alternatives:
        unique = list(dict.fromkeys(alternatives))
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_general_name, unique))), critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(_pem(_sign(builder, signer)), private)


def _builder(name: str, key: ec.EllipticCurvePrivateKey, begins: timedelta = -_BEFORE) -> x509.CertificateBuilder:
    from cryptography import x509

    begin = datetime.now(UTC) + begins
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _BEFORE + _VALID)
    )


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography.hazmat.primitives import hashes

    return builder.sign(key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general_name(text: str) -> x509.GeneralName:
    import ipaddress

    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # whoever made it before could read what is written into it
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
