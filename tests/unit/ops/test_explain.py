from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge import families
from smtpctl.model.errors import UsageProblem
from smtpctl.model.explanation import Explanation, LogShare, LogSummary, Meaning
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.ops import own_output
from smtpctl.ops.explain import by_id, explain, explain_lines
from smtpctl.ops.hints import Hints, hints
from smtpctl.ops.log import Shares
from smtpctl.render import to_json

LOGS = Path(__file__).parents[2] / "corpus" / "logs"


def logs() -> Iterator[Any]:
    for block in (LOGS / "expected.txt").read_text("utf-8").split("\n\n")[1:]:
        head, *causes = block.strip().splitlines()
        name, lines = head.split(": ")
        yield pytest.param(name, int(lines), [cause.split() for cause in causes], id=name)


@pytest.mark.parametrize(("name", "lines", "causes"), list(logs()))
def test_a_log_is_summed_up_by_cause(name: str, lines: int, causes: list[list[str]]) -> None:
    with (LOGS / name).open(encoding="utf-8") as file:
        result = explain_lines(file)
    if len(causes) == 1:
        assert isinstance(result, Explanation)
        assert result.finding.id == causes[0][1]
        return
    assert isinstance(result, LogSummary)
    assert result.lines == lines
    assert sorted((str(cause.failures), cause.finding.id) for cause in result.causes) == sorted(map(tuple, causes))


def test_a_cause_knows_when_and_about_whom() -> None:
    with (LOGS / "postfix.log").open(encoding="utf-8") as file:
        result = explain_lines(file)
    assert isinstance(result, LogSummary)
    cause = result.causes[0]
    assert (cause.first, cause.last, cause.about) == ("Nov 21 08:02:11", "Nov 21 09:02:12", "gmail.com")
    assert cause.retryable


def test_a_log_is_summed_up_by_who_answered_and_by_recipient_domain_too() -> None:
    with (LOGS / "postfix.log").open(encoding="utf-8") as file:
        result = explain_lines(file)
    assert isinstance(result, LogSummary)
    assert [(row.name, row.failures, row.retryable) for row in result.providers] == [
        ("Google", 2, 2),
        ("Microsoft 365", 1, 0),
        ("example.net", 1, 1),
    ]
    assert [(row.name, row.failures, row.first, row.last) for row in result.recipients] == [
        ("gmail.com", 2, "Nov 21 08:02:11", "Nov 21 09:02:12"),
        ("example.com", 1, "Nov 21 11:40:00", "Nov 21 11:40:00"),
        ("example.net", 1, "Nov 21 09:10:00", "Nov 21 09:10:00"),
    ]
    assert [(row.name, row.failures) for row in result.causes[0].recipients] == [("gmail.com", 2)]


SENT = "Nov 21 09:00:01 mail postfix/smtp[9]: 4A1: to=<a@example.org>, relay={host}[192.0.2.1]:587, dsn=4.7.3, status=deferred ({words})\n"
HERE = {
    "Postfix, a login": "Nov 21 08:00:01 mail postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
    "Postfix, an instance": "Nov 21 08:00:01 mail postfix-in/submission/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <a@foreign.example>: Relay access denied; from=<x@y.example> to=<a@foreign.example> proto=ESMTP helo=<User>",
    "a milter": "Nov 21 08:00:01 mail postfix/cleanup[1]: 4A2: milter-reject: END-OF-MESSAGE from unknown[203.0.113.9]: 5.7.1 Spam message rejected; from=<x@y.example> to=<a@example.org> proto=ESMTP helo=<User>",
    "Exim, a login": "2026-11-21 08:00:04 login authenticator failed for (User) [203.0.113.9]: 535 Incorrect authentication data (set_id=info)",
    "Exim, a recipient": "2026-11-21 08:00:05 H=(User) [203.0.113.9] F=<x@y.example> rejected RCPT <a@foreign.example>: relay not permitted",
    "Sendmail": "Nov 21 08:00:01 mail sendmail[1]: 4A3: ruleset=check_rcpt, arg1=<a@foreign.example>, relay=[203.0.113.9], reject=550 5.7.1 <a@foreign.example>... Relaying denied",
    "Exchange": "2026-11-21T08:00:01.000Z,EX01\\Default,08DC,5,192.0.2.2:25,203.0.113.9:4711,>,550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain,",
    "journald": '{"__REALTIME_TIMESTAMP":"1795248001000000","SYSLOG_IDENTIFIER":"postfix/smtpd","MESSAGE":"NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <a@foreign.example>: Relay access denied; from=<x@y.example>"}',
}  # fmt: skip
REMOTE = {
    "Exim": "2026-11-21 08:00:02 1tAbCd-000001-2F ** bob@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.7]: SMTP error from remote mail server after RCPT TO:<bob@example.org>: 550 5.7.1 rejected RCPT <bob@example.org>: relay not permitted",
    "Postfix": SENT.format(host="mx.example.org", words="host mx.example.org[192.0.2.1] said: 554 5.7.1 <a@example.org>: Relay access denied (in reply to RCPT TO command)"),
}  # fmt: skip


