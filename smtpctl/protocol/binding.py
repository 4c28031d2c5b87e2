"""TLS channel bindings for the -PLUS mechanisms (RFC 5929).

Python's ssl gives `tls-unique` (TLS 1.2 and older only) and nothing for TLS 1.3; `tls-server-end-point` is a hash
of the certificate and works with both. The hash function is the one of the certificate's signature, which is read
here from the DER so that logging in needs no X.509 library.
"""

from __future__ import annotations

from smtpctl.model import der
from smtpctl.model.tls import TlsSession

# signatureAlgorithm OIDs (as DER content) whose hash is not SHA-256; MD5 and SHA-1 count as SHA-256 (RFC 5929 4.1).
_HASHES = {
    bytes.fromhex("2a864886f70d01010c"): "sha384",  # sha384WithRSAEncryption
    bytes.fromhex("2a864886f70d01010d"): "sha512",  # sha512WithRSAEncryption
    bytes.fromhex("2a8648ce3d040303"): "sha384",  # ecdsa-with-SHA384
    bytes.fromhex("2a8648ce3d040304"): "sha512",  # ecdsa-with-SHA512
}
# Ed25519 and Ed448 have no separate hash, RSASSA-PSS names it in parameters: the binding is undefined or not read.
_UNDEFINED = frozenset({bytes.fromhex("2b6570"), bytes.fromhex("2b6571"), bytes.fromhex("2a864886f70d01010a")})


def server_end_point(certificate: bytes) -> bytes:
    """The `tls-server-end-point` data for a certificate in DER; empty where the RFC defines none."""
    import hashlib

    oid = der.signature_algorithm(certificate)
    return b"" if not oid or oid in _UNDEFINED else hashlib.new(_HASHES.get(oid, "sha256"), certificate).digest()


def channel_bindings(tls: TlsSession) -> dict[str, bytes]:
    """What this connection can be bound by: type name (RFC 5929) -> data."""
    found: dict[str, bytes] = {}
    if tls.chain and (data := server_end_point(tls.chain[0])):
        found["tls-server-end-point"] = data
    if tls.tls_unique:
        found["tls-unique"] = tls.tls_unique
    return found
