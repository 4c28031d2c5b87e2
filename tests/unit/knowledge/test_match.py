from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge.catalogue import TEXT_LIMIT, load
from smtpctl.knowledge.match import Context, finding, match, problem
from smtpctl.model.finding import Evidence, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

CORPUS = Path(__file__).parents[2] / "corpus" / "replies"


def known(line: str) -> dict[str, Any]:
    """The `name=value` words of a corpus line."""
    values: dict[str, Any] = dict(word.split("=", 1) for word in line.split())
    for name in {"port", "errno", "verify_code"} & values.keys():
        values[name] = int(values[name])
    if "stage" in values:
        values["stage"] = Stage(values["stage"])
    if "facts" in values:
        values["facts"] = frozenset(values["facts"].split(","))
    return values


def cases() -> Iterator[Any]:
    for path in sorted(CORPUS.glob("*.txt")):
        for block in path.read_text("utf-8").split("\n\n"):
            lines = [line for line in block.splitlines() if not line.startswith("#")]
            if lines:
                *before, text, expected = lines
                context = Context(text, **known(before[0] if before else ""))
                yield pytest.param(context, expected.removeprefix("-> "), id=f"{path.stem}: {expected}")


@pytest.mark.parametrize(("context", "expected"), list(cases()))
def test_corpus(context: Context, expected: str) -> None:
    assert finding(context).id == expected


def test_a_reply_of_several_lines_is_matched_as_one() -> None:
    reply = Reply(535, ("5.7.8 Username and Password not accepted.", "5.7.8  https://support.google.com - gsmtp"))
    found = finding(Context.of(reply, stage=Stage.AUTH, mechanism="PLAIN"))
    assert found.id == "google.535-5-7-8-bad-credentials"


def test_the_evidence_marks_the_words_that_were_recognised() -> None:
    evidence = finding(Context("535 5.7.3 Authentication unsuccessful")).evidence[0]
    assert evidence.span
    assert evidence.text[slice(*evidence.span)] == "Authentication unsuccessful"
    assert evidence.label == "S:"


def test_evidence_given_is_marked_too() -> None:
    lines = (Evidence("AUTH XOAUTH2 ********", "C:"), Evidence("535 5.7.3 Authentication unsuccessful", "S:"))
    command, reply = finding(Context("535 5.7.3 Authentication unsuccessful"), evidence=lines).evidence
    assert command.span is None
    assert reply.span == (10, 37)


@pytest.mark.parametrize(
    ("text", "stage", "name"),
    [
        ("571 zzz", Stage.GREETING, "smtp.greeting_refused"),
        ("571 zzz", Stage.STARTTLS, "starttls.refused"),
        ("571 zzz", Stage.AUTH, "auth.refused"),
        ("471 zzz", Stage.AUTH, "reply.471"),
        ("571 zzz", None, "reply.571"),
    ],
)
def test_an_unknown_reply_is_named_after_its_stage(text: str, stage: Stage | None, name: str) -> None:
    found = finding(Context(text, stage=stage), target="mail.example.com:25")
    assert found.id == name
    assert "571 zzz" in found.title or name.startswith("reply.")


def test_evidence_given_is_kept() -> None:
    evidence = (Evidence("C: AUTH XOAUTH2 ********"),)
    assert finding(Context("535 5.7.3 Authentication unsuccessful"), evidence=evidence).evidence == evidence


def test_what_is_not_known_is_said_as_a_condition() -> None:
    best, *others = match(Context("535 5.7.3 Authentication unsuccessful"))
    assert best.open
    assert "the login was LOGIN or PLAIN" in {words for other in others for words in other.open}
    told = match(Context("535 5.7.3 Authentication unsuccessful", mechanism="XOAUTH2", grant="client_credentials"))
    assert told[0].open == ()


@pytest.mark.parametrize(
    ("context", "sure"),
    [
        (Context("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"), 1),
        (Context("450 5.7.54 SMTP; Unable to relay recipient in non-accepted domain"), 0.45),
        (Context("450 User unknown"), 1),
        (Context("421 User unknown"), 0.45),
        (Context("550 User unknown or mailbox full"), 0.45),
        (Context("421 4.7.0 Too many login attempts", host="smtp.gmail.com"), 0.45 * 0.675),
    ],
)
def test_likelihoods_fall_and_sum_up_to_how_sure_it_is(context: Context, sure: float) -> None:
    ranks = [cause.likelihood for cause in finding(context).causes]
    assert ranks == sorted(ranks, reverse=True)
    assert sum(ranks) == pytest.approx(sure)


