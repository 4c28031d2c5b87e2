"""What can go wrong in the TLS handshake apart from certificates, versions and ciphers, and what a scan of it finds."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

ENTRIES = (
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
        id="tls.dh_too_small",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} uses Diffie-Hellman parameters that are too short to be safe[ ({bits} bits)]",
        message="Under 2048 bits they are within reach of somebody with means. OpenSSL refuses the shortest "
        "(DH_KEY_TOO_SMALL), and so do most clients.",
        causes=(
            because(
                0.9,
                "The server has a parameter file of its own, or a library that is old.",
                fix(
                    "On the server, drop DHE or use 2048 bits (Postfix 3.7 and newer: leave `smtpd_tls_dh1024_param_file` empty; "
                    "older: name a file with 2048 bits there).",
                ),
            ),
        ),
        source="RFC 9325 4.1; weakdh.org",
    ),
    Entry(
        id="tls.curve_too_small",
        severity=Severity.WARNING,
        mx_severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} uses elliptic curves that are too short to be safe[: {curves}]",
        message="Curves of less than 224 bits are as strong as RSA with 1024 bits or less, and were withdrawn for TLS. Clients "
        "that offer none of them are not affected.",
        causes=(
            because(
                0.9,
                "The server has a list of curves of its own, or a library that is old.",
                fix(
                    "On the server, leave the choice of curves to the library (Postfix: leave `tls_eecdh_auto_curves` as it is; "
                    "Exim: leave `tls_eccurve` as it is).",
                ),
            ),
        ),
        source="RFC 8422 5.1.1; NIST SP 800-57 part 1, table 2",
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
        knowledge=("generic.tls-client-cert-not-presented",),
    ),
    Entry(
        id="tls.client_cert_no_clientauth_eku",
        severity=Severity.WARNING,
        stage=Stage.TLS,
        title="Our client certificate[ {path}] is not meant for clients",
        message="Its extended key usage does not list clientAuth. A server that looks at the purpose ends the handshake over it.",
        causes=(
            because(
                0.8,
                "It comes from a public authority. They stopped putting clientAuth into server certificates in 2026.",
                fix(
                    "Get one for clients from the authority that the server trusts, usually a private one.",
                    "smtpctl profile set {profile} client_cert=<file> client_key=<file>",
                ),
            ),
            because(
                0.2,
                "A server's certificate was taken for it.",
                fix("Look what each file is for.", "openssl x509 -in <file> -noout -subject -ext extendedKeyUsage"),
            ),
        ),
        source="RFC 5280 4.2.1.12; Let's Encrypt, Ending TLS Client Authentication Certificate Support in 2026",
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
    Entry(
        id="tls.compression",
        severity=Severity.ERROR,
        mx_severity=Severity.WARNING,
        stage=Stage.TLS,
        title="{host} compresses inside TLS",
        message="How well a text shrinks tells what is in it: who can add to it and see its length finds out passwords "
        "(CRIME).",
        causes=(
            because(
                1.0,
                "The TLS library of the server is older than 2013, or compression was switched on.",
                fix("Switch it off (Postfix: `tls_ssl_options = NO_COMPRESSION`) and upgrade the library."),
            ),
        ),
        source="RFC 9325 3.3; CVE-2012-4929",
    ),
    Entry(
        id="tls.insecure_renegotiation",
        severity=Severity.WARNING,
        stage=Stage.TLS,
        title="{host} does not know secure renegotiation",
        message="Somebody on the way can put octets of their own before a client's session, and the server takes them for "
        "the client's. Clients with OpenSSL 3 do not go on with such a server.",
        causes=(
            because(
                1.0,
                "The TLS library of the server is older than 2010 (OpenSSL before 0.9.8m).",
                fix("Upgrade it."),
            ),
        ),
        source="RFC 5746; CVE-2009-3555; RFC 9325 3.5; OpenSSL: ossl-guide-migration(7), SSL_OP_LEGACY_SERVER_CONNECT",
    ),
    Entry(
        id="tls.no_ems",
        severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} does not know the extended master secret",
        message="With TLS 1.2 and older, two sessions can be made to share a key, which spoils what binds a login to its "
        "connection. TLS 1.3 does not have the fault.",
        causes=(
            because(
                1.0,
                "The TLS library of the server is older than 2016 (OpenSSL before 1.1.0).",
                fix("Upgrade it, or allow TLS 1.3."),
            ),
        ),
        source="RFC 7627; RFC 9325 3.5",
    ),
    Entry(
        id="tls.version_intolerant",
        severity=Severity.WARNING,
        stage=Stage.TLS,
        title="{host} ends the session when newer TLS versions are offered",
        message="A server should choose the newest version that it knows. Asked for one version alone it answers; asked for "
        "all at once, as clients of today do, it does not.",
        causes=(
            because(
                0.6,
                "A firewall or load balancer on the way does not understand newer hellos.",
                fix("Try from another network; upgrade the device, or have it let TLS through as it is."),
            ),
            because(0.4, "The TLS library of the server is very old.", fix("Upgrade it.")),
        ),
        source="RFC 8446 4.2.1, Appendix D",
    ),
    Entry(
        id="tls.sni_default_cert",
        severity=Severity.WARNING,
        mx_severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} shows the certificate for {name} only to clients that ask for the name",
        message="Without SNI it presents another one. Old clients and some mail servers do not send SNI, and see a "
        "certificate that does not fit.",
        causes=(
            because(
                1.0,
                "The certificate stands in a map of names; the default is another one.",
                fix("Make it the default (Postfix: `smtpd_tls_chain_files`; the map is `tls_server_sni_maps`)."),
            ),
        ),
        source="RFC 6066 3",
    ),
    Entry(
        id="tls.addresses_differ",
        severity=Severity.WARNING,
        stage=Stage.TLS,
        title="The addresses of {host} present different certificates or TLS versions",
        message="Which one a client gets is a matter of chance. What works now may fail the next time, and nobody can tell why.",
        causes=(
            because(
                0.6,
                "One machine was not given the new certificate or settings, or was not reloaded.",
                fix("Compare the dates in the evidence, bring the odd one up to date and reload it."),
            ),
            because(
                0.3,
                "Each machine renews a certificate of its own for the shared name.",
                fix("That is no fault as long as each is valid. Pins must name all of them, or their authority."),
            ),
            because(
                0.1,
                "One address belongs to somebody else: an old record, or a balancer that was forgotten.",
                fix("Remove it from DNS."),
            ),
        ),
        source="RFC 5321 5.1",
    ),
    Entry(
        id="tls.resumption",
        severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} does not resume TLS sessions",
        message="Every connection costs a whole handshake. That matters to who sends many mails over short connections.",
        causes=(
            because(
                0.6,
                "Tickets and the session cache are switched off.",
                fix(
                    "Switch them on (Postfix: `smtpd_tls_session_cache_database`, or tickets, which are on by default)."
                ),
            ),
            because(
                0.4,
                "The name leads to several machines that do not share their ticket keys.",
                fix("Share the keys, or live with it."),
            ),
        ),
        source="RFC 8446 2.2; RFC 5077",
    ),
)
