"""From what the operating system, OpenSSL and a misbehaving peer do, to Problems: one table for each.

Whatever is raised while a session waits comes through here once, with the stage it happened at.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Evidence, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Kind, Stage
from smtpctl.protocol.replies import NotAReply, ReplyTooLong

if TYPE_CHECKING:
    from smtpctl.net.connection import Connection

_BY_ERRNO: Mapping[int, str] = {
    errno.ECONNREFUSED: "conn.refused",
    errno.ETIMEDOUT: "conn.timeout",
    errno.ENETUNREACH: "conn.unreachable",
    errno.EHOSTUNREACH: "conn.unreachable",
    errno.ENETDOWN: "conn.unreachable",
    errno.EADDRNOTAVAIL: "conn.unreachable",
    errno.ECONNRESET: "conn.reset",
    errno.ECONNABORTED: "conn.reset",
    errno.EPIPE: "conn.reset",
}

# A UNIX socket whose path must be mended first: connect(2), path_resolution(7).
_WRONG_PATH = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM)

# OpenSSL's reason -> finding; the certificate's own faults are told by X509_V_ERR below.
_BY_REASON: Mapping[str, str] = {
    "UNSUPPORTED_PROTOCOL": "tls.version.no_tls12",
    "TLSV1_ALERT_PROTOCOL_VERSION": "tls.version.no_tls12",
    "NO_PROTOCOLS_AVAILABLE": "local.openssl_policy",
    "NO_CIPHERS_AVAILABLE": "local.openssl_policy",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "tls.cipher.no_overlap",
    "NO_SHARED_CIPHER": "tls.cipher.no_overlap",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "tls.cipher.no_overlap",
    "DH_KEY_TOO_SMALL": "tls.dh_too_small",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "tls.insecure_renegotiation",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "tls.client_cert_required",
    "SSLV3_ALERT_BAD_CERTIFICATE": "tls.client_cert_refused",
    "TLSV1_ALERT_UNKNOWN_CA": "tls.client_cert_refused",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "tls.client_cert_refused",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "tls.client_cert_refused",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "tls.client_cert_refused",
}

# X509_V_ERR_* (openssl/x509_vfy.h) -> finding. 2, 20 and 21 (no issuer found) are many things; the chain's checks tell them
# apart.
_BY_VERIFY_CODE: Mapping[int, str] = {
    9: "tls.cert.not_yet_valid",
    10: "tls.cert.expired",
    18: "tls.cert.self_signed",
    19: "tls.chain.unknown_ca",
    25: "tls.chain.path_length",
    26: "tls.cert.eku",
    62: "tls.cert.hostname_mismatch",
    64: "tls.cert.ip_used",
    66: "tls.cert.weak_key",
    67: "tls.cert.weak_key",
    68: "tls.cert.weak_signature",
}

# What other services say first.
_OTHER_PROTOCOLS: tuple[tuple[bytes, str], ...] = (
    (b"HTTP/", "HTTP"),
    (b"<!DOCTYPE", "HTTP"),
    (b"<html", "HTTP"),
    (b"SSH-", "SSH"),
    (b"* OK", "IMAP"),
    (b"* BYE", "IMAP"),
    (b"+OK", "POP3"),
    (b"-ERR", "POP3"),
    (b"RFB ", "VNC"),
    (b"@RSYNCD:", "rsync"),
)
_TLS_RECORD = (b"\x15\x03", b"\x16\x03")


# What the reply that did not come would have answered.
_COMMANDS: Mapping[Stage, str] = {
    Stage.EHLO: "EHLO",
    Stage.STARTTLS: "STARTTLS",
    Stage.AUTH: "AUTH",
    Stage.MAIL: "MAIL FROM",
    Stage.RCPT: "RCPT TO",
    Stage.DATA: "the message",
    Stage.QUIT: "QUIT",
}


def _values(connection: Connection, **more: object) -> dict[str, Any]:
    """What every entry's templates may use."""
    endpoint = connection.endpoint
    return {
        "target": str(endpoint),
        "host": endpoint.host or endpoint.path,
        "port": endpoint.port,
        "minimum": f"TLS {connection.policy.minimum}",
        **more,
    }