@pytest.mark.parametrize(
    ("known", "decided"),
    [
        ({}, False),
        ({"mechanism": "XOAUTH2"}, False),
        ({"mechanism": "XOAUTH2", "grant": "client_credentials"}, True),
        ({"mechanism": "XOAUTH2", "grant": "authorization_code"}, True),
        ({"mechanism": "LOGIN"}, True),
    ],
)
def test_a_title_says_no_more_than_is_known(known: dict[str, str], decided: bool) -> None:
    found = finding(Context("535 5.7.3 Authentication unsuccessful", host="smtp.office365.com", **known))  # type: ignore[arg-type]
    assert found.id.startswith("m365.535-5-7-3-")
    assert (found.title == "Exchange Online refuses the login") is not decided


def test_what_does_not_fit_is_said_and_too_much_of_it_is_no_answer() -> None:
    doubtful = finding(Context("550 5.7.1 Unable to relay recipient in non-accepted domain"))
    assert doubtful.id == "exchange.5-7-54-unable-to-relay"
    assert "the enhanced code is usually 5.7.54" in doubtful.message
    assert finding(Context("450 4.7.1 Unable to relay recipient in non-accepted domain")).id == "reply.450"


def test_no_server_speaks_the_words_of_a_token_endpoint() -> None:
    assert finding(Context("account not found")).id == "google.account-not-found"
    assert finding(Context("550 5.1.1 Account not found")).id != "google.account-not-found"


def test_an_unknown_reply_is_said_to_be_unknown() -> None:
    found = finding(Context("550 5.1.1 zzz", stage=Stage.RCPT), target="h:25")
    assert found.id == "reply.550"
    assert "does not know this text" in found.message
    assert "recipient mailbox unknown" in found.message
    assert found.stage is Stage.RCPT
    assert found.severity is Severity.ERROR


def test_an_unverified_entry_is_flagged() -> None:
    said = next(said for said in load().entries.values() if not said.verified and said.samples and not said.own_server)
    assert finding(Context(said.samples[0])).verified is False


@pytest.mark.parametrize(
    ("text", "stage", "status", "later"),
    [
        ("421 4.7.0 Try again later, closing connection.", Stage.GREETING, ExitStatus.TEMPORARY, True),
        ("535 5.7.8 no", Stage.AUTH, ExitStatus.AUTH, False),
        ("454 4.7.0 Temporary authentication failure", Stage.AUTH, ExitStatus.TEMPORARY, True),
        ("421 4.7.1 a.test Error: No client certificate presented", Stage.EHLO, ExitStatus.UNAVAILABLE, False),
        ("432 4.7.12 A password transition is needed", Stage.AUTH, ExitStatus.AUTH, False),
        ("454 4.7.1 <bob@y.test>: Relay access denied", Stage.RCPT, ExitStatus.TEMPORARY, True),
        ("530 5.7.0 Authentication required", Stage.MAIL, ExitStatus.AUTH, False),
        ("550 5.1.1 zzz", Stage.RCPT, ExitStatus.DATA, False),
        ("554 zzz", Stage.GREETING, ExitStatus.UNAVAILABLE, False),
        ("[Errno 111] Connection refused", Stage.CONNECT, ExitStatus.TEMPORARY, True),
    ],
)
def test_what_a_run_ends_with(text: str, stage: Stage, status: ExitStatus, later: bool) -> None:
    ended = problem(Context(text, stage=stage))
    assert (ended.status, ended.retryable) == (status, later)


