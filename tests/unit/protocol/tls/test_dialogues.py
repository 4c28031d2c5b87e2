from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Obstacle, Refused
from smtpctl.model.reply import Reply
from smtpctl.protocol.steps import Receive, Send
from smtpctl.protocol.tls.answer import Answer, Ending
from smtpctl.protocol.tls.dialogues import Entrance, Injection, ask, inject, shake_hands
from smtpctl.protocol.tls.hello import TLS12, ClientHello
from smtpctl.protocol.tls.ssl2 import SSL2, Ssl2Hello, Ssl2Reader
from transcripts import play

FIRST = Entrance(TlsMode.IMPLICIT, "me")
HELLO = ClientHello(TLS12, (0xC02F,))


def behind(*, brief: bool | None = False) -> Entrance:
    entrance = Entrance(TlsMode.STARTTLS, "me")
    entrance.brief = brief
    return entrance


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
    C: EHLO me
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
        play(ask(HELLO, behind()), "S: 220 mx\nC: EHLO me\nS: 250 mx")


def test_a_question_behind_starttls_needs_the_leave() -> None:
    with pytest.raises(Refused, match="454"):
        play(ask(HELLO, behind()), f"{UP_TO_TLS}\nC: STARTTLS\nS: 454 4.7.0 Not now")


def test_a_whole_handshake_ends_with_quit() -> None:
    inside = "C: EHLO me\nS: 250 mx\nC: QUIT\nS: 221 bye"
    assert play(shake_hands(FIRST), f"T: TLS\nS: 220 mx\n{inside}").refusal == ""
    assert play(shake_hands(behind()), f"{UP_TO_TLS}\nC: STARTTLS\nS: 220 go\nT: TLS\n{inside}").refusal == ""


def test_a_server_that_says_inside_tls_that_it_wants_a_certificate() -> None:
    refused = "421 4.7.1 mx Error: No client certificate presented"
    assert play(shake_hands(FIRST), f"T: TLS\nS: 220 mx\nC: EHLO me\nS: {refused}").refusal == refused


def test_a_server_that_refuses_for_another_reason() -> None:
    with pytest.raises(Refused, match="421"):
        play(shake_hands(FIRST), "T: TLS\nS: 220 mx\nC: EHLO me\nS: 421 4.3.2 Shutting down")


@pytest.mark.parametrize("shape", ["whole", "in pieces"])
def test_ssl_2(shape: str) -> None:
    question = Ssl2Hello((0x010080, 0x0700C0))
    assert question.record()[:5] == b"\x80\x1f\x01\x00\x02"
    assert question.record()[5:11] == b"\x00\x06\x00\x00\x00\x10"
    body = b"\x04\x00\x01\x00\x02\x00\x03\x00\x06\x00\x00" + b"crt" + b"\x01\x00\x80\x07\x00\xc0"
    octets, reader, buffer = b"\x80" + bytes([len(body)]) + body, Ssl2Reader(), bytearray()
    pieces = [octets] if shape == "whole" else [octets[at : at + 1] for at in range(len(octets))]
    answers = []
    for piece in pieces:
        buffer += piece
        answers.append(reader.take(buffer))
    assert answers[:-1] == [None] * (len(pieces) - 1)
    assert answers[-1] == Answer(Ending.HELLO, SSL2, 0x010080, suites=(0x010080, 0x0700C0))
    assert asked(ask(question, FIRST), answers[-1])[1] == [question.record()], "SSL 2.0 knows no farewell"


@given(st.binary(max_size=60))
def test_no_octets_break_the_reader_of_ssl_2(octets: bytes) -> None:
    answer = Ssl2Reader().take(bytearray(b"\x80" + octets))
    assert answer is None or answer.ending in (Ending.HELLO, Ending.NOT_TLS)


def test_what_a_server_of_today_answers_to_ssl_2() -> None:
    alert = Ssl2Reader().take(bytearray(b"\x15\x03\x01\x00\x02\x02\x46"))
    assert alert is not None and alert.alert == "protocol_version"


INSIDE = "S: 250-mx.example.com\nS: 250 PIPELINING"


def test_a_command_from_before_tls_that_is_carried_out_inside() -> None:
    found = play(inject(behind()), f"{SAFE}\nS: 250 2.0.0 Ok\nC: QUIT\n{INSIDE}")
    assert found.fate is Injection.CARRIED_OUT


def test_a_command_from_before_tls_that_is_forgotten() -> None:
    found = play(inject(behind()), f"{SAFE}\n{INSIDE}\nC: QUIT\nS: 221 2.0.0 Bye")
    assert found.fate is Injection.IGNORED
    assert found.handshake.refusal == ""


def test_a_server_that_ends_the_session_by_itself_has_carried_nothing_out() -> None:
    refused = "421 4.7.1 mx Error: No client certificate presented"
    found = play(inject(behind()), f"{SAFE}\nS: {refused}")
    assert (found.fate, found.handshake.refusal) == (Injection.NOT_TOLD, refused)
    late = play(inject(behind()), f"{SAFE}\n{INSIDE}\nC: QUIT\nS: 421 4.3.2 Shutting down")
    assert (late.fate, late.handshake.refusal) == (Injection.NOT_TOLD, "")


def test_a_server_that_refuses_what_comes_too_early() -> None:
    refused = f"{UP_TO_TLS}\nC: STARTTLS\nC: NOOP\nS: 554 5.5.0 Protocol synchronization error"
    found = play(inject(behind()), refused)
    assert (found.fate, found.handshake) == (Injection.REFUSED, None)


INSIDE_AND_OUT = "T: TLS\nC: EHLO me\nS: 250 mx\nC: QUIT\nS: 221 bye"


def test_ehlo_is_left_out_where_the_server_lets_us() -> None:
    entrance = behind(brief=None)
    for _ in range(2):
        play(shake_hands(entrance), f"S: 220 mx\nC: STARTTLS\nS: 220 go\n{INSIDE_AND_OUT}")
        assert entrance.brief is True


def test_a_server_that_wants_ehlo_is_asked_for_the_shorter_way_once() -> None:
    entrance = behind(brief=None)
    wants = "C: STARTTLS\nS: 503 5.5.1 Send hello first\n"
    for tried in (wants, ""):
        rest = UP_TO_TLS.partition("ESMTP")[2]
        play(shake_hands(entrance), f"S: 220 mx\n{tried}{rest}\nC: STARTTLS\nS: 220 go\n{INSIDE_AND_OUT}")
        assert entrance.brief is False


def test_only_the_first_session_tries_the_shorter_way() -> None:
    entrance = behind(brief=None)
    first, second = shake_hands(entrance), shake_hands(entrance)
    greeting = Reply(220, ("mx",))
    for dialogue in (first, second):
        assert isinstance(next(dialogue), Receive)
    assert first.send(greeting).data == b"STARTTLS\r\n"
    assert second.send(greeting).data == b"EHLO me\r\n"


def test_a_server_that_is_too_busy_for_the_shorter_way() -> None:
    with pytest.raises(Refused, match="421"):
        play(shake_hands(behind(brief=None)), "S: 220 mx\nC: STARTTLS\nS: 421 4.3.2 Too many connections")
