"""Line ends and dots, however the content is cut."""

from __future__ import annotations

import pytest

from smtpctl.protocol import content

CUTS = {"whole": 10**6, "byte by byte": 1, "in threes": 3}
LINES = [
    (b"", b""), (b"a\r\nb\r\n", b"a\r\nb\r\n"), (b"a\nb\n", b"a\r\nb\r\n"), (b"a\rb\r", b"a\r\nb\r\n"), (b"\r\r\n\n", b"\r\n\r\n\r\n"),
    (b"a\r", b"a\r\n"), (b"\n.\n", b"\r\n.\r\n"), (b"no end", b"no end"), (b"\r\n.\r\nMAIL FROM:<x@y>\r\n", b"\r\n.\r\nMAIL FROM:<x@y>\r\n"),
]  # fmt: skip
DOTS = [
    (b"", b".\r\n"), (b"\r\n", b"\r\n.\r\n"), (b"a\r\n", b"a\r\n.\r\n"), (b"a", b"a\r\n.\r\n"), (b".", b"..\r\n.\r\n"), (b".\r\n", b"..\r\n.\r\n"),
    (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"), (b"..\r\n", b"...\r\n.\r\n"), (b"a.b\r\n", b"a.b\r\n.\r\n"), (b"\r\n.", b"\r\n..\r\n.\r\n"),
]  # fmt: skip


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize(("before", "after"), LINES)
def test_line_ends(before: bytes, after: bytes, size: int) -> None:
    assert b"".join(content.crlf(cut(before, size))) == after


@pytest.mark.parametrize("size", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize(("before", "after"), DOTS)
def test_dots(before: bytes, after: bytes, size: int) -> None:
    assert b"".join(content.stuffed(cut(before, size))) == after
    assert b"".join(content.stuffed([b"", *cut(before, size), b""])) == after
    assert content.stuffed_whole(before) == after


def test_content_is_not_gathered() -> None:
    """A message of any size goes through in the pieces it came in."""

    def endless() -> object:
        while True:
            yield b"x" * 1000 + b"\r\n"

    taken = content.stuffed(content.crlf(endless()))  # type: ignore[arg-type]
    assert [len(next(taken)) for _ in range(3)] == [1002] * 3
