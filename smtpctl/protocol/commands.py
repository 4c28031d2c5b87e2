"""Command lines, and the one guard that keeps anything else from getting into them (RFC 5321 4.1)."""

from __future__ import annotations

import re

from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import Obstacle
from smtpctl.model.transcript import Stage
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Send

# Control characters, and what an argument in another encoding than UTF-8 became: neither can be said in a command.
_UNSAFE = r"[\x00-\x1f\x7f\ud800-\udfff]"  # none of it is printable; compiled where something is not
_PLAIN = re.compile(r"[!-;=?-~]*")  # visible ASCII without < and >: nothing in it needs a second look
_XTEXT = re.compile(r"[^!-*,-<>-~]")  # what RFC 3461 4 wants as +XX; the blank, "+" and "=" among it


def command(stage: Stage, line: str, *, shown: str | None = None) -> Send:
    """A command line with CRLF. Obstacle `smtp.unsafe_input` if `line` holds a control character or octets
    that are no UTF-8."""
    if not line.isprintable() and re.search(_UNSAFE, line):
        raise Obstacle(stage, "smtp.unsafe_input", {"text": repr(shown or line)[1:-1][:80]})
    return Send(line.encode() + b"\r\n", stage, shown)


def _path(stage: Stage, address: str) -> str:
    """`<address>`; what would end the path or the line early is refused."""
    if not _PLAIN.fullmatch(address) and (
        re.search(_UNSAFE, address) or "<" in address or ">" in address or (" " in address and '"' not in address)
    ):
        raise Obstacle(stage, "smtp.unsafe_input", {"text": repr(address)[1:-1][:80]})
    return f"<{address}>"


def xtext(text: str) -> str:
    """`text` as RFC 3461 4 xtext."""
    return _XTEXT.sub(
        lambda found: "".join(f"+{octet:02X}" for octet in found[0].encode("utf-8", "surrogatepass")), text
    )


def mail(envelope: Envelope, capabilities: Capabilities) -> Send:
    """MAIL FROM with the parameters that the envelope asks for and the server offers.

    Obstacle: `smtp.smtputf8_missing`, `smtp.requiretls_missing` or `smtp.dsn_missing` where the wish cannot be left out.
    """
    line = f"MAIL FROM:{_path(Stage.MAIL, envelope.sender)}"
    if envelope.size is not None and capabilities.has("SIZE"):
        line += f" SIZE={envelope.size}"
    if envelope.eight_bit and capabilities.has("8BITMIME"):
        line += " BODY=8BITMIME"
    if envelope.utf8 or envelope.require_tls or envelope.ret or envelope.envid:
        line += _wishes(envelope, capabilities)
    return Send(line.encode() + b"\r\n", Stage.MAIL)


def _wishes(envelope: Envelope, capabilities: Capabilities) -> str:
    """The parameters that mean something other without them, each with a blank before it."""
    words = ""
    for wanted, keyword, parameter, finding in (
        (envelope.utf8, "SMTPUTF8", "SMTPUTF8", "smtp.smtputf8_missing"),
        (envelope.require_tls, "REQUIRETLS", "REQUIRETLS", "smtp.requiretls_missing"),
        (bool(envelope.ret), "DSN", f"RET={xtext(envelope.ret)}", "smtp.dsn_missing"),
        (bool(envelope.envid), "DSN", f"ENVID={xtext(envelope.envid)}", "smtp.dsn_missing"),
    ):
        if wanted and not capabilities.has(keyword):
            raise Obstacle(Stage.MAIL, finding, {"keyword": keyword})
        if wanted:
            words += f" {parameter}"
    return words


def rcpt(recipient: Recipient, capabilities: Capabilities) -> Send:
    """RCPT TO with NOTIFY and ORCPT. Obstacle `smtp.dsn_missing` if they are wanted and DSN is not offered."""
    line = f"RCPT TO:{_path(Stage.RCPT, recipient.address)}"
    if recipient.notify or recipient.orcpt:
        if not capabilities.has("DSN"):
            raise Obstacle(Stage.RCPT, "smtp.dsn_missing", {"keyword": "DSN"})
        if recipient.notify:
            line += f" NOTIFY={xtext(recipient.notify)}"
        if recipient.orcpt:
            kind, _, address = recipient.orcpt.partition(";")
            line += f" ORCPT={xtext(kind)};{xtext(address)}"
    return Send(line.encode() + b"\r\n", Stage.RCPT)
