"""Many connections at once, in every mode, into a real server on loopback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import Problem, SmtpctlError
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net.connect import connect
from smtpctl.net.connection import Connection, Log
from smtpctl.net.pool import drive
from smtpctl.protocol.dialogue import Login, log_in
from smtpctl.protocol.server.faults import Faults, delay, drop
from smtpctl.protocol.server.values import Setup
from smtpctl.protocol.steps import Dialogue
from smtpctl.protocol.stream import Mail, Mode, stream
from smtpctl.protocol.submit import Submission, leave
from smtpctl.sink.server import Sink

MAILS = 60


def mails() -> Iterator[Mail]:
    for number in range(MAILS):
        body = b"Subject: %d\r\n\r\n.dot\r\n%s" % (number, b"x" * 70 + b"\r\n")
        yield Mail(Envelope("ann@a.test", (Recipient(f"bob{number}@b.test"),)), body * (1 + number % 3), number)


def opened(port: int, ca_file: str = "", tls: TlsMode = TlsMode.NONE, seconds: float = 20) -> Connection:
    policy = TlsPolicy(mode=tls, ca_file=ca_file)
    connection = connect(Endpoint("127.0.0.1", port), Route(), policy, Timeouts(seconds), Log(Transcript()))
    connection.log = None
    return connection


class Outcome:
    """What was settled, and what ended each connection."""

    def __init__(self) -> None:
        self.settled: Counter[int] = Counter()
        self.accepted: Counter[int] = Counter()
        self.ends: list[SmtpctlError | None] = []

    def settle(self, mail: Mail, done: Submission | None) -> None:
        self.settled[mail.key] += 1
        self.accepted[mail.key] += bool(done and not done.refusal)

    def ended(self, connection: Connection, error: SmtpctlError | None) -> None:
        self.ends.append(error)


def session(supply: Iterator[Mail], outcome: Outcome, mode: Mode | None, tls: TlsMode = TlsMode.NONE) -> Dialogue[None]:
    ready = yield from log_in(Login("client.test", tls))
    yield from stream(ready.capabilities, supply, outcome.settle, mode=mode, window=400)
    yield from leave()


@pytest.mark.parametrize("tls", [TlsMode.NONE, TlsMode.STARTTLS])
@pytest.mark.parametrize("mode", [*Mode, None])
def test_every_mail_arrives_once(mode: Mode | None, tls: TlsMode) -> None:
    outcome, supply = Outcome(), mails()
    with Sink(Setup(tls=tls)) as sink:
        work = [
            (
                opened(sink.port, sink.ca_file if tls is not TlsMode.NONE else "", tls),
                session(supply, outcome, mode, tls),
            )
            for _ in range(5)
        ]
        drive(work, outcome.ended)
        caught = Counter(mail.mail.recipients[0].address for mail in sink.messages)
        bodies = {mail.mail.recipients[0].address: mail.mail.content for mail in sink.messages}
    assert outcome.ends == [None] * 5
    assert outcome.accepted == Counter(range(MAILS))
    assert caught == Counter(f"bob{number}@b.test" for number in range(MAILS))
    assert all(bodies[f"bob{mail.key}@b.test"] == mail.content for mail in mails())


def test_a_broken_connection_stops_no_other() -> None:
    whole, broken = Outcome(), Outcome()
    with Sink(Setup()) as good, Sink(Setup(faults=Faults(drop("mail")))) as bad:
        work = [(opened(bad.port), session(mails(), broken, None)), (opened(good.port), session(mails(), whole, None))]
        drive(work, whole.ended)
    assert sorted(type(end).__name__ for end in whole.ends) == ["NoneType", "Problem"]
    assert whole.accepted == Counter(range(MAILS))
    assert not +broken.accepted
    assert set(broken.settled.values()) == {1}  # what was on its way is settled too: undecided


def test_a_silent_server_ends_with_its_time() -> None:
    outcome = Outcome()
    with Sink(Setup(faults=Faults(delay("greeting:30")))) as sink:
        connection = opened(sink.port, seconds=0.3)
        drive([(connection, session(mails(), outcome, None))], outcome.ended)
    (end,) = outcome.ends
    assert isinstance(end, Problem)
    assert end.finding.id == "conn.total_timeout"
    assert end.finding.stage is Stage.GREETING
    assert not outcome.settled
