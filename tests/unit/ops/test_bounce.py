"""Whole bounces: multipart/report in any encoding, several recipients, and reports without fields."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from textwrap import dedent

import pytest

from smtpctl.model.explanation import Bounce, Explained, Explanation, LogSummary
from smtpctl.ops import bounce
from smtpctl.ops.explain import explain_lines
from smtpctl.ops.extract import Failure

HEAD = """\
Return-Path: <>
From: MAILER-DAEMON@example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="b"

"""
STATUS = """\
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com

"""
RETURNED = """
--b
Content-Type: message/rfc822

From: ann@example.com
Subject: 535 5.7.8 Authentication failed is what I wrote about

SMTP error: 421 4.7.0 this is the returned mail, not the report
--b--
"""


def fields(address: str, text: str, action: str = "failed", status: str = "5.0.0") -> str:
    code = f"Diagnostic-Code: smtp; {text}\n" if text else ""
    return f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\n{code}\n"


def report(*recipients: str, notice: str = "") -> str:
    return f"{HEAD}{notice}{STATUS}{''.join(recipients)}{RETURNED}"


def explained(text: str) -> Explained:
    return explain_lines(text.splitlines(keepends=True))


def test_every_recipient_is_explained() -> None:
    result = explained(
        report(
            fields(
                "ann@gmail.com", "550-5.7.26 Your email has been blocked because the sender is\n    unauthenticated."
            ),
            fields("bob@example.org", "550 5.1.1 <bob@example.org>... User unknown", status="5.1.1"),
            fields("eve@example.net", "450 4.2.0 Greylisted", action="delayed", status="4.2.0"),
            fields("joe@example.com", "250 2.1.5 Ok", action="delivered", status="2.1.5"),
        )
    )
    assert isinstance(result, Bounce)
    assert [(one.recipient, one.action, one.explanation.finding.id) for one in result.recipients] == [
        ("ann@gmail.com", "failed", "google.5-7-26-unauthenticated"),
        ("bob@example.org", "failed", "generic.rcpt-user-unknown"),
        ("eve@example.net", "delayed", "generic.rcpt-greylisted"),
    ]
    assert [one.explanation.retryable for one in result.recipients] == [False, False, True]


def test_one_recipient_is_one_explanation() -> None:
    result = explained(report(fields("bob@example.org", "550 5.2.2 mailbox full")))
    assert isinstance(result, Explanation)
    assert result.finding.id == "generic.rcpt-mailbox-full"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("base64", b64encode("Remote Server returned \u2019550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found\u2018".encode()).decode()),
        ("quoted-printable", "Unzustellbar: Die Adresse fehlt=\n: 550 5.1.10 RESOLVER.ADR.Recipien=\ntNotFound; not found"),
        ("8bit", "Impossible de remettre votre message : 550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found"),
    ],
)  # fmt: skip
def test_what_the_fields_leave_out_is_in_the_text_for_people(encoding: str, body: str) -> None:
    notice = f"--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{body}\n\n"
    result = explained(report(fields("bob@example.org", "", status="5.1.10"), notice=notice))
    assert isinstance(result, Explanation)
    assert result.finding.id == "m365.5-1-10-recipient-not-found"


def test_without_any_words_the_status_has_a_meaning() -> None:
    result = explained(report(fields("bob@example.org", "", status="5.2.2")))
    assert isinstance(result, Explanation)
    assert result.finding.id == "reply.550"
    assert "mailbox full" in result.finding.message


def test_a_report_without_fields_is_read_as_text() -> None:
    text = dedent("""\
        Return-Path: <>
        From: MAILER-DAEMON@example.com
        Subject: failure notice

        Hi. This is the qmail-send program at example.com.

        <bob@example.org>:
        192.0.2.32 does not like recipient.
        Remote host said: 550 5.1.1 <bob@example.org>... User unknown
        Giving up on 192.0.2.32.
        """)
    result = explained(text)
    assert isinstance(result, Explanation)
    assert result.finding.id == "generic.rcpt-user-unknown"


def test_a_broken_report_is_read_as_it_stands() -> None:
    result = explained(
        report(fields("bob@example.org", "550 5.1.1 User unknown")).replace('boundary="b"', 'boundary="c"')
    )
    assert isinstance(result, Explanation)
    assert result.finding.id == "generic.rcpt-user-unknown"


def test_a_receipt_reports_no_failure() -> None:
    assert bounce.read(report(fields("joe@example.com", "250 2.1.5 Ok", action="delivered"))).recipients == ()


@pytest.mark.parametrize(
    "lines",
    [
        ["2026-11-21T08:02:11 error: no\n", "\n"],
        ["Nov 21 08:02:11 mail postfix/smtp[1]: removed\n", "Nov 21 08:02:12 mail x\n"],
        ["error: 550 no\n", "code: 12\n", "\n"],
        ["Subject: no end\n", "of a header\n"],
    ],
)
def test_a_log_is_no_mail(lines: list[str]) -> None:
    assert not bounce.looks_like_mail(bounce.header(lines[:2], iter(lines[2:])))


def test_a_mail_without_an_end_is_cut() -> None:
    lines = ("x" * 10_000 + "\n" for _ in range(10_000))
    (mail,) = bounce.mails(lines)
    assert len(mail) <= bounce.READ_LIMIT


def test_a_mailbox_of_bounces_is_summed_up() -> None:
    full = report(
        fields("ann@example.com", "452 4.2.2 mailbox full"), fields("joe@example.org", "452 4.2.2 mailbox full")
    )
    unknown = report(fields("eve@example.org", "550 5.1.1 <eve@example.org>: user unknown"))
    mailbox = "".join(
        f"From MAILER-DAEMON Sat Nov {day} 08:02:11 2026\nDate: Sat, {day} Nov 2026 09:02:11 +0100\n{mail}\n"
        for day, mail in ((22, full), (21, unknown))
    )
    result = explained(mailbox)
    assert isinstance(result, LogSummary)
    assert [(cause.finding.id, cause.failures) for cause in result.causes] == [
        ("generic.rcpt-mailbox-full", 2),
        ("generic.rcpt-user-unknown", 1),
    ]
    assert (result.lines, result.failures) == (mailbox.count("\n"), 3)
    assert [(share.name, share.failures, share.first, share.last) for share in result.recipients] == [
        ("example.org", 2, "2026-11-21 08:02:11", "2026-11-22 08:02:11"),
        ("example.com", 1, "2026-11-22 08:02:11", "2026-11-22 08:02:11"),
    ]


def test_a_mail_that_quotes_a_mailbox_is_one_mail() -> None:
    quoting = (
        report(fields("ann@example.com", "452 4.2.2 mailbox full")) + "\nFrom joe Sat Nov 21 08:02:11 2026\n\nhello\n"
    )
    assert isinstance(explained(quoting), Explanation)


@pytest.mark.parametrize(
    ("date", "when"),
    [
        ("Date: Sat, 21 Nov 2026 08:02:11 -0000\n", "2026-11-21 08:02:11"),
        ("Date: Sat, 21 Nov 2026 00:02:11 -0800\n", "2026-11-21 08:02:11"),
        ("Date: yesterday\n", ""),
        ("", ""),
    ],
)
def test_a_bounce_has_its_date(date: str, when: str) -> None:
    assert bounce.read(date + report(fields("ann@example.com", "452 4.2.2 mailbox full"))).when == when


@pytest.mark.parametrize(
    "head",
    [
        "Date: Fri, 31 Dec 9999 23:59:59 -0100",
        "Content-Type: text/plain; charset=idna",
        "Content-Type: text/plain; charset=undefined",
        'Content-Type: text/plain; charset="a\0b"',
        "Content-Type: text/plain; charset*=%00'x'%00",
        "".join(f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(2000)),
        "Content-Type: message/news\n\n" * 5000,
    ],
    ids=lambda head: head[:46],
)
def test_a_hostile_mail_is_read_all_the_same(head: str) -> None:
    text = f"From: MAILER-DAEMON@example.com\nMIME-Version: 1.0\n{head}\n\nSMTP error: 550 5.1.1 no such user\n"
    result = explained(text)
    assert isinstance(result, Explanation)
    assert result.finding.id == explained("550 5.1.1 no such user").finding.id  # type: ignore[union-attr]


def test_what_people_are_told_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail with many recipients and a long text would take quadratic time."""
    searched = 0
    original = bounce.failures

    def counted(lines: Iterable[str]) -> Iterator[Failure]:
        nonlocal searched
        texts = list(lines)
        searched += len(texts)
        return original(texts)

    monkeypatch.setattr(bounce, "failures", counted)
    told = bounce.read(report(*(fields(f"u{n}@example.com", "") for n in range(50)), notice="--b\n\n" + "error\n" * 50))
    assert len(told.recipients) == 50
    assert searched < 100


def test_a_bounce_to_very_many_is_summed_up() -> None:
    """Each page of its own would take as long as somebody wants it to."""
    result = explained(report(*(fields(f"u{n}@d{n}.test", "550 5.1.1 no such user") for n in range(2000))))
    assert isinstance(result, LogSummary)
    assert result.failures == 2000