def test_a_banner_counts_where_nothing_else_tells_whose_server_it_is() -> None:
    office = "AM3PR05CA0094.outlook.office365.com Microsoft ESMTP MAIL Service ready"
    reply = "550 5.7.1 Client was not authenticated"
    own = match(Context(reply, banner="mail1.fabrikam.com Microsoft ESMTP MAIL Service ready"))
    assert own[0].score > match(Context(reply, banner=office))[0].score
    assert match(Context("535 Authentication Credentials Invalid"))[0].said.id == "generic.auth-535"
    relay = Context("535 Authentication Credentials Invalid", banner="mail.gmx.net ready")
    assert match(relay)[0].said.id == "gmx.535"
    assert match(relay._replace(provider="sendgrid"))[0].said.id != "gmx.535"


def test_whose_server_it_is_can_come_from_host_preset_banner_or_text() -> None:
    text = "535 5.7.8 Authentication failed"
    assert finding(Context(text, host="smtp-relay.brevo.com")).id == "brevo.535"
    assert finding(Context(text, provider="brevo")).id == "brevo.535"
    assert finding(Context(text, host="mail.example.com")).id == "generic.auth-535"


def test_a_challenge_is_understood_by_its_status() -> None:
    challenge = '{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}'
    assert match(Context(challenge=challenge, host="smtp.gmail.com"))[0].said.id.startswith("google.")
    assert match(Context(challenge=challenge, host="mail.example.com"))[0].said.id == "generic.xoauth2-challenge"


@given(st.text(max_size=400), st.integers(0, 599), st.text(max_size=40))
def test_no_text_raises(text: str, code: int, challenge: str) -> None:
    for words in (text, f"{code} {text}", f"{code}-{text}"):
        found = finding(Context(words, challenge=challenge))
        assert found.title


@pytest.mark.parametrize("unit", ["a", "550 ", "(", "[TS0", " \n", "421 4.7.0 ", "x" * 50 + "@", "\U0001f600", "\x00"])
def test_a_text_without_an_end_is_cut(unit: str) -> None:
    assert finding(Context(unit * TEXT_LIMIT)).title


@pytest.mark.parametrize(
    ("text", "host", "claims"),
    [
        # what the text tells
        ("550 5.1.1 <bob@example.net>: User unknown", "", True),
        ("552 5.2.2 Mailbox full", "", True),
        ("535 Incorrect password", "", True),
        ("554 5.7.1 <bob@example.net>: Relay access denied", "", True),
        # what happened, and not why
        ("535 5.7.8 Authentication failed", "", False),
        ("550 Requested action not taken: mailbox unavailable", "", False),
        ("550 Blacklisted", "", False),
        # another reason in the same text
        ("550 5.7.1 SPF check failed: the message is taken as spam", "", False),
        # words of a provider that others use too
        ("550 5.4.1 Recipient address rejected: Access denied", "", False),
        ("421 4.4.2 Message submission rate for this client has exceeded the limit", "", False),
        ("421 4.4.2 Message submission rate for this client has exceeded the limit", "smtp.office365.com", True),
        # words that are a provider's alone
        ("550 5.1.8 Access denied, bad outbound sender", "", True),
    ],
)
def test_half_or_more_is_a_promise_that_the_text_says_so(text: str, host: str, claims: bool) -> None:
    found = finding(Context(text, host=host))
    assert (found.causes[0].likelihood >= 0.5 and not found.id.startswith("reply.")) is claims, found


def test_the_words_of_another_provider_are_a_condition() -> None:
    text = "421 4.4.2 Message submission rate for this client has exceeded the limit"
    for host in ("", "mail.example.com", "smtp.gmail.com"):
        best = match(Context(text, host=host))[0]
        assert best.open == () or best.open == ("the server is Microsoft 365's",)
        assert best.said.prefix == "generic" or best.open
    assert match(Context(text, host="smtp.office365.com"))[0].open == ()


def test_a_name_explains_nothing() -> None:
    assert finding(Context("550 5.1.1 <mailbox.full@greylisted.example>: zzz")).id == "reply.550"
    assert finding(Context("550 zzz, you are not greylisted")).id == "reply.550"
    assert finding(Context("450 not greylisted by us, but greylisted by them")).id == "generic.rcpt-greylisted"


def test_a_program_that_says_what_failed_does_not_say_why() -> None:
    assert finding(Context("connect: Connection refused")).causes[0].likelihood < 0.5
    plain = finding(Context("Unsupported or unrecognized SSL message"))
    assert plain.causes[0].likelihood > 0.5
