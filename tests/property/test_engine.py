"""What holds for any octets: the engine's readers, its commands, its content, its redaction, its transcripts."""

from __future__ import annotations

import base64
import re
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import Obstacle
from smtpctl.model.redaction import SHORTEST, Redactor
from smtpctl.model.reply import Reply
from smtpctl.model.secret import MASK, Secret
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.protocol import commands, content, ehlo
from smtpctl.protocol.dialogue import hello
from smtpctl.protocol.replies import NotAReply, ReplyReader, ReplyTooLong
from smtpctl.protocol.steps import Send
from transcripts import replies

# Octets that look like replies, much of the time.
PIECES = st.sampled_from(
    [b"250", b"250-", b"250 ", b"550 5.1.1", b"220-x", b"334 dGVzdA==", b" ok", b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"\xc3\xbc", b"-", b"AUTH PLAIN", b"x" * 600]
)  # fmt: skip
REPLYLIKE = st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=40).map(b"".join)
SIZES = st.lists(st.integers(1, 40), max_size=60)


def outcome(data: bytes, sizes: list[int]) -> tuple[list[Reply], str]:
    """The replies up to the first octets that are none, and what ended it."""
    reader, buffer, found = ReplyReader(), bytearray(), []
    at = 0
    try:
        for size in [*sizes, len(data)]:
            buffer += data[at : at + size]
            at += size
            while (reply := reader.take(buffer)) is not None:
                found.append(reply)
    except (NotAReply, ReplyTooLong) as error:
        return found, f"{type(error).__name__} {error.data!r}"
    return found, f"left {bytes(buffer)!r}"


@given(REPLYLIKE, SIZES)
def test_any_cut_reads_the_same(data: bytes, sizes: list[int]) -> None:
    assert outcome(data, sizes) == outcome(data, []) == outcome(data, [1] * len(data))


@given(REPLYLIKE, SIZES)
def test_many_at_once_reads_the_same(data: bytes, sizes: list[int]) -> None:
    reader, buffer, found = ReplyReader(), bytearray(), []
    at = 0
    end = ""
    try:
        for size in [*sizes, len(data), 0]:
            buffer += data[at : at + size]
            at += size
            found += reader.take_many(buffer) or []
        found += reader.take_many(buffer) or []
    except (NotAReply, ReplyTooLong) as error:
        end = f"{type(error).__name__} {error.data!r}"
    whole, how = outcome(data, [])
    assert found == whole
    assert end in (how, "")


@given(st.one_of(REPLYLIKE, st.binary(max_size=300)))
def test_nothing_else_is_raised_and_everything_is_understood(data: bytes) -> None:
    try:
        found, _ = replies(data)
    except (NotAReply, ReplyTooLong):
        return
    for reply in found:
        capabilities = ehlo.parse(reply)
        assert isinstance(capabilities.size, int | None)
        assert set(capabilities.auth) <= {word.upper() for words in capabilities.keywords.values() for word in words}
        assert capabilities.masked is not None
        assert reply.wire_lines()
        assert str(reply.enhanced or "1").count(".") in (0, 2)
        assert not any("\n" in line for line in reply.lines)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
