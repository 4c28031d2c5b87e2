"""AUTH as transcripts: which mechanism, what is said, and what is never said twice."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from smtpctl.model.endpoint import AuthPolicy, Credentials
from smtpctl.model.errors import Obstacle, Refused
from smtpctl.model.reply import Reply
from smtpctl.model.secret import Secret
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Stage
from smtpctl.protocol import ehlo
from smtpctl.protocol.auth import CHALLENGES_LIMIT, Authenticated, authenticate
from smtpctl.protocol.dialogue import Login
from smtpctl.protocol.steps import Note, Receive, Send
from transcripts import SECURED, play

ANN = Credentials("ann", Secret("wonderland"))
TOKEN = Credentials("ann@example.com", token=Secret("ya29.token"))
PLAIN = "AGFubgB3b25kZXJsYW5k"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def attempt(
    offered: str, text: str, who: Credentials = ANN, tls: TlsSession | None = SECURED, **policy: Any
) -> Authenticated | None:
    """Log in to a server that offers these mechanisms, as the transcript says."""
    lines = ("mx", f"AUTH {offered}") if offered else ("mx",)
    login = Login("me", auth=AuthPolicy(**policy), credentials=who, host="mx.example.com", port=587)
    return play(authenticate(login, ehlo.parse(Reply(250, lines)), tls), text)


def mechanism(result: Authenticated | None) -> str:
    assert result is not None
    return result.mechanism


def test_plain_in_one_round_trip() -> None:
    assert mechanism(attempt("PLAIN LOGIN", f"C: AUTH PLAIN {PLAIN}\nS: 235 ok")) == "PLAIN"


def test_an_initial_response_can_be_forbidden() -> None:
    text = f"C: AUTH PLAIN\nS: 334\nC: {PLAIN}\nS: 235 ok"
    assert mechanism(attempt("PLAIN", text, initial_response="never")) == "PLAIN"


def test_login_can_begin_with_the_user_name() -> None:
    text = f"C: AUTH LOGIN {b64('ann')}\nS: 334 {b64('Password:')}\nC: {b64('wonderland')}\nS: 235 ok"
    assert mechanism(attempt("LOGIN", text, initial_response="always")) == "LOGIN"


def test_login_with_its_prompts() -> None:
    text = f"C: AUTH LOGIN\nS: 334 {b64('Username:')}\nC: {b64('ann')}\nS: 334 {b64('Password:')}\nC: {b64('wonderland')}\nS: 235 ok"
    assert mechanism(attempt("LOGIN", text)) == "LOGIN"


@pytest.mark.parametrize("prompts", [("User Name", "Password"), ("Username", "Password:"), ("", "")])
def test_login_with_other_prompts(prompts: tuple[str, str]) -> None:
    first, second = map(b64, prompts)
    text = f"C: AUTH LOGIN\nS: 334 {first}\nC: {b64('ann')}\nS: 334 {second}\nC: {b64('wonderland')}\nS: 235 ok"
    assert mechanism(attempt("LOGIN", text)) == "LOGIN"


def test_login_with_prompts_in_clear() -> None:
    text = f"C: AUTH LOGIN\nS: 334 Username:\nC: {b64('ann')}\nS: 334 Password:\nC: {b64('wonderland')}\nS: 235 ok"
    assert mechanism(attempt("LOGIN", text)) == "LOGIN"


def test_cram_md5_rfc_2195() -> None:
    who = Credentials("tim", Secret("tanstaaftanstaaf"))
    challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
    text = f"C: AUTH CRAM-MD5\nS: 334 {challenge}\nC: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\nS: 235 ok"
    assert mechanism(attempt("CRAM-MD5", text, who)) == "CRAM-MD5"


def test_the_strongest_goes_first() -> None:
    text = f"C: AUTH CRAM-MD5\nS: 334 {b64('<1@mx>')}\nC: "
    with pytest.raises(AssertionError, match=r"expected C: (\n|$)"):
        attempt("LOGIN PLAIN CRAM-MD5", text)


@pytest.mark.parametrize("offered", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
def test_without_tls_no_login_with_a_password(offered: str) -> None:
    with pytest.raises(Obstacle) as told:
        attempt(offered, "", tls=None)
    assert told.value.id == "auth.would_be_plaintext"
    assert f"{offered}: the connection is not encrypted" in told.value.facts["rejected"][0]


@pytest.mark.parametrize("offered", ["XOAUTH2", "PLAIN", ""])
@pytest.mark.parametrize("allowed", [False, True])
def test_a_token_never_goes_without_tls(offered: str, allowed: bool) -> None:
    with pytest.raises(Obstacle, match=r"config\.oauth_without_tls"):
        attempt(offered, "", TOKEN, tls=None, allow_plaintext=allowed)


def test_plain_text_where_it_was_allowed() -> None:
    assert mechanism(attempt("PLAIN", f"C: AUTH PLAIN {PLAIN}\nS: 235 ok", tls=None, allow_plaintext=True)) == "PLAIN"


def test_xoauth2_error_challenge_is_kept_and_answered() -> None:
    said = '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'
    first = b64("user=ann@example.com\x01auth=Bearer ya29.token\x01\x01")
    with pytest.raises(Refused) as told:
        attempt(
            "XOAUTH2", f"C: AUTH XOAUTH2 {first}\nS: 334 {b64(said)}\nN: explained itself\nC: \nS: 535 5.7.8 no", TOKEN
        )
    assert told.value.facts["challenge"]["oauth"]["status"] == "400"
    assert told.value.facts["mechanism"] == "XOAUTH2"


def test_a_long_token_waits_for_the_challenge() -> None:
    """Servers cut long command lines and call the rest a wrong password; a response may be longer."""
    who = TOKEN._replace(token=Secret("x" * 2000))
    response = b64(f"user=ann@example.com\x01auth=Bearer {'x' * 2000}\x01\x01")
    assert mechanism(attempt("XOAUTH2", f"C: AUTH XOAUTH2\nS: 334\nC: {response}\nS: 235 ok", who)) == "XOAUTH2"


def test_the_longest_initial_response_fits_512_octets() -> None:
    sent: list[bytes] = []
    for size in range(200, 500):
        login = Login("me", credentials=Credentials("ann", Secret("x" * size)), host="mx")
        talk = authenticate(login, ehlo.parse(Reply(250, ("mx", "AUTH PLAIN"))), SECURED)
        step = next(talk)
        while isinstance(step, Note):
            step = talk.send(None)
        assert isinstance(step, Send)
        sent.append(step.data)
    assert max(map(len, sent)) <= 512
    assert b"AUTH PLAIN\r\n" in sent
    assert max(map(len, sent)) > 500


def test_no_second_try_after_the_credentials_were_refused() -> None:
    with pytest.raises(Refused) as told:
        attempt("PLAIN LOGIN", f"C: AUTH PLAIN {PLAIN}\nS: 535 5.7.8 Authentication credentials invalid")
    assert told.value.reply.code == 535


@pytest.mark.parametrize("code", [500, 502, 504])
def test_the_next_mechanism_after_one_that_is_not_known(code: int) -> None:
    user, password = b64("ann"), b64("wonderland")
    text = f"C: AUTH PLAIN {PLAIN}\nS: {code} 5.5.4 Unrecognized\nC: AUTH LOGIN\nS: 334 {b64('Username:')}\nC: {user}\nS: 334 {b64('Password:')}\nC: {password}\nS: 235 ok"
    assert mechanism(attempt("PLAIN LOGIN", text)) == "LOGIN"


@pytest.mark.parametrize("code", ["421", "432", "454", "534", "535", "538", "550"])
def test_every_other_refusal_is_the_end(code: str) -> None:
    with pytest.raises(Refused):
        attempt("PLAIN LOGIN", f"C: AUTH PLAIN {PLAIN}\nS: {code} no")


def test_the_last_refusal_stands_where_none_is_known() -> None:
    with pytest.raises(Refused) as told:
        attempt("PLAIN LOGIN", f"C: AUTH PLAIN {PLAIN}\nS: 504 no PLAIN\nC: AUTH LOGIN\nS: 504 no LOGIN")
    assert told.value.command == "AUTH LOGIN"


@pytest.mark.parametrize("challenge", ["!!!not base64", "x" * 13000, "ü"])
def test_a_challenge_that_cannot_be_read_is_cancelled(challenge: str) -> None:
    with pytest.raises(Refused) as told:
        attempt("CRAM-MD5", f"C: AUTH CRAM-MD5\nS: 334 {challenge}\nC: *\nS: 501 5.7.0 cancelled")
    assert told.value.reply.code == 501


def test_a_challenge_too_many_is_cancelled() -> None:
    with pytest.raises(Refused):
        attempt("PLAIN", f"C: AUTH PLAIN {PLAIN}\nS: 334 {b64('more?')}\nC: *\nS: 501 cancelled")


def test_a_server_that_asks_on_and_on_is_stopped() -> None:
    login = Login("me", credentials=ANN, host="mx")
    talk = authenticate(login, ehlo.parse(Reply(250, ("mx", "AUTH LOGIN"))), SECURED)
    answer: Any = None
    asked = 0
    while True:
        try:
            step = talk.send(answer)
        except Obstacle as obstacle:
            told = obstacle
            break
        answer = Reply(334, ("dGVsbCBtZTo=",)) if isinstance(step, Receive) else None
        asked += isinstance(step, Receive)
    assert asked <= CHALLENGES_LIMIT
    assert told.id == "auth.challenge_undecodable"


def test_a_server_that_cannot_prove_itself() -> None:
    """SCRAM: a 235 without the server's signature is no login."""
    login = Login("me", credentials=ANN, host="mx")
    talk = authenticate(login, ehlo.parse(Reply(250, ("mx", "AUTH SCRAM-SHA-256"))), SECURED)
    step = next(talk)
    while not isinstance(step, Receive):
        step = next(talk)
    with pytest.raises(Obstacle) as told:
        talk.send(Reply(235, ("come in",)))
    assert told.value.id == "auth.server_not_authenticated"


