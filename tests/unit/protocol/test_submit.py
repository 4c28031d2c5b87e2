"""One mail, with what each server offers."""

from __future__ import annotations

from typing import Any

import pytest

from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import Obstacle, Problem
from smtpctl.model.reply import Reply
from smtpctl.protocol import ehlo
from smtpctl.protocol.submit import EAGER_BDAT, GROUP, Submission, leave, submit
from transcripts import play

BODY = b"Subject: x\r\n\r\nhi\r\n"


def mail(
    offered: str, text: str, *to: str, body: bytes = BODY, size: int | None = len(BODY), **more: Any
) -> Submission:
    """Send one mail to these people at a server that offers these keywords, as the transcript says."""
    envelope = Envelope("a@x", tuple(Recipient(address) for address in to or ("b@x",)), size=size)
    capabilities = ehlo.parse(Reply(250, ("mx", *offered.split())))
    return play(submit(capabilities, envelope, (body[:5], body[5:]), **more), text)


def results(done: Submission) -> list[str]:
    return [found.result for found in done.recipients]


CONTENT = "C: Subject: x\nC:\nC: hi\n"

LOCKSTEP = f"""
C: MAIL FROM:<a@x>
S: 250 ok
C: RCPT TO:<b@x>
S: 250 ok
C: RCPT TO:<c@x>
S: {{second}}
C: DATA
S: 354 go
{CONTENT}
C: .
S: 250 2.0.0 queued as 4ABC
"""

PIPELINED = f"""
C: MAIL FROM:<a@x>
C: RCPT TO:<b@x>
C: RCPT TO:<c@x>
C: DATA
S: 250 ok
S: 250 ok
S: {{second}}
S: 354 go
{CONTENT}
C: .
S: 250 2.0.0 queued as 4ABC
"""

BDAT = f"""
C: MAIL FROM:<a@x>
C: RCPT TO:<b@x>
C: RCPT TO:<c@x>
C: BDAT 18 LAST
{CONTENT}
S: 250 ok
S: 250 ok
S: {{second}}
S: 250 2.0.0 queued as 4ABC
"""

BDAT_LOCKSTEP = f"""
C: MAIL FROM:<a@x>
S: 250 ok
C: RCPT TO:<b@x>
S: 250 ok
C: RCPT TO:<c@x>
S: {{second}}
C: BDAT 18 LAST
{CONTENT}
S: 250 2.0.0 queued as 4ABC
"""

WAYS = {"": LOCKSTEP, "PIPELINING": PIPELINED, "PIPELINING CHUNKING": BDAT, "CHUNKING": BDAT_LOCKSTEP}


@pytest.mark.parametrize("offered", WAYS)
@pytest.mark.parametrize(
    ("second", "result"),
    [
        ("250 ok", "accepted"),
        ("450 4.2.1 later", "temporary"),
        ("550 5.1.1 no", "permanent"),
        ("251 forwarded", "accepted"),
    ],
)
def test_two_recipients(offered: str, second: str, result: str) -> None:
    done = mail(offered, WAYS[offered].format(second=second), "b@x", "c@x")
    assert results(done) == ["accepted", result]
    assert done.refusal is None
    assert [str(reply) for reply in done.final] == ["250 2.0.0 queued as 4ABC"]


def test_size_is_said_where_it_is_offered() -> None:
    mail("SIZE", LOCKSTEP.format(second="250 ok").replace("<a@x>", "<a@x> SIZE=18"), "b@x", "c@x")


def test_a_refused_sender_is_the_verdict_for_all() -> None:
    done = mail("", "C: MAIL FROM:<a@x>\nS: 451 4.7.1 later")
    assert results(done) == ["temporary"]
    assert done.refusal is not None
    assert done.refusal[1].code == 451


@pytest.mark.parametrize("offered", ["PIPELINING", "PIPELINING CHUNKING"])
def test_a_refused_sender_behind_which_everything_is_out_of_order(offered: str) -> None:
    bdat = "CHUNKING" in offered
    text = (
        f"C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\n{'C: BDAT 18 LAST' if bdat else 'C: DATA'}\n{CONTENT if bdat else ''}"
    )
    done = mail(offered, f"{text}\nS: 451 4.7.1 later\nS: 503 5.5.1 no MAIL\nS: 503 5.5.1 no RCPT")
    assert results(done) == ["temporary"]


@pytest.mark.parametrize("offered", ["", "CHUNKING"])
def test_all_recipients_refused_in_lockstep(offered: str) -> None:
    done = mail(offered, "C: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@x>\nS: 550 no")
    assert results(done) == ["permanent"]
    assert done.final == ()


def test_all_recipients_refused_in_a_group() -> None:
    text = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nC: DATA\nS: 250 ok\nS: 550 no\nS: 554 no valid recipients"
    assert results(mail("PIPELINING", text)) == ["permanent"]


