"""What can be wrong with the certificate that a server presents. Its chain is in `chain.py`."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.transcript import Stage

_NOTE, _WARNING, _ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR

_REISSUE = fix(
    "Have it issued again with a current tool (certbot, acme.sh, the provider's panel), then reload the server."
)
_BY_NAME = fix(
    "Use a name that the certificate is for. See first whether this server answers to it, without a login.",
    "[smtpctl check {nearest}:{port} --auth none]",
    "smtpctl profile set {profile} host=<name>",
)
# postfix(1) reload; doveadm-reload(1); Exim, section 43 (SIGHUP); nginx "Controlling nginx"; Enable-ExchangeCertificate.
_RELOAD = fix(
    "Have the mail server read the new file (Postfix: `postfix reload`; Dovecot: `doveadm reload`; Exim: `systemctl reload "
    "exim4`; nginx or HAProxy in front of it: reload that; Exchange: `Enable-ExchangeCertificate -Services SMTP -Thumbprint "
    "...`), and let the renewal do it from now on.",
    'certbot renew --deploy-hook "postfix reload"',
)

ENTRIES = (
    Entry(
        id="tls.cert.expired",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate of {host} expired[ on {not_after}][ ({ago} ago)]",
        message="No client that verifies will log in until a valid one is served.",
        causes=(
            because(
                0.5,
                "It was renewed on disk, but the mail server still serves the old one.",
                fix(
                    "On the server, compare the file's serial number with the one that is served.",
                    "openssl x509 -in <file> -noout -serial -enddate",
                ),
                _RELOAD,
            ),
            because(0.4, "The renewal fails.", fix("Run it by hand and read what it says.", "certbot renew --dry-run")),
            because(0.1, "The clock of this machine is wrong.", fix("Compare the time.", "date -u")),
        ),
        source="RFC 5280 4.1.2.5",
    ),
    Entry(
        id="tls.cert.expires_soon",
        severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate of {host} expires soon[, in {left}][ ({not_after})]",
        message="[It is to last {days} days or more, by the settings (renew_before). ]Where the renewal is automatic, see why it "
        "has not happened.",
        causes=(
            because(
                0.6,
                "The renewal does not run, or the mail server is not reloaded after it.",
                fix("Try the renewal.", "certbot renew --dry-run"),
                _RELOAD,
            ),
            because(
                0.4, "It is renewed by hand.", fix("Do it now; and automate it, lifetimes get shorter every year.")
            ),
        ),
        source="RFC 5280 4.1.2.5; CA/Browser Forum Baseline Requirements 6.3.2",
    ),
    Entry(
        id="tls.cert.not_yet_valid",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate of {host} is not valid yet[, only from {not_before}][ ({ahead} from now)]",
        message="Seen from this machine's clock the certificate lies in the future.",
        causes=(
            because(0.7, "The clock of this machine is wrong.", fix("Compare the time and switch on NTP.", "date -u")),
            because(0.3, "The certificate was issued with a wrong clock.", _REISSUE),
        ),
        source="RFC 5280 4.1.2.5",
    ),
    Entry(
        id="tls.cert.hostname_mismatch",
        severity=_ERROR,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The certificate is for another name[ than {name}]",
        message="Verification compares the name that was asked for with those in the certificate, and nothing else. Whoever "
        "answered may be another server than the one you mean.",
        causes=(
            because(0.5, "The server has several names and the certificate is for another one of them.", _BY_NAME),
            because(0.3, "The certificate was issued without this name.", fix("Reissue it with that name added.")),
            because(
                0.2,
                "Another machine answers (a captive portal, a hosting default, a virus scanner).",
                fix(
                    "Look whose certificate it is.",
                    "smtpctl check {target} -v",
                ),
                facts=("works_elsewhere",),
            ),
        ),
        source="RFC 9525 6; RFC 5280 4.2.1.6",
    ),
    Entry(
        id="tls.cert.ip_used",
        severity=_ERROR,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="{host} is an address, and the certificate is for names",
        message="Certificates rarely carry addresses: only a name can be compared with the names in them.",
        causes=(because(0.9, "The profile has an address as host.", _BY_NAME),),
        source="RFC 9525 6.1; RFC 5280 4.2.1.6",
    ),
    Entry(
        id="tls.cert.cn_only",
        severity=_WARNING,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The certificate names the server only in the old way (common name)",
        message="Without subject alternative names many clients (Go, browsers, current Java) refuse it.",
        causes=(because(0.9, "It was made with an old script.", fix("Reissue it with a subjectAltName.")),),
        source="RFC 9525 2, 6.3",
    ),
    Entry(
        id="tls.cert.wildcard_depth",
        severity=_ERROR,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The wildcard certificate[ {wildcard}] does not cover this name[: {name}]",
        message="A wildcard stands for exactly one label: *.example.com covers mail.example.com, neither example.com "
        "nor a.mail.example.com.",
        causes=(because(0.9, "The name has one label more or fewer.", _BY_NAME, fix("Or reissue it with that name.")),),
        source="RFC 9525 6.3",
    ),
    Entry(
        id="tls.cert.self_signed",
        severity=_ERROR,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The certificate of {host} is signed by itself",
        message="Nobody vouches for it: anyone could make one with this name.",
        causes=(
            because(
                0.6,
                "It is the certificate that the server made at installation.",
                fix(
                    "Get one from a public authority; it costs nothing (Let's Encrypt).",
                ),
            ),
            because(
                0.4,
                "It is meant to be so on this network.",
                fix(
                    "Compare its fingerprint on the server, over another way than this connection.",
                    "openssl x509 -in <file> -noout -fingerprint -sha256",
                ),
                fix(
                    "If it is the same, trust exactly this certificate.",
                    "smtpctl profile set {profile} pin=sha256:{pin}",
                ),
                facts=("private_authority",),
            ),
        ),
        source="RFC 5280 6.1",
    ),
    Entry(
        id="tls.cert.weak_key",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="A certificate's key is too short[ ({kind})]",
        message="RSA keys need 2048 bits, elliptic-curve keys 224. Systems with a strict policy refuse less.",
        causes=(because(0.9, "The key is from long ago.", fix("Make a new key and have the certificate reissued.")),),
        source="CA/Browser Forum Baseline Requirements 6.1.5; RFC 9325 4.5",
    ),
    Entry(
        id="tls.cert.weak_signature",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="A certificate is signed in a way that can be forged[ ({algorithm})]",
        message="SHA-1 and MD5 signatures are refused by current systems, in every certificate of the chain but the root.",
        causes=(because(0.9, "The authority that signed it is old.", _REISSUE),),
        source="RFC 9155; RFC 6151",
    ),
    Entry(
        id="tls.cert.eku",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate is not meant for servers",
        message="Its extended key usage does not list serverAuth.",
        causes=(because(0.9, "A client or signing certificate was installed.", _REISSUE),),
        source="RFC 5280 4.2.1.12",
    ),
    Entry(
        id="tls.cert.is_ca",
        severity=_WARNING,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The server presents an authority's certificate as its own",
        message="It says CA:TRUE: whoever has the server's key could sign certificates for any name.",
        causes=(because(0.9, "A self-made authority was used for the server itself.", _REISSUE),),
        source="RFC 5280 4.2.1.9",
    ),
    Entry(
        id="tls.cert.long_validity",
        severity=_NOTE,
        stage=Stage.TLS,
        title="The certificate is valid for very long[ ({days} days)]",
        message="Public authorities issue at most 398 days (and less every year); some systems refuse more.",
        causes=(because(0.9, "A private authority issued it.", fix("Issue shorter ones, and automate the renewal.")),),
        source="CA/Browser Forum Baseline Requirements 6.3.2",
    ),
    Entry(
        id="tls.cert.must_staple",
        severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate demands OCSP stapling, which mail servers do not do",
        message="A client that takes the demand seriously refuses the connection.",
        causes=(because(0.9, "It was requested with must-staple.", fix("Reissue it without.")),),
        source="RFC 7633",
    ),
    Entry(
        id="tls.cert.revoked",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate of {host} was revoked[ on {on}][ ({reason})]",
        message="Its authority has taken it back before its end. Most mail programs do not ask and go on; those that do refuse "
        "it.",
        causes=(
            because(
                0.6,
                "It was replaced, and the mail server still serves the old one.",
                fix(
                    "On the server, compare the file's serial number with the one that is served.",
                    "openssl x509 -in <file> -noout -serial -enddate",
                ),
                _RELOAD,
            ),
            because(
                0.4,
                "Its key got into other hands, or the authority found that it should not have been issued.",
                fix("Have a new one issued, with a new key, and serve that."),
            ),
        ),
        source="RFC 5280 5.3.1, 6.3; RFC 6960 2.2",
    ),
    Entry(
        id="tls.cert.revocation_info",
        severity=_NOTE,
        stage=Stage.TLS,
        title="Whether the certificate was revoked was not asked",
        message="The certificate names who can be asked. Mail programs do not, and smtpctl does where it is told to.",
        source="RFC 5280 4.2.1.13, 4.2.2.1",
        causes=(
            because(
                1.0,
                "Asking needs another connection to a third party.",
                fix("Ask where it matters.", "smtpctl check {target} --revocation"),
            ),
        ),
    ),
    Entry(
        id="tls.cert.sct",
        severity=_NOTE,
        stage=Stage.TLS,
        title="The certificate carries[ {count}] transparency timestamps",
        message="Certificates of public authorities have two or more; private ones have none.",
        source="RFC 6962 3.3",
        causes=(because(1.0, "It tells whether a public authority issued it.", fix("Nothing to do.")),),
    ),
    Entry(
        id="tls.cert.unparseable",
        severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate of {host} breaks the encoding rules",
        message="OpenSSL reads it, a strict parser does not; strict clients will refuse it.",
        causes=(because(0.9, "The software that issued it is defective.", _REISSUE),),
        source="RFC 5280 4.1; X.690",
    ),
    Entry(
        id="tls.cert.untrusted",
        severity=_ERROR,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The certificate of {host} is not trusted[: {reason}]",
        message="OpenSSL refused the certificate or its chain for a reason that has no page of its own.",
        causes=(
            because(
                0.9,
                "Its words are in the evidence.",
                fix("Show them, with the chain, to those who run the server."),
            ),
        ),
        source="OpenSSL x509_vfy.h: X509_V_ERR_*",
    ),
)
