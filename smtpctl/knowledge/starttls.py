"""What can go wrong between clear text and TLS (RFC 3207)."""

from __future__ import annotations

from smtpctl.knowledge.families import SUBMISSION, Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_NO_CERTIFICATE = because(
    0.6,
    "The server has no usable key and certificate: not configured, not readable, or the two do not belong together.",
    fix("On the server, look at its log for the minute of this try; it names the file."),
    fix("Postfix: the key and the full chain in one file, key first, then reload.", "postfix reload"),
)

ENTRIES = (
    Entry(
        id="starttls.not_offered",
        severity=Severity.ERROR,
        mx_severity=Severity.WARNING,
        stage=Stage.STARTTLS,
        title="{host} does not offer STARTTLS on port {port}",
        message="Without it everything goes in clear text. In mode `starttls` smtpctl stops here; in mode `auto` it goes "
        "on, but never logs in with anything that could be read.",
        causes=(
            because(
                0.4,
                "It is another port: 465 with TLS from the start, or 587 for STARTTLS.",
                fix(
                    "Try the usual pairs: TLS from the first octet on 465, STARTTLS on 587.",
                    "smtpctl check {host}:465 --tls implicit",
                    "smtpctl check {host}:587 --tls starttls",
                ),
                facts=("not worked_before?",),
            ),
            because(
                0.3,
                "TLS is not set up on the server.",
                fix(
                    "Set it up (Postfix: `smtpd_tls_security_level = may` and `smtpd_tls_chain_files`).",
                ),
                facts=("not works_elsewhere?",),
            ),
            because(
                0.3,
                "A firewall on the way removes STARTTLS from the answer.",
                fix(
                    "Try from another network; with implicit TLS nothing can be removed.",
                    "smtpctl check {host}:465 --tls implicit",
                ),
                facts=("works_elsewhere",),
            ),
        ),
        source="RFC 3207 4, 6; RFC 8314 3.3",
    ),
    Entry(
        id="starttls.stripped",
        severity=Severity.ERROR,
        stage=Stage.STARTTLS,
        title="STARTTLS seems to be hidden from us on port {port} of {host}[: {elsewhere}]",
        message="Whoever removes STARTTLS from a server's answer keeps the connection in clear text, to read or change what "
        "is sent. Nothing was sent.",
        causes=(
            because(
                0.6,
                "A firewall with SMTP inspection, or somebody who listens, changes the answer on the way.",
                fix(
                    "With TLS from the first octet nothing can be removed.",
                    "smtpctl check {host}:465 --tls implicit",
                ),
                fix("Try from another network. If it works there, show both answers to whoever runs this one."),
            ),
            because(
                0.4,
                "The server has TLS on some of its ports only.",
                fix("Use a port that has it.", "smtpctl check {host}:587 --tls starttls"),
            ),
        ),
        source="RFC 3207 6; RFC 8461 1",
    ),
    Entry(
        id="starttls.refused",
        severity=Severity.ERROR,
        stage=Stage.STARTTLS,
        title="{host} offers STARTTLS but refuses it[: {reply_text}]",
        message="The server announces TLS and cannot do it just now. Nothing was sent in clear.",
        causes=(_NO_CERTIFICATE, because(0.4, "A passing problem of the server (454).", fix("Try again later."))),
        source="RFC 3207 4",
    ),
    Entry(
        id="starttls.no_tls_after_220",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} agreed to STARTTLS but did not begin TLS",
        message="After its 220 the server must speak TLS. It sent something else, or closed the connection.",
        causes=(
            _NO_CERTIFICATE,
            because(
                0.4,
                "A proxy or virus scanner between here and the server breaks the handshake.",
                fix(
                    "Try from another network, or with implicit TLS.",
                    "smtpctl check {host}:465 --tls implicit",
                ),
            ),
        ),
        source="RFC 3207 4",
    ),
    Entry(
        id="starttls.response_injection",
        severity=Severity.ERROR,
        stage=Stage.STARTTLS,
        status=ExitStatus.PROTOCOL,
        title="Clear text was slipped in between STARTTLS and TLS",
        message="More octets came after the server's 220, before the handshake. A client that keeps them takes an "
        "attacker's words for the server's. smtpctl threw them away.",
        causes=(
            because(
                0.5,
                "Somebody on the way tampers with the connection.",
                fix(
                    "Do not log in over this connection. Use implicit TLS.",
                    "smtpctl check {host}:465 --tls implicit",
                ),
            ),
            because(
                0.5,
                "The server or a proxy is defective and writes too much.",
                fix(
                    "Show the operator the octets in the evidence.",
                ),
            ),
        ),
        source="RFC 3207 6; Poddebniak et al., Why TLS Is Better Without STARTTLS (USENIX Security 2021)",
    ),
    Entry(
        id="starttls.command_injection",
        severity=Severity.ERROR,
        stage=Stage.STARTTLS,
        title="{host} carries out commands inside TLS that came before it",
        message="A command sent in clear right behind STARTTLS was answered inside TLS. Somebody on the way can begin a "
        "session with commands of their own, which the server takes for the client's: a login, a mail.",
        causes=(
            because(
                0.8,
                "The server keeps what it has read when TLS begins, a fault that many servers had until 2011 or 2021.",
                fix("Upgrade it."),
                fix(
                    "Until then use implicit TLS, where nothing comes before.",
                    "smtpctl check {host}:465 --tls implicit",
                ),
            ),
            because(
                0.2,
                "A proxy in front of the server does it.",
                fix("Upgrade the proxy, or let it pass TLS through as it is."),
            ),
        ),
        source="RFC 3207 4.2; CVE-2011-0411; CVE-2021-33515; USENIX Security 2021, NO STARTTLS",
    ),
    Entry(
        id="starttls.auth_before_tls",
        severity=Severity.WARNING,
        stage=Stage.EHLO,
        title="{host} offers a login before TLS",
        message="Anyone between a client and the server can then make the client send its password in clear text. "
        "smtpctl did not do so.",
        causes=(
            because(
                0.9,
                "The server does not tie the login to TLS.",
                fix(
                    "On the server, offer AUTH only with TLS (Postfix: `smtpd_tls_auth_only = yes`).",
                ),
            ),
        ),
        source="RFC 4954 4; RFC 8314 3",
    ),
    Entry(
        id="starttls.auth_missing_after_tls",
        severity=Severity.ERROR,
        role=SUBMISSION,
        stage=Stage.EHLO,
        status=ExitStatus.AUTH,
        title="{host} offers no login, not even with TLS",
        message="The profile has credentials, but the server has no AUTH among its extensions.",
        causes=(
            because(
                0.5,
                "Port 25 takes mail from other servers; logins are on 587 or 465.",
                fix(
                    "Use the submission port.",
                    "smtpctl check {host}:587",
                ),
            ),
            because(
                0.3,
                "The server trusts addresses instead of logins (a relay).",
                fix(
                    "Say that the profile does not log in.",
                    "smtpctl profile set {profile} auth=none",
                ),
            ),
            because(
                0.2, "SASL is not set up on the server.", fix("Set it up (Postfix: `smtpd_sasl_auth_enable = yes`).")
            ),
        ),
        source="RFC 6409 3.1, 4.3; RFC 4954 3",
    ),
    Entry(
        id="starttls.required_530",
        severity=Severity.NOTE,
        stage=Stage.STARTTLS,
        title="{host} wants TLS before anything else",
        message="A command in clear was answered with 530. That is what a server does that takes mail inside TLS only, and "
        "it is right to.",
        causes=(
            because(
                0.9,
                "The settings say no TLS for a server that wants it.",
                fix("Use STARTTLS.", "smtpctl profile set {profile} tls=starttls"),
            ),
        ),
        source="RFC 3207 4",
    ),
)