def test_a_354_for_nobody_is_answered_with_an_empty_message() -> None:
    """RFC 2920 3.1: the server has to be brought out of DATA, and gets nothing that it could deliver."""
    text = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nC: DATA\nS: 250 ok\nS: 550 no\nS: 354 go\nC: .\nS: 554 no valid recipients"
    done = mail("PIPELINING", text)
    assert results(done) == ["permanent"]
    assert done.refusal is not None
    assert done.refusal[1].code == 550


def test_a_354_for_a_refused_sender_too() -> None:
    text = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nC: DATA\nS: 550 no\nS: 503 no\nS: 354 go\nC: .\nS: 554 nothing to do"
    assert results(mail("PIPELINING", text)) == ["permanent"]


@pytest.mark.parametrize("offered", ["", "PIPELINING"])
@pytest.mark.parametrize(("reply", "result"), [("451 4.3.0 later", "temporary"), ("554 5.5.1 no", "permanent")])
def test_refused_data_is_the_verdict(offered: str, reply: str, result: str) -> None:
    steps = ["C: MAIL FROM:<a@x>", "S: 250 ok", "C: RCPT TO:<b@x>", "S: 250 ok", "C: DATA", f"S: {reply}"]
    if offered:
        steps.sort(key=lambda line: line[0] != "C")
    assert results(mail(offered, "\n".join(steps))) == [result]


@pytest.mark.parametrize(("reply", "result"), [("452 4.3.1 full", "temporary"), ("554 5.7.1 spam", "permanent")])
@pytest.mark.parametrize("offered", WAYS)
def test_refused_content_is_the_verdict(offered: str, reply: str, result: str) -> None:
    text = WAYS[offered].format(second="250 ok").replace("250 2.0.0 queued as 4ABC", reply)
    assert results(mail(offered, text, "b@x", "c@x")) == [result, result]


def test_dots_are_stuffed_for_data_and_not_for_bdat() -> None:
    body = b".a\r\n.\r\nb"
    mail(
        "",
        "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@x>\nS: 250\nC: DATA\nS: 354\nC: ..a\nC: ..\nC: b\nC: .\nS: 250",
        body=body,
    )
    mail(
        "CHUNKING",
        "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@x>\nS: 250\nC: BDAT 8 LAST\nC: .a\nC: .\nC: b\nS: 250",
        body=body,
    )


@pytest.mark.parametrize(("offered", "text"), WAYS.items())
def test_quit_goes_out_behind_the_content(offered: str, text: str) -> None:
    """Only where the server pipelines; else it would be a breach."""
    text = text.format(second="250 ok")
    if "PIPELINING" in offered:
        end = text.index("S: 250", text.index("C: hi"))
        text = f"{text[:end]}C: QUIT\n{text[end:]}S: 221 bye"
    done = mail(offered, text, "b@x", "c@x", last=True)
    assert done.left is ("PIPELINING" in offered)
    assert results(done) == ["accepted", "accepted"]


def test_quit_unanswered_is_no_failure() -> None:
    text = BDAT.format(second="250 ok").replace("S: 250 ok", "C: QUIT\nS: 250 ok", 1) + "X: closed"
    assert results(mail("PIPELINING CHUNKING", text, "b@x", "c@x", last=True)) == ["accepted", "accepted"]


def test_quit_is_left_to_the_caller_where_nothing_was_sent() -> None:
    text = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nC: DATA\nS: 250 ok\nS: 550 no\nS: 554 no"
    assert not mail("PIPELINING", text, last=True).left


LARGE = b"x" * (EAGER_BDAT * 8)
BLOCKS = f"C: BDAT 262144\nC: {'x' * 262144}\n"
LAST = BLOCKS.replace("262144\n", "262144 LAST\n", 1)


@pytest.mark.parametrize("last", [False, True])
def test_a_large_message_in_blocks_two_in_flight(last: bool) -> None:
    text = f"C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nS: 250\nS: 250\n{BLOCKS}{LAST}{'C: QUIT' if last else ''}\nS: 250 got\nS: 250 queued\n{'S: 221' if last else ''}"
    done = mail("PIPELINING CHUNKING", text, body=LARGE, size=len(LARGE), last=last)
    assert results(done) == ["accepted"]
    assert done.left is last


def test_a_large_message_without_pipelining() -> None:
    text = f"C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@x>\nS: 250\n{BLOCKS}S: 250 got\n{LAST}S: 250 queued"
    assert results(mail("CHUNKING", text, body=LARGE, size=len(LARGE))) == ["accepted"]


@pytest.mark.parametrize("last", [False, True])
def test_a_refused_block_among_three(last: bool) -> None:
    text = f"C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nS: 250\nS: 250\n{BLOCKS}{BLOCKS}S: 452 4.3.1 full\nS: 503 broken"
    text += "\nC: QUIT\nS: 221" if last else ""
    done = mail("PIPELINING CHUNKING", text, body=LARGE + LARGE, size=2 * len(LARGE), last=last)
    assert results(done) == ["temporary"]
    assert done.left is last


@pytest.mark.parametrize("last", [False, True])
def test_a_refused_block_before_the_last(last: bool) -> None:
    text = f"C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nS: 250\nS: 250\n{BLOCKS}{LAST}{'C: QUIT' if last else ''}\nS: 452 full\nS: 503 broken\n{'S: 221' if last else ''}"
    done = mail("PIPELINING CHUNKING", text, body=LARGE, size=len(LARGE), last=last)
    assert results(done) == ["temporary"]
    assert done.left is last


