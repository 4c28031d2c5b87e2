"""Two fields of a certificate straight from its DER (X.690, RFC 5280 4.1), so that logging in needs no X.509 library."""

from __future__ import annotations


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Start and end of the content of the element at `at`; IndexError when it is cut short."""
    length = der[at + 1]
    start = at + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(der[start : start + count], "big")
        start += count
    if start + length > len(der):
        raise IndexError
    return start, start + length


def signature_algorithm(certificate: bytes) -> bytes:
    """The OID of the signature algorithm as DER content; empty for what is no certificate."""
    try:
        body, _ = _content(certificate, 0)
        _, after = _content(certificate, body)  # tbsCertificate
        algorithm, _ = _content(certificate, after)
        start, end = _content(certificate, algorithm)
    except IndexError:
        return b""
    return certificate[start:end]


def public_key_info(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo in DER, which SPKI pins and TLSA selector 1 are hashes of; empty for what is no certificate."""
    try:
        body, _ = _content(certificate, 0)
        at, _ = _content(certificate, body)
        # serialNumber, signature, issuer, validity, subject stand before it, and a version tagged [0] where it is not 1
        for _ in range(6 if certificate[at] == 0xA0 else 5):
            at = _content(certificate, at)[1]
        return certificate[at : _content(certificate, at)[1]]
    except IndexError:
        return b""
