"""Many mails over one session, with as few round trips as the server allows.

    lockstep     a command, its reply, the next one                                    (any server)
    pipelined    MAIL RCPT DATA in one write, then the content: 2 round trips a mail     (PIPELINING)
    overlapped   a mail's content goes out with the next mail's commands: 1              (PIPELINING)
    bdat         whole mails behind each other, as many octets as the window holds       (PIPELINING and CHUNKING)

Mails are settled in the order they were sent. Whatever happens, every mail that was taken is settled once: with its
Submission, or with None when the session ended before the server had decided.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from enum import StrEnum
from typing import Any

from smtpctl.model.envelope import Envelope
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.transcript import Stage
from smtpctl.protocol import commands, content
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue, Receive, Send, Step
from smtpctl.protocol.submit import GROUP, Submission, submit

WINDOW = 1 << 18  # octets in flight; counted in mails, large ones would fill both sides' buffers and stall

_REPLIES = Receive(Stage.DATA, many=True)


class Mode(StrEnum):
    """How far ahead of the replies the commands may run."""

    LOCKSTEP = "lockstep"
    PIPELINED = "pipelined"
    OVERLAPPED = "overlapped"
    BDAT = "bdat"


class Mail(NamedTuple):
    """One mail to deliver: `content` has CRLF line ends; `key` is the caller's."""

    envelope: Envelope
    content: bytes
    key: Any = None


Settle = Callable[[Mail, Submission | None], None]


def best_mode(capabilities: Capabilities) -> Mode:
    """The fastest mode that the server's extensions allow."""
    if not capabilities.has("PIPELINING"):
        return Mode.LOCKSTEP
    return Mode.BDAT if capabilities.has("CHUNKING") else Mode.OVERLAPPED


def stream(
    capabilities: Capabilities,
    mails: Iterable[Mail],
    settle: Settle,
    *,
    mode: Mode | None = None,
    window: int = WINDOW,
) -> Dialogue[None]:
    """Send `mails` as they come out of the iterator; `settle` is called once for each that was taken."""
    mode = mode or best_mode(capabilities)
    supply = iter(mails)
    flight: deque[Mail] = deque()
    try:
        if mode is Mode.BDAT:
            yield from _windowed(capabilities, supply, settle, flight, window)
        elif mode is Mode.OVERLAPPED:
            yield from _overlapped(capabilities, supply, settle, flight)
        else:
            yield from _one_by_one(capabilities, supply, settle, flight, mode)
    finally:
        for mail in flight:
            settle(mail, None)


def _one_by_one(
    capabilities: Capabilities, supply: Iterator[Mail], settle: Settle, flight: deque[Mail], mode: Mode
) -> Dialogue[None]:
    if mode is Mode.LOCKSTEP:
        keywords = {k: v for k, v in capabilities.keywords.items() if k != "PIPELINING"}
        capabilities = capabilities._replace(keywords=keywords)
    for mail in supply:
        flight.append(mail)
        yield from _alone(capabilities, mail, settle, flight)


def _alone(capabilities: Capabilities, mail: Mail, settle: Settle, flight: deque[Mail]) -> Dialogue[None]:
    done = yield from submit(capabilities, mail.envelope, (mail.content,))
    flight.remove(mail)
    settle(mail, done)
    if done.refusal:  # with BDAT the transaction may go on being broken (RFC 3030 2)
        yield commands.command(Stage.MAIL, "RSET")
        yield Receive(Stage.MAIL)


