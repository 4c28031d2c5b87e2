from __future__ import annotations

from typing import Any

import pytest

from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Obstacle, Refused
from smtpctl.protocol.steps import Receive, Send
from smtpctl.protocol.tls.answer import Answer, Ending
from smtpctl.protocol.tls.dialogues import Entrance, Injection, ask, inject, shake_hands
from smtpctl.protocol.tls.hello import TLS12, ClientHello
from transcripts import play

BEHIND = Entrance(TlsMode.STARTTLS, "me")
FIRST = Entrance(TlsMode.IMPLICIT, "me")
HELLO = ClientHello(TLS12, (0xC02F,))
UP_TO_TLS = """
    S: 220 mx.example.com ESMTP
    C: EHLO me
    S: 250-mx.example.com
    S: 250 STARTTLS
"""
SAFE = (
    UP_TO_TLS
    + """
    C: STARTTLS
    C: NOOP
    S: 220 2.0.0 Ready
    T: TLS
    C: QUIT
"""
)


def asked(question: Any, answer: Any) -> tuple[Answer, list[bytes]]:
    """The result of `ask` with TLS from the first octet, and what was sent, when its one wait ends so."""
    sent: list[bytes] = []
    step = next(question)
    try:
        while True:
            if isinstance(step, Send):
                sent.append(step.data)
                step = question.send(None)
            elif isinstance(answer, Exception):
                step = question.throw(answer)
            else:
                assert isinstance(step, Receive)
                step = question.send(answer)
    except StopIteration as stop:
        return stop.value, sent


def test_a_question_is_a_hello_and_a_farewell() -> None:
    came = Answer(Ending.HELLO, TLS12, 0xC02F)
    answer, sent = asked(ask(HELLO, FIRST), came)
    assert answer == came
    assert sent == [HELLO.record(), b"\x15\x03\x03\x00\x02\x01\x00"]


def test_nobody_takes_leave_of_a_server_that_said_no() -> None:
    _, sent = asked(ask(HELLO, FIRST), Answer(Ending.ALERT, alert="handshake_failure"))
    assert sent == [HELLO.record()]


@pytest.mark.parametrize(
    ("problem", "ending"),
    [
        ("smtp.closed_by_server", Ending.CLOSED),
        ("conn.reset", Ending.CLOSED),
        ("tls.handshake_timeout", Ending.SILENT),
    ],
)
def test_what_ends_a_session_after_the_hello_is_its_answer(problem: str, ending: Ending) -> None:
    assert asked(ask(HELLO, FIRST), entry(problem).problem())[0].ending is ending


def test_a_question_behind_starttls_needs_the_offer() -> None:
    with pytest.raises(Obstacle, match=r"starttls\.not_offered"):
        play(ask(HELLO, BEHIND), "S: 220 mx\nC: EHLO me\nS: 250 mx")


def test_a_question_behind_starttls_needs_the_leave() -> None:
    with pytest.raises(Refused, match="454"):
        play(ask(HELLO, BEHIND), f"{UP_TO_TLS}\nC: STARTTLS\nS: 454 4.7.0 Not now")


def test_a_whole_handshake_ends_with_quit() -> None:
    play(shake_hands(FIRST), "T: TLS\nS: 220 mx\nC: QUIT\nS: 221 bye")
    play(shake_hands(BEHIND), f"{UP_TO_TLS}\nC: STARTTLS\nS: 220 go\nT: TLS\nC: QUIT\nS: 221 bye")


def test_a_command_from_before_tls_that_is_carried_out_inside() -> None:
    assert play(inject(BEHIND), f"{SAFE}\nS: 250 2.0.0 Ok") is Injection.CARRIED_OUT


def test_a_command_from_before_tls_that_is_forgotten() -> None:
    assert play(inject(BEHIND), f"{SAFE}\nS: 221 2.0.0 Bye") is Injection.IGNORED


def test_a_server_that_refuses_what_comes_too_early() -> None:
    refused = f"{UP_TO_TLS}\nC: STARTTLS\nC: NOOP\nS: 554 5.5.0 Protocol synchronization error"
    assert play(inject(BEHIND), refused) is Injection.REFUSED
