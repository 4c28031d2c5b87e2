"""Channel bindings: the hash that the certificate's own signature names (RFC 5929 4.1)."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from smtpctl.model import der
from smtpctl.protocol.binding import channel_bindings, server_end_point
from transcripts import SECURED

RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


def certificate(key: object, algorithm: hashes.HashAlgorithm | None, **more: object) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.example.com")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(1))  # type: ignore[attr-defined]
    return builder.sign(key, algorithm, **more).public_bytes(Encoding.DER)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "algorithm", "name"),
    [
        (RSA, hashes.SHA256(), "sha256"), (RSA, hashes.SHA384(), "sha384"), (RSA, hashes.SHA512(), "sha512"),
        (EC, hashes.SHA256(), "sha256"), (EC, hashes.SHA384(), "sha384"), (EC, hashes.SHA512(), "sha512"),
    ],
)  # fmt: skip
def test_the_hash_is_that_of_the_signature(key: object, algorithm: hashes.HashAlgorithm, name: str) -> None:
    octets = certificate(key, algorithm)
    assert server_end_point(octets) == hashlib.new(name, octets).digest()


def test_undefined_for_signatures_without_a_hash_of_their_own() -> None:
    assert server_end_point(certificate(ed25519.Ed25519PrivateKey.generate(), None)) == b""
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    assert server_end_point(certificate(RSA, hashes.SHA256(), rsa_padding=pss)) == b""


def test_both_kinds() -> None:
    octets = certificate(EC, hashes.SHA256())
    session = SECURED._replace(chain=(octets,), tls_unique=b"finished")
    assert channel_bindings(session) == {
        "tls-server-end-point": hashlib.sha256(octets).digest(),
        "tls-unique": b"finished",
    }
    assert channel_bindings(SECURED) == {}


@pytest.mark.parametrize("key", [RSA, EC])
def test_public_key_as_cryptography_has_it(key: object) -> None:
    from cryptography.hazmat.primitives.serialization import PublicFormat

    octets = certificate(key, hashes.SHA256())
    assert der.public_key_info(octets) == key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]


def test_what_is_no_certificate() -> None:
    whole = certificate(EC, hashes.SHA256())
    for octets in (b"", b"\x30", b"nonsense", whole[:40], b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" + whole):
        assert isinstance(server_end_point(octets), bytes)
        assert isinstance(der.public_key_info(octets), bytes)
    assert server_end_point(b"") == b""
