"""Octets in, replies out (RFC 5321 4.2.1), with limits on everything.

Real servers write replies in more ways than the grammar has. Whatever can be understood is read and its
oddity recorded; what is no reply at all raises `NotAReply` with the octets; a peer that never stops raises
`ReplyTooLong`. Nothing else is raised, for any input.
"""

from __future__ import annotations

import re

from smtpctl.model.reply import Oddity, Reply

LINE_RECOMMENDED = 512  # RFC 5321 4.5.3.1.5, CRLF included
LINE_LIMIT = 16384  # a SASL challenge may have 12288 (RFC 4954 4)
REPLY_LIMIT = 65536
LINES_LIMIT = 512
KNOWN_LIMIT = 64

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_GLUED = re.compile(rb"([2-5][0-9]{2})([^0-9].*)", re.DOTALL)
_PLAIN = re.compile(rb"[2-5][0-9]{2} [\t -~]*")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


class NotAReply(ValueError):
    """The peer sent something that is no SMTP reply; `data` is what came (at most 512 octets)."""

    def __init__(self, data: bytes) -> None:
        super().__init__(repr(data[:80]))
        self.data = data


class ReplyTooLong(ValueError):
    """A line or a reply passed the limit; `what` is `line` or `reply`, `data` the beginning."""

    def __init__(self, what: str, data: bytes) -> None:
        super().__init__(what)
        self.what = what
        self.data = data


class ReplyReader:
    """Reads one reply after another; keeps the lines of an unfinished one."""

    def __init__(self) -> None:
        self._scanned = 0  # how much of the buffer is known to hold no LF: byte-by-byte input stays linear
        self._code = 0
        self._lines: list[str] = []
        self._size = 0
        self._oddities: dict[Oddity, int] = {}  # with the line that each was first seen on
        self._known: dict[bytes, Reply] = {}
        self._breach: NotAReply | ReplyTooLong | None = None

    def take(self, buffer: bytearray) -> Reply | None:
        """The next complete reply, removed from `buffer`, or None. NotAReply, ReplyTooLong."""
        while True:
            end = buffer.find(b"\n", self._scanned)
            if end < 0:
                if len(buffer) > LINE_LIMIT:
                    raise ReplyTooLong("line", bytes(buffer[:512]))
                self._scanned = len(buffer)
                return None
            line = bytes(buffer[: end + 1])
            del buffer[: end + 1]
            self._scanned = 0
            if self._add(line):
                reply = Reply(self._code, tuple(self._lines), tuple(self._oddities), tuple(self._oddities.values()))
                self._lines = []
                self._oddities = {}
                self._size = 0
                return reply

    def take_many(self, buffer: bytearray) -> list[Reply] | None:
        """All complete replies, removed from `buffer`, or None. A busy session gets the same few one-line replies
        thousands of times: those are made once."""
        if self._breach:
            raise self._breach
        found: list[Reply] = []
        end = buffer.rfind(b"\r\n")
        if end >= 0 and not self._lines:
            lines = bytes(buffer[:end]).split(b"\r\n")
            for line in lines:
                reply = self._known.get(line) or self._plain(line)
                if reply is None:
                    break
                found.append(reply)
            if found:
                del buffer[: sum(map(len, lines[: len(found)])) + 2 * len(found)]
                self._scanned = 0
        try:
            while (reply := self.take(buffer)) is not None:
                found.append(reply)
        except (NotAReply, ReplyTooLong) as breach:
            if not found:
                raise
            self._breach = breach  # what came before it still counts: it may say that a mail was taken
        return found or None

    def _plain(self, line: bytes) -> Reply | None:
        """A reply of one line without any oddity, None for all others."""
        if not _PLAIN.fullmatch(line) or len(line) + 2 > LINE_RECOMMENDED:
            return None
        reply = Reply(int(line[:3]), (line[4:].decode("ascii"),))
        if len(self._known) < KNOWN_LIMIT:
            self._known[line] = reply
        return reply

    def pending(self, buffer: bytearray) -> bytes:
        """What has come of an unfinished reply, for the report of a connection that ended."""
        seen = "".join(f"{self._code}-{line}\r\n" for line in self._lines)
        return seen.encode() + bytes(buffer[:512])

    def _add(self, line: bytes) -> bool:
        """Take one line in; True when it was the last of its reply."""
        self._size += len(line)
        if len(line) > LINE_LIMIT:
            raise ReplyTooLong("line", line[:512])
        if self._size > REPLY_LIMIT or len(self._lines) >= LINES_LIMIT:
            raise ReplyTooLong("reply", line[:512])
        text = line.rstrip(b"\r\n")
        if not line.endswith(b"\r\n"):
            self._note(Oddity.BARE_LF)
        if len(line) > LINE_RECOMMENDED:
            self._note(Oddity.LONG_LINE)
        found = _LINE.fullmatch(text)
        if found:
            separator, rest = found[2], found[3]
            if separator is None:
                self._note(Oddity.BARE_CODE)
                rest = b""
        else:
            found = _GLUED.fullmatch(text)
            if not found:
                raise NotAReply(line[:512])
            self._note(Oddity.NO_SPACE)
            separator, rest = None, found[2]
        code = int(found[1])
        if self._lines and code != self._code:
            self._note(Oddity.MIXED_CODES)
        self._code = code  # the last line decides, as in most clients
        self._lines.append(self._decode(rest))
        return separator != b"-"

    def _decode(self, text: bytes) -> str:
        if _CONTROL.search(text):
            self._note(Oddity.CONTROL)
        if text.isascii():
            return text.decode("ascii")
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError:
            self._note(Oddity.UNDECODABLE)
            return text.decode("utf-8", "backslashreplace")
        self._note(Oddity.NON_ASCII)
        return decoded

    def _note(self, oddity: Oddity) -> None:
        self._oddities.setdefault(oddity, len(self._lines))
