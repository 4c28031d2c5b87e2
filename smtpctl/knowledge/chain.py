"""What can be wrong with the chain from a server's certificate to a root that is trusted here."""

from __future__ import annotations

from collections.abc import Mapping

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.transcript import Stage

_NOTE, _WARNING, _ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR

# postconf(5) smtpd_tls_chain_files; Exim specification, tls_certificate; Dovecot, SSL configuration.
_FULL_CHAIN = fix(
    "On the server, serve the full chain, leaf first (Postfix: `smtpd_tls_chain_files` = the key's file, then fullchain.pem; "
    "Exim: `tls_certificate` = fullchain.pem; Dovecot: `ssl_cert`, since 2.4 `ssl_server_cert_file`; Exchange: put it into the "
    "computer's store of intermediate authorities), then reload."
)
_OWN_ROOT = fix(
    "Get the root certificate from those who run it (issuer and subject are the same; not one in between), compare its "
    "fingerprint, and trust it in this profile.",
    "smtpctl profile set {profile} ca_file=<root.pem>",
)
# What makes PEM of the forms in which authorities serve a certificate (openssl-x509(1), openssl-pkcs7(1)).
READERS: Mapping[str, str] = {
    "DER": "openssl x509 -inform der",
    "PEM": "openssl x509",
    "PKCS #7": "openssl pkcs7 -inform der -print_certs",
}


def appending(form: str = "DER", url: str = "{url}") -> str:
    """The command that appends the certificate at `url`, of a form of `READERS`, to a chain."""
    return f"curl -fsS {url} | {READERS[form]} >> <chain file>"


ENTRIES = (
    Entry(
        id="tls.chain.missing_intermediate",
        severity=_ERROR,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The server does not send the certificate that links it to a trusted root",
        message="Some clients hide this by fetching it; most mail servers and libraries do not.",
        causes=(
            because(
                0.85,
                "The server was given cert.pem and not fullchain.pem.",
                fix("Have it fetched once, to see that nothing else is missing.", "smtpctl check {target} --fetch-aia"),
                _FULL_CHAIN,
                fix(
                    "Without a fullchain.pem: download the missing one (.p7c: `openssl pkcs7 -inform der -print_certs` reads "
                    "it), and append it to the server's file.",
                    appending(),
                ),
            ),
            because(
                0.1,
                "It comes from an organisation's own authority, whose root is not trusted here.",
                _OWN_ROOT,
                facts=("private_authority",),
            ),
        ),
        source="RFC 5246 7.4.2; RFC 8446 4.4.2",
        knowledge=("generic.tls-cert-no-local-issuer",),
    ),
    Entry(
        id="tls.chain.unknown_ca",
        severity=_ERROR,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The certificate of {host} comes from an authority that this machine does not trust",
        message="The chain ends at an authority[ ({root})] that is not among the trusted ones[ in {store}].",
        causes=(
            because(0.5, "The organisation runs its own authority.", _OWN_ROOT, facts=("private_authority",)),
            because(
                0.25,
                "A virus scanner or proxy opens TLS and signs with its own root.",
                fix("Exempt the mail server there, or trust its root on purpose."),
                facts=("tls_inspected", "works_elsewhere"),
            ),
            because(
                0.15,
                "The trusted roots here are missing, old, or the authority was made anew under its old name.",
                fix("Install the current ones.", "apt-get install ca-certificates"),
            ),
            because(0.1, "The server leaves out a certificate in between.", _FULL_CHAIN),
        ),
        source="RFC 5280 6.1",
    ),
    Entry(
        id="tls.chain.expired_ca",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="A certificate of an authority in the chain expired[ on {not_after}][: {subject}]",
        message="The server's own certificate may be valid, but the link above it is not.",
        causes=(
            because(
                0.8,
                "The server still sends an old intermediate certificate.",
                fix("Take the chain that came with the newest certificate, not one put together by hand."),
                _FULL_CHAIN,
            ),
            because(
                0.2,
                "This machine only knows the old root.",
                fix(
                    "Install the current roots.",
                    "apt-get install ca-certificates",
                ),
            ),
        ),
        source="RFC 5280 6.1.3",
    ),
    Entry(
        id="tls.chain.path_length",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="An authority in the chain was not allowed to make the one below it[: {subject}]",
        message="An authority's certificate can say how many authorities may stand below it (pathLenConstraint). There are "
        "more than that between this one and the server's certificate, so every client refuses the chain.",
        causes=(
            because(
                0.7,
                "The server's certificate comes from an authority that was set up below one that must not have any.",
                fix(
                    "Have it issued by the authority above that one; or those who run the upper one issue its certificate "
                    "again, with a larger number.",
                    "openssl x509 -in <authority.pem> -noout -ext basicConstraints",
                ),
            ),
            because(0.3, "The chain was put together from certificates of another authority.", _FULL_CHAIN),
        ),
        source="RFC 5280 4.2.1.9, 6.1.4",
    ),
    Entry(
        id="tls.chain.order",
        severity=_WARNING,
        mx_severity=_NOTE,
        stage=Stage.TLS,
        title="The server sends its certificates in the wrong order",
        message="The server's own comes first, then each one's issuer. Some clients depend on it.",
        causes=(because(0.9, "The files were put together in another order.", _FULL_CHAIN),),
        source="RFC 5246 7.4.2; RFC 8446 4.4.2",
    ),
    Entry(
        id="tls.chain.extra_certs",
        severity=_NOTE,
        stage=Stage.TLS,
        title="The server sends certificates that do not belong to its chain",
        message="They cost every handshake some octets and can confuse old clients, one that has expired most of all.",
        causes=(because(0.9, "Old certificates were left in the file, or one is in it twice.", _FULL_CHAIN),),
        source="RFC 8446 4.4.2",
    ),
    Entry(
        id="tls.chain.root_sent",
        severity=_NOTE,
        stage=Stage.TLS,
        title="The server also sends the root, which nobody needs",
        message="A client trusts its own copy of a root or none.",
        causes=(because(0.9, "The root was put into the chain file.", fix("Leave it out.")),),
        source="RFC 5246 7.4.2",
    ),
    Entry(
        id="tls.chain.bad_signature",
        severity=_ERROR,
        mx_severity=_WARNING,
        stage=Stage.TLS,
        title="The certificate above the server's[ ({subject})] has the right name but did not sign it",
        message="Name and issuer agree, the key does not: authorities make new intermediates under an old name.",
        causes=(
            because(0.8, "The intermediate is an older one of the same name.", _FULL_CHAIN),
            because(0.2, "The certificate was tampered with.", fix("Do not log in; ask the operator.")),
        ),
        source="RFC 5280 6.1.3",
    ),
)
