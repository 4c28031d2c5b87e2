"""One mail transaction of a server: MAIL, RCPT, DATA, BDAT (RFC 5321 3.3, RFC 3030)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from smtpctl.model.record import NamedTuple
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Stage
from smtpctl.protocol.server.arguments import MAIL_PARAMETERS, RCPT_PARAMETERS, BadArgument, parse
from smtpctl.protocol.server.readers import ContentReader, OctetReader, Piece
from smtpctl.protocol.server.talk import Talk, misbehave
from smtpctl.protocol.server.values import CLEAR, Deliver, Mail, Path, ServerDialogue, Setup
from smtpctl.protocol.steps import Receive

_BARE_LF = re.compile(rb"(?<!\r)\n")
_BARE_CR = re.compile(rb"\r(?!\n)")
_LONG_LINE = re.compile(rb"[^\n]{1000}")  # 998 and its CR (RFC 5321 4.5.3.1.6)
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")

REMARKS: Mapping[str, str] = {
    "command_bare_lf": "a command line ended with LF alone; it must be CRLF (RFC 5321 2.3.8)",
    "bare_lf": "the content has LF without CR; servers may refuse it (RFC 5321 2.3.8)",
    "bare_cr": "the content has CR without LF; servers may refuse it (RFC 5321 2.3.8)",
    "long_line": "a line of the content is longer than 998 octets (RFC 5321 4.5.3.1.6)",
    "eight_bit": "the content has octets above 127 but MAIL said no BODY=8BITMIME (RFC 6152)",
    "nul": "the content has NUL octets (RFC 5322 4)",
    "size": "the content is larger than MAIL said with SIZE= (RFC 1870)",
}


class Peer(NamedTuple):
    """What a session knows of its client: the name it gave, whether with EHLO or LHLO, TLS, and who logged in."""

    helo: str = ""
    extended: bool = False
    tls: TlsSession = CLEAR
    login: str = ""
    mechanism: str = ""


class Transaction:
    """The state between MAIL and the end of content; the owner calls `reset` where RFC 5321 says so."""

    def __init__(self, setup: Setup, talk: Talk) -> None:
        self._setup = setup
        self._talk = talk
        self.reset()

    def reset(self) -> None:
        """Forget all of it."""
        self.sender: Path | None = None
        self._recipients: list[Path] = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._chunks = 0
        self._broken = False  # a BDAT chunk failed: nothing more is taken until RSET (RFC 3030 2)

    def mail(self, line: str, argument: str, extensions: frozenset[str], peer: Peer) -> ServerDialogue:
        """MAIL FROM."""
        if self.sender:
            yield from self._talk.say(Stage.MAIL, 503, "5.5.1 Nested MAIL command")
            return
        try:
            path = parse(argument, "FROM", MAIL_PARAMETERS, extensions)
        except BadArgument as bad:
            yield from self._talk.say(Stage.MAIL, bad.code, bad.text)
            return
        utf8 = "SMTPUTF8" in path.parameters
        if int(path.parameters.get("SIZE", "0")) > self._setup.limits.content:
            yield from self._talk.say(Stage.MAIL, 552, "5.3.4 Message size exceeds the limit")
        elif not path.address.isascii() and not utf8:
            yield from self._talk.say(Stage.MAIL, 553, "5.6.7 The address needs SMTPUTF8")
        elif self._setup.users and not peer.login and not self._setup.open_relay:
            yield from self._talk.say(Stage.MAIL, 530, "5.7.0 Authentication required")
        elif (yield from self._talk.answer("mail", 250, "2.1.0 Ok", about=line)):
            self.sender = path

    def rcpt(self, line: str, argument: str, extensions: frozenset[str]) -> ServerDialogue:
        """RCPT TO."""
        if not self.sender or self._chunks:
            yield from self._talk.say(Stage.RCPT, 503, "5.5.1 Need MAIL first")
            return
        try:
            path = parse(argument, "TO", RCPT_PARAMETERS, extensions)
        except BadArgument as bad:
            yield from self._talk.say(Stage.RCPT, bad.code, bad.text)
            return
        if len(self._recipients) >= self._setup.limits.recipients:
            yield from self._talk.say(Stage.RCPT, 452, "4.5.3 Too many recipients")
        elif not path.address.isascii() and "SMTPUTF8" not in self.sender.parameters:
            yield from self._talk.say(Stage.RCPT, 553, "5.6.7 The address needs SMTPUTF8")
        elif (yield from self._talk.answer("rcpt", 250, "2.1.5 Ok", about=line)):
            self._recipients.append(path)

    def data(self, peer: Peer, remarks: set[str]) -> ServerDialogue:
        """DATA."""
        if self._chunks or not self._recipients:
            text = "5.5.1 Need RCPT first" if not self._chunks else "5.5.1 BDAT and DATA do not mix"
            yield from self._talk.say(Stage.DATA, 503, text)
            return
        if not (yield from self._talk.answer("data", 354, "End data with <CR><LF>.<CR><LF>")):
            return
        yield from self._interrupted()
        reader = ContentReader()
        piece = Piece(b"", False)
        while not piece.last:
            piece = yield Receive(Stage.DATA, reader)
            self._keep(piece.data)
        yield from self._finish(peer, remarks)

    def bdat(self, argument: str, peer: Peer, remarks: set[str]) -> ServerDialogue:
        """BDAT: the octets are read whatever the answer will be."""
        found = re.fullmatch(r"(\d{1,12})( +LAST)?", argument.strip(), re.IGNORECASE)
        if not found:
            yield from self._talk.close(Stage.DATA, "4.5.0 BDAT without a size: where commands go on is unknown")
            return
        ready = bool(self._recipients) and not self._broken
        if ready and not self._chunks:
            yield from self._interrupted()
        left = int(found[1])
        while left:
            octets = yield Receive(Stage.DATA, OctetReader(left))
            left -= len(octets)
            if ready:
                self._keep(octets)
        if not ready:
            yield from self._talk.say(Stage.DATA, 503, "5.5.1 Need RCPT first")
            return
        self._chunks += 1
        if found[2]:
            yield from self._finish(peer, remarks)
        elif self._size > self._setup.limits.content:
            self._broken = True
            yield from self._talk.say(Stage.DATA, 552, "5.3.4 Message size exceeds the limit")
        elif not (yield from self._talk.answer("data", 250, f"2.0.0 {found[1]} octets received")):
            self._broken = True

    def _interrupted(self) -> ServerDialogue:
        """A fault in the middle of content comes once its first octets are there."""
        for fault in self._setup.faults.at("content"):
            yield Receive(Stage.DATA, _Glance())
            yield from misbehave(fault, Stage.DATA)

    def _keep(self, octets: bytes) -> None:
        self._size += len(octets)
        if self._size <= self._setup.limits.content:
            self._pieces.append(octets)

    def _finish(self, peer: Peer, remarks: set[str]) -> ServerDialogue:
        """The answer to a whole message; LMTP gives one for each recipient (RFC 2033 4.2)."""
        assert self.sender is not None
        mail = self._mail(peer, remarks)
        self.reset()
        if mail is None:
            code, text = 552, "5.3.4 Message size exceeds the limit"
        else:
            # Whether it is stored must be known before the answer, and a fault is part of the answer: a mail that
            # a fault refuses stays stored, so that one can see what came.
            stored = yield Deliver(mail)
            code, text = (250, f"2.0.0 Ok: queued as {stored}") if stored else (452, "4.3.1 Cannot store the mail")
        recipients = mail.recipients if mail and self._setup.lmtp else (None,)
        for recipient in recipients:
            about = recipient.address if recipient else ""
            if code >= 400:
                yield from self._talk.say(Stage.DATA, code, text)
            else:
                yield from self._talk.answer("eod", code, text, about=about)

    def _mail(self, peer: Peer, remarks: set[str]) -> Mail | None:
        """What was taken; None where it was too large."""
        assert self.sender is not None
        if self._size > self._setup.limits.content:
            return None
        content = b"".join(self._pieces)
        return Mail(
            self.sender,
            tuple(self._recipients),
            content,
            peer.helo,
            protocol(self._setup.lmtp, peer, utf8="SMTPUTF8" in self.sender.parameters),
            peer.tls.protocol,
            peer.login,
            peer.mechanism,
            self._chunks,
            tuple(name for name in REMARKS if name in remarks | _found(content, self.sender.parameters)),
        )


def protocol(lmtp: bool, peer: Peer, *, utf8: bool) -> str:
    """The `with` word of a Received header (RFC 3848, RFC 6531 4.3)."""
    if not peer.extended:
        return "SMTP"
    base = ("UTF8LMTP" if utf8 else "LMTP") if lmtp else ("UTF8SMTP" if utf8 else "ESMTP")
    return base + ("S" if peer.tls.protocol else "") + ("A" if peer.login else "")


def _found(content: bytes, parameters: Mapping[str, str]) -> set[str]:
    """The remarks on a content."""
    tests: Mapping[str, Callable[[], object]] = {
        "bare_lf": lambda: _BARE_LF.search(content),
        "bare_cr": lambda: _BARE_CR.search(content),
        "long_line": lambda: _LONG_LINE.search(content),
        "eight_bit": lambda: parameters.get("BODY", "").upper() != "8BITMIME" and _EIGHT_BIT.search(content),
        "nul": lambda: b"\0" in content,
        "size": lambda: "SIZE" in parameters and len(content) > int(parameters["SIZE"]),
    }
    return {name for name, test in tests.items() if test()}


class _Glance:
    """Waits for octets and leaves them."""

    def take(self, buffer: bytearray) -> bool | None:
        return True if buffer else None