@pytest.mark.parametrize("line", HERE.values(), ids=HERE)
def test_what_a_server_refuses_to_strangers_is_no_failure_of_its_mail(line: str) -> None:
    result = explain_lines([f"{line}\n"] * 9 + [refused("Nov 21 08:00:01")])
    assert isinstance(result, LogSummary)
    assert [(cause.failures, cause.finding.id) for cause in result.causes] == [(1, "generic.rcpt-user-unknown")]
    assert [(cause.failures, cause.neutral) for cause in result.refused] == [(9, "")]
    assert (result.failures, [row.name for row in result.recipients]) == (1, ["d0.example"])


@pytest.mark.parametrize("line", REMOTE.values(), ids=REMOTE)
def test_what_others_refuse_is_a_failure_in_whatever_words(line: str) -> None:
    result = explain_lines([f"{line}\n"] * 9)
    assert isinstance(result, LogSummary)
    assert (result.failures, result.refused) == (9, ())


def test_one_failure_among_what_was_refused_to_strangers_is_what_a_text_is_about() -> None:
    result = explain_lines([*(f"{line}\n" for line in list(HERE.values())[:2]), refused("Nov 21 08:00:01")])
    assert isinstance(result, Explanation)
    assert result.finding.id == "generic.rcpt-user-unknown"


def test_a_text_may_be_about_what_a_server_refused_to_us() -> None:
    result = explain_lines([f"{HERE['Exim, a recipient']}\n", "2026-11-21 08:00:06 no more\n"])
    assert isinstance(result, Explanation)
    assert result.finding.id == "generic.rcpt-relay-not-permitted-exim"


def test_a_log_claims_no_cause_of_several_that_have_the_same_words() -> None:
    line = SENT.format(
        host="smtp.office365.com",
        words="SASL authentication failed; server smtp.office365.com[192.0.2.1] said: 535 5.7.3 Authentication unsuccessful [X]",
    )
    result = explain_lines([line] * 9)
    assert isinstance(result, LogSummary)
    cause = result.causes[0]
    assert cause.title == "The server answered 535: credentials rejected (one of 3 causes)"
    assert {cause.finding.id, *cause.others} == {
        f"m365.535-5-7-3-{way}" for way in ("app-token", "delegated-token", "password")
    }
    told = explain_lines([line] * 9, hints("", "", "password"))
    assert isinstance(told, LogSummary)
    assert (told.causes[0].title, told.causes[0].others) == (told.causes[0].finding.title, ())


def test_words_that_are_remembered_are_not_taken_for_another_way_to_log_in() -> None:
    words = "SASL {way} authentication failed; said: 535 5.7.3 Authentication unsuccessful"
    lines = [SENT.format(host="smtp.office365.com", words=words.format(way=way)) for way in ("LOGIN", "XOAUTH2")]
    result = explain_lines(line for line in lines for _ in range(5))
    assert isinstance(result, LogSummary)
    found = [(cause.failures, cause.finding.id, len(cause.others)) for cause in result.causes]
    assert found == [(5, "m365.535-5-7-3-app-token", 1), (5, "m365.535-5-7-3-password", 0)]