def os_problem(error: OSError, stage: Stage, values: Mapping[str, Any], evidence: Sequence[str] = ()) -> Problem:
    """A refused, timed out, reset or unroutable connection; `evidence` lines where there is more to say than its words."""
    name = "conn.timeout" if isinstance(error, TimeoutError) else _BY_ERRNO.get(error.errno or 0, "conn.reset")
    return entry(name).problem(stage=stage, evidence=evidence or [error.strerror or str(error)], **values)


def socket_problem(error: OSError, endpoint: Endpoint) -> Problem:
    """A UNIX socket that cannot be connected to. Time mends a server that is not there or busy, not a path."""
    made = entry("conn.socket_failed").problem(
        target=str(endpoint), path=endpoint.path, reason=error.strerror or str(error)
    )
    if error.errno in _WRONG_PATH:
        made.status, made.retryable = ExitStatus.UNAVAILABLE, False
    return made


def translate(error: Exception, stage: Stage, connection: Connection) -> Problem:
    """What broke a wait, as a Problem. Anything that is no failure of the peer or the network is raised again."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ssl.SSLError):
        return tls_failed(error, connection)
    if isinstance(error, NotAReply):
        return _not_a_reply(error.data, stage, connection)
    if isinstance(error, ReplyTooLong):
        name = "smtp.reply_endless" if error.what == "reply" else "smtp.reply_too_long"
        return entry(name).problem(stage=stage, evidence=[_octets(error.data, connection)], **_values(connection))
    if connection.closing and isinstance(error, EOFError | OSError):
        return early_421(*connection.closing, connection)  # it had said why, in place of an answer
    if isinstance(error, EOFError):
        return _closed(stage, connection)
    if isinstance(error, OSError):
        return os_problem(error, stage, _values(connection))
    raise error


def _closed(stage: Stage, connection: Connection) -> Problem:
    """The peer hung up: before its greeting, or in the middle."""
    reader = connection.reader
    rest = reader.pending(connection.channel.inbound)
    evidence = [_octets(rest, connection)] if rest else []
    name = "conn.closed" if stage is Stage.GREETING else "smtp.closed_by_server"
    return entry(name).problem(
        stage=stage, evidence=evidence, **_values(connection, stage_name=_COMMANDS.get(stage, stage.value))
    )


def _other_protocol(data: bytes, stage: Stage, connection: Connection) -> Problem | None:
    """What answers is a server of another kind, which its first octets tell."""
    protocol = next((name for prefix, name in _OTHER_PROTOCOLS if data.startswith(prefix)), "")
    if not protocol:
        return None
    inside = " inside TLS" if connection.tls else ""
    return entry("conn.not_smtp").problem(
        stage=stage,
        evidence=[_octets(data.lstrip().split(b"\n")[0], connection)],
        **_values(connection, protocol=f"{protocol}{inside}"),
    )


def _not_a_reply(data: bytes, stage: Stage, connection: Connection) -> Problem:
    if other := _other_protocol(data, stage, connection):
        return other
    if data.startswith(_TLS_RECORD):
        return entry("conn.port_is_implicit_tls").problem(
            stage=stage, evidence=[_octets(data, connection)], **_values(connection)
        )
    name = "conn.not_smtp" if stage is Stage.GREETING else "smtp.protocol_violation"
    return entry(name).problem(stage=stage, evidence=[_octets(data, connection)], **_values(connection))


def timed_out(stage: Stage, connection: Connection) -> Problem:
    """Nothing came in the time of the stage, or of the whole run."""
    if connection.now() >= connection.deadline:
        seconds = f"{connection.timeouts.total:g}"
        return entry("conn.total_timeout").problem(stage=stage, **_values(connection, seconds=seconds))
    seconds = f"{connection.timeouts.of(stage):g}"
    rest = connection.reader.pending(connection.channel.inbound)
    begun = stage is Stage.GREETING and rest.startswith(b"220-")
    name = (
        "smtp.greeting_unfinished"
        if begun
        else {
            Stage.GREETING: "conn.greeting_timeout",
            Stage.TLS: "tls.handshake_timeout",
            Stage.AUTH: "auth.reply_timeout",
        }.get(stage, "smtp.reply_timeout")
    )
    return entry(name).problem(
        stage=stage,
        evidence=[_octets(rest, connection)] if rest else [],
        **_values(
            connection, seconds=seconds, stage_name=_COMMANDS.get(stage, stage.value), slowest=_slowest(connection)
        ),
    )


def _slowest(connection: Connection) -> str:
    """How long the slowest answer before the login took."""
    events = [event for event in connection.transcript or () if event.stage is not Stage.AUTH]
    waits = [later.at - earlier.at for earlier, later in pairwise(events) if later.kind is not Kind.SENT]
    return f"{max(waits, default=0.0) * 1000:.0f} ms"


def early_421(reply: Reply, stage: Stage, connection: Connection) -> Problem:
    """The server ended the session on its own account (RFC 5321 3.8)."""
    return entry("smtp.early_421").problem(
        stage=stage,
        reply=reply,
        evidence=[Evidence(str(reply), label="S:")],
        **_values(connection, reply_text=str(reply)),
    )


def injected(connection: Connection) -> Problem:
    """Octets in clear behind the 220 to STARTTLS: they would have been read as if they came through TLS."""
    data = bytes(connection.channel.inbound[:512])
    return entry("starttls.response_injection").problem(
        evidence=[_octets(data, connection)], **_values(connection, octets=len(connection.channel.inbound))
    )


def tls_failed(error: Exception, connection: Connection) -> Problem:
    """A handshake that failed, or an alert that came later. The presented chain is recorded also now."""
    seen = connection.channel.first_octets
    evidence: list[Evidence] = []
    if isinstance(error, ssl.SSLCertVerificationError):
        session = connection.failed_tls(error)
        name = _BY_VERIFY_CODE.get(error.verify_code, "tls.cert.untrusted")
        evidence.append(Evidence(f"{error.verify_message} (verify code {error.verify_code})", label="OpenSSL:"))
        values = _values(connection, name=session.server_name, reason=error.verify_message)
        return entry(name).problem(evidence=evidence, **values)
    if seen[:4].isdigit() or seen[:3].isdigit():
        return _plain_instead(seen, connection)
    other = None if connection.upgraded else _other_protocol(seen, Stage.TLS, connection)
    if other:
        return other
    if not isinstance(error, ssl.SSLError):
        name = "starttls.no_tls_after_220" if connection.upgraded else "tls.handshake_failed"
        words = "the server closed the connection" if isinstance(error, EOFError) else str(error)
        return entry(name).problem(evidence=[Evidence(words)], **_values(connection, reason=words))
    reason = error.reason or str(error)
    name = _BY_REASON.get(reason, "")
    if not name:
        not_tls = bool(seen) and not seen.startswith(_TLS_RECORD)
        name = "starttls.no_tls_after_220" if not_tls and connection.upgraded else "tls.handshake_failed"
        if not_tls:
            evidence.append(_octets(seen, connection))
    evidence.append(Evidence(reason, label="OpenSSL:"))
    # Whatever it weighs elsewhere: it has ended the session.
    known = {"tls_min_raised": connection.policy.minimum != TlsPolicy().minimum}
    values = _values(connection, reason=reason)
    return entry(name).problem(severity=Severity.ERROR, evidence=evidence, facts=known, **values)


def _plain_instead(seen: bytes, connection: Connection) -> Problem:
    name = "starttls.no_tls_after_220" if connection.upgraded else "conn.port_is_plaintext"
    return entry(name).problem(
        evidence=[_octets(seen.split(b"\n")[0], connection)], **_values(connection, reason="clear text")
    )


def _octets(data: bytes, connection: Connection) -> Evidence:
    """What the peer sent, printable, its beginning, without secrets that it echoes."""
    text = connection.clean(data.decode("utf-8", "backslashreplace"))
    return Evidence(text[:160].rstrip("\r\n") or "nothing", label="S:")


def record(problem: Problem, connection: Connection) -> None:
    """Put the end of a session into its transcript."""
    connection.record(Kind.ERROR, problem.finding.stage, problem.finding.title, {"id": problem.finding.id})
