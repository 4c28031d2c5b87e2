"""Composed mails, read back with the standard library's parser, which nobody here wrote."""

from __future__ import annotations

import email
import email.policy
import io
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path

import pytest

from smtpctl.message.bodies import Attachment, from_path, guess_type
from smtpctl.message.compose import Draft, Message, compose, date, envelope, parse_header
from smtpctl.model.address import Mailbox, parse, parse_list
from smtpctl.model.errors import Problem, UsageProblem

NOW = datetime(2026, 11, 1, 9, 5, 7, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
UNIQUE = "0123456789abcdef0123456789abcdef"
ANN = parse("Ann Lee <ann@example.com>")


def draft(**fields: object) -> Draft:
    return Draft(**{"sender": ANN, "to": parse_list("bob@example.org"), "subject": "Hello", "text": "Hi\n", **fields})  # type: ignore[arg-type]


def made(given: Draft) -> tuple[Message, bytes, EmailMessage]:
    message = compose(given, NOW, UNIQUE)
    data = b"".join(message.chunks())
    assert len(data) == message.size
    assert data == b"".join(message.chunks())
    assert max(map(len, data.split(b"\r\n"))) <= 998
    rest = data.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    parsed = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    for part in parsed.walk():
        assert not part.defects
    return message, data, parsed


def content(part: EmailMessage) -> str:
    """The text of a part; the parser leaves CRLF as it was sent."""
    return str(part.get_content()).replace("\r\n", "\n")


def attachment(name: str, data: bytes) -> Attachment:
    return Attachment(name, guess_type(name), len(data), lambda: io.BytesIO(data))


def test_a_plain_mail_to_the_octet() -> None:
    _, data, _ = made(draft())
    assert data == (
        b"Date: Sun, 01 Nov 2026 09:05:07 -0330\r\n"
        b"From: Ann Lee <ann@example.com>\r\n"
        b"To: bob@example.org\r\n"
        b"Subject: Hello\r\n"
        b"Message-ID: <0123456789abcdef0123456789abcdef@example.com>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hi\r\n"
    )


@pytest.mark.parametrize(
    "text",
    ["", "ASCII\n", "Grüße, ½ ✓\n", "日本語のテキスト\n" * 50, "x" * 3000, "a \n.\nFrom b\t\n\n", "NUL\0 ESC\x1b\n"],
)
def test_texts_come_back(text: str) -> None:
    message, data, parsed = made(draft(text=text))
    assert content(parsed) == (text if text.endswith("\n") or not text else text + "\n")
    assert data.isascii()
    assert not message.utf8


def test_every_line_end_becomes_crlf() -> None:
    assert made(draft(text="a\rb\nc\r\nd"))[1].endswith(b"\r\n\r\na\r\nb\r\nc\r\nd\r\n")


def test_text_and_html() -> None:
    _, _, parsed = made(draft(text="Grüße\n", html="<p>Grüße</p>\n"))
    assert parsed.get_content_type() == "multipart/alternative"
    assert [content(part) for part in parsed.iter_parts()] == ["Grüße\n", "<p>Grüße</p>\n"]
    assert made(draft(text=None, html="<p>x</p>"))[2].get_content_type() == "text/html"


def test_attachments() -> None:
    octets = bytes(range(256)) * 999
    files = tuple(
        attachment(name, octets[:size])
        for name, size in (
            ("a.pdf", 0),
            ("Übersicht ✓.xlsx", 57),
            ('q"\\.txt', 58),
            ("日本" * 40 + ".zip", len(octets)),
        )
    )
    _, data, parsed = made(draft(text="See\n", html="<p>See</p>\n", attachments=files))
    assert data.isascii()
    assert [part.get_filename() for part in parsed.iter_attachments()] == [file.name for file in files]
    assert next(part.get_content_type() for part in parsed.iter_attachments()) == "application/pdf"
    assert [part.get_payload(decode=True) for part in parsed.iter_attachments()] == [
        octets[: file.size] for file in files
    ]
    body = parsed.get_body()
    assert body is not None
    assert content(body) == "<p>See</p>\n"


def test_a_mail_is_attached_as_octets() -> None:
    assert guess_type("x.eml") == "application/octet-stream"
    assert guess_type("x.tar.gz") == "application/gzip"
    assert guess_type("x.unknown-kind") == "application/octet-stream"


@pytest.mark.parametrize("now", [b"short", b"longer than it was"])
def test_an_attachment_that_changed(tmp_path: Path, now: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"twelve bytes")
    message = compose(draft(attachments=(from_path(path),)), NOW, UNIQUE)
    path.write_bytes(now)
    with pytest.raises(Problem, match=r"message\.attachment_changed"):
        list(message.chunks())


def test_what_cannot_be_attached(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none", "No such file"), (tmp_path, "not a file")):
        with pytest.raises(UsageProblem) as caught:
            from_path(path)
        assert words in caught.value.message


def test_subjects_and_names_that_are_not_ascii() -> None:
    subject = "Ihre Bestellung № 7 – vielen Dank für Ihr Vertrauen, liebe Zoë 🎉 " * 4 + "!"
    to = (Mailbox("Müller, Jürgen", "j", "example.org"), Mailbox("山田太郎" * 20, "y", "example.org"), ANN)
    _, data, parsed = made(draft(subject=subject, to=to))
    assert data.isascii()
    assert parsed["Subject"] == subject
    # The modern parser of Python 3.11 puts blanks between the encoded words of a name; RFC 2047 6.2 does not.
    written = getaddresses([str(email.message_from_bytes(data)["To"])])
    assert [str(make_header(decode_header(name))) for name, _ in written] == [mailbox.display for mailbox in to]
    assert [address.addr_spec for address in parsed["To"].addresses] == [mailbox.address for mailbox in to]
    assert all(len(line) <= 78 for line in data.split(b"\r\n\r\n")[0].split(b"\r\n"))


@pytest.mark.parametrize(
    "subject", ["", " lead", "trail ", "a   b", "tab\there", "=?utf-8?q?no?=", "x" * 3000, "w " * 300 + "w"]
)
def test_odd_subjects_come_back(subject: str) -> None:
    assert made(draft(subject=subject))[2]["Subject"] == subject


def test_many_recipients_are_folded() -> None:
    to = tuple(Mailbox("", f"user{n}", "example.org") for n in range(500))
    _, data, parsed = made(draft(to=to))
    assert len(parsed["To"].addresses) == 500
    assert all(len(line) <= 78 for line in data.split(b"\r\n"))


def test_international_domains_become_a_labels() -> None:
    message, data, _ = made(draft(sender=parse("ann@bücher.example"), to=parse_list("x@例え.テスト")))
    assert b"From: ann@xn--bcher-kva.example\r\nTo: x@xn--r8jz45g.xn--zckzah\r\n" in data
    assert message.message_id == f"<{UNIQUE}@xn--bcher-kva.example>"
    assert not message.utf8


def test_smtputf8_only_when_a_local_part_needs_it() -> None:
    given = draft(to=parse_list("zoë@example.org"))
    message, data, parsed = made(given)
    assert message.utf8
    assert parsed["To"].addresses[0].username.encode("ascii", "surrogateescape") == "zoë".encode()
    assert "zoë@example.org".encode() in data
    hidden = draft(bcc=parse_list("zoë@example.org"))
    message, data, _ = made(hidden)
    assert not message.utf8
    assert envelope(hidden, message).utf8


def test_the_envelope_has_everyone_once_and_the_header_no_bcc() -> None:
    given = draft(cc=parse_list("c@bücher.example"), bcc=parse_list("secret@example.org, bob@example.org"))
    message, data, parsed = made(given)
    assert b"secret" not in data
    assert parsed["Bcc"] is None
    sent = envelope(given, message)
    assert [recipient.address for recipient in sent.recipients] == [
        "bob@example.org",
        "c@xn--bcher-kva.example",
        "secret@example.org",
    ]
    assert (sent.sender, sent.size, sent.utf8, sent.eight_bit) == ("ann@example.com", message.size, False, False)
    assert envelope(given, message, parse("bounce@example.com")).sender == "bounce@example.com"


def test_only_bcc() -> None:
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in made(draft(to=(), bcc=parse_list("x@example.org")))[1]


def test_own_headers() -> None:
    own = (
        ("X-Kind", "a"),
        ("X-Kind", "b"),
        ("subject", "Andere Größe"),
        ("Reply-To", "Zoë <zoe@bücher.example>"),
        ("List-Unsubscribe", "<https://example.com/u>"),
    )
    _, data, parsed = made(draft(headers=own))
    assert parsed.get_all("X-Kind") == ["a", "b"]
    assert parsed.get_all("Subject") == ["Andere Größe"]
    assert parsed["Reply-To"].addresses[0].display_name == "Zoë"
    assert b"<zoe@xn--bcher-kva.example>" in data
    made(draft(headers=(("Message-ID", "<own@example.com>"),)))
    assert compose(draft(headers=(("Message-ID", "<own@example.com>"),)), NOW, UNIQUE).message_id == "<own@example.com>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("X-A: b\r\nBcc: c", "U+000D"),
        ("X-A: b\nc", "U+000A"),
        ("X-A: b\0c", "U+0000"),
        ("X A: b", "not the name"),
        ("X-A\r\n: b", "not the name"),
        ("Grüße: b", "not the name"),
        (": b", "not the name"),
        ("no colon", "not the name"),
        ("nocolon", "no colon"),
        ("bcc: x@example.org", "--bcc"),
        ("Content-Type: text/plain", "It follows from"),
    ],
)
def test_headers_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        parse_header(text)
    assert words in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "a\r\nBcc: x"},
        {"subject": "a\udcff"},
        {"text": "a\udcff"},
        {"sender": Mailbox("a\r\nb", "a", "b")},
        {"headers": (("References", "<ä@example.com>"),)},
        {"sender": Mailbox("", "a", "\u00ad-.example")},
    ],
)
def test_what_cannot_be_sent(fields: dict[str, object]) -> None:
    with pytest.raises(UsageProblem):
        compose(draft(**fields), NOW, UNIQUE)


def test_a_date_needs_its_zone() -> None:
    assert date(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5, minutes=45)))).endswith("+0545")
    with pytest.raises(ValueError, match="no zone"):
        date(datetime(2026, 1, 2))  # noqa: DTZ001


MEASURE = """
import resource, sys
from datetime import datetime, timezone
from pathlib import Path
from smtpctl.message.bodies import from_path
from smtpctl.message.compose import Draft, compose
from smtpctl.model.address import parse
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ann = parse("ann@example.com")
draft = Draft(ann, (ann,), subject="x", text="x", attachments=(from_path(Path(sys.argv[1])),))
message = compose(draft, datetime.now(timezone.utc), "0" * 32)
assert sum(map(len, message.chunks())) == message.size
print(message.size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_25_megabytes_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        file.truncate(25_000_000)
    done = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
    size, grown = map(int, done.stdout.split())
    assert size > 25_000_000 * 4 / 3
    assert grown < size / 5


def test_a_plain_mail_imports_little() -> None:
    code = "import sys, smtpctl.message.compose; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"email", "email.message", "idna", "mimetypes", "uuid", "secrets", "base64"} & set(done.stdout.split())
