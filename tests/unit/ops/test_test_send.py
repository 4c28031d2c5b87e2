"""A test mail: what is composed, what the server said about each recipient, what is explained."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from profiles import profile
from smtpctl.model.errors import UsageProblem
from smtpctl.model.report import ExitStatus, Report
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Stage
from smtpctl.ops.session import Surroundings
from smtpctl.ops.test_send import NOBODY, Wish, composed, draft, queue_id
from smtpctl.ops.test_send import test_send as send
from smtpctl.protocol.server.faults import Faults, drop, refusal
from smtpctl.protocol.server.values import Limits, Setup
from smtpctl.sink.server import Sink

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reply", "id_"),
    [
        ("250 2.0.0 Ok: queued as 4XyZ12ABCz", "4XyZ12ABCz"),
        ("250 2.0.0 Ok: 340 bytes queued as 867F320E00C", "867F320E00C"),
        ("250 OK id=1uXyZa-0003Qf-2B", "1uXyZa-0003Qf-2B"),
        ("250 2.0.0 OK  1763717400 5b1f17b1804b1-477a9e2b1sm123 - gsmtp", "5b1f17b1804b1-477a9e2b1sm123"),
        ("250 2.6.0 <a@b.test> [InternalId=123, Hostname=X] Queued mail for delivery", "123"),
        ("250 2.0.0 5ALDUQ4R004242 Message accepted for delivery", "5ALDUQ4R004242"),
        ("250 2.0.0 3f5e6a1b Message accepted for delivery", "3f5e6a1b"),
        ("250 Ok 0100018c2f3e4d5a-6b7c8d9e-0f1a-4b2c-8d3e-4f5a6b7c8d9e-000000", "0100018c2f3e4d5a-6b7c8d9e-0f1a-4b2c-8d3e-4f5a6b7c8d9e-000000"),
        ("250 Thank you", ""),
    ],
)  # fmt: skip
def test_the_name_a_server_gives(reply: str, id_: str) -> None:
    assert queue_id(reply) == id_


def wish(*to: str, **more: object) -> Wish:
    return Wish(draft(to=to or ["bob@b.test"], text="hello\n", **more))  # type: ignore[arg-type]


def test_the_sender_is_the_profiles_or_its_login() -> None:
    message, envelope = composed(profile("localhost", 25, **{"from": "Ann <ann@a.test>"}), wish(), NOW)
    assert envelope.sender == "ann@a.test"
    assert b"From: Ann <ann@a.test>\r\n" in b"".join(message.chunks())
    _, envelope = composed(profile("localhost", 25, username="svc@a.test"), wish(), NOW)
    assert envelope.sender == "svc@a.test"


def test_without_sender_or_recipient_nothing_is_composed() -> None:
    with pytest.raises(UsageProblem, match="no sender"):
        composed(profile("localhost", 25), wish(), NOW)
    with pytest.raises(UsageProblem, match="no recipient"):
        composed(profile("localhost", 25, **{"from": "ann@a.test"}), Wish(draft(to=[])), NOW)


def test_a_sample_brings_its_texts_and_a_subject_of_ones_own_wins() -> None:
    made = draft(to=["b@b.test"], sample="password-reset", subject="Mine")
    assert made.sender == NOBODY
    assert made.subject == "Mine"
    assert made.text
    assert made.html


def test_reports_are_asked_for_each_recipient() -> None:
    asked = wish("b@b.test", "c@c.test")._replace(notify="SUCCESS,FAILURE", require_tls=True)
    _, envelope = composed(profile("localhost", 25, **{"from": "ann@a.test"}), asked, NOW)
    assert [recipient.notify for recipient in envelope.recipients] == ["SUCCESS,FAILURE"] * 2
    assert envelope.require_tls


def sent(sink: Sink, *to: str, **settings: object) -> Report:
    about = profile("127.0.0.1", sink.port, seconds=5, **{"from": "ann@a.test", **settings})
    return send(about, Surroundings(os.environ), wish(*to))


def test_a_mail_that_is_taken() -> None:
    with Sink(Setup()) as sink:
        report = sent(sink, "bob@b.test", "eve@e.test")
    assert report.status() is ExitStatus.OK
    assert [(r.address, r.result) for r in report.recipients] == [
        ("bob@b.test", "accepted"),
        ("eve@e.test", "accepted"),
    ]
    (caught,) = sink.messages
    assert report.facts["sent"] == 2
    assert report.facts["queue_id"] == caught.id
    assert report.facts["octets"] == len(caught.mail.content)
    assert [row.stage for row in report.stages][-3:] == [Stage.MAIL, Stage.RCPT, Stage.DATA]


def test_one_recipient_of_three_is_refused() -> None:
    faults = Faults(refusal("rcpt/eve@:450 4.2.0 Greylisted"), refusal("rcpt/nobody@:550 5.1.1 No such user"))
    with Sink(Setup(faults=faults)) as sink:
        report = sent(sink, "bob@b.test", "eve@b.test", "nobody@b.test")
    assert [r.result for r in report.recipients] == ["accepted", "temporary", "permanent"]
    assert report.facts["sent"] == 1
    assert len(report.findings) == 2
    assert [path.address for path in sink.messages[0].mail.recipients] == ["bob@b.test"]


@pytest.mark.parametrize(
    ("fault", "status", "stage"),
    [
        ("greeting:554 5.7.1 go away", ExitStatus.UNAVAILABLE, Stage.GREETING),
        ("greeting:421 4.3.2 busy", ExitStatus.TEMPORARY, Stage.GREETING),
        ("mail:550 5.7.1 not you", ExitStatus.DATA, Stage.MAIL),
        ("mail:530 5.7.0 authentication required", ExitStatus.AUTH, Stage.MAIL),
        ("rcpt:550 5.1.1 no such user", ExitStatus.DATA, Stage.RCPT),
        ("rcpt:450 4.2.0 greylisted", ExitStatus.TEMPORARY, Stage.RCPT),
        ("eod:554 5.6.0 spam", ExitStatus.DATA, Stage.DATA),
        ("eod:451 4.3.0 later", ExitStatus.TEMPORARY, Stage.DATA),
    ],
)
def test_a_refusal_ends_in_its_status_and_is_explained(fault: str, status: ExitStatus, stage: Stage) -> None:
    with Sink(Setup(faults=Faults(refusal(fault)))) as sink:
        report = sent(sink)
    assert report.status() is status
    assert report.failure
    assert report.failure.stage is stage
    assert report.failure.retryable is (status is ExitStatus.TEMPORARY)
    assert report.findings[0].stage is stage
    assert fault.partition(":")[2] in repr(report.findings[0].evidence)
    assert report.findings[0].causes
    assert report.facts["sent"] == 0
    assert [row.status for row in report.stages].count("failed") >= 1


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "eod"])
def test_a_server_that_hangs_up(stage: str) -> None:
    with Sink(Setup(faults=Faults(drop(stage)))) as sink:
        report = sent(sink)
    assert report.status() is ExitStatus.TEMPORARY
    assert report.findings[0].id in ("conn.closed", "smtp.closed_by_server", "conn.reset")
    assert [r.result for r in report.recipients] == ["unknown"]


def test_a_wrong_password_says_so_and_sends_nothing() -> None:
    with Sink(Setup(users={"ann": Secret("right-password")})) as sink:
        report = sent(sink, username="ann", password="wrong-password", allow_plaintext_auth=True)
    assert report.status() is ExitStatus.AUTH
    assert "wrong-password" not in repr(report)
    assert "wrong-password" not in report.transcript.dumps()
    assert not sink.messages


def test_an_attachment_of_its_own_accord(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("attached\n")
    with Sink(Setup()) as sink:
        about = profile("127.0.0.1", sink.port, **{"from": "ann@a.test"})
        mail = draft(to=["bob@b.test"], text="x", attach=[tmp_path / "a.txt"], headers=["X-Campaign: 7"])
        report = send(about, Surroundings(os.environ), Wish(mail))
    assert report.status() is ExitStatus.OK
    content = sink.messages[0].mail.content
    assert b"X-Campaign: 7\r\n" in content
    assert b'filename="a.txt"' in content or b"filename=a.txt" in content


def test_a_mail_that_is_larger_than_the_server_says() -> None:
    with Sink(Setup(limits=Limits(content=200))) as sink:
        report = send(
            profile(sink.host, sink.port, tls="none", trusted=True, **{"from": "ann@a.test"}), Surroundings({}), wish()
        )
    assert report.status() is ExitStatus.DATA
    assert "smtp.size_too_small" in {finding.id for finding in report.findings}
