"""One mail transaction: MAIL, RCPT, DATA or BDAT (RFC 5321 3.3, 2920, 3030, 2033), with as few round trips as the server allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from smtpctl.model.envelope import Envelope
from smtpctl.model.errors import Problem
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.report import RecipientResult
from smtpctl.model.transcript import Stage
from smtpctl.protocol import commands, content
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue, Receive, Send, SendContent

# Up to this size a message is sent with BDAT before the recipients are known to be taken: one round trip less
# for most mails, and never more than this wasted.
EAGER_BDAT = 65536
# Outstanding commands in one group; more could fill both sides' buffers while neither reads (RFC 2920 3.1).
GROUP = 100


class Submission(NamedTuple):
    """What became of a transaction.

    `mail` is the reply to MAIL; `rcpt` those to RCPT in the envelope's order, as far as it was asked; `data` the reply
    to DATA where it was asked; `final` the replies to the content: one, or with `lmtp` one for each accepted
    recipient; `left` whether QUIT has been said already.
    """

    envelope: Envelope
    mail: Reply
    rcpt: Sequence[Reply] = ()
    data: Reply | None = None
    final: tuple[Reply, ...] = ()
    left: bool = False
    lmtp: bool = False

    @property
    def recipients(self) -> tuple[RecipientResult, ...]:
        """Each recipient with the reply that decided about it: the first refusal of MAIL, RCPT and DATA, else the
        content's."""
        finals = iter(self.final)
        found = []
        for index, recipient in enumerate(self.envelope.recipients):
            reply = self.rcpt[index] if index < len(self.rcpt) else None
            if not self.mail.positive:
                reply = self.mail  # what a pipelining server says to RCPT then is only a consequence
            elif reply is not None and reply.positive and self.final:
                reply = next(finals, reply) if self.lmtp else self.final[0]
            elif reply is not None and reply.positive and self.data is not None and not self.data.intermediate:
                reply = self.data
            found.append(RecipientResult(recipient.address, _verdict(reply, bool(self.final)), reply))
        return tuple(found)

    @property
    def refusal(self) -> tuple[Stage, Reply] | None:
        """The reply that kept the message from everybody, None if anybody gets it."""
        if not self.mail.positive:
            return Stage.MAIL, self.mail
        if self.rcpt and not any(reply.positive for reply in self.rcpt):
            return Stage.RCPT, self.rcpt[0]
        if self.data is not None and not self.data.intermediate:
            return Stage.DATA, self.data
        if self.final and not any(reply.positive for reply in self.final):
            return Stage.DATA, self.final[0]
        return None


def submit(
    capabilities: Capabilities,
    envelope: Envelope,
    chunks: Iterable[bytes],
    *,
    lmtp: bool = False,
    last: bool = False,
) -> Dialogue[Submission]:
    """Send one message; `chunks` have CRLF line ends. With `last`, QUIT goes out behind the content where the
    server pipelines, so that leaving costs no round trip."""
    pipelining = capabilities.has("PIPELINING")
    small = envelope.size is not None and envelope.size <= EAGER_BDAT
    eager = pipelining and small and capabilities.has("CHUNKING") and len(envelope.recipients) <= GROUP
    if pipelining:
        mail, replies, data, final = yield from _grouped(capabilities, envelope, chunks if eager else None, lmtp, last)
    else:
        mail, replies = yield from _lockstep(capabilities, envelope)
        data, final = None, ()
    accepted = sum(reply.positive for reply in replies)
    left = bool(final) and last
    if not final and ((mail.positive and accepted) or (data and data.intermediate)):
        left = leaving = last and pipelining
        if data is None and capabilities.has("CHUNKING"):
            final = yield from _chunked(chunks, accepted if lmtp else 1, leaving, ahead=int(pipelining))
        else:
            data, final = yield from _content(data, chunks if accepted else (), accepted if lmtp else 1, leaving)
            left = left and bool(final)
    return Submission(envelope, mail, replies, data, final, left, lmtp)


def _lockstep(capabilities: Capabilities, envelope: Envelope) -> Dialogue[tuple[Reply, list[Reply]]]:
    yield commands.mail(envelope, capabilities)
    mail: Reply = yield Receive(Stage.MAIL)
    replies: list[Reply] = []
    for recipient in envelope.recipients if mail.positive else ():
        yield commands.rcpt(recipient, capabilities)
        replies.append((yield Receive(Stage.RCPT)))
    return mail, replies


