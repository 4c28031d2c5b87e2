"""Readers for what clients send: command lines, DATA content, BDAT octets.

However the octets arrive, the same things come out in the same order. Memory is bounded: a line without an end is
cut into pieces, content comes in pieces as it arrives.
"""

from __future__ import annotations

from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK

_END = b"\r\n.\r\n"
_LONG = 64 * 1024  # a content line longer than this is passed on in pieces


class Line(NamedTuple):
    """A line without its end, or (`complete` False) the first part of one that is too long."""

    data: bytes
    complete: bool = True
    bare_lf: bool = False

    @property
    def text(self) -> str:
        """As text; octets that are not UTF-8 appear as surrogates."""
        return self.data.decode("utf-8", "surrogateescape")

    @property
    def shown(self) -> str:
        """For a transcript: an initial response of AUTH is masked, undecodable octets escaped."""
        words = self.data.decode("utf-8", "backslashreplace").split(" ", 2)
        if words[0].upper() == "AUTH" and len(words) > 2:
            words[2] = MASK
        return " ".join(words)


class LineReader:
    """Takes one line of at most `limit` octets with its end; CRLF, or LF alone, which is marked."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def take(self, buffer: bytearray) -> Line | None:
        end = buffer.find(b"\n", 0, self._limit)
        if end < 0:
            if len(buffer) < self._limit:
                return None
            piece = bytes(buffer[: self._limit])
            del buffer[: self._limit]
            return Line(piece, complete=False)
        crlf = end > 0 and buffer[end - 1] == 0x0D
        data = bytes(buffer[: end - 1 if crlf else end])
        del buffer[: end + 1]
        return Line(data, bare_lf=not crlf)


class Piece(NamedTuple):
    """Some content, dot-stuffing taken off; `last` where the final dot followed."""

    data: bytes
    last: bool


class ContentReader:
    """Takes DATA content up to CRLF.CRLF and nothing else (RFC 5321 4.1.1.4: a bare LF never ends it)."""

    def __init__(self) -> None:
        self._at_line_start = True

    def take(self, buffer: bytearray) -> Piece | None:
        """The next piece: whole lines, or a part of a very long one."""
        if self._at_line_start and buffer.startswith(_END[2:]):
            del buffer[:3]
            return Piece(b"", True)
        end = buffer.find(_END)
        if end >= 0:
            piece = Piece(self._unstuffed(buffer[: end + 2]), True)
            del buffer[: end + len(_END)]
            return piece
        cut = buffer.rfind(b"\r\n") + 2
        if cut < 2:
            cut = len(buffer) - 2 if len(buffer) > _LONG else 0  # never between CR and LF
        if not cut:
            return None
        piece = Piece(self._unstuffed(buffer[:cut]), False)
        self._at_line_start = buffer[:cut].endswith(b"\r\n")
        del buffer[:cut]
        return piece

    def _unstuffed(self, data: bytearray) -> bytes:
        """RFC 5321 4.5.2: the first dot of a line that has more is dropped."""
        skip = 1 if self._at_line_start and data.startswith(b".") else 0
        return bytes(data[skip:]).replace(b"\r\n.", b"\r\n")


class OctetReader:
    """Takes at least one and at most `count` octets."""

    def __init__(self, count: int) -> None:
        self._count = count

    def take(self, buffer: bytearray) -> bytes | None:
        if not buffer:
            return None
        data = bytes(buffer[: self._count])
        del buffer[: self._count]
        return data
