"""Certificates that a stranger made: whatever their octets say, they become facts or nothing, quietly and in bounded time."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smtpctl.model import der
from smtpctl.model.endpoint import TlsPolicy
from smtpctl.net.certificate import CHAIN_LIMIT, parse
from smtpctl.net.tls import fingerprints
from smtpctl.protocol.binding import server_end_point

NOW = datetime.now(UTC)
KEYS: dict[str, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey] = {
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
}


def made(kind: str, names: list[str]) -> bytes:
    """A certificate in DER with everything in it that is read."""
    key = KEYS[kind]
    url = x509.UniformResourceIdentifier("http://ca.test/x")
    extensions: list[x509.ExtensionType] = [
        x509.SubjectAlternativeName([*map(x509.DNSName, names), x509.IPAddress(ip_address("192.0.2.1"))]),
        x509.BasicConstraints(ca=False, path_length=None),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.TLSFeature([x509.TLSFeatureType.status_request]),
        x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)]),
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(Access.OCSP, url), x509.AccessDescription(Access.CA_ISSUERS, url)]
        ),
    ]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 4711, NOW - timedelta(1), NOW + timedelta(1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def mutant(original: bytes, chance: Random) -> bytes:
    octets = bytearray(original)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(octets))
        octets[at] = chance.choice((0x00, 0xFF, octets[at] ^ 1 << chance.randrange(8), chance.randrange(256)))
    return bytes(octets[: chance.randrange(len(octets))] if chance.random() < 0.02 else octets)


@pytest.mark.filterwarnings("error")  # a warning would reach the terminal
@pytest.mark.parametrize("kind", KEYS)
def test_no_octets_break_it(kind: str) -> None:
    original, chance, policy = made(kind, ["mail.test", "*.mail.test"]), Random(1), TlsPolicy(ca_file="none.pem")
    refused = 0
    for _ in range(1500):
        octets = mutant(original, chance)
        facts = parse([octets, original], policy)
        refused += facts[0] is None
        assert facts[1] is not None
        server_end_point(octets)
        fingerprints(octets)
    assert 0 < refused < 1500


@pytest.mark.parametrize(
    "octets", [b"", b"\x30", b"\x30\xff", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 1000, bytes(4096)]
)
def test_what_is_no_certificate_is_nothing(octets: bytes) -> None:
    assert parse([octets], TlsPolicy()) == (None,)
    assert der.signature_algorithm(octets) == b""
    assert fingerprints(octets)[0]


def test_names_are_taken_as_they_stand() -> None:
    (facts,) = parse([made("ec", ["mail.test\0.evil.test", "\x1b[31m.test"])], TlsPolicy())
    assert facts is not None
    assert facts.names == ("mail.test\0.evil.test", "\x1b[31m.test", "192.0.2.1")


def test_of_a_long_chain_the_beginning_is_read() -> None:
    one = made("ec", [f"host{number}.test" for number in range(10_000)])
    assert len(parse([one] * 100, TlsPolicy())) == CHAIN_LIMIT
    assert len(ssl.DER_cert_to_PEM_cert(one)) > 100_000
