"""Texts and attachments as octets: how they are encoded, how long that makes them, and how they are read."""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from smtpctl.message import headers
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

if TYPE_CHECKING:
    from pathlib import Path

LINE_LIMIT = 998  # octets without CRLF (RFC 5322 2.1.1)
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEVEN_BIT = re.compile(rb"[\t\r\n -~]*")
_ROW = 57  # octets that fill a base64 line of 76 characters (RFC 2045 6.8)
_ROWS = 1024  # rows that are read and encoded at a time


class Attachment(NamedTuple):
    """A file to attach: its `name`, media type, `size` in octets and how to open it. It is read when it is sent."""

    name: str
    content_type: str
    size: int
    open: Callable[[], BinaryIO]

    def header(self) -> bytes:
        """The fields of its part, with the blank line."""
        return b"".join(
            (
                headers.with_parameters("Content-Type", self.content_type, ()),
                headers.with_parameters("Content-Disposition", "attachment", headers.parameter("filename", self.name)),
                b"Content-Transfer-Encoding: base64\r\n\r\n",
            )
        )

    @property
    def encoded_size(self) -> int:
        """Octets in base64 with line ends."""
        full, rest = divmod(self.size, _ROW)
        return full * 78 + (4 * -(-rest // 3) + 2 if rest else 0)

    def encoded(self) -> Iterator[bytes]:
        """The content in base64, some 80 KB at a time. Problem when the file is no longer as long as it was: the
        size was promised to the server."""
        left = self.size
        with self.open() as file:
            while left:
                data = _read(file, min(left, _ROW * _ROWS))
                left -= len(data)
                if not data:
                    raise _changed(self.name)
                rows = (data[start : start + _ROW] for start in range(0, len(data), _ROW))
                yield b"".join(b2a_base64(row, newline=False) + b"\r\n" for row in rows)
            if file.read(1):
                raise _changed(self.name)


def from_path(path: Path) -> Attachment:
    """The file at `path` as an attachment under its own name. UsageProblem when it is no readable file."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise UsageProblem(f"{path} is not a file.", "Only files can be attached.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise UsageProblem(f"{path} cannot be attached: {error.strerror}.") from None
    return Attachment(path.name, guess_type(path.name), size, lambda: path.open("rb"))


def guess_type(name: str) -> str:
    """The media type by the end of a file's name; the same on every machine. `application/octet-stream` where unknown,
    and for messages, which must not be encoded (RFC 2046 5.2.1)."""
    from mimetypes import MimeTypes

    kind, compression = MimeTypes().guess_type(name)
    if compression:
        return "application/gzip" if compression == "gzip" else "application/octet-stream"
    return kind if kind and not kind.startswith(("message/", "multipart/")) else "application/octet-stream"


def text_part(subtype: str, text: str) -> bytes:
    """A text as a part: fields, blank line, content that ends with CRLF. ASCII with short lines goes as it is, the
    rest as quoted-printable or base64, whichever is shorter. UsageProblem when it is not UTF-8."""
    try:
        data = _LINE_END.sub("\r\n", text).encode()
    except UnicodeEncodeError as error:
        raise UsageProblem(f"The text of the message is not UTF-8 (character {error.start + 1}).") from None
    if data and not data.endswith(b"\r\n"):
        data += b"\r\n"
    charset = "us-ascii" if data.isascii() else "utf-8"
    encoding, content = _encoded(data)
    kind = headers.with_parameters("Content-Type", f"text/{subtype}; charset={charset}", ())
    return kind + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + content


def _encoded(data: bytes) -> tuple[str, bytes]:
    if _SEVEN_BIT.fullmatch(data) and max(map(len, data.split(b"\r\n"))) <= LINE_LIMIT:
        return "7bit", data
    printable = b2a_qp(data, istext=True)
    if len(printable) <= len(data) * 78 / _ROW:
        return "quoted-printable", printable
    rows = (data[start : start + _ROW] for start in range(0, len(data), _ROW))
    return "base64", b"".join(b2a_base64(row, newline=False) + b"\r\n" for row in rows)


def _read(file: BinaryIO, size: int) -> bytes:
    """Exactly `size` octets, or fewer at the end: rows must not be parted by a short read."""
    data = file.read(size)
    while 0 < len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _changed(name: str) -> Problem:
    finding = Finding(
        "message.attachment_changed",
        Severity.ERROR,
        Stage.DATA,
        f"The attachment {name} changed while it was being sent",
        "Its size had already been announced to the server, so the mail was broken off.",
    )
    return Problem(finding, ExitStatus.IO, retryable=True)
