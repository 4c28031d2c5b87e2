"""What can go wrong in the TLS handshake apart from certificates: versions, ciphers, client certificates, pins."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

ENTRIES = (
    Entry(
        id="tls.version.no_tls12",
        severity=Severity.ERROR,
        mx_severity=Severity.WARNING,
        stage=Stage.TLS,
        title="{host} and smtpctl have no TLS version in common[ (this side: {minimum} and newer)]",
        message="TLS 1.0 and 1.1 are retired; clients of today begin at 1.2.",
        causes=(
            because(
                0.7,
                "The server is too old, or its settings are.",
                fix(
                    "Allow TLS 1.2 and 1.3 on the server, and upgrade its TLS library if it knows neither.",
                ),
            ),
            because(
                0.3,
                "The profile asks for a newer version than the server has (`tls_min`).",
                fix(
                    "Begin at 1.2.",
                    "smtpctl profile set {profile} tls_min=1.2",
                    safe=True,
                ),
            ),
        ),
        source="RFC 8996; RFC 8997; RFC 9325 3.1.1",
    ),
    Entry(
        id="tls.handshake_failed",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="The TLS handshake with {target} failed[: {reason}]",
        message="Neither the version, the cipher nor the certificate explains it by itself; OpenSSL's words are in the "
        "evidence.",
        causes=(
            because(
                0.4,
                "A proxy, firewall or virus scanner between here and the server breaks the handshake.",
                fix(
                    "Try from another network.",
                ),
            ),
            because(
                0.3,
                "The server has no certificate for this name, or cannot read it.",
                fix(
                    "Look at the server's log for this minute.",
                ),
            ),
            because(
                0.3,
                "The port is not the one for this mode.",
                fix(
                    "Try the usual pairs: TLS from the first octet on 465, STARTTLS on 587.",
                    "smtpctl check {host}:465 --tls implicit",
                    "smtpctl check {host}:587 --tls starttls",
                ),
            ),
        ),
        source="RFC 8446 6.2",
    ),
    Entry(
        id="tls.cipher.no_overlap",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} and smtpctl have no cipher in common",
        message="The server ended the handshake after it saw what this side can do.",
        causes=(
            because(
                0.5,
                "The server allows only old ciphers, or only one kind for which it has no key.",
                fix(
                    "On the server, use the library's default cipher list.",
                ),
            ),
            because(
                0.3,
                "The server demands a client certificate and says so badly (TLS 1.2).",
                fix(
                    "Give the profile one.",
                    "smtpctl profile set {profile} client_cert=<file>",
                    safe=True,
                ),
            ),
            because(
                0.2,
                "The system's OpenSSL policy forbids what the server needs.",
                fix(
                    "See what this machine allows.",
                    "openssl ciphers -v",
                ),
            ),
        ),
        source="RFC 5246 7.2.2; RFC 8446 6.2",
    ),
    Entry(
        id="tls.dh_too_small",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} uses Diffie-Hellman parameters that are too short to be safe",
        message="OpenSSL refuses them (DH_KEY_TOO_SMALL), and so do most clients.",
        causes=(
            because(
                0.9,
                "The server's parameters have 1024 bits or fewer.",
                fix(
                    "On the server, drop DHE or use 2048 bits (Postfix: `smtpd_tls_dh1024_param_file = auto`).",
                ),
            ),
        ),
        source="RFC 9325 4.1; weakdh.org",
    ),
    Entry(
        id="tls.client_cert_required",
        severity=Severity.ERROR,
        mx_severity=Severity.WARNING,
        stage=Stage.TLS,
        title="{host} wants a client certificate",
        message="The server asked for a certificate in the handshake and went no further without one that it accepts.",
        causes=(
            because(
                0.6,
                "The profile has none.",
                fix(
                    "Give it the certificate and its key.",
                    "smtpctl profile set {profile} client_cert=<file> client_key=<file>",
                    safe=True,
                ),
            ),
            because(
                0.4,
                "The certificate is expired, not for clients, or from an authority that the server does not know.",
                fix(
                    "Look at its dates and purpose.",
                    "openssl x509 -in <file> -noout -dates -ext extendedKeyUsage",
                ),
            ),
        ),
        source="RFC 8446 4.3.2, 4.4.2, 6.2",
    ),
    Entry(
        id="tls.pin_mismatch",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} presents another certificate than the one that is pinned",
        message="The profile names the only certificate or key that it accepts. The server's are in the evidence. "
        "Nothing was sent.",
        causes=(
            because(
                0.7,
                "The server got a new certificate, and the pin was of the old one.",
                fix(
                    "Ask the operator for the new value through another channel, then set it.",
                    "smtpctl profile set {profile} pin=sha256:<value>",
                    safe=True,
                ),
                fix("A pin of the public key survives renewals that keep the key."),
            ),
            because(0.3, "Another machine stands in for the server.", fix("Do not log in.")),
        ),
        source="RFC 7858 Appendix A; RFC 7469 2.4",
    ),
    Entry(
        id="tls.handshake_timeout",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} did not go on with the TLS handshake[ within {seconds} s]",
        message="The connection stands, and the hello was sent, but no answer came.",
        causes=(
            because(
                0.5,
                "The port speaks clear text first: both sides wait for the other.",
                fix(
                    "Try STARTTLS on this port.",
                    "smtpctl check {target} --tls starttls",
                ),
            ),
            because(
                0.3,
                "A firewall lets small packets through and drops large ones (path MTU).",
                fix(
                    "Try from another network.",
                ),
            ),
            because(0.2, "The server is overloaded.", fix("Try again in some minutes.")),
        ),
        source="RFC 8446 4.1.2; RFC 8314 3.3",
    ),
    Entry(
        id="tls.client_cert_refused",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        status=ExitStatus.AUTH,
        title="{host} does not accept our client certificate[: {reason}]",
        message="The certificate was presented, and the server ended the session over it.",
        causes=(
            because(
                0.4,
                "The server does not know the authority that issued it.",
                fix(
                    "Ask the operator which authorities they accept, and send the intermediate certificates along.",
                ),
            ),
            because(
                0.3,
                "It has expired.",
                fix(
                    "Look at its dates.",
                    "openssl x509 -in <file> -noout -dates -ext extendedKeyUsage",
                ),
            ),
            because(
                0.3,
                "It is not for clients: its extended key usage lacks clientAuth. Public authorities stopped "
                "issuing such certificates in 2026.",
                fix("Get one from the authority that the server trusts."),
            ),
        ),
        source="RFC 8446 6.2",
    ),
)
