"""What can be wrong on this machine rather than at a server."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

ENTRIES = (
    Entry(
        id="local.trust_store_empty",
        severity=Severity.WARNING,
        stage=Stage.TLS,
        title="This machine has no trusted root certificates",
        message="Without them no server's certificate can be verified, however good it is.",
        causes=(
            because(
                0.6,
                "The package with the roots is not installed (small containers).",
                fix(
                    "Install it.",
                    "apt-get install ca-certificates",
                ),
            ),
            because(
                0.2,
                "Python from python.org on macOS: its certificates are installed by a script.",
                fix(
                    "Run it once.",
                    "open '/Applications/Python 3.12/Install Certificates.command'",
                ),
            ),
            because(
                0.2,
                "SSL_CERT_FILE or SSL_CERT_DIR points at nothing.",
                fix("Unset it.", "unset SSL_CERT_FILE SSL_CERT_DIR"),
            ),
        ),
        source="Python ssl module: get_default_verify_paths",
    ),
    Entry(
        id="local.openssl_policy",
        severity=Severity.NOTE,
        stage=Stage.TLS,
        title="The TLS settings of this machine are stricter than what was to be tried",
        message="OpenSSL left out versions or ciphers before anything reached the network.",
        causes=(
            because(
                0.9,
                "openssl.cnf sets a minimum version or a security level.",
                fix(
                    "See where it lies.",
                    "openssl version -d",
                ),
            ),
        ),
        source="OpenSSL: SSL_CTX_set_security_level",
    ),
    Entry(
        id="local.clock_skew",
        severity=Severity.WARNING,
        stage=Stage.TLS,
        title="The clock of this machine seems to be wrong[ by {offset}]",
        message="Certificates, tokens and Date headers all depend on it.",
        causes=(because(0.9, "No time synchronisation runs.", fix("Switch it on.", "timedatectl set-ntp true")),),
        source="RFC 5280 4.1.2.5",
    ),
    Entry(
        id="local.port25_blocked",
        severity=Severity.WARNING,
        stage=Stage.CONNECT,
        title="Port 25 does not get out of this network",
        message="Other ports of the same servers answer. Most clouds and access networks block 25 against spam.",
        causes=(
            because(
                0.9,
                "The network's operator blocks it.",
                fix(
                    "Send through a submission server on 587 or 465.",
                    "smtpctl check {host}:587",
                ),
            ),
        ),
        source="Provider documentation (AWS, Azure, Google Cloud)",
    ),
    Entry(
        id="local.ipv6_broken",
        severity=Severity.WARNING,
        stage=Stage.CONNECT,
        title="IPv6 does not work from here",
        message="Every IPv6 address failed and IPv4 works. Clients that try IPv6 first wait each time.",
        causes=(
            because(
                0.9,
                "The network announces IPv6 and does not route it.",
                fix(
                    "Use IPv4 for this profile.",
                    "smtpctl profile set {profile} family=4",
                    safe=True,
                ),
            ),
        ),
        source="RFC 8305",
    ),
    Entry(
        id="local.tls_file_unusable",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Cannot use the file {path}[: {error}]",
        message="The profile names this file (certificate, key, authorities), and it is needed before connecting.",
        causes=(
            because(0.5, "The path is wrong or relative to another folder.", fix("Write it in full.", "ls -l {path}")),
            because(0.3, "This user may not read it.", fix("Give the user the right to read it.")),
            because(
                0.2,
                "It is no PEM file, or the key has a pass phrase or belongs to another certificate.",
                fix(
                    "Look what it is.",
                    "openssl x509 -in {path} -noout -subject",
                ),
            ),
        ),
        source="Python ssl module: load_cert_chain, load_verify_locations",
    ),
)