@example("me", "a\r\nRCPT TO:<x>", "b", "c", "d")
@example("\ud800", "\ud800", "\ud800", "\ud800", "\ud800")
def test_no_input_becomes_a_second_command(helo: str, sender: str, recipient: str, ret: str, envid: str) -> None:
    everything = ehlo.parse(Reply(250, ("mx", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS")))
    envelope = Envelope(sender, (Recipient(recipient, ret, envid),), 5, True, True, ret, envid)

    def greeting() -> Send:
        step = next(hello(helo))
        assert isinstance(step, Send)
        return step

    makers: tuple[Any, ...] = (
        greeting,
        lambda: commands.command(Stage.MAIL, f"NOOP {sender}"),
        lambda: commands.mail(envelope, everything),
        lambda: commands.rcpt(envelope.recipients[0], everything),
    )
    names: set[str] = set()
    for make in makers:
        try:
            line = make().data
        except Obstacle as refused:
            names.add(refused.id)
            continue
        assert line.endswith(b"\r\n")
        assert not re.search(rb"[\x00-\x1f\x7f]", line[:-2])
    assert names <= {"smtp.unsafe_input"}


def unstuffed(data: bytes) -> bytes:
    """What a server makes of DATA (RFC 5321 4.5.2)."""
    lines = data.split(b"\r\n")
    assert lines[-2:] == [b".", b""], "the end is a line with a dot"
    assert b"." not in lines[:-2], "and there is no other"
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


BODY = st.lists(
    st.sampled_from([b".", b"..", b"\r", b"\n", b"\r\n", b"a", b"\r\n.\r\n", b"\n.\n", b"\r.\r"]), max_size=30
).map(b"".join)


@given(st.one_of(BODY, st.binary(max_size=200)), st.lists(st.integers(1, 7), max_size=60))
def test_content_arrives_as_it_was_and_ends_where_it_ends(body: bytes, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in [*sizes, len(body)]:
        pieces.append(body[at : at + size])
        at += size
    lines = b"".join(content.crlf(pieces))
    assert lines == b"".join(content.crlf([body])) == re.sub(rb"\r\n|\r|\n", b"\r\n", body)
    wire = b"".join(content.stuffed(content.crlf(pieces)))
    assert wire == content.stuffed_whole(lines)
    whole = lines if lines.endswith(b"\r\n") or not lines else lines + b"\r\n"
    assert unstuffed(wire) == whole


SECRETS = st.text(st.characters(exclude_categories=("Cs",)), min_size=SHORTEST, max_size=24)


def hides(text: str, secret: str) -> bool:
    return secret not in text and secret.lower() not in text.lower()


@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7), st.text(max_size=5))
def test_no_secret_survives_at_any_offset(secret: str, before: bytes, behind: bytes, around: str) -> None:
    assume(secret not in MASK and MASK not in secret)
    redactor = Redactor([Secret(secret)])
    octets = secret.encode()
    assert hides(redactor.text(f"{around}{secret}{around}"), secret)
    assert hides(redactor.text(secret.upper()), secret.upper()) or secret.upper().lower() != secret.lower()
    coded = base64.b64encode(before + octets + behind).decode()
    for text in (coded, coded.replace("+", "-").replace("/", "_")):
        cleaned = redactor.text(f"535 {text} no")
        assert MASK in cleaned
        assert octets not in _decodings(cleaned)
    assert MASK in redactor.text(octets.hex())
    facts = redactor.facts({"a": [secret, {"b": (f"x{secret}", 5, None)}]})
    assert facts["a"] == [MASK, {"b": [redactor.text(f"x{secret}"), 5, None]}]


def _decodings(text: str) -> bytes:
    """Every run of base64 in the text, decoded at every offset."""
    found = b""
    for run in re.findall(r"[A-Za-z0-9+/_-]+", text):
        plain = run.replace("-", "+").replace("_", "/")
        for skip in range(4):
            part = plain[skip:]
            part = part[: len(part) - len(part) % 4]
            found += base64.b64decode(part) + b"\n"
    return found


EVENTS = st.builds(
    Event,
    at=st.floats(0, 1e6).map(lambda at: round(at, 6)),
    stage=st.sampled_from(list(Stage)),
    kind=st.sampled_from(list(Kind)),
    text=st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
    secured=st.booleans(),
    facts=st.dictionaries(
        st.text(max_size=5), st.one_of(st.text(max_size=9), st.integers(), st.booleans()), max_size=3
    ),
)


@given(st.lists(EVENTS, max_size=8))
@example([Event(0.0, Stage.EHLO, Kind.RECEIVED, "250 a\u2028b\x85c\x0bd\x1ee")])
def test_a_transcript_is_read_back_as_it_was(events: list[Event]) -> None:
    transcript = Transcript(events)
    text = transcript.dumps()
    assert list(Transcript.loads(text)) == events
    assert Transcript.loads(text).dumps() == text
    assert text.count("\n") == len(events)
