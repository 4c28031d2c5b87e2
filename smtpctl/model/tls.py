"""What a TLS handshake gave, as facts."""

from __future__ import annotations

from typing import Any

from smtpctl.model.record import NamedTuple


def version_name(protocol: str) -> str:
    """A version as people write it: `TLS 1.3`, where OpenSSL says `TLSv1.3`."""
    return protocol.replace("TLSv", "TLS ")


class TlsSession(NamedTuple):
    """A finished handshake.

    `protocol` is `TLSv1.2` or `TLSv1.3`; `chain` the presented certificates as DER, leaf first, in the order
    sent; `verify_code` OpenSSL's X509_V_ERR number (0 for trusted, -1 for not asked) and `verify_message` its
    words; `subject` the leaf's common name or first alternative name and `expires` its notAfter in epoch seconds,
    where they could be read cheaply ("" and 0 else).
    """

    protocol: str
    cipher: str
    bits: int
    server_name: str
    chain: tuple[bytes, ...] = ()
    verified: bool = False
    verify_code: int = 0
    verify_message: str = ""
    resumed: bool = False
    tls_unique: bytes = b""  # RFC 5929 3, TLS 1.2 only
    subject: str = ""
    expires: float = 0.0

    def facts(self) -> dict[str, Any]:
        """JSON values for the transcript; the certificates themselves stay out."""
        return {
            "version": self.protocol,
            "cipher": self.cipher,
            "bits": self.bits,
            "server_name": self.server_name,
            "verified": self.verified,
            "verify_code": self.verify_code,
            "verify_message": self.verify_message,
            "certificates": len(self.chain),
            "subject": self.subject,
            "expires": self.expires,
            "resumed": self.resumed,
        }
