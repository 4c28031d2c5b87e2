"""What the network, OpenSSL and a peer do, as findings."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import pytest

from smtpctl.model.endpoint import Endpoint, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.redaction import Redactor
from smtpctl.model.reply import Reply
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net import errors
from smtpctl.net.channel import Channel
from smtpctl.net.connection import Connection, Log
from smtpctl.protocol.replies import NotAReply, ReplyTooLong


@pytest.fixture
def connection() -> Iterator[Connection]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        log = Log(Transcript(), Redactor([Secret("wonderland")]))
        yield Connection(Channel(ours), Endpoint("mx.example.com", 587), TlsPolicy(TlsMode.STARTTLS), Timeouts(), log)


def found(error: Exception, stage: Stage, connection: Connection) -> str:
    return errors.translate(error, stage, connection).finding.id


@pytest.mark.parametrize(
    ("number", "id"),
    [
        (errno.ECONNREFUSED, "conn.refused"), (errno.ETIMEDOUT, "conn.timeout"), (errno.ENETUNREACH, "conn.unreachable"),
        (errno.EHOSTUNREACH, "conn.unreachable"), (errno.ECONNRESET, "conn.reset"), (errno.EPIPE, "conn.reset"), (errno.EIO, "conn.reset"),
    ],
)  # fmt: skip
def test_errors_of_the_system(number: int, id: str, connection: Connection) -> None:
    assert found(OSError(number, "words"), Stage.MAIL, connection) == id


@pytest.mark.parametrize("reason", errors._BY_REASON)
def test_reasons_of_openssl(reason: str, connection: Connection) -> None:
    failure = ssl.SSLError(1, reason)
    failure.reason = reason
    problem = errors.tls_failed(failure, connection)
    assert problem.finding.id == errors._BY_REASON[reason]
    assert reason in problem.finding.evidence[-1].text


@pytest.mark.parametrize(
    ("minimum", "causes"), [("1.2", ["The server is too old"]), ("1.3", ["The profile asks", "The server"])]
)
def test_the_profile_is_no_cause_where_it_asks_for_nothing_new(
    minimum: str, causes: list[str], connection: Connection
) -> None:
    connection.policy = connection.policy._replace(minimum=minimum)
    failure = ssl.SSLError(1, "TLSV1_ALERT_PROTOCOL_VERSION")
    failure.reason = "TLSV1_ALERT_PROTOCOL_VERSION"
    found = errors.tls_failed(failure, connection).finding.causes
    assert len(found) == len(causes)
    assert all(cause.text.startswith(words) for cause, words in zip(found, causes, strict=True))


def test_a_hang_up_counts_by_where_it_happens(connection: Connection) -> None:
    assert found(EOFError(), Stage.GREETING, connection) == "conn.closed"
    assert found(EOFError(), Stage.EHLO, connection) == "smtp.closed_by_server"


def test_what_had_come_of_a_reply_is_shown(connection: Connection) -> None:
    connection.channel.inbound += b"250-one\r\n250-tw"
    connection.reader.take(connection.channel.inbound)
    problem = errors.translate(EOFError(), Stage.EHLO, connection)
    assert [evidence.text for evidence in problem.finding.evidence] == ["250-one\r\n250-tw"]


def test_a_421_that_was_said_is_the_reason(connection: Connection) -> None:
    bye = Reply(421, ("4.7.0 bye",))
    connection.closing = bye, Stage.RCPT
    for error in (EOFError(), ConnectionResetError(errno.ECONNRESET, "reset")):
        problem = errors.translate(error, Stage.DATA, connection)
        assert problem.finding.id == "smtp.early_421"
        assert (problem.reply, problem.finding.stage) == (bye, Stage.RCPT)  # where it was said


@pytest.mark.parametrize(
    ("octets", "stage", "id", "word"),
    [
        (b"HTTP/1.1 400 Bad\r\n", Stage.GREETING, "conn.not_smtp", "HTTP"), (b"SSH-2.0-x\r\n", Stage.GREETING, "conn.not_smtp", "SSH"),
        (b"* OK ready\r\n", Stage.GREETING, "conn.not_smtp", "IMAP"), (b"+OK\r\n", Stage.GREETING, "conn.not_smtp", "POP3"),
        (b"RFB 003.008\n", Stage.GREETING, "conn.not_smtp", "VNC"), (b"\x15\x03\x01\n", Stage.GREETING, "conn.port_is_implicit_tls", ""),
        (b"what\r\n", Stage.GREETING, "conn.not_smtp", ""), (b"what\r\n", Stage.EHLO, "smtp.protocol_violation", ""),
        (b"@RSYNCD: 31.0\n", Stage.GREETING, "conn.not_smtp", "rsync"),
    ],
)  # fmt: skip
def test_what_is_no_reply(octets: bytes, stage: Stage, id: str, word: str, connection: Connection) -> None:
    problem = errors.translate(NotAReply(octets), stage, connection)
    assert problem.finding.id == id
    assert word in problem.finding.title
    assert "unknown" not in problem.finding.title


def test_limits(connection: Connection) -> None:
    assert found(ReplyTooLong("line", b"x"), Stage.EHLO, connection) == "smtp.reply_too_long"
    assert found(ReplyTooLong("reply", b"x"), Stage.EHLO, connection) == "smtp.reply_endless"


@pytest.mark.parametrize(
    ("stage", "id"),
    [
        (Stage.GREETING, "conn.greeting_timeout"),
        (Stage.TLS, "tls.handshake_timeout"),
        (Stage.DATA, "smtp.reply_timeout"),
    ],
)
def test_time(stage: Stage, id: str, connection: Connection) -> None:
    assert errors.timed_out(stage, connection).finding.id == id
    connection.deadline = connection.now() - 1
    assert errors.timed_out(stage, connection).finding.id == "conn.total_timeout"


def test_a_problem_is_passed_on_and_a_defect_raised(connection: Connection) -> None:
    problem = errors.timed_out(Stage.EHLO, connection)
    assert errors.translate(problem, Stage.EHLO, connection) is problem
    with pytest.raises(KeyError):
        errors.translate(KeyError("x"), Stage.EHLO, connection)


def test_evidence_is_redacted(connection: Connection) -> None:
    problem = errors.translate(NotAReply(b"wonderland?\r\n"), Stage.AUTH, connection)
    assert problem.finding.evidence[0].text == "********?"


@pytest.mark.parametrize("mode", [TlsMode.IMPLICIT, TlsMode.STARTTLS])
def test_no_tls_at_all(mode: TlsMode, connection: Connection) -> None:
    connection.policy = TlsPolicy(mode)
    implicit = mode is TlsMode.IMPLICIT
    failure = ssl.SSLError(1, "WRONG_VERSION_NUMBER")
    failure.reason = "WRONG_VERSION_NUMBER"
    connection.channel.first_octets = b"220 mx ESMTP\r\n"
    problem = errors.tls_failed(failure, connection)
    assert problem.finding.id == ("conn.port_is_plaintext" if implicit else "starttls.no_tls_after_220")
    assert problem.finding.evidence[0].text == "220 mx ESMTP"
    connection.channel.first_octets = b"\0garbage"
    assert errors.tls_failed(failure, connection).finding.id == (
        "tls.handshake_failed" if implicit else "starttls.no_tls_after_220"
    )
    connection.channel.first_octets = b""
    assert errors.tls_failed(EOFError(), connection).finding.id == (
        "tls.handshake_failed" if implicit else "starttls.no_tls_after_220"
    )


def test_problems_are_recorded(connection: Connection) -> None:
    problem: Problem = errors.timed_out(Stage.EHLO, connection)
    errors.record(problem, connection)
    assert connection.transcript
    assert connection.transcript[0].facts == {"id": "smtp.reply_timeout"}
