"""The one loop that does I/O: steps in, octets out, and what the transcript says of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from smtpctl.model.endpoint import Endpoint, Timeouts, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.redaction import Redactor
from smtpctl.model.reply import Reply
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Kind, Stage, Transcript
from smtpctl.net.channel import Channel
from smtpctl.net.connection import Connection, Log
from smtpctl.net.runner import Driver, run
from smtpctl.protocol.steps import Note, Receive, Send, SendContent

SHORT = Timeouts(total=1, stages=dict.fromkeys(Stage, 0.05))


class Wire:
    """A connection and the other end of it."""

    def __init__(self, timeouts: Timeouts, log: Log | None) -> None:
        ours, self.peer = socket.socketpair()
        self.peer.settimeout(5)
        self.connection = Connection(Channel(ours), Endpoint("mx.example.com", 25), TlsPolicy(), timeouts, log)

    def told(self) -> list[tuple[Kind, str]]:
        assert self.connection.transcript
        return [(event.kind, event.text) for event in self.connection.transcript]


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire(SHORT, Log(Transcript(), Redactor([Secret("wonderland")])))
    with made.peer, made.connection:
        yield made


def ask(*lines: bytes, **more: Any) -> Any:
    for line in lines:
        yield Send(line, Stage.EHLO, **more)
    found = []
    for _ in lines:
        reply = yield Receive(Stage.EHLO)
        found.append(reply)
    return found


def test_a_dialogue_to_its_end(wire: Wire) -> None:
    wire.peer.sendall(b"220 mx\r\n250-mx\r\n250 HELP\r\n")

    def dialogue() -> Any:
        greeting = yield Receive(Stage.GREETING)
        yield Note("hm", Stage.EHLO, {"a": 1})
        return greeting, *(yield from ask(b"EHLO me\r\n"))

    wire.connection.outstanding = 2  # the server is so fast that its answer is there before the question
    assert run(dialogue(), wire.connection) == (Reply(220, ("mx",)), Reply(250, ("mx", "HELP")))
    assert wire.told()[-4:] == [
        (Kind.NOTE, "hm"), (Kind.SENT, "EHLO me"), (Kind.RECEIVED, "250-mx"), (Kind.RECEIVED, "250 HELP"),
    ]  # fmt: skip


def test_nothing_is_written_before_the_dialogue_waits(wire: Wire) -> None:
    driver = Driver(ask(b"MAIL\r\n", b"RCPT\r\n", b"DATA\r\n"), wire.connection)
    wire.connection.outstanding = 0
    assert not driver.advance()
    assert wire.peer.recv(100) == b"MAIL\r\nRCPT\r\nDATA\r\n"
    wire.peer.sendall(b"250 a\r\n250 b\r\n354 c\r\n")
    assert driver.advance()
    assert [reply.code for reply in driver.result] == [250, 250, 354]


def test_content_is_one_line_of_the_transcript(wire: Wire) -> None:
    wire.peer.sendall(b"250 ok\r\n")

    def dialogue() -> Any:
        yield SendContent([b"abc", b"de"])
        return (yield Receive(Stage.DATA))

    run(dialogue(), wire.connection)
    assert wire.told()[0] == (Kind.SENT, "<5 octets of content>") or wire.told()[-1] == (
        Kind.SENT,
        "<5 octets of content>",
    )


def test_what_may_not_be_shown(wire: Wire) -> None:
    wire.peer.sendall(b"334 d29uZGVybGFuZA==\r\n535 wonderland is wrong\r\n")

    def dialogue() -> Any:
        yield Send(b"AUTH PLAIN d29uZGVybGFuZA==\r\n", Stage.AUTH, "AUTH PLAIN ********")
        challenge = yield Receive(Stage.AUTH, secret=True)
        return challenge, (yield Receive(Stage.AUTH, secret=True))

    wire.connection.outstanding = 1
    challenge, reply = run(dialogue(), wire.connection)
    assert challenge.text == "d29uZGVybGFuZA=="  # the mechanism needs it
    assert reply.text == "******** is wrong"
    assert [text for _, text in wire.told()] == ["AUTH PLAIN ********", "334 ********", "535 ******** is wrong"]


def test_oddities_are_noted(wire: Wire) -> None:
    wire.peer.sendall(b"220mx\n")

    def dialogue() -> Any:
        return (yield Receive(Stage.GREETING))

    run(dialogue(), wire.connection)
    assert [text for kind, text in wire.told() if kind is Kind.NOTE] == [
        "unusual reply: bare_lf",
        "unusual reply: no_space",
    ]


@pytest.mark.parametrize(
    ("octets", "id"),
    [
        (b"", "smtp.reply_timeout"), (b"250-drip", "smtp.reply_timeout"), (b"nonsense\r\n", "smtp.protocol_violation"),
        (b"250 " + b"x" * 20000, "smtp.reply_too_long"),
    ],
)  # fmt: skip
def test_what_ends_a_wait(wire: Wire, octets: bytes, id: str) -> None:
    wire.connection.outstanding = 0
    wire.peer.sendall(octets)

    def dialogue() -> Any:
        return (yield Receive(Stage.EHLO))

    with pytest.raises(Problem) as told:
        run(dialogue(), wire.connection)
    assert told.value.finding.id == id
    assert wire.told()[-1][0] is Kind.ERROR


def test_the_dialogue_may_go_on_after_a_problem(wire: Wire) -> None:
    wire.peer.close()

    def dialogue() -> Any:
        try:
            yield Receive(Stage.QUIT)
        except Problem:
            return "well then"

    assert run(dialogue(), wire.connection) == "well then"


def test_unsolicited_replies(wire: Wire) -> None:
    wire.connection.outstanding = 0
    wire.peer.sendall(b"250 what?\r\n")
    driver = Driver(ask(b"NOOP\r\n"), wire.connection)
    assert not driver.advance()
    wire.peer.sendall(b"250 the answer\r\n")
    assert driver.advance()
    assert driver.result == [Reply(250, ("the answer",))]
    assert {"oddity": "unsolicited"} in [event.facts for event in wire.connection.transcript or ()]


def test_without_a_log_nothing_is_recorded() -> None:
    made = Wire(SHORT, None)
    with made.peer, made.connection:
        made.peer.sendall(b"250 wonderland\r\n250 b\r\n")

        def dialogue() -> Any:
            yield Send(b"X\r\n", Stage.DATA)
            return (yield Receive(Stage.DATA, many=True))

        assert [reply.text for reply in run(dialogue(), made.connection)] == ["wonderland", "b"]
        assert made.connection.transcript is None


def test_the_whole_run_has_an_end(wire: Wire) -> None:
    wire.connection.deadline = wire.connection.now() - 1
    with pytest.raises(Problem) as told:
        run(ask(b"EHLO me\r\n"), wire.connection)
    assert told.value.finding.id == "conn.total_timeout"
