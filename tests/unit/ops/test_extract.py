from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.transcript import Stage
from smtpctl.ops.extract import LINE_LIMIT, failures, first, joined


@pytest.mark.parametrize(
    ("line", "text", "stage", "about", "when"),
    [
        (
            "Nov 21 08:02:11 mail postfix/smtp[1]: 4V: to=<ann@gmail.com>, relay=x, status=deferred (host x[192.0.2.26] "
            "said: 450 4.2.1 slow down (in reply to RCPT TO command))",
            "450 4.2.1 slow down",
            Stage.RCPT,
            "gmail.com",
            "Nov 21 08:02:11",
        ),
        (
            "Nov 21 08:02:11 mail postfix/smtp[1]: 4V: to=<ann@gmail.com>, relay=x, status=bounced (host x[192.0.2.26] "
            "said: 552 5.3.4 too big (in reply to end of DATA command))",
            "552 5.3.4 too big",
            Stage.DATA,
            "gmail.com",
            "Nov 21 08:02:11",
        ),
        (
            "2026-11-21 08:00:02 1t ** bob@example.org R=d T=r H=mx [192.0.2.7]: SMTP error from remote mail server "
            "after MAIL FROM:<a@b> SIZE=450: 550 5.1.8 no",
            "550 5.1.8 no",
            Stage.MAIL,
            "example.org",
            "2026-11-21 08:00:02",
        ),
        (
            "Nov 21 08:02:11 host=smtp.example.com tls=on smtpstatus=535 smtpmsg='535 5.7.8 no' errormsg='x' exitcode=E",
            "535 5.7.8 no",
            None,
            "smtp.example.com",
            "Nov 21 08:02:11",
        ),
        (
            "2026-11-21T08:02:12.1Z,Out,1,2,a,b,<,550 5.7.54 no relay,",
            "550 5.7.54 no relay",
            None,
            "",
            "2026-11-21T08:02:12",
        ),
        (
            "Server antwortete: 535 Authentifizierung fehlgeschlagen",
            "535 Authentifizierung fehlgeschlagen",
            None,
            "",
            "",
        ),
        ("La réponse du serveur était : 554 Refusé", "554 Refusé", None, "", ""),
        ("Echec d'authentification SMTP 535", "535", None, "", ""),
        ("SMTP error 451, try later", "451 try later", None, "", ""),
        ("Diagnostic-Code: smtp; 550 5.1.1 no such user", "550 5.1.1 no such user", None, "", ""),
        ("smtplib.SMTPAuthenticationError: (535, b'5.7.8 no\\nreally')", "535 5.7.8 no really", None, "", ""),
        (
            "The server response was: 5.7.57 Client not authenticated",
            "550 5.7.57 Client not authenticated",
            None,
            "",
            "",
        ),
        ("MailKit.Security.AuthenticationException: 535: 5.7.3 no", "535 5.7.3 no", None, "", ""),
        ('Expected response code "250" but got code "550", with message "550 5.7.1 no"', "550 5.7.1 no", None, "", ""),
        ("Error: Invalid login: 535-5.7.8 no", "535-5.7.8 no", None, "", ""),
        ("  response: '535 5.7.8 no',", "535 5.7.8 no", None, "", ""),
        ('{"level":"error","err":{"response":"535 5.7.8 no"}}', "535 5.7.8 no", None, "", ""),
        ("<** 535 5.7.8 no", "535 5.7.8 no", None, "", ""),
        ("S: 421 closing", "421 closing", None, "", ""),
        ("SMTP ERROR: Password command failed: 535 5.7.8 no", "535 5.7.8 no", None, "", ""),
        ("com.sun.mail.smtp.SMTPSendFailedException: 550 5.7.60 no", "550 5.7.60 no", None, "", ""),
        ("smtp;550 #5.1.0 no", "550 #5.1.0 no", None, "", ""),
        (
            "Diagnostic-Code: X-Postfix; connect to a.example: refused",
            "connect to a.example: refused",
            None,
            "a.example",
            "",
        ),
        ("Net::SMTPServerBusy: 451 not now", "451 not now", None, "", ""),
        ("Mailbox name not allowed. The server response was: 5.7.1 no", "553 5.7.1 no", None, "", ""),
        ("Mailbox unavailable. The server response was: not you", "550 not you", None, "", ""),
        ("reply: retcode (553); Msg: b'5.7.1 no'", "553 5.7.1 no", None, "", ""),
        ("(501, 'no', 'ann@example.com')", "501 no", None, "", ""),
        ("failed Detail: no more ann SMTP code: 550 Additional SMTP info: 5.7.0", "550 no more ann", None, "", ""),
        ('got code "235", with message "235 ok" but got code "503", with message "503 no"', "503 no", None, "", ""),
        ("Risposta server: '550 no', porta: 25", "550 no", None, "", ""),
        ("Erreur : 550 no", "550 no", None, "", ""),
        ('    "message": "535 no",', "535 no", None, "", ""),
        ("MailKit.Net.Smtp.SmtpCommandException: 5.7.3 no", "550 5.7.3 no", None, "", ""),
        ("MailKit.Net.Smtp.SmtpCommandException: You said no", "You said no", None, "", ""),
        (
            "SmtpCommandException - Syntax error in parameters or arguments",
            "501 Syntax error in parameters or arguments",
            None,
            "",
            "",
        ),
        ("  message: 'Server responded with 550 no such luck\\r\\n' }", "550 no such luck", None, "", ""),
        ("100.0%\t550 Message rejected\tNet::SMTPFatalError", "550 Message rejected", None, "", ""),
        ("#550 5.1.1 no ##", "550 5.1.1 no ##", None, "", ""),
        (
            "Nov 21 08:02:11 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from a.example[192.0.2.7]: 554 5.7.1 no; "
            "from=<ann@example.com> to=<bob@example.org> proto=ESMTP helo=<a.example>",
            "554 5.7.1 no",
            Stage.RCPT,
            "example.org",
            "Nov 21 08:02:11",
        ),
    ],
)
def test_words_are_cut_out_of_a_line(line: str, text: str, stage: Stage | None, about: str, when: str) -> None:
    (found,) = failures([line])
    assert (found.text, found.stage, found.about, found.when) == (text, stage, about, when)
    assert found.certain
    assert first(line).text == text