def test_a_journal_in_json_has_times() -> None:
    line = '{{"__REALTIME_TIMESTAMP":"{}","MESSAGE":"4A: to=<a@example.org>, status=bounced (host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command))"}}\n'
    result = explain_lines(line.format(second * 1_000_000 + 7) for second in range(1795248001, 1795248006))
    assert isinstance(result, LogSummary)
    assert (result.causes[0].first, result.causes[0].last) == ("2026-11-21 08:00:01", "2026-11-21 08:00:05")


def refused(when: str, number: int = 0) -> str:
    return f"{when} mail postfix/smtp[1]: 4V: to=<a@d{number}.example>, status=bounced (host mx.d{number}.example[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command))\n"


@pytest.mark.parametrize(
    ("times", "first", "last"),
    [
        (["Nov 21 08:00:00", "Nov 22 07:00:00", "Nov 21 09:00:00"], "Nov 21 08:00:00", "Nov 22 07:00:00"),
        (["Dec 31 23:59:59", "Jan  1 00:00:01", "Dec 30 00:00:00"], "Dec 30 00:00:00", "Jan  1 00:00:01"),
        (["2026-01-02 03:04:05", "2025-12-31 23:00:00", "2026-01-01 00:00:00"], "2025-12-31 23:00:00", "2026-01-02 03:04:05"),
    ],
    ids=["days", "new year", "backwards"],
)  # fmt: skip
def test_the_times_of_a_log_may_come_in_any_order(times: list[str], first: str, last: str) -> None:
    result = explain_lines([refused(when) for when in times])
    assert isinstance(result, LogSummary)
    assert [(row.first, row.last) for row in (*result.causes, *result.recipients)] == [(first, last)] * 2


def test_the_most_frequent_names_are_kept_whatever_else_is_in_a_log() -> None:
    shares = Shares(100)
    for number in range(10_000):
        shares.add(f"d{number}.example", later=True, when="")
        shares.add("often.example", later=number % 2 == 0, when="")
    assert shares.top(1) == (LogShare("often.example", 10_000, 5_000),)
    assert len(shares.top(10_000)) <= 100


def test_memory_does_not_grow_with_the_log() -> None:
    def lines() -> Iterator[str]:
        for number in range(3000):
            yield f"S: 421 4.7.0 try again later, token{number:09} said <user{number}@example.org>\n"

    result = explain_lines(lines())
    assert isinstance(result, LogSummary)
    assert (result.lines, result.failures, len(result.causes)) == (3000, 3000, 1)


def test_a_log_without_failures_says_so() -> None:
    assert explain_lines(["all is well\n", "still\n"]) == LogSummary(2, 0, ())


@pytest.mark.parametrize("line", ["conn.refused", "535", "535 5.7.3 Authentication unsuccessful", "gibberish"])
def test_a_stream_of_one_line_is_a_text(line: str) -> None:
    assert explain_lines([f"{line}\n"]) == explain(line)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (
            "OAuth2 authentication requires TLS",
            "config.oauth_without_tls",
            ("EmailSmtpUseSSL", "EmailSmtpUseImplicitSSL"),
        ),
        (
            "OAuth2 is enabled but neither EmailSmtpOAuth2AzureTenantId nor EmailSmtpOAuth2TokenEndpoint is configured",
            "config.oauth_no_endpoint",
            ("tenant", "token endpoint"),
        ),
        ("System.Exception: Cannot determine OAuth2 username", "config.oauth_no_username", ("EmailSmtpUsername",)),
        ("no SMTP server is configured", "config.no_server", ("smtpctl profile add",)),
    ],
)
def test_our_own_texts_lead_to_their_pages(text: str, name: str, words: tuple[str, ...]) -> None:
    result = explain(text)
    assert isinstance(result, Explanation)
    assert result.finding.id == name
    told = str(result.finding.to_json())
    assert all(word in told for word in words)


