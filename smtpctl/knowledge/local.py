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
        title="The clock of this machine differs from the server's[ by {offset}]",
        message="Certificates, tokens and Date headers all depend on the time. One of the two clocks is wrong; the rest of "
        "the world agrees with the other.",
        causes=(
            because(
                0.6,
                "This machine's clock is wrong: no time synchronisation runs.",
                fix("See what it says, and switch it on.", "timedatectl", "timedatectl set-ntp true"),
            ),
            because(
                0.4, "The server's clock is wrong.", fix("Compare both with a clock you trust; tell its operator.")
            ),
        ),
        source="RFC 5280 4.1.2.5; RFC 4120 1.6",
    ),
    Entry(
        id="local.port25_blocked",
        severity=Severity.WARNING,
        stage=Stage.CONNECT,
        title="Port 25 of {host} does not answer, other ports do",
        message="So the machine is there and the network works. Most clouds and access networks block port 25 outwards, "
        "against spam.",
        causes=(
            because(
                0.7,
                "The network or cloud that this machine is in blocks it.",
                fix(
                    "Send through a submission server on 587 or 465.",
                    "smtpctl check {host}:587",
                ),
                fix("If it must be port 25, ask whoever runs the network or the cloud account to open it outwards."),
            ),
            because(
                0.3,
                "The server takes no mail from others on port 25, or drops it for this address.",
                fix("Try from another network: if 25 answers there, it is blocked here."),
            ),
        ),
        source="Provider documentation (AWS, Azure, Google Cloud)",
    ),
    Entry(
        id="local.resolver_unreachable",
        severity=Severity.ERROR,
        stage=Stage.DNS,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="No resolver of this machine answers",
        message="{host} could not be looked up, and neither could anything else: the DNS servers that this machine is set to "
        "ask give no answer. The mail server was never reached.",
        causes=(
            because(
                0.5,
                "This machine is off the network, or a VPN that the DNS servers belong to is not connected.",
                fix("See whether there is a way out.", "ip route get 9.9.9.9"),
            ),
            because(
                0.3,
                "The addresses of the DNS servers are wrong or old.",
                fix("See which are asked, and correct them.", "cat /etc/resolv.conf"),
            ),
            because(0.2, "A firewall drops DNS (port 53).", fix("Ask whoever runs the network.")),
        ),
        source="resolv.conf(5); RFC 1035 4.2.1",
    ),
    Entry(
        id="local.ipv6_broken",
        severity=Severity.WARNING,
        stage=Stage.CONNECT,
        title="IPv6 does not work from here",
        message="Every IPv6 address failed, or gave no answer before IPv4 did although it was tried first. Clients that try "
        "one after the other wait each time.",
        causes=(
            because(
                0.9,
                "The network announces IPv6 and does not route it.",
                fix(
                    "Use IPv4 for this profile.",
                    "smtpctl profile set {profile} family=4",
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