def _grouped(
    capabilities: Capabilities, envelope: Envelope, eager: Iterable[bytes] | None, lmtp: bool, last: bool
) -> Dialogue[tuple[Reply, list[Reply], Reply | None, tuple[Reply, ...]]]:
    """MAIL and RCPTs in groups; the last group carries DATA, or BDAT with the content when `eager`."""
    lines = [commands.mail(envelope, capabilities), *(commands.rcpt(r, capabilities) for r in envelope.recipients)]
    data_asked = eager is None and not capabilities.has("CHUNKING")
    replies: list[Reply] = []
    for start in range(0, len(lines), GROUP):
        group = lines[start : start + GROUP]
        yield from group
        if start + GROUP >= len(lines):
            if eager is not None:
                yield from _bdat_whole(eager, last)
            elif data_asked:
                yield commands.command(Stage.DATA, "DATA")
        for line in group:
            reply: Reply = yield Receive(line.stage)
            replies.append(reply)
        if not replies[0].positive and start + GROUP < len(lines):
            return replies[0], replies[1:], None, ()
    mail, recipients = replies[0], replies[1:]
    if eager is not None:
        accepted = sum(reply.positive for reply in recipients)
        return mail, recipients, None, (yield from _finals(max(accepted, 1) if lmtp else 1, last))
    data = (yield Receive(Stage.DATA)) if data_asked else None
    return mail, recipients, data, ()


def _bdat_whole(chunks: Iterable[bytes], last: bool) -> Dialogue[None]:
    body = b"".join(chunks)
    yield Send(b"BDAT %d LAST\r\n" % len(body), Stage.DATA, replies=0)
    yield SendContent((body,))
    if last:
        yield commands.command(Stage.QUIT, "QUIT")


def _chunked(chunks: Iterable[bytes], finals: int, leaving: bool, *, ahead: int) -> Dialogue[tuple[Reply, ...]]:
    """BDAT block by block (RFC 3030 2); `ahead` are sent before the reply to the one before is awaited."""
    waiting = 0
    for block, last in _blocks(chunks, EAGER_BDAT * 4):
        yield Send(b"BDAT %d%s\r\n" % (len(block), b" LAST" if last else b""), Stage.DATA, replies=0)
        yield SendContent((block,))
        waiting += 1
        if last and leaving:
            yield commands.command(Stage.QUIT, "QUIT")
        while waiting > (1 if last else ahead):
            waiting -= 1
            reply: Reply = yield Receive(Stage.DATA)
            if not reply.positive:
                yield from _given_up(waiting, leaving, said=last)
                return (reply,) * finals
    return (yield from _finals(finals, leaving))


def _given_up(waiting: int, leaving: bool, *, said: bool) -> Dialogue[None]:
    """A block was refused. Those behind it get replies of their own, which say nothing new, or the server hangs up."""
    with suppress(Problem):
        for _ in range(waiting):
            yield Receive(Stage.DATA)
    if leaving:
        yield from farewell() if said else leave()


def _content(
    data: Reply | None, chunks: Iterable[bytes], finals: int, leaving: bool
) -> Dialogue[tuple[Reply, tuple[Reply, ...]]]:
    """DATA unless it was asked already, then the content. A 354 without any recipient is answered with an empty
    message, which the server refuses (RFC 2920 3.1)."""
    if data is None:
        yield commands.command(Stage.DATA, "DATA")
        data = yield Receive(Stage.DATA)
    if not data.intermediate:
        return data, ()
    yield SendContent(content.stuffed(chunks))
    if leaving:
        yield commands.command(Stage.QUIT, "QUIT")
    return data, (yield from _finals(max(finals, 1), leaving))


def _finals(count: int, leaving: bool) -> Dialogue[tuple[Reply, ...]]:
    replies = []
    for _ in range(count):
        reply: Reply = yield Receive(Stage.DATA)
        replies.append(reply)
    if leaving:
        yield from farewell()
    return tuple(replies)


def farewell() -> Dialogue[None]:
    """The reply to QUIT. The session is over, whatever comes or does not come."""
    with suppress(Problem):
        yield Receive(Stage.QUIT)


def leave() -> Dialogue[None]:
    """QUIT. Where the session is over already, what it was about counts."""
    with suppress(Problem):
        yield commands.command(Stage.QUIT, "QUIT")
        yield from farewell()


def _blocks(chunks: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """The same octets in blocks of `size`, each with whether it is the last one, which is shorter."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) > size:
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True


def _verdict(reply: Reply | None, decided: bool) -> str:
    if reply is None:
        return "unknown"
    if reply.positive:
        return "accepted" if decided else "unknown"
    return "temporary" if reply.transient else "permanent"
