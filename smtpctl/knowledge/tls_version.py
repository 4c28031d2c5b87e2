"""Which TLS versions a server takes: retired ones that are on, and new ones that are not."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.transcript import Stage

# postconf(5), smtpd_tls_protocols; Exim specification, openssl_options and tls_require_ciphers; Dovecot, ssl_min_protocol.
_OLD_SETTINGS = because(
    0.8,
    "The server's settings begin that low. Some defaults still do (Postfix: TLS 1.0).",
    fix(
        "Begin at TLS 1.2. Postfix 3.6 and newer: both `smtpd_tls_protocols` and `smtpd_tls_mandatory_protocols` = "
        "`>=TLSv1.2`; older: `!SSLv2, !SSLv3, !TLSv1, !TLSv1.1`."
    ),
    fix(
        "Exim with OpenSSL: `openssl_options = +no_sslv2 +no_sslv3 +no_tlsv1 +no_tlsv1_1`; with GnuTLS (Debian's): "
        "`tls_require_ciphers = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1`. Dovecot: `ssl_min_protocol = TLSv1.2`. Exchange: the "
        "SCHANNEL keys of the registry."
    ),
)
_OLD_CLIENTS = because(
    0.2,
    "An old program or device still needs it.",
    fix("Give that client a port of its own, and close the version on all others."),
)

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
                ),
                facts=("tls_min_raised",),
            ),
        ),
        source="RFC 8996; RFC 8997; RFC 9325 3.1.1",
    ),
    Entry(
        id="tls.version.ssl2",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} still takes SSL 2.0",
        message="SSL 2.0 protects nothing. A server that speaks it gives away the sessions of every other one that has the same "
        "key, with TLS too (DROWN).",
        causes=(
            because(
                0.9,
                "The TLS library of the server is from before 2016.",
                fix("Upgrade it, and make a new key: the old one may be known."),
            ),
            _OLD_CLIENTS._replace(likelihood=0.1),
        ),
        source="RFC 6176 3; CVE-2016-0800 (drownattack.com)",
    ),
    Entry(
        id="tls.version.ssl3",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{host} still takes SSL 3.0",
        message="SSL 3.0 has been broken since 2014 (POODLE): who is on the way can read what is encrypted with it.",
        causes=(_OLD_SETTINGS, _OLD_CLIENTS),
        source="RFC 7568 3; RFC 9325 3.1.1",
    ),
    Entry(
        id="tls.version.tls10",
        severity=Severity.WARNING,
        mx_severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} still takes TLS 1.0",
        message="TLS 1.0 is retired. Clients of today begin at 1.2; a login that can be talked down to 1.0 is a risk. An MX "
        "may leave it on: the alternative of an old sender is clear text.",
        causes=(_OLD_SETTINGS, _OLD_CLIENTS),
        source="RFC 8996 4; RFC 8997; RFC 9325 3.1.1",
    ),
    Entry(
        id="tls.version.tls11",
        severity=Severity.WARNING,
        mx_severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} still takes TLS 1.1",
        message="TLS 1.1 is retired. Clients of today begin at 1.2; a login that can be talked down to 1.1 is a risk. An MX "
        "may leave it on: the alternative of an old sender is clear text.",
        causes=(_OLD_SETTINGS, _OLD_CLIENTS),
        source="RFC 8996 5; RFC 8997; RFC 9325 3.1.1",
    ),
    Entry(
        id="tls.version.no_tls13",
        severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} has no TLS 1.3",
        message="TLS 1.2 is safe where it is set up well. 1.3 saves a round trip and leaves nothing to set up badly.",
        causes=(
            because(
                0.6,
                "The TLS library of the server is older than 2018 (OpenSSL before 1.1.1).",
                fix("Upgrade it."),
            ),
            because(
                0.4,
                "The settings leave 1.3 out.",
                fix("Name only the oldest version that is allowed (Postfix: `smtpd_tls_protocols = >=TLSv1.2`)."),
            ),
        ),
        source="RFC 9325 3.1.1; RFC 8446",
    ),
)
