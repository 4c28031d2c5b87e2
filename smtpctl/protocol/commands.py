"""Command lines, and the one guard that keeps anything else from getting into them (RFC 5321 4.1)."""

from __future__ import annotations

import re

from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import Obstacle
from smtpctl.model.transcript import Stage
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Send

_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_XTEXT = re.compile(r"[^!-*,-<>-~]")  # what RFC 3461 4 wants as +XX; the blank, "+" and "=" among it


def command(stage: Stage, line: str, *, shown: str | None = None) -> Send:
    """A command line with CRLF. Obstacle `smtp.unsafe_input` if `line` holds a control character."""
    if _UNSAFE.search(line):
        raise Obstacle(stage, "smtp.unsafe_input", {"text": repr(shown or line)[1:-1][:80]})
    return Send(line.encode() + b"\r\n", stage, shown)


def _path(stage: Stage, address: str) -> str:
    """`<address>`; a path that would end early or be no single path is refused."""
    if "<" in address or ">" in address or (" " in address and '"' not in address):
        raise Obstacle(stage, "smtp.unsafe_input", {"text": address[:80]})
    return f"<{address}>"


def xtext(text: str) -> str:
    """`text` as RFC 3461 4 xtext."""
    return _XTEXT.sub(lambda found: "".join(f"+{octet:02X}" for octet in found[0].encode()), text)


def mail(envelope: Envelope, capabilities: Capabilities) -> Send:
    """MAIL FROM with the parameters that the envelope asks for and the server offers.

    Obstacle: `smtp.smtputf8_missing`, `smtp.requiretls_missing` or `smtp.dsn_missing` where the wish cannot be left out.
    """
    words = [f"MAIL FROM:{_path(Stage.MAIL, envelope.sender)}"]
    if envelope.size is not None and capabilities.has("SIZE"):
        words.append(f"SIZE={envelope.size}")
    if envelope.eight_bit and capabilities.has("8BITMIME"):
        words.append("BODY=8BITMIME")
    for wanted, keyword, parameter, finding in (
        (envelope.utf8, "SMTPUTF8", "SMTPUTF8", "smtp.smtputf8_missing"),
        (envelope.require_tls, "REQUIRETLS", "REQUIRETLS", "smtp.requiretls_missing"),
        (bool(envelope.ret), "DSN", f"RET={envelope.ret}", "smtp.dsn_missing"),
        (bool(envelope.envid), "DSN", f"ENVID={xtext(envelope.envid)}", "smtp.dsn_missing"),
    ):
        if wanted and not capabilities.has(keyword):
            raise Obstacle(Stage.MAIL, finding, {"keyword": keyword})
        if wanted:
            words.append(parameter)
    return command(Stage.MAIL, " ".join(words))


def rcpt(recipient: Recipient, capabilities: Capabilities) -> Send:
    """RCPT TO with NOTIFY and ORCPT. Obstacle `smtp.dsn_missing` if they are wanted and DSN is not offered."""
    words = [f"RCPT TO:{_path(Stage.RCPT, recipient.address)}"]
    if (recipient.notify or recipient.orcpt) and not capabilities.has("DSN"):
        raise Obstacle(Stage.RCPT, "smtp.dsn_missing", {"keyword": "DSN"})
    if recipient.notify:
        words.append(f"NOTIFY={recipient.notify}")
    if recipient.orcpt:
        kind, _, address = recipient.orcpt.partition(";")
        words.append(f"ORCPT={kind};{xtext(address)}")
    return command(Stage.RCPT, " ".join(words))
