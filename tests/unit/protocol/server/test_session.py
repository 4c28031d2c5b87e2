"""A server's session: sequence, capabilities, STARTTLS, mail, and that no input breaks it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import Secret
from smtpctl.protocol.server.faults import HOSTILE, End, Fault, Faults
from smtpctl.protocol.server.transaction import Peer, protocol
from smtpctl.protocol.server.values import Limits, Path, Setup

Start = Callable[..., Any]
USERS = {"ann": Secret("pencil")}
MAIL = ("EHLO me", "MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>")


def test_a_mail(talk: Start) -> None:
    done = talk(None, *MAIL, "DATA", "Subject: x", "", "..dot", ".", "QUIT")
    assert done.codes == [220, 250, 250, 250, 354, 250, 221]
    assert done.last == "221 2.0.0 Bye"
    assert done.end is End.CLOSE
    mail = done.mails[0]
    assert mail.content == b"Subject: x\r\n\r\n.dot\r\n"
    assert (mail.sender, mail.recipients) == (Path("a@b.example"), (Path("c@d.example"),))
    assert (mail.helo, mail.protocol, mail.chunks, mail.remarks) == ("me", "ESMTP", 0, ())


def test_it_introduces_itself_as_told(talk: Start) -> None:
    done = talk(Setup(greeting="SG ESMTP service ready", hello="smtp.sendgrid.net"), "EHLO me", "QUIT")
    assert done.lines[0] == "220 SG ESMTP service ready"
    assert done.lines[1] == "250-smtp.sendgrid.net"


@pytest.mark.parametrize(("denial", "codes"), [(None, [334, 535]), ('{"status":"401"}', [334, 535]), ("", [535])])
def test_a_refused_token_is_answered_as_told(talk: Start, denial: str | None, codes: list[int]) -> None:
    token = base64.b64encode(b"user=ann\x01auth=Bearer wrong\x01\x01").decode()
    setup = Setup(users=USERS, mechanisms=("XOAUTH2",), denial=denial)
    done = talk(setup, "EHLO me", f"AUTH XOAUTH2 {token}", *[""] * (len(codes) - 1))
    assert done.codes[2:] == codes
    if denial:
        assert base64.b64decode(done.lines[-2].split()[1]).decode() == denial


def test_bdat(talk: Start) -> None:
    done = talk(None, *MAIL, b"BDAT 5\r\na\r\n.\r", b"BDAT 1 LAST\r\n\n", b"QUIT\r\n")
    assert done.codes == [220, 250, 250, 250, 250, 250, 221]
    assert done.mails[0].content == b"a\r\n.\r\n"
    assert done.mails[0].chunks == 2


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (("MAIL FROM:<a@b>",), [503]),
        (("EHLO me", "RCPT TO:<a@b>"), [250, 503]),
        (("EHLO me", "DATA"), [250, 503]),
        (("EHLO me", "MAIL FROM:<a@b>", "DATA"), [250, 250, 503]),
        (("EHLO me", "MAIL FROM:<a@b>", "MAIL FROM:<a@b>"), [250, 250, 503]),
        ((*MAIL, "RSET", "RCPT TO:<a@b>"), [250, 250, 250, 250, 503]),
        ((*MAIL, "EHLO me", "RCPT TO:<a@b>"), [250, 250, 250, 250, 503]),
        ((*MAIL, b"BDAT 1\r\nx", "DATA"), [250, 250, 250, 250, 503]),
        ((*MAIL, b"BDAT 1\r\nx", "RCPT TO:<a@b>"), [250, 250, 250, 250, 503]),
        (("EHLO me", b"BDAT 6 LAST\r\nQUIT\r\n", "NOOP"), [250, 503, 250]),
        ((*MAIL, "BDAT many"), [250, 250, 250, 421]),
        (("HELO me", "MAIL FROM:<a@b> SIZE=1"), [250, 555]),
        (("EHLO",), [501]),
        (("EHLO me", "DATA now"), [250, 501]),
        (("EHLO me", "STARTTLS"), [250, 502]),
        (("EHLO me", "AUTH PLAIN AA=="), [250, 502]),
        (("LHLO me",), [500]),
        (("VRFY ann", "HELP", "NOOP what", "EXPN list", ""), [252, 214, 250, 500, 500]),
        ((b"x" * 3000 + b"\r\n", "NOOP"), [500, 250]),
        (("EHLO me", "MAIL FROM:<ä@b>"), [250, 553]),
        (("EHLO me", "MAIL FROM:<a@b>", "RCPT TO:<ä@b>"), [250, 250, 553]),
        (("EHLO me", "MAIL FROM:<a@b> SIZE=999999999999"), [250, 552]),
    ],
)
def test_replies(talk: Start, lines: tuple[str | bytes, ...], codes: list[int]) -> None:
    assert talk(None, *lines).codes == [220, *codes]


def test_limits(talk: Start) -> None:
    small = Setup(limits=Limits(content=10, recipients=1, errors=3))
    assert talk(small, *MAIL, "RCPT TO:<e@f>").codes[-1] == 452
    done = talk(small, *MAIL, "DATA", "0123456789", ".", "NOOP")
    assert done.codes[-2:] == [552, 250]
    assert not done.mails
    done = talk(small, *MAIL, b"BDAT 20\r\n" + b"x" * 20, b"BDAT 1 LAST\r\nx", "RSET", "NOOP")
    assert done.codes[-4:] == [552, 503, 250, 250]
    done = talk(small, "A", "B", "C", "D")
    assert done.codes == [220, 500, 500, 500, 421]
    assert done.end is End.CLOSE


def test_a_line_without_end_ends_the_session(talk: Start) -> None:
    done = talk(None, chunks=(b"x" * 4096 for _ in range(1000)))
    assert done.codes == [220, 421]


def test_a_mail_that_cannot_be_stored_may_come_again(talk: Start) -> None:
    assert talk(None, *MAIL, "DATA", "x", ".", stored=None).last.startswith("452 4.3.1")


def test_capabilities_follow_tls_and_users(talk: Start) -> None:
    setup = Setup(tls=TlsMode.STARTTLS, users=USERS, mechanisms=("PLAIN", "SCRAM-SHA-256"))
    done = talk(setup, "EHLO me", "STARTTLS", "EHLO me", "STARTTLS")
    clear, secured = done.said.split(b"220 2.0.0 Ready to start TLS\r\n")
    assert b"250-STARTTLS\r\n" in clear
    assert b"AUTH SCRAM-SHA-256\r\n" in clear  # what shows the password waits for TLS
    assert b"REQUIRETLS" not in clear
    assert b"STARTTLS\r\n" not in secured
    assert b"AUTH PLAIN SCRAM-SHA-256\r\n" in secured
    assert b"REQUIRETLS\r\n" in secured
    assert done.last.startswith("503")


def test_starttls_forgets_what_came_before(talk: Start) -> None:
    setup = Setup(tls=TlsMode.STARTTLS)
    done = talk(setup, *MAIL, b"STARTTLS\r\nRCPT TO:<injected@b>\r\n", "RCPT TO:<a@b>", "EHLO me", "RCPT TO:<a@b>")
    assert done.codes == [220, 250, 250, 250, 220, 503, 250, 503]


def test_extensions_that_are_not_offered(talk: Start) -> None:
    done = talk(Setup(extensions=("8BITMIME",)), *MAIL, "BDAT 0 LAST", "STARTTLS")
    assert done.lines[:3] == ["220 sink.localhost ESMTP smtpctl sink", "250-sink.localhost greets you", "250 8BITMIME"]
    assert done.lines[3:] == ["250 Ok", "250 Ok", "502 Command not implemented", "502 Command not implemented"]


def test_lmtp_answers_for_each_recipient(talk: Start) -> None:
    setup = Setup(lmtp=True, faults=Faults(Fault("eod", octets=b"450 4.2.1 Busy\r\n", match="e@f")))
    done = talk(setup, "EHLO me", "LHLO me", *MAIL[1:], "RCPT TO:<e@f>", "DATA", "x", ".", "QUIT")
    assert done.codes == [220, 500, 250, 250, 250, 250, 354, 250, 450, 221]
    assert done.mails[0].protocol == "LMTP"


@pytest.mark.parametrize(
    ("content", "mail_parameters", "remarks"),
    [
        (b"a\nb\r\n", "", ("bare_lf",)),
        (b"a\rb\r\n", "", ("bare_cr",)),
        (b"x" * 998 + b"\r\n", "", ()),
        (b"x" * 999 + b"\r\n", "", ("long_line",)),
        (b"\xc3\xa4\r\n", "", ("eight_bit",)),
        (b"\xc3\xa4\r\n", " BODY=8BITMIME", ()),
        (b"a\0b\r\n", "", ("nul",)),
        (b"abc\r\n", " SIZE=4", ("size",)),
    ],
)
def test_remarks(talk: Start, content: bytes, mail_parameters: str, remarks: tuple[str, ...]) -> None:
    lines = ("EHLO me", f"MAIL FROM:<a@b>{mail_parameters}", MAIL[2], "DATA")
    assert talk(None, *lines, content + b".\r\n").mails[0].remarks == remarks


def test_a_bare_lf_after_a_command_is_remarked(talk: Start) -> None:
    assert talk(None, b"EHLO me\n", *MAIL[1:], "DATA", ".").mails[0].remarks == ("command_bare_lf",)


@pytest.mark.parametrize(
    ("peer", "lmtp", "utf8", "word"),
    [
        (Peer("me"), False, False, "SMTP"),
        (Peer("me", extended=True, login="ann"), False, False, "ESMTPA"),
        (Peer("me", extended=True), False, True, "UTF8SMTP"),
        (Peer("me", extended=True), True, True, "UTF8LMTP"),
    ],
)
def test_protocol_words(peer: Peer, lmtp: bool, utf8: bool, word: str) -> None:
    assert protocol(lmtp, peer, utf8=utf8) == word


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data", "eod", "quit"])
def test_a_refusal_at_each_stage_leaves_the_state_alone(talk: Start, stage: str) -> None:
    setup = Setup(faults=Faults(Fault(stage, octets=b"451 4.3.0 Not now\r\n")))
    done = talk(setup, *MAIL, "DATA", "x", ".", "QUIT")
    assert "451 4.3.0 Not now" in done.lines
    assert len(done.mails) == (stage in ("eod", "quit"))


def test_a_fault_may_end_after_some_times(talk: Start) -> None:
    faults = Faults(Fault("rcpt", octets=b"450 4.2.0 Greylisted\r\n", times=1))
    setup = Setup(faults=faults)
    assert talk(setup, *MAIL).codes[-1] == 450
    assert talk(setup, *MAIL).codes[-1] == 250


def test_delays_add_up_to_a_refusal(talk: Start) -> None:
    faults = Faults(Fault("mail", delay=2.5), Fault("mail", octets=b"421 4.3.0 Bye\r\n"))
    done = talk(Setup(faults=faults), *MAIL)
    assert done.pauses == [2.5]
    assert done.last == "421 4.3.0 Bye"
    assert done.end is End.CLOSE


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_behaviour(talk: Start, name: str) -> None:
    """Every one of them says or does what its fault says, and an endless one never comes back."""
    faults = HOSTILE[name]
    setup = Setup(tls=TlsMode.STARTTLS, users=USERS, open_relay=True, faults=Faults(*faults))
    login = "AUTH PLAIN AGFubgBwZW5jaWw="
    lines = ("EHLO me", "STARTTLS", "EHLO me", login, *MAIL[1:], "DATA", "x", ".", "QUIT")
    done = talk(setup, *lines, steps=300)
    for fault in faults:
        assert (fault.octets or b"") in done.said
    ends = [fault.end for fault in faults if fault.end]
    assert not ends or done.end is ends[-1]


def script(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


FULL = script("EHLO me", "AUTH PLAIN AGFubgBwZW5jaWw=", *MAIL[1:], "DATA", "Subject: x", "", "..", ".")
FULL += script(*MAIL[1:]) + b"BDAT 4\r\na\r\n." + b"BDAT 2 LAST\r\n\r\n" + script("NOOP", "QUIT")
SETUP = Setup(users=USERS, mechanisms=("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "EXTERNAL"))


@given(cuts=st.lists(st.integers(0, len(FULL)), max_size=40))
def test_any_chunking_gives_the_same_replies(talk: Start, cuts: list[int]) -> None:
    cuts = sorted(cuts)
    chunks = [FULL[a:b] for a, b in zip([0, *cuts], [*cuts, len(FULL)], strict=True)]
    done, whole = talk(SETUP, chunks=chunks), talk(SETUP, chunks=[FULL])
    assert done.said == whole.said
    assert done.mails == whole.mails
    assert done.codes == [220, 250, 235, 250, 250, 354, 250, 250, 250, 250, 250, 250, 221]


WORDS = ["EHLO me\r\n", "AUTH ", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", " ", "=", "*", "AGFubgBwZW5jaWw=", "\r\n"]
WORDS += [
    "MAIL FROM:<a@b>\r\n",
    "RCPT TO:<a@b>\r\n",
    "DATA\r\n",
    ".\r\n",
    "BDAT 3",
    " LAST",
    "RSET\r\n",
    "STARTTLS\r\n",
]


@given(parts=st.lists(st.one_of(st.sampled_from(WORDS).map(str.encode), st.binary(max_size=8)), max_size=60))
def test_no_input_breaks_a_session(talk: Start, parts: list[bytes]) -> None:
    for tls in (TlsMode.NONE, TlsMode.STARTTLS):
        done = talk(SETUP._replace(tls=tls), chunks=parts)
        assert all(200 <= code < 600 for code in done.codes)
