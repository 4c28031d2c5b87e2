"""Which cipher suites a server takes: those that protect too little, and those that are missing."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.transcript import Stage

_OWN_LIST = because(
    0.7,
    "The server has a cipher list of its own, made long ago or too wide.",
    fix("Use the library's default list (Postfix: leave `smtpd_tls_ciphers` and `tls_high_cipherlist` as they are)."),
)

ENTRIES = (
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
        id="tls.cipher.null_anon_export",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} takes cipher suites that protect nothing[: {which}]",
        message="NULL suites do not encrypt, EXPORT and single DES ones can be broken in hours, and anonymous ones let anybody "
        "on the way stand in for the server. On an MX, anonymous ones are usual: who does not verify loses nothing.",
        causes=(
            because(
                0.6,
                "The server offers anonymous suites for senders that verify nobody (Postfix does by default).",
                fix(
                    "Where people log in, leave them out (Postfix, in master.cf below submission and smtps: "
                    "`-o smtpd_tls_exclude_ciphers=aNULL`)."
                ),
            ),
            _OWN_LIST._replace(
                likelihood=0.4,
                remedies=(fix("Leave them out (OpenSSL's words: `!aNULL:!eNULL:!EXPORT:!DES`)."), *_OWN_LIST.remedies),
            ),
        ),
        source="RFC 9325 4.1; Postfix TLS_README",
    ),
    Entry(
        id="tls.cipher.rc4_3des",
        severity=Severity.WARNING,
        mx_severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} takes outdated ciphers[: {which}]",
        message="RC4 can be read by who records enough of it, and ciphers with blocks of 64 bits (3DES, IDEA) leak in long "
        "sessions. Clients of today never choose them; an attacker might.",
        causes=(
            _OWN_LIST,
            because(
                0.3, "The TLS library of the server is old.", fix("Upgrade it: newer ones have them switched off.")
            ),
        ),
        source="RFC 7465; RFC 9325 4.1; sweet32.info",
    ),
    Entry(
        id="tls.cipher.no_fs",
        severity=Severity.WARNING,
        mx_severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} has no forward secrecy[ with {version}]",
        message="Every suite it takes encrypts the session's key with the server's. Who records the traffic today and gets "
        "that key one day can read all of it, passwords too.",
        causes=(
            _OWN_LIST._replace(remedies=(fix("Allow ECDHE suites."), *_OWN_LIST.remedies)),
            because(
                0.3,
                "The key exchange that is left is switched off: no curve that clients know, or no DH parameters.",
                fix("Allow the usual curves (Postfix: leave `tls_eecdh_auto_curves` as it is)."),
            ),
        ),
        source="RFC 9325 4.1, 7.3",
    ),
)
