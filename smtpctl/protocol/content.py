"""Message content as it goes over the wire: line ends and dot-stuffing.

Input chunks may cut anywhere. Bare CR and bare LF become CRLF (RFC 5321 2.3.8), so that no message can end
DATA early or smuggle a second one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def crlf(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text with every line end as CRLF; a CR at a chunk's end waits for what follows."""
    held = b""
    for chunk in chunks:
        data = held + chunk
        held = b""
        if data.endswith(b"\r"):
            data, held = data[:-1], b"\r"
        if data:
            yield _BARE.sub(b"\r\n", data)
    if held:
        yield b"\r\n"


def stuffed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Dot-stuffed content of CRLF lines, then the final dot (RFC 5321 4.5.2); a missing last line end is added."""
    tail = b"\r\n"  # the last two octets already sent; content begins as if after a line end
    for chunk in chunks:
        if not chunk:
            continue
        data = tail + chunk
        if b"\r\n." in data:
            yield data.replace(b"\r\n.", b"\r\n..")[2:]
        else:
            yield chunk
        tail = data[-2:]
    yield b".\r\n" if tail == b"\r\n" else b"\r\n.\r\n"


def stuffed_whole(content: bytes) -> bytes:
    """The same for a message that is at hand as a whole."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed[:1] == b".":
        stuffed = b"." + stuffed
    return stuffed + b".\r\n" if stuffed[-2:] == b"\r\n" or not stuffed else stuffed + b"\r\n.\r\n"