@pytest.mark.parametrize(
    "line",
    [
        "Nov 21 mail postfix/smtp[1]: 4V: to=<a@b.example>, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4V)",
        "Nov 21 mail postfix/qmgr[1]: 4V450 : removed",
        "GET /index.html 200 12",
        "",
    ],
)
def test_what_went_well_is_passed_over(line: str) -> None:
    assert list(failures([line])) == []


@pytest.mark.parametrize(
    "line",
    [
        "took 450 ms",
        "HTTP error: 404 not found",
        "error: 503 from the proxy",
        "size 4500",
        'level=error msg="request failed" error="503 Service Unavailable"',
        '{"message": "500 Internal Server Error", "response": "502 Bad Gateway"}',
        '{"detail": "450 ms elapsed", "reason": "550 items"}',
        "java.lang.IllegalStateException: 451 rows affected",
        "response: 421 Misdirected Request",
        "5.4.0 generic kernel, not tested",
    ],
)
def test_numbers_alone_are_not_certain(line: str) -> None:
    assert not any(found.certain for found in failures([line]))


def test_a_reply_of_several_lines_is_one() -> None:
    lines = ["S: 550-5.7.1 one", "S: 550-5.7.1 two", "S: 550 5.7.1 three", "S: 250 ok"]
    assert [found.text for found in failures(lines)] == ["550-5.7.1 one 550-5.7.1 two 550 5.7.1 three"]


def test_a_folded_field_is_one() -> None:
    lines = ["Final-Recipient: rfc822; ann@example.org", "Diagnostic-Code: smtp; 550 5.1.1", "   no such user"]
    (found,) = failures(lines)
    assert (found.text, found.about) == ("550 5.1.1 no such user", "example.org")


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["<ann@example.org>: host mx.example.org[192.0.2.1] said: 530", "    Log in first (in reply to MAIL FROM command)"], "530 Log in first"),
        (["    SMTP error from remote mail server after RCPT TO:<ann@example.org>:", "    host mx [192.0.2.1]: 550-no", "    550 never"], "550-no 550 never"),
    ],
    ids=["postfix", "exim"],
)  # fmt: skip
def test_what_mail_servers_fold_for_people_is_one(lines: list[str], text: str) -> None:
    (found,) = failures([*lines, "", "This is what you sent:"])
    assert found.text == text