@pytest.mark.parametrize("requirement", ["required", "optional", "optional-strict"])
def test_no_auth_offered(requirement: str) -> None:
    if requirement == "required":
        with pytest.raises(Obstacle, match=r"auth\.not_offered"):
            attempt("", "", requirement=requirement)
    else:
        assert attempt("", "N: no login", requirement=requirement) is None


@pytest.mark.parametrize("requirement", ["required", "optional", "optional-strict"])
def test_only_mechanisms_that_cannot_be_used(requirement: str) -> None:
    if requirement == "optional":
        assert attempt("KERBEROS_V4 X-MAGIC", "N: no login", requirement=requirement) is None
    else:
        with pytest.raises(Obstacle, match=r"auth\.no_common_mechanism"):
            attempt("KERBEROS_V4 X-MAGIC", "", requirement=requirement)


@pytest.mark.parametrize("requirement", ["optional", "optional-strict"])
def test_optional_still_fails_where_the_login_is_refused(requirement: str) -> None:
    with pytest.raises(Refused):
        attempt("PLAIN", f"C: AUTH PLAIN {PLAIN}\nS: 535 no", requirement=requirement)


def test_a_forced_mechanism_is_the_only_one() -> None:
    with pytest.raises(Refused):
        attempt("PLAIN LOGIN", "C: AUTH LOGIN\nS: 504 no such thing", mechanism="login")


