"""Readers of what clients send: the same things come out however the octets arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.protocol.content import crlf, stuffed
from smtpctl.protocol.server.readers import ContentReader, Line, LineReader, OctetReader


def content(chunks: list[bytes]) -> tuple[bytes, bytes, bool]:
    """Content, what was left over, whether the end was seen."""
    reader, buffer, data = ContentReader(), bytearray(), b""
    for number, chunk in enumerate(chunks):
        buffer += chunk
        while (piece := reader.take(buffer)) is not None:
            data += piece.data
            if piece.last:
                return data, bytes(buffer) + b"".join(chunks[number + 1 :]), True
    return data, bytes(buffer), False


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([octet]) for octet in data]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),  # a bare LF never ends DATA
        (b"a\r.\r\n.\r\n", b"a\r.\r\n"),
        (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
    ],
)
def test_content_ends_at_the_final_dot_only(wire: bytes, expected: bytes) -> None:
    for chunks in ([wire + b"QUIT\r\n"], bytewise(wire + b"QUIT\r\n")):
        assert content(chunks) == (expected, b"QUIT\r\n", True)


def test_a_content_line_without_end_is_passed_on_in_pieces() -> None:
    reader, buffer, taken = ContentReader(), bytearray(), 0
    for _ in range(10):
        buffer += b"x" * 65536
        while (piece := reader.take(buffer)) is not None:
            taken += len(piece.data)
        assert len(buffer) <= 65536
    buffer += b"\r\n.\r\n"
    while (piece := reader.take(buffer)) is not None:
        taken += len(piece.data)
    assert taken == 655360 + 2


@given(st.lists(st.sampled_from([b"a", b".", b"\r", b"\n", b"\r\n", b"\xff"])), st.data())
def test_what_a_client_stuffs_comes_out_whole_in_any_chunks(parts: list[bytes], data: st.DataObject) -> None:
    text = b"".join(crlf([b"".join(parts)]))
    wire = b"".join(stuffed([text])) + b"NOOP\r\n"
    expected = text if not text or text.endswith(b"\r\n") else text + b"\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)))))
    chunks = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert content(chunks) == (expected, b"NOOP\r\n", True)


@given(st.binary(max_size=200), st.data())
def test_lines_are_the_same_in_any_chunks(wire: bytes, data: st.DataObject) -> None:
    def lines(chunks: list[bytes]) -> list[Line]:
        reader, buffer, found = LineReader(16), bytearray(), []
        for chunk in chunks:
            buffer += chunk
            while (line := reader.take(buffer)) is not None:
                found.append(line)
        return found

    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)))))
    assert lines([wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]) == lines([wire])


def test_a_line_over_the_limit_comes_in_pieces() -> None:
    buffer = bytearray(b"x" * 20 + b"\r\nNOOP\r\n")
    reader = LineReader(16)
    assert [reader.take(buffer) for _ in range(3)] == [
        Line(b"x" * 16, complete=False),
        Line(b"xxxx"),
        Line(b"NOOP"),
    ]


def test_bare_lf_is_marked() -> None:
    assert LineReader(16).take(bytearray(b"NOOP\n")) == Line(b"NOOP", bare_lf=True)
    assert LineReader(16).take(bytearray(b"\n")) == Line(b"", bare_lf=True)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"AUTH PLAIN AGFubgBwdw==", "AUTH PLAIN ********"),
        (b"auth plain AGFubgBwdw==  x", "auth plain ********"),
        (b"AUTH LOGIN", "AUTH LOGIN"),
        (b"NOOP \xff\x00", "NOOP \\xff\x00"),
    ],
)
def test_what_a_transcript_may_show(data: bytes, shown: str) -> None:
    assert Line(data).shown == shown


def test_octets_come_as_they_are_there() -> None:
    buffer = bytearray(b"abcdef")
    assert OctetReader(4).take(buffer) == b"abcd"
    assert OctetReader(4).take(buffer) == b"ef"
    assert OctetReader(4).take(buffer) is None
