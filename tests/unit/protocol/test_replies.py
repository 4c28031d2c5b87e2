"""Octets in, replies out: as the RFC has them, and as servers write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpctl.model.reply import Oddity, Reply
from smtpctl.protocol.replies import LINE_LIMIT, LINES_LIMIT, NotAReply, ReplyReader, ReplyTooLong
from transcripts import replies

CORPUS = sorted((Path(__file__).parents[2] / "corpus" / "octets").glob("*.txt"))
FEEDS = {"whole": (), "byte by byte": (1,) * 8000, "in sevens": (7,) * 600}


def case(path: Path) -> tuple[bytes, list[tuple[int, list[str], set[str]]]]:
    r"""A corpus file: octets (`\r\n` and the like written out, a line break means nothing), `--`, then for each reply its
    code, its texts separated by ` | `, and in brackets its oddities."""
    text, _, wanted = path.read_text(encoding="utf-8").partition("\n--\n")
    body = "".join(line for line in text.splitlines() if not line.startswith("#"))
    data = body.encode().decode("unicode_escape").encode("latin-1")
    expected = []
    for line in wanted.splitlines():
        words, _, odd = line.partition("  [")
        code, _, texts = words.partition(" ")
        expected.append((int(code), texts.split(" | "), {name for name in odd.rstrip("]").split(", ") if name}))
    return data, expected


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path, feed: str) -> None:
    data, expected = case(path)
    found, rest = replies(data, FEEDS[feed])
    assert [(r.code, list(r.lines), {o.value for o in r.oddities}) for r in found] == expected
    assert rest == b""


@pytest.mark.parametrize("feed", FEEDS)
def test_octets_behind_a_reply_stay(feed: str) -> None:
    found, rest = replies(b"250-a\r\n250 b\r\n354 go", FEEDS[feed])
    assert found == [Reply(250, ("a", "b"))]
    assert rest == b"354 go"


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"* OK IMAP ready\r\n", b"+OK POP3 ready\r\n",
        b"\x16\x03\x01\x02\x00\x01\r\n", b"22 two digits\r\n", b"2200 four digits\r\n", b"199 not in SMTP\r\n",
        b"600 nor this\r\n", b" 250 indented\r\n", b"\r\n", b"\n", b"\x00\x00\n", b"\xff\xfe250 ok\r\n", b"25O letter O\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("feed", FEEDS)
def test_what_is_no_reply(line: bytes, feed: str) -> None:
    with pytest.raises(NotAReply) as told:
        replies(line, FEEDS[feed])
    assert told.value.data == line


def test_a_line_in_the_middle_of_a_reply_that_is_none() -> None:
    with pytest.raises(NotAReply) as told:
        replies(b"250-SIZE\r\nwhat is this\r\n250 ok\r\n")
    assert told.value.data == b"what is this\r\n"


@pytest.mark.parametrize("feed", [(), (1,) * (LINE_LIMIT + 10), (100,) * 200])
@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_line_without_end(feed: tuple[int, ...], end: bytes) -> None:
    with pytest.raises(ReplyTooLong) as told:
        replies(b"220 " + b"x" * LINE_LIMIT + end, feed)
    assert told.value.what == "line"
    assert told.value.data == b"220 " + b"x" * 508


def test_the_longest_line_is_read() -> None:
    [reply], rest = replies(b"220 " + b"x" * (LINE_LIMIT - 6) + b"\r\n")
    assert len(reply.text) == LINE_LIMIT - 6
    assert reply.oddities == (Oddity.LONG_LINE,)
    assert rest == b""


@pytest.mark.parametrize("line", [b"250-x\r\n", b"250-" + b"y" * 4000 + b"\r\n"])
def test_a_reply_without_end(line: bytes) -> None:
    with pytest.raises(ReplyTooLong) as told:
        replies(line * 20000)
    assert told.value.what == "reply"


def test_the_longest_reply_is_read() -> None:
    [reply], _ = replies(b"250-x\r\n" * (LINES_LIMIT - 1) + b"250 last\r\n")
    assert len(reply.lines) == LINES_LIMIT


def test_limits_count_for_each_reply() -> None:
    found, _ = replies((b"250-x\r\n" * 400 + b"250 last\r\n") * 3)
    assert len(found) == 3


def test_many_at_once() -> None:
    reader, buffer = ReplyReader(), bytearray(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550-5.1.1 No\r\n550 such user\r\n354 g")
    assert reader.take_many(buffer) == [
        Reply(250, ("2.1.0 Ok",)),
        Reply(250, ("2.1.5 Ok",)),
        Reply(550, ("5.1.1 No", "such user")),
    ]
    assert reader.take_many(buffer) is None
    buffer += b"o\r\n"
    assert reader.take_many(buffer) == [Reply(354, ("go",))]
    assert buffer == b""


def test_many_keeps_what_came_before_the_breach() -> None:
    """A mail that was accepted stays accepted, whatever the server says next."""
    reader, buffer = ReplyReader(), bytearray(b"250 2.0.0 queued\r\n250 also\r\nnonsense\r\n250 more\r\n")
    assert reader.take_many(buffer) == [Reply(250, ("2.0.0 queued",)), Reply(250, ("also",))]
    with pytest.raises(NotAReply):
        reader.take_many(buffer)


def test_pending_shows_the_unfinished_reply() -> None:
    reader, buffer = ReplyReader(), bytearray(b"250-one\r\n250-tw")
    assert reader.take(buffer) is None
    assert reader.pending(buffer) == b"250-one\r\n250-tw"
