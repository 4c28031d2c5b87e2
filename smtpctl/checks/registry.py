"""The checks: which there are, what each can find, what it needs to have seen. A check is a function from facts to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from smtpctl.checks import between, certificate, chain, clock, connection, extensions, greeting, starttls
from smtpctl.checks.facts import Facts, Scanned
from smtpctl.model.finding import Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage


class Check(NamedTuple):
    """One check. `emits` are the ids it can find; `needs` the stage the session must have got to; it is skipped else."""

    name: str
    run: Callable[[Facts], Iterable[Finding]]
    needs: Stage
    emits: tuple[str, ...]


# What can end a session, by the stage it mostly ends at. Dialogues and the network find it; no check does.
SESSION: Mapping[Stage, tuple[str, ...]] = {
    Stage.CONFIG: ("local.tls_file_unusable",),
    Stage.DNS: ("conn.dns_nxdomain", "conn.no_address", "conn.dns_temporary"),
    Stage.CONNECT: ("conn.refused", "conn.timeout", "conn.reset", "conn.unreachable", "conn.socket_failed",
                    "conn.proxy_failed", "conn.total_timeout"),
    Stage.GREETING: ("conn.greeting_timeout", "smtp.greeting_unfinished", "conn.closed", "conn.not_smtp",
                     "smtp.greeting_refused", "smtp.reply_too_long", "smtp.reply_endless"),
    Stage.EHLO: ("smtp.early_421", "smtp.closed_by_server", "smtp.reply_timeout", "smtp.protocol_violation"),
    Stage.STARTTLS: ("starttls.not_offered", "starttls.refused", "starttls.response_injection"),
    Stage.TLS: ("conn.port_is_plaintext", "starttls.no_tls_after_220", "tls.handshake_failed", "tls.handshake_timeout",
                "tls.cert.untrusted", "tls.pin_mismatch", "tls.client_cert_required", "tls.client_cert_refused",
                "local.openssl_policy"),
    Stage.AUTH: ("auth.refused", "auth.reply_timeout", "auth.not_offered", "auth.mechanism_not_offered",
                 "auth.no_common_mechanism", "auth.would_be_plaintext", "auth.server_not_authenticated", "auth.challenge_undecodable",
                 "auth.challenge_not_understood", "auth.credentials_unusable", "auth.library_missing"),
    Stage.MAIL: ("smtp.smtputf8_missing", "smtp.unsafe_input"),
}  # fmt: skip

CHECKS: tuple[Check, ...] = (
    Check("addresses", connection.addresses, Stage.CONNECT, ("conn.partial", "local.ipv6_broken")),
    Check("public address", connection.public, Stage.DNS, ("conn.private_address",)),
    Check("greeting", greeting.greeting, Stage.GREETING, ("smtp.greeting_delay", "smtp.banner_no_fqdn")),
    Check("filter", between.greeting, Stage.GREETING, ("smtp.filter_named",)),
    Check("interception", between.certificates, Stage.TLS, ("conn.intercepted",)),
    Check("own name", greeting.own_name, Stage.EHLO, ("smtp.helo_name_bad",)),
    Check("ehlo", greeting.hello, Stage.EHLO, ("smtp.ehlo_rejected_helo_ok", "smtp.ehlo_masked")),
    Check("replies", greeting.replies, Stage.GREETING, ("smtp.reply_oddity", "smtp.unsolicited")),
    Check("extensions", extensions.missing, Stage.EHLO,
          ("smtp.missing_8bitmime", "smtp.missing_smtputf8", "smtp.missing_pipelining", "smtp.missing_chunking",
           "smtp.missing_dsn")),
    Check("extensions with TLS", extensions.changes, Stage.TLS, ("smtp.ehlo_changes_after_tls",)),
    Check("starttls", starttls.offers, Stage.EHLO,
          ("starttls.auth_before_tls", "starttls.auth_missing_after_tls", "starttls.not_offered", "starttls.stripped")),
    Check("tls first", starttls.required, Stage.EHLO, ("starttls.required_530",)),
    Check("clock", clock.skew, Stage.GREETING, ("local.clock_skew",)),
    Check("certificate", certificate.leaf, Stage.TLS,
          ("tls.cert.expired", "tls.cert.expires_soon", "tls.cert.not_yet_valid", "tls.cert.hostname_mismatch",
           "tls.cert.ip_used", "tls.cert.cn_only", "tls.cert.wildcard_depth", "tls.cert.weak_key",
           "tls.cert.weak_signature", "tls.cert.eku", "tls.cert.is_ca", "tls.cert.long_validity",
           "tls.cert.must_staple", "tls.cert.unparseable")),
    Check("chain", chain.chain, Stage.TLS,
          ("tls.cert.self_signed", "tls.chain.missing_intermediate", "tls.chain.unknown_ca", "tls.chain.expired_ca",
           "tls.chain.path_length", "tls.chain.order", "tls.chain.extra_certs", "tls.chain.root_sent",
           "tls.chain.bad_signature", "tls.cert.weak_key", "tls.cert.weak_signature", "tls.cert.untrusted")),
    Check("client certificate", certificate.own, Stage.CONNECT, ("tls.client_cert_no_clientauth_eku",)),
)  # fmt: skip


class DeepCheck(NamedTuple):
    """One check of a TLS scan. `untested` are keys of `TlsScan.untested`: with one of them there is nothing to judge."""

    name: str
    run: Callable[[Scanned], Iterable[Finding]]
    emits: tuple[str, ...]
    untested: str = ""


def deep_checks() -> tuple[DeepCheck, ...]:
    """The checks of `check --deep`, loaded only for it."""
    from smtpctl.checks import local, tls

    return (
        DeepCheck("TLS versions", tls.versions,
                  ("tls.version.ssl2", "tls.version.ssl3", "tls.version.tls10", "tls.version.tls11", "tls.version.no_tls12",
                   "tls.version.no_tls13")),
        DeepCheck("TLS hello", tls.hello_of_today, ("tls.version_intolerant",), "tls.version_intolerant"),
        DeepCheck("cipher suites", tls.suites,
                  ("tls.cipher.null_anon_export", "tls.cipher.rc4_3des", "tls.cipher.no_overlap")),
        DeepCheck("local TLS settings", local.policy, ("local.openssl_policy",)),
        DeepCheck("forward secrecy", tls.forward_secrecy, ("tls.cipher.no_fs",)),
        DeepCheck("Diffie-Hellman", tls.diffie_hellman, ("tls.dh_too_small",)),
        DeepCheck("elliptic curves", tls.curves, ("tls.curve_too_small",)),
        DeepCheck("TLS features", tls.features, ("tls.compression", "tls.insecure_renegotiation", "tls.no_ems")),
        DeepCheck("TLS resumption", tls.resumption, ("tls.resumption",), "tls.resumption"),
        DeepCheck("default certificate", tls.default_certificate, ("tls.sni_default_cert",), "tls.sni_default_cert"),
        DeepCheck("client certificate demanded", tls.client_certificate, ("tls.client_cert_required",),
                  "tls.client_cert_required"),
        DeepCheck("addresses reached", connection.reached, ("conn.partial", "local.ipv6_broken")),
        DeepCheck("addresses compared", tls.addresses, ("tls.addresses_differ",)),
        DeepCheck("about the certificate", tls.about_the_certificate, ("tls.cert.revocation_info", "tls.cert.sct")),
        DeepCheck("command injection", tls.injection, ("starttls.command_injection",), "starttls.command_injection"),
    )  # fmt: skip