class _Openings:
    """MAIL and all RCPTs of an envelope as octets; the last one is kept, because mails often share it."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._envelope: Envelope | None = None
        self._octets = b""

    def of(self, envelope: Envelope) -> bytes:
        if envelope is not self._envelope:
            lines = [commands.mail(envelope, self._capabilities).data]
            lines += [commands.rcpt(recipient, self._capabilities).data for recipient in envelope.recipients]
            self._envelope, self._octets = envelope, b"".join(lines)
        return self._octets


class _Unfinished(NamedTuple):
    """A mail whose content is on the way: the replies so far."""

    mail: Mail
    first: Reply
    replies: list[Reply]
    data: Reply


def _overlapped(
    capabilities: Capabilities, supply: Iterator[Mail], settle: Settle, flight: deque[Mail]
) -> Dialogue[None]:
    openings = _Openings(capabilities)
    inbox: deque[Reply] = deque()
    before: _Unfinished | None = None
    reset = b""
    for mail in supply:
        flight.append(mail)
        count = len(mail.envelope.recipients)
        if count > GROUP:  # too many commands to be ahead of: this one goes by itself
            if before:
                yield from _finish(before, inbox, settle, flight)
                before = None
            yield from _alone(capabilities, mail, settle, flight)
            continue
        expected = count + 2 + bool(reset)
        yield Send(reset + openings.of(mail.envelope) + b"DATA\r\n", Stage.MAIL, None, expected)
        if before:
            yield from _finish(before, inbox, settle, flight)
            before = None
        while len(inbox) < expected:
            inbox.extend((yield _REPLIES))
        if reset:
            inbox.popleft()
            reset = b""
        first = inbox.popleft()
        replies = [inbox.popleft() for _ in range(count)]
        data = inbox.popleft()
        if data.intermediate:
            # RFC 2920 3.1: a 354 although nobody is accepted is answered with an empty message
            body = mail.content if first.positive and any(reply.positive for reply in replies) else b""
            yield Send(content.stuffed_whole(body), Stage.DATA, "<content of a mail>")
            before = _Unfinished(mail, first, replies, data)
        else:
            flight.popleft()
            settle(mail, Submission(mail.envelope, first, replies, data))
            reset = b"RSET\r\n"  # the next MAIL would be refused as a nested one
    if before:
        yield from _finish(before, inbox, settle, flight)


def _finish(one: _Unfinished, inbox: deque[Reply], settle: Settle, flight: deque[Mail]) -> Dialogue[None]:
    """The reply to the content of the first mail in flight, which settles it."""
    while not inbox:
        inbox.extend((yield _REPLIES))
    mail = flight.popleft()
    settle(mail, Submission(mail.envelope, one.first, one.replies, one.data, (inbox.popleft(),)))


def _windowed(
    capabilities: Capabilities, supply: Iterator[Mail], settle: Settle, flight: deque[Mail], window: int
) -> Dialogue[None]:
    """Whole transactions behind each other, each begun with RSET: behind a refused one a server may have its transaction
    still open, refuse the next MAIL as nested and take the recipients into it, with the sender of another mail."""
    openings = _Openings(capabilities)
    inbox: deque[Reply] = deque()
    octets = 0
    while True:
        octets += yield from _fill(openings, supply, flight, window - octets)
        if not flight:
            return
        inbox.extend((yield _REPLIES))
        while flight and len(inbox) >= len(flight[0].envelope.recipients) + 3:
            mail = flight.popleft()
            octets -= len(mail.content)
            _, first, *replies, final = [inbox.popleft() for _ in range(len(mail.envelope.recipients) + 3)]
            settle(mail, Submission(mail.envelope, first, replies, None, (final,)))


def _fill(openings: _Openings, supply: Iterator[Mail], flight: deque[Mail], room: int) -> Generator[Step, Any, int]:
    """Send mails until `room` octets are used up, as one write; how many octets."""
    pieces: list[bytes] = []
    octets = replies = 0
    while octets < room:
        mail = next(supply, None)
        if mail is None:
            break
        flight.append(mail)
        size = len(mail.content)
        octets += size
        replies += len(mail.envelope.recipients) + 3
        pieces += b"RSET\r\n", openings.of(mail.envelope), b"BDAT %d LAST\r\n" % size, mail.content
    if pieces:
        shown = f"<{len(pieces) // 4} mails with BDAT, {octets} octets of content>"
        yield Send(b"".join(pieces), Stage.DATA, shown, replies)
    return octets
