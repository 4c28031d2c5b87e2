"""MAIL and RCPT without a mail: whether a server would take it from here, for whom (RFC 5321 3.3, then RSET)."""

from __future__ import annotations

from smtpctl.model.envelope import Envelope
from smtpctl.model.reply import Reply
from smtpctl.model.transcript import Stage
from smtpctl.protocol import commands
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue, Receive
from smtpctl.protocol.submit import GROUP, Submission


def probe(capabilities: Capabilities, envelope: Envelope) -> Dialogue[Submission]:
    """Name the sender and at most GROUP recipients, then forget them; nothing is sent."""
    lines = [commands.mail(envelope, capabilities)]
    lines += [commands.rcpt(recipient, capabilities) for recipient in envelope.recipients[:GROUP]]
    lines.append(commands.command(Stage.QUIT, "RSET"))
    replies: list[Reply] = []
    if capabilities.has("PIPELINING"):
        yield from lines
        for line in lines:
            reply: Reply = yield Receive(line.stage)
            replies.append(reply)
    else:
        for line in lines:
            yield line
            reply = yield Receive(line.stage)
            replies.append(reply)
            if len(replies) == 1 and not replies[0].positive:
                break
    first, *others = replies
    return Submission(envelope, first, tuple(others[: len(envelope.recipients)]))