def test_the_port_of_a_connection_is_kept() -> None:
    assert first("connect to mx.example.net[192.0.2.99]:587: Connection timed out").port == 587


def test_a_text_without_a_reply_stays_whole() -> None:
    assert first("  something\n odd ").text == "something odd"


def test_a_line_without_an_end_is_cut() -> None:
    assert all(len(line) <= LINE_LIMIT for line in joined(["550-" + "x" * 20_000] * 50))


@given(st.lists(st.text(max_size=80), max_size=8))
def test_no_input_raises(lines: list[str]) -> None:
    assert all(len(found.text) <= LINE_LIMIT for found in failures(lines))
    first("\n".join(lines))


@pytest.mark.parametrize(
    "start",
    ["(535, b'", "SMTP error from remote mail server after ", "{", "response: '550 ", "[" * 3000, '{"a":' * 3000],
)
def test_the_expressions_stay_quick_on_what_never_ends(start: str) -> None:
    """Bounded by the length of a line; a shape that backtracked without a limit would not come back."""
    for filler in ("\\", "a:", "b'", "'", "]", " 550-5.7.1 "):
        first(start + filler * (LINE_LIMIT // len(filler)))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            ["a.B: no", "  nested exception is:", "\tjava.net.ConnectException: refused", "\tat a.b.C(C.java:1)", "\t... 2 more"],
            "a.B: no\nnested exception is:\njava.net.ConnectException: refused",
        ),
        (["A: no", " ---> B.CException: why", "   at D.E(F g)", "   --- End of inner exception stack trace ---"], "A: no\n---> B.CException: why"),
        (["Traceback (most recent call last):", '  File "a.py", line 1, in b', "    c()", "    ~^^", "d.E: why"], "Traceback (most recent call last):\nd.E: why"),
        (["Error: no", "    at A (b:1:2) {", "  errno: -111,", "  code: 'ESOCKET'", "}"], "Error: no\nerrno: -111,\ncode: 'ESOCKET'"),
        (["a.rb:1:in `b': no (C)", "\tfrom a.rb:2:in `d'"], "a.rb:1:in `b': no (C)"),
        (["PHP Fatal error: no", "Stack trace:", "#0 a.php(1): b()", "  thrown in a.php on line 1"], "PHP Fatal error: no"),
    ],
    ids=["java", "dotnet", "python", "node", "ruby", "php"],
)  # fmt: skip
def test_a_trace_is_one_failure_without_its_calls(lines: list[str], text: str) -> None:
    assert tuple(joined([*lines, "next line"])) == (text, "next line")


def test_what_stands_behind_a_trace_is_not_swallowed() -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "a.py", line 1',
        "a.B: x",
        "Traceback (most recent call last):",
    ]
    assert len(tuple(joined([*lines, "a.B: y"]))) == 2


@pytest.mark.parametrize(
    ("line", "text", "stage"),
    [
        ("lettre: permanent error (535): 5.7.8 no", "535 5.7.8 no", None),
        ("transient error (421): 4.7.0 later", "421 4.7.0 later", None),
        ("curl: (55) RCPT failed: 554", "554", Stage.RCPT),
    ],
)
def test_a_code_that_a_library_took_apart_is_put_together(line: str, text: str, stage: Stage | None) -> None:
    found = first(line)
    assert (found.text, found.certain, found.stage) == (text, True, stage)


@pytest.mark.parametrize(
    "line",
    [
        '{"msg": "not sent", "error": "dial tcp 192.0.2.1:587: i/o timeout"}',
        'Nov 21 08:02:11 app[1]: {"msg": "not sent", "err": {"stack": "dial tcp 192.0.2.1:587: i/o timeout"}} trailing',
    ],
)
def test_the_text_of_json_that_says_most_counts(line: str) -> None:
    assert first(line).text == "dial tcp 192.0.2.1:587: i/o timeout"
