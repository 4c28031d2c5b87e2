"""TLS contexts, and what a handshake gave.

The presented chain is read right after the handshake, also when verification failed: OpenSSL names one fault, the
certificates show them all. The private call that reads it is the one that pip and truststore rely on.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model import der
from smtpctl.model.endpoint import TlsPolicy
from smtpctl.model.names import matches_any
from smtpctl.model.tls import TlsSession

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@lru_cache(maxsize=8)
def context(policy: TlsPolicy) -> ssl.SSLContext:
    """The client context of a policy; one each in a process, because loading trust anchors is what costs."""
    return fresh_context(policy)


def fresh_context(policy: TlsPolicy) -> ssl.SSLContext:
    """One of its own, for who changes it.

    With pins, or a name of its own to verify, OpenSSL does not judge what `check_pins` and `check_name` do.
    Problem `local.tls_file_unusable` for a CA or client certificate that cannot be loaded.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = _VERSIONS[policy.minimum]
    judged_here = bool(policy.pins) or not policy.verify
    made.check_hostname = not judged_here and not _own_name(policy)
    made.verify_mode = ssl.CERT_NONE if judged_here else ssl.CERT_REQUIRED
    _load(made.load_verify_locations, policy.ca_file, cafile=policy.ca_file or None)
    _load(made.load_verify_locations, policy.ca_dir, capath=policy.ca_dir or None)
    if not policy.ca_file and not policy.ca_dir and not judged_here:
        made.load_default_certs()
    # Without a password OpenSSL would ask for one on the terminal.
    files = {"certfile": policy.client_cert, "keyfile": policy.client_key or None, "password": ""}
    _load(made.load_cert_chain, policy.client_cert, **files)
    return made


def _load(loader: Any, path: str, **arguments: Any) -> None:
    if not path:
        return
    try:
        loader(**arguments)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "strerror", None) or str(error)
        raise entry("local.tls_file_unusable").problem(path=path, error=reason) from error


def trusts_nobody() -> bool:
    """Whether this machine has no root certificate that OpenSSL would find by itself."""
    made = ssl.create_default_context()
    if made.cert_store_stats()["x509_ca"]:
        return False
    folder = ssl.get_default_verify_paths().capath  # its files are read one by one, when one is asked for
    return not folder or not any(Path(folder).glob("*.[0-9]"))


def trust_places() -> tuple[str, ...]:
    """Where OpenSSL looks for root certificates."""
    paths = ssl.get_default_verify_paths()
    return (
        f"file: {paths.cafile or f'{paths.openssl_cafile} (does not exist)'}",
        f"folder: {paths.capath or f'{paths.openssl_capath} (does not exist)'}",
    )


def _own_name(policy: TlsPolicy) -> bool:
    """Whether the name to verify may differ from the one asked for: OpenSSL would verify the latter."""
    return bool(policy.sni or policy.verify_name)


def presented_chain(session: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates the peer sent, DER, leaf first; empty for a resumed session."""
    newer = getattr(session, "get_unverified_chain", None)  # Python 3.13
    if newer is not None:
        return tuple(newer() or ())
    chain = session._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # no public way before 3.13
    return tuple(certificate.public_bytes(ssl._ssl.ENCODING_DER) for certificate in chain or ())  # type: ignore[attr-defined]


def describe(session: ssl.SSLObject, name: str, *, verified: bool, error: ssl.SSLError | None = None) -> TlsSession:
    """The facts of a handshake, finished or failed at verification (`error`)."""
    cipher = session.cipher() or ("", "", 0)
    peer: Any = (session.getpeercert() or {}) if error is None else {}
    failed = isinstance(error, ssl.SSLCertVerificationError)
    binding = session.get_channel_binding("tls-unique") if session.version() == "TLSv1.2" else None
    return TlsSession(
        protocol=session.version() or "",
        cipher=cipher[0],
        bits=cipher[2] or 0,
        server_name=name,
        chain=presented_chain(session),
        verified=verified and error is None,
        verify_code=error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0 if verified else -1,
        verify_message=error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "",
        resumed=bool(session.session_reused) and not failed,
        tls_unique=binding or b"",
        subject=_common_name(peer),
        expires=_epoch(peer["notAfter"]) if "notAfter" in peer else 0.0,
    )


def _epoch(text: str) -> float:
    """`Jun  1 12:00:00 2027 GMT` in epoch seconds. ssl.cert_time_to_seconds does it too, but loads the locale for it."""
    month, day, clock, year, _ = text.split()
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC).timestamp()


def _common_name(peer: Any) -> str:
    names = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
    names += [value for kind, value in peer.get("subjectAltName", ()) if kind == "DNS"]
    return names[0] if names else ""


def check_name(session: ssl.SSLObject, policy: TlsPolicy, facts: TlsSession, target: str) -> None:
    """Verify the name where OpenSSL was not asked to. Problem `tls.cert.hostname_mismatch`."""
    if not policy.verify or policy.pins or not _own_name(policy):
        return
    peer: Any = session.getpeercert() or {}
    offered = [value for kind, value in peer.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    if not matches_any(offered, facts.server_name):
        raise entry("tls.cert.hostname_mismatch").problem(
            target=target, name=facts.server_name, offered=", ".join(offered) or "none", evidence=offered[:8]
        )


def fingerprints(certificate: bytes) -> tuple[str, str]:
    """SHA-256 of a certificate and of its public key, lower-case hex."""
    import hashlib

    return hashlib.sha256(certificate).hexdigest(), hashlib.sha256(der.public_key_info(certificate)).hexdigest()


def check_pins(policy: TlsPolicy, facts: TlsSession, target: str) -> None:
    """Compare the leaf with the policy's pins, also where nothing else is verified: who pins a certificate that no
    authority vouches for means that one. Problem `tls.pin_mismatch`."""
    if not policy.pins:
        return
    found = fingerprints(facts.chain[0]) if facts.chain else ()
    if not any(pin in found for pin in policy.pins):
        raise entry("tls.pin_mismatch").problem(
            target=target,
            pin=policy.pins[0],
            certificate=found[0] if found else "",
            public_key=found[1] if found else "",
            evidence=[f"certificate sha256:{found[0]}", f"public key sha256:{found[1]}"] if found else [],
        )
