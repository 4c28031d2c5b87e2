"""A certificate as facts, as far as checks need them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from smtpctl.model.record import NamedTuple

RENEWAL = 14 * 86400  # seconds before its end from which on a certificate is late to be renewed


class Certificate(NamedTuple):
    """One X.509 certificate.

    Names are RFC 4514 strings, `names` the subject alternative names (DNS names and addresses), `common_name` the
    subject's CN. Times are epoch seconds. `key` reads `RSA 2048` or `EC secp256r1`, `bits` its strength in bits;
    `hash` the signature's hash in upper case (`SHA256`, empty where there is none). `usages` are extended key usage
    OIDs, None without the extension. Fingerprints are SHA-256 in lower-case hex, of the certificate and its SPKI.
    Key identifiers are what the certificate says of its key and of its issuer's, in hex.
    `signed_by` is the index in the presented chain of the certificate whose key signed this one, -1 for none of them.
    `path_length` is how many authorities may stand between it and a server, None for any number (RFC 5280 4.2.1.9).
    `notice` are the seconds before its end from which on it is to be renewed, 0 for what is usual.
    `trusted_issuer` says that a trusted root signed it, `namesake_root` that one has the issuer's name and another key.
    """

    subject: str
    issuer: str
    common_name: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    serial: str
    key: str
    bits: int
    hash: str
    is_ca: bool
    usages: tuple[str, ...] | None
    issuer_urls: tuple[str, ...]
    revocation_urls: tuple[str, ...]
    must_staple: bool
    timestamps: int
    fingerprint: str
    pin: str
    signed_by: int = -1
    trusted_issuer: bool = False
    namesake_root: bool = False
    key_id: str = ""
    issuer_key_id: str = ""
    path_length: int | None = None
    notice: float = 0.0

    @property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name."""
        return self.subject == self.issuer

    @property
    def renewal_due(self) -> float:
        """When it should have been renewed, in epoch seconds: `notice` before its end where that is set, else two weeks
        before it, or when a third of its life is left where that is less. Two weeks alone would be a warning on every
        day of a certificate for a week, a third alone one for four months of a certificate for a year."""
        return self.not_after - (self.notice or min(RENEWAL, (self.not_after - self.not_before) / 3))

    def lines(self) -> Iterator[str]:
        """What `-v` shows of it. A pin reads as `--pin` and a profile take it, and has a line of its own to be copied."""
        begins, ends = (
            datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") for at in (self.not_before, self.not_after)
        )
        yield f"{self.subject}, issued by {self.issuer}"
        yield f"valid {begins} to {ends}, {self.key}, signed with {self.hash or 'no hash of its own'}, serial {self.serial}"
        if self.names:
            yield f"names {', '.join(self.names)}"
        if not self.is_ca:
            yield from ("pin of the certificate", f"sha256:{self.fingerprint}")
            yield from ("pin of its public key", f"sha256:{self.pin}")

    def to_json(self) -> dict[str, Any]:
        """JSON values for a report."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "names": list(self.names),
            "not_before": int(self.not_before),
            "not_after": int(self.not_after),
            "renewal_due": int(self.renewal_due),
            "serial": self.serial,
            "key": self.key,
            "hash": self.hash,
            "ca": self.is_ca,
            "sha256": self.fingerprint,
            "pin": f"sha256:{self.pin}",
            "issuer_urls": list(self.issuer_urls),
        }