def test_nothing_to_log_in_with() -> None:
    assert attempt("PLAIN", "", Credentials()) is None
    assert attempt("PLAIN", "", ANN, method="none") is None


def test_external_says_who_or_lets_the_certificate_say() -> None:
    for who, text in ((Credentials(), "="), (Credentials(authzid="ann"), b64("ann"))):
        login = Login("me", auth=AuthPolicy(mechanism="EXTERNAL"), credentials=who, host="mx", client_certificate=True)
        talk = authenticate(login, ehlo.parse(Reply(250, ("mx", "AUTH EXTERNAL PLAIN"))), SECURED)
        assert mechanism(play(talk, f"C: AUTH EXTERNAL {text}\nS: 235 ok")) == "EXTERNAL"


def test_what_the_transcript_may_show() -> None:
    """Whatever carries a secret has its mask with it."""
    login = Login("me", credentials=ANN, host="mx")
    for offered in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1"):
        talk = authenticate(login, ehlo.parse(Reply(250, ("mx", f"AUTH {offered}"))), SECURED)
        answer: Any = None
        try:
            while True:
                step = talk.send(answer)
                answer = Reply(334, (b64("<challenge>"),)) if isinstance(step, Receive) else None
                if isinstance(step, Send) and step.data.split()[:1] != [b"AUTH"] and step.data != b"*\r\n":
                    assert step.shown == "********"
                if isinstance(step, Send) and len(step.data.split()) > 2:
                    assert step.shown == f"AUTH {offered} ********"
                if isinstance(step, Receive):
                    assert step.secret
        except (Obstacle, Refused, StopIteration):
            pass


def test_a_server_that_cannot_be_trusted_is_cancelled_first() -> None:
    """RFC 4954 4: it waits for a response, so QUIT would be one."""
    login = Login("me", credentials=ANN, host="mx.example.com", port=587)
    dialogue = authenticate(login, ehlo.parse(Reply(250, ("mx", "AUTH SCRAM-SHA-256"))), SECURED)
    answers = (None, None, Reply(334, (b64("r=none,s=QUJD,i=1"),)), None)
    steps = [next(dialogue), *(dialogue.send(answer) for answer in answers)]
    assert [type(step) for step in steps] == [Note, Send, Receive, Send, Receive]
    assert steps[3] == Send(b"*\r\n", Stage.AUTH)
    with pytest.raises(Obstacle, match=r"auth\."):
        dialogue.send(Reply(501, ("5.7.0 cancelled",)))