def test_microsoft_refusing_a_login_names_the_three_usual_reasons() -> None:
    result = explain("535 5.7.3 Authentication unsuccessful")
    assert isinstance(result, Explanation)
    first, second, third, fourth = (cause.text for cause in result.finding.causes[:4])
    assert "service principal" in first
    assert "service principal has no permission" in second
    assert "app registration lacks the permission" in third
    assert "propagated" in fourth
    assert result.retryable is False
    assert {other.id for other in result.alternatives} == {
        "m365.535-5-7-3-password",
        "m365.535-5-7-3-delegated-token",
    }


def test_hints_decide_between_entries_of_the_same_text() -> None:
    plain = explain("535 5.7.8 Authentication failed")
    brevo = explain("535 5.7.8 Authentication failed", Hints("brevo", Stage.AUTH))
    assert isinstance(plain, Explanation)
    assert isinstance(brevo, Explanation)
    assert (plain.finding.id, brevo.finding.id) == ("generic.auth-535", "brevo.535")


@pytest.mark.parametrize(
    ("login", "name"),
    [
        ("password", "m365.535-5-7-3-password"),
        ("user-token", "m365.535-5-7-3-delegated-token"),
        ("app-token", "m365.535-5-7-3-app-token"),
    ],
)
def test_how_the_login_was_made_decides_between_entries_of_the_same_text(login: str, name: str) -> None:
    text = "535 5.7.3 Authentication unsuccessful"
    asked, told = explain(text), explain(text, hints("", "", login))
    assert isinstance(asked, Explanation)
    assert isinstance(told, Explanation)
    assert "login" in asked.deciding
    assert (told.finding.id, told.finding.message) == (name, "")
    assert "login" not in told.deciding
    assert sum(cause.likelihood for cause in asked.finding.causes) < sum(c.likelihood for c in told.finding.causes)


def test_the_mechanism_that_a_text_names_decides_too() -> None:
    result = explain_lines(["response: '535 5.7.3 Authentication unsuccessful',\n", "  command: 'AUTH LOGIN' }\n"])
    assert isinstance(result, Explanation)
    assert result.finding.id == "m365.535-5-7-3-password"


def test_the_server_that_a_line_names_decides_too() -> None:
    line = "mail postfix/smtp[1]: 4V: to=<a@b.example>, relay=smtp-relay.brevo.com[192.0.2.1]:587, status=deferred (SASL authentication failed; server smtp-relay.brevo.com[192.0.2.1] said: 535 5.7.8 Authentication failed)\n"
    result = explain_lines([line, "\n"])
    assert isinstance(result, Explanation)
    assert result.finding.id == "brevo.535"


def test_what_a_provider_would_tell_is_said() -> None:
    result = explain("535 5.7.8 Authentication failed")
    assert isinstance(result, Explanation)
    assert result.deciding == ("provider",)


def test_of_words_that_are_one_providers_alone_nothing_is_asked() -> None:
    told = explain("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.")
    assert isinstance(told, Explanation)
    assert told.finding.id == "m365.535-5-7-139-tenant-disabled" and told.deciding == ()


@pytest.mark.parametrize("words", ["535", "5.7.8", "535 5.7.8", "X.7.8", "250", "299", "599 5.9.9"])
def test_a_bare_code_has_a_meaning(words: str) -> None:
    result = explain(words)
    assert isinstance(result, Meaning)
    assert all(meaning for _, meaning in result.parts)
    assert result.to_json()["kind"] == "code"


def test_a_code_lists_what_comes_with_it() -> None:
    result = explain("5.7.60")
    assert isinstance(result, Meaning)
    assert "m365.5-7-60-send-as" in dict(result.entries)


@pytest.mark.parametrize("name", ["brevo.535", "reply.550", "tls.version.no_tls12", "m365.535-5-7-3-app-token"])
def test_an_id_gives_its_page(name: str) -> None:
    result = explain(name)
    assert isinstance(result, Explanation)
    assert result.finding.id == name