def test_an_unknown_size_waits_for_the_recipients() -> None:
    text = f"C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nS: 250\nS: 250\nC: BDAT 18 LAST\n{CONTENT}S: 250"
    assert results(mail("PIPELINING CHUNKING", text, size=None)) == ["accepted"]


def test_an_empty_message() -> None:
    assert results(
        mail("CHUNKING", "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@x>\nS: 250\nC: BDAT 0 LAST\nC:\nS: 250", body=b"")
    ) == ["accepted"]


@pytest.mark.parametrize("offered", WAYS)
def test_lmtp_has_a_verdict_for_each_that_was_taken(offered: str) -> None:
    text = WAYS[offered].format(second="550 no").replace("S: 250 2.0.0 queued as 4ABC", "")
    if offered in ("", "CHUNKING"):
        third = "C: RCPT TO:<d@x>\nS: 250 ok\n"
        at = text.index("C: DATA" if not offered else "C: BDAT")
        text = text[:at] + third + text[at:]
    else:
        text = text.replace("C: RCPT TO:<c@x>\n", "C: RCPT TO:<c@x>\nC: RCPT TO:<d@x>\n").replace(
            "S: 550 no\n", "S: 550 no\nS: 250 ok\n"
        )
    done = mail(offered, f"{text}\nS: 250 stored\nS: 452 mailbox full", "b@x", "c@x", "d@x", lmtp=True)
    assert results(done) == ["accepted", "permanent", "temporary"]


def test_lmtp_and_a_refused_block_refuse_all() -> None:
    text = f"C: MAIL FROM:<a@x>\nC: RCPT TO:<b@x>\nC: RCPT TO:<c@x>\nS: 250\nS: 250\nS: 250\n{BLOCKS}{LAST}S: 452 full\nS: 503 broken"
    done = mail("PIPELINING CHUNKING", text, "b@x", "c@x", body=LARGE, size=len(LARGE), lmtp=True)
    assert results(done) == ["temporary", "temporary"]


@pytest.mark.parametrize("offered", ["PIPELINING", "PIPELINING CHUNKING"])
def test_many_recipients_go_in_groups(offered: str) -> None:
    """No more commands at once than both sides' buffers hold."""
    to = [f"u{i}@x" for i in range(GROUP + 20)]
    lines = ["MAIL FROM:<a@x>", *(f"RCPT TO:<{address}>" for address in to)]
    first, second = lines[:GROUP], lines[GROUP:]
    text = "\n".join([*(f"C: {line}" for line in first), *["S: 250"] * len(first), *(f"C: {line}" for line in second)])
    if "CHUNKING" in offered:
        text += "\n" + "S: 250\n" * len(second) + f"C: BDAT 18 LAST\n{CONTENT}S: 250 queued"
    else:
        text += "\nC: DATA\n" + "S: 250\n" * len(second) + f"S: 354 go\n{CONTENT}C: .\nS: 250 queued"
    assert set(results(mail(offered, text, *to))) == {"accepted"}


def test_a_refused_sender_ends_the_groups() -> None:
    to = [f"u{i}@x" for i in range(GROUP + 20)]
    lines = ["MAIL FROM:<a@x>", *(f"RCPT TO:<{address}>" for address in to)][:GROUP]
    text = "\n".join([*(f"C: {line}" for line in lines), "S: 550 no", *["S: 503 no"] * (GROUP - 1)])
    assert set(results(mail("PIPELINING", text, *to))) == {"permanent"}


def test_what_the_server_lacks_is_told_before_anything_is_said() -> None:
    envelope = Envelope("ü@x", (Recipient("b@x"),), utf8=True)
    for offered in ("", "PIPELINING", "PIPELINING CHUNKING"):
        with pytest.raises(Obstacle, match=r"smtp\.smtputf8_missing"):
            play(submit(ehlo.parse(Reply(250, ("mx", *offered.split()))), envelope, (BODY,)), "")
    recipient = Envelope("a@x", (Recipient("b@x"), Recipient("c@x", "NEVER")))
    with pytest.raises(Obstacle, match=r"smtp\.dsn_missing"):
        play(submit(ehlo.parse(Reply(250, ("mx", "PIPELINING"))), recipient, (BODY,)), "")


@pytest.mark.parametrize("offered", WAYS)
def test_a_connection_that_ends_at_any_reply(offered: str) -> None:
    lines = [line for line in WAYS[offered].format(second="250 ok").splitlines() if line]
    for at in [index for index, line in enumerate(lines) if line.startswith("S")]:
        with pytest.raises(Problem):
            mail(offered, "\n".join([*lines[:at], "X: closed"]), "b@x", "c@x")


def test_leaving() -> None:
    play(leave(), "C: QUIT\nS: 221 bye")
    play(leave(), "C: QUIT\nS: 500 what?")
    play(leave(), "C: QUIT\nX: closed")
