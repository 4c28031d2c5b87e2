"""A mail whose content holds line ends that are none (SMTP smuggling): does the server take them for the end of it?

RFC 5321 4.1.1.4 ends content with CRLF, a dot and CRLF, and nothing else. A server that takes a bare LF there reads what
follows as commands, where the server before it saw text.
"""

from __future__ import annotations

from smtpctl.model.envelope import Envelope
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.transcript import Stage
from smtpctl.protocol import commands
from smtpctl.protocol.dialogue import exchange
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue, Receive, Send, SendContent

# What is no end of a mail, and how it is shown.
SEQUENCES = ((b"\n.\r\n", "<LF>.<CR><LF>"), (b"\n.\n", "<LF>.<LF>"))
PATIENCE = 3.0  # seconds in which a server that takes a mail says so


class Smuggled(NamedTuple):
    """`reply` is the last one; `sequence` what it came to: empty where it came to the right end, or before the content
    (`asked` False)."""

    reply: Reply
    sequence: str = ""
    asked: bool = True


def smuggle(capabilities: Capabilities, envelope: Envelope, content: bytes) -> Dialogue[Smuggled]:
    """Send a mail of this content, which ends without a line end, with each false end behind it; stop at the first that is
    answered."""
    for line in (commands.mail(envelope, capabilities), commands.rcpt(envelope.recipients[0], capabilities)):
        reply = yield from exchange(line)
        if not reply.positive:
            return Smuggled(reply, asked=False)
    reply = yield from exchange(commands.command(Stage.DATA, "DATA"))
    if not reply.intermediate:  # whoever says 250 here reads the content as commands
        return Smuggled(reply, asked=False)
    yield SendContent((content,))
    for sequence, shown in SEQUENCES:
        yield Send(b"the mail goes on" + sequence, Stage.DATA, f"the mail goes on{shown}", replies=0)
        early: Reply | None = yield Receive(Stage.DATA, seconds=PATIENCE)
        if early is not None:
            return Smuggled(early, shown)
    yield Send(b"and ends here\r\n.\r\n", Stage.DATA, "and ends here<CR><LF>.<CR><LF>", replies=0)
    reply = yield Receive(Stage.DATA)
    return Smuggled(reply)