@pytest.mark.parametrize("unit", ["a-", "a.", "a_.", "1.", "-", "a@b."])
def test_what_looks_like_an_endless_id_comes_back(unit: str) -> None:
    with contextlib.suppress(UsageProblem):
        explain(unit * 4000)


def test_ids_do_not_mind_case() -> None:
    assert by_id("CONN.Refused") is not None


@pytest.mark.parametrize(
    ("text", "name"),
    [("250 2.0.0 Ok: queued as ABC", "reply.success"), ("354 End data with <CR><LF>.<CR><LF>", "reply.go_on")],
)
def test_a_reply_that_is_no_failure_is_called_none(text: str, name: str) -> None:
    result = explain(text)
    assert isinstance(result, Explanation)
    assert (result.finding.id, result.finding.severity, result.retryable) == (name, Severity.NOTE, None)


@pytest.mark.parametrize("text", ["smtp 450 ms", "smtp[535]: no reply", "login: 10 users", "auth 535.5 of 600"])
def test_a_number_beside_a_word_of_mail_is_no_code_yet(text: str) -> None:
    result = explain(text)
    assert isinstance(result, Explanation)
    assert result.finding.id == "reply.unknown"


@pytest.mark.parametrize(("words", "hint"), [("conn.refusd", "conn.refused"), ("zzz.qqq.www", "quotes"), ("  ", "Try")])
def test_what_cannot_be_explained_gets_a_hint(words: str, hint: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        explain(words)
    assert hint in raised.value.hint


def test_an_empty_stream_is_wrong_usage() -> None:
    with pytest.raises(UsageProblem):
        explain_lines([])


@given(st.text(max_size=200))
def test_every_text_gets_an_answer(text: str) -> None:
    try:
        result = explain(text)
    except UsageProblem:
        return  # an id, or nothing
    assert result.to_json()["kind"]


def test_our_own_output_says_what_it_said() -> None:
    """A JSON document holds the finding, a transcript its id; neither is guessed from the words of the server."""
    about = {"target": "mail.test:587", "evidence": ["127.0.0.1:587: Connection refused"]}
    finding = families.entry("conn.refused").finding(**about)
    text = to_json.document("smtpctl.check/1", {"exit": 75, "findings": [finding.to_json()]})
    explained = explain_lines(text.splitlines(keepends=True))
    assert isinstance(explained, Explanation)
    assert explained.finding.to_json() == finding.to_json()
    assert explained.retryable

    end = Event(0.1, Stage.CONNECT, Kind.ERROR, finding.title, facts={"id": finding.id})
    told = explain_lines([Transcript([end]).dumps()])
    assert isinstance(told, Explanation)
    assert (told.finding.id, told.finding.title) == (finding.id, finding.title)


def test_a_session_without_an_end_is_read_like_a_log() -> None:
    said = Event(0.1, Stage.RCPT, Kind.RECEIVED, "450 4.2.0 <x@y.test>: Greylisted, see elsewhere")
    explained = explain_lines(Transcript([said, said]).dumps().splitlines(keepends=True))
    assert isinstance(explained, LogSummary)
    assert [cause.finding.id for cause in explained.causes] == ["generic.rcpt-greylisted"]


def test_what_only_begins_like_our_own_output_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_output, "LIMIT", 1000)
    read = 0
    original = own_output.findings

    def lines() -> Iterator[str]:
        nonlocal read
        yield '{"schema": "smtpctl.check/1",\n'
        for _ in range(1000):
            read += 1
            yield "S: 550 5.1.1 no such user\n"

    def counted(text: str, page: own_output.Page) -> tuple[Finding, ...]:
        assert read < 100
        return original(text, page)

    monkeypatch.setattr(own_output, "findings", counted)
    result = explain_lines(lines())
    assert isinstance(result, LogSummary)
    assert (result.lines, result.failures) == (1001, 1000)


def test_a_ticket_of_fences_comes_back() -> None:
    """Searched for the end of each of its blocks, this would take hours."""
    ticket = "# smtpctl report: x\n" + "```json\nx\n" * 300_000
    assert own_output.findings(ticket, lambda name: None) == ()
