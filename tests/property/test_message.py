"""Any input gives a mail that reads back as it was meant, with no header that nobody asked for, or is refused."""

from __future__ import annotations

import email
import email.policy
import io
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smtpctl.message.bodies import Attachment, text_part
from smtpctl.message.compose import Draft, compose, envelope, parse_header
from smtpctl.message.headers import encoded_words
from smtpctl.model.address import Mailbox, parse, parse_list
from smtpctl.model.errors import UsageProblem

NOW = datetime(2026, 11, 1, tzinfo=UTC)
UNIQUE = "0123456789abcdef" * 2
ANN = parse("ann@example.com")
PLAIN = st.characters(blacklist_categories=["C", "Zl", "Zp"])
TEXT = st.text(PLAIN, max_size=300)
DISPLAY = TEXT.map(str.strip).filter(lambda name: "\\" not in name)
MAILBOX = st.builds(
    Mailbox, DISPLAY, st.from_regex(r"[a-z0-9+_-]{1,20}(\.[a-z]{1,9})?", fullmatch=True), st.just("example.org")
)
ANY = st.text(st.one_of(st.sampled_from('\r\n\0\x0b\x0c\x85\u2028 :;,<>"\\=?_é'), st.characters()), max_size=80)
KNOWN = {
    "date",
    "from",
    "to",
    "cc",
    "subject",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
}


def octets(draft: Draft) -> bytes:
    message = compose(draft, NOW, UNIQUE)
    data = b"".join(message.chunks())
    assert len(data) == message.size
    assert max(map(len, data.split(b"\r\n"))) <= 998
    bare = data.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert b"\0" not in bare
    return data


@given(TEXT, DISPLAY, st.lists(MAILBOX, min_size=1, max_size=4), st.none() | TEXT, st.none() | TEXT)
def test_what_goes_in_comes_out(subject: str, name: str, to: list[Mailbox], text: str | None, html: str | None) -> None:
    data = octets(Draft(ANN._replace(display=name), tuple(to), subject=subject, text=text, html=html))
    assert data.isascii()
    old = email.message_from_bytes(data)
    assert str(make_header(decode_header(str(old["Subject"]).replace("\r\n", "")))) == subject
    for field, mailboxes in (("From", [ANN._replace(display=name)]), ("To", to)):
        found = [
            (str(make_header(decode_header(display))), address) for display, address in getaddresses([str(old[field])])
        ]
        assert [address for _, address in found] == [mailbox.address for mailbox in mailboxes]
        for (display, _), mailbox in zip(found, mailboxes, strict=True):
            assert display.split() == mailbox.display.split()
    new = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(new, EmailMessage)
    for kind, given_text in (("plain", text), ("html", html)):
        part = new.get_body((kind,))
        if given_text is not None:
            assert part is not None
            wanted = given_text + "\n" if given_text else ""
            assert part.get_content().replace("\r\n", "\n") == wanted


@given(st.text(st.one_of(st.sampled_from("\r\n \t.=F\0é"), st.characters(blacklist_categories=["Cs"]))))
def test_any_text_survives_its_encoding(text: str) -> None:
    part = email.message_from_bytes(text_part("plain", text))
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    wanted += "\n" if wanted and not wanted.endswith("\n") else ""
    assert content.replace(b"\r\n", b"\n").decode() == wanted


@given(ANY, ANY, ANY, ANY)
def test_no_input_adds_a_header(subject: str, display: str, name: str, value: str) -> None:
    try:
        data = octets(Draft(ANN._replace(display=display), (ANN,), subject=subject, headers=((name, value),)))
    except UsageProblem:
        return
    header = data.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode().lower() for line in header.split(b"\r\n") if line[:1] not in b" \t"]
    assert sorted(set(names)) == sorted(KNOWN - {"cc"} | {name.lower()})
    assert len(names) == len(set(names))


@given(ANY)
def test_no_address_adds_a_header_or_a_command(text: str) -> None:
    try:
        mailboxes = parse_list(text)
        assume(mailboxes)
        draft = Draft(mailboxes[0], mailboxes, subject="x", text="x")
        message = compose(draft, NOW, UNIQUE)
    except UsageProblem:
        return
    sent = envelope(draft, message)
    for address in (sent.sender, *(recipient.address for recipient in sent.recipients)):
        assert not set("\r\n\0") & set(address)
    assert {key.lower() for key in email.message_from_bytes(octets(draft))} <= KNOWN


@given(ANY)
def test_a_header_option_is_one_field_or_refused(text: str) -> None:
    try:
        name, value = parse_header(text)
    except UsageProblem:
        return
    assert not set("\r\n\0") & set(name + value)
    assert name.lower() != "bcc"


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1))
def test_encoded_words_hold_whole_characters(text: str) -> None:
    words = encoded_words(text)
    assert all(len(word) <= 75 for word in words)
    for word in words:
        ((content, charset),) = decode_header(word)
        assert charset == "utf-8"
        assert isinstance(content, bytes)
        content.decode()
    assert str(make_header(decode_header(" ".join(words)))) == text


@given(st.binary(max_size=300), TEXT.filter(bool))
def test_any_attachment_comes_back(data: bytes, name: str) -> None:
    file = Attachment(name, "application/octet-stream", len(data), lambda: io.BytesIO(data))
    parsed = email.message_from_bytes(octets(Draft(ANN, (ANN,), text="x", attachments=(file,))))
    part = parsed.get_payload(1)
    assert isinstance(part, email.message.Message)
    assert part.get_payload(decode=True) == data
    assert part.get_filename() == name.strip()  # get_filename strips it


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 113, 114, 57 * 1024 - 1, 57 * 1024, 57 * 1024 + 1, 57 * 2048])
def test_the_size_of_an_attachment_is_known_beforehand(size: int) -> None:
    file = Attachment("x", "application/octet-stream", size, lambda: io.BytesIO(b"x" * size))
    assert sum(map(len, file.encoded())) == file.encoded_size
