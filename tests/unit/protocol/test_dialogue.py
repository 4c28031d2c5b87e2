"""The parts of a session as transcripts."""

from __future__ import annotations

import pytest

from smtpctl.model.endpoint import AuthPolicy, Credentials, TlsMode
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Stage
from smtpctl.protocol.dialogue import Login, greet, hello, log_in
from transcripts import SECURED, play

ANN = Credentials("ann", Secret("wonderland"))


def test_greeting() -> None:
    assert play(greet(), "S: 220 mx.example.com ESMTP").text == "mx.example.com ESMTP"


@pytest.mark.parametrize("line", ["421 4.3.2 Too busy", "554 5.7.1 Not for you", "250 hello", "354 go on"])
def test_any_other_greeting_is_a_refusal(line: str) -> None:
    with pytest.raises(Refused) as told:
        play(greet(), f"S: {line}")
    assert (told.value.stage, str(told.value.reply)) == (Stage.GREETING, line)


def test_hello_falls_back_to_helo_and_says_so() -> None:
    found = play(
        hello("me"),
        """
        C: EHLO me
        S: 502 5.5.1 Command not implemented
        N: EHLO was refused, trying HELO
        C: HELO me
        S: 250 mx.example.com
        """,
    )
    assert not found.extended
    assert found.name == "mx.example.com"


@pytest.mark.parametrize("code", ["421 4.3.2 Busy", "450 4.7.1 Later", "554 5.7.1 Go away"])
def test_no_helo_after_a_refusal_of_ourselves(code: str) -> None:
    with pytest.raises(Refused) as told:
        play(hello("me"), f"C: EHLO me\nS: {code}")
    assert told.value.command == "EHLO"


def test_both_refused_tells_of_ehlo() -> None:
    with pytest.raises(Refused) as told:
        play(hello("me"), "C: EHLO me\nS: 501 5.5.2 Bad name\nC: HELO me\nS: 501 5.5.2 Still bad")
    assert str(told.value.reply) == "501 5.5.2 Bad name"


def test_lmtp_has_no_older_form() -> None:
    assert play(hello("me", lmtp=True), "C: LHLO me\nS: 250-mx\nS: 250 PIPELINING").has("PIPELINING")
    with pytest.raises(Refused):
        play(hello("me", lmtp=True), "C: LHLO me\nS: 500 5.5.2 What?")


def test_starttls_forgets_what_was_said_in_clear() -> None:
    session = play(
        log_in(Login("me", TlsMode.STARTTLS)),
        """
        S: 220 mx
        C: EHLO me
        S: 250-mx
        S: 250-SIZE 100
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 2.0.0 Go
        T: TLS
        C: EHLO me
        S: 250-mx
        S: 250 DSN
        """,
    )
    assert set(session.capabilities.keywords) == {"DSN"}
    assert session.before_tls is not None
    assert set(session.before_tls.keywords) == {"SIZE", "STARTTLS"}
    assert session.tls == SECURED


def test_implicit_tls_comes_before_the_greeting() -> None:
    session = play(log_in(Login("me", TlsMode.IMPLICIT)), "T: TLS\nS: 220 mx\nC: EHLO me\nS: 250 mx")
    assert session.tls == SECURED
    assert session.before_tls is None


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.AUTO, TlsMode.NONE])
def test_starttls_that_is_not_offered(mode: TlsMode) -> None:
    text = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 SIZE"
    if mode is TlsMode.STARTTLS:
        with pytest.raises(Obstacle) as told:
            play(log_in(Login("me", mode)), text)
        assert told.value.id == "starttls.not_offered"
        assert told.value.facts["lines"] == ("mx", "SIZE")
    else:
        assert play(log_in(Login("me", mode)), text).tls is None


def test_none_means_none_also_where_it_is_offered() -> None:
    assert play(log_in(Login("me", TlsMode.NONE)), "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 STARTTLS").tls is None


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.AUTO])
@pytest.mark.parametrize("reply", ["454 4.7.0 TLS not available", "501 5.5.4 Syntax", "250 Ok"])
def test_refused_starttls_ends_the_session_also_in_auto(mode: TlsMode, reply: str) -> None:
    """A refusal in clear may come from anybody on the way: nothing else is said."""
    with pytest.raises(Refused) as told:
        play(
            log_in(Login("me", mode, credentials=ANN)),
            f"S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250-AUTH PLAIN\nS: 250 STARTTLS\nC: STARTTLS\nS: {reply}",
        )
    assert told.value.stage is Stage.STARTTLS


def test_a_session_with_a_login() -> None:
    session = play(
        log_in(Login("me", TlsMode.STARTTLS, AuthPolicy(), ANN)),
        """
        S: 220 mx
        C: EHLO me
        S: 250-mx
        S: 250-AUTH PLAIN
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 Go
        T: TLS
        C: EHLO me
        S: 250-mx
        S: 250 AUTH PLAIN
        C: AUTH PLAIN AGFubgB3b25kZXJsYW5k
        S: 235 2.7.0 Welcome
        """,
    )
    assert session.authenticated is not None
    assert session.authenticated.mechanism == "PLAIN"


@pytest.mark.parametrize("kept", range(1, 7))
def test_a_connection_that_ends_at_any_reply(kept: int) -> None:
    script = [
        "S: 220 mx", "C: EHLO me", "S: 250-mx", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 Go", "T: TLS", "C: EHLO me", "S: 250 mx",
    ]  # fmt: skip
    waits = [at for at, line in enumerate(script) if line[0] == "S" and line[6:7] != "-"]
    at = waits[min(kept, len(waits)) - 1]
    with pytest.raises(Problem):
        play(log_in(Login("me", TlsMode.STARTTLS)), "\n".join([*script[:at], "X: closed"]))


@pytest.mark.parametrize("helo", ["me\r\nMAIL FROM:<x>", "me\0", "\udcff"])
def test_a_bad_name_is_never_said(helo: str) -> None:
    with pytest.raises(Obstacle, match=r"smtp\.unsafe_input"):
        play(log_in(Login(helo)), "S: 220 mx")
