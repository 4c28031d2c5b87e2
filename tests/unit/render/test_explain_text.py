from __future__ import annotations

import pytest

from smtpctl.model.explanation import Bounce, Bounced, Explanation, LogCause, LogShare, LogSummary, Meaning
from smtpctl.model.finding import Cause, Evidence, Finding, Remedy, Severity
from smtpctl.model.transcript import Stage
from smtpctl.render.canvas import Canvas, columns
from smtpctl.render.explain_text import explain_text

FINDING = Finding(
    "conn.refused",
    Severity.ERROR,
    Stage.CONNECT,
    "mail.example.com refused the connection",
    evidence=(Evidence("Connection refused"),),
    causes=(Cause("Nobody listens.", 1.0, (Remedy("Look.", ("ss -ltn",)),)),),
    source="connect(2)",
)


def test_a_page_does_not_point_at_itself() -> None:
    text = explain_text(Canvas(80), Explanation(FINDING))
    assert "smtpctl explain conn.refused" not in text
    assert "Source: connect(2)" in text
    assert "Trying again" not in text


def test_a_text_says_whether_to_try_again() -> None:
    later = explain_text(Canvas(80), Explanation(FINDING, "Connection refused", retryable=True))
    assert later.endswith("Trying again later can help.\n")


def test_alternatives_stand_with_their_condition() -> None:
    other = FINDING._replace(id="conn.timeout", title="Silence", message="If the port is 25.")
    text = explain_text(Canvas(80), Explanation(FINDING, "x", alternatives=(other,)))
    assert "- If the port is 25. Silence." in text
    assert text.index("If the port is 25") < text.index("Nobody listens")
    assert "smtpctl explain conn.timeout" in text


def test_a_code_lists_a_dozen_entries_at_most() -> None:
    meaning = Meaning("535", (("535", "refused"),), "Check.", False, tuple((f"a.{n}", "t") for n in range(20)))
    text = explain_text(Canvas(80), meaning)
    assert "a.11" in text
    assert "a.12" not in text
    assert "8 more" in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_log_fits_the_screen(width: int) -> None:
    shares = tuple(LogShare(f"{'long-' * number}d{number}.example", 9 - number, 0) for number in range(7))
    causes = (
        LogCause(
            FINDING, "Connection refused " * 20, 12_345, True, "several", "Nov 21 08:02:00", "Nov 21 11:40:00", shares
        ),
        LogCause(FINDING._replace(id="m365.x"), "550 no\x1b[31m", 1, False),
    )
    text = explain_text(Canvas(width), LogSummary(1_204_113, 12_346, causes, shares, shares[:1]))
    assert text.startswith("1,204,113 lines, 12,346 failures, 2 causes\n")
    assert "smtpctl explain m365.x" in text
    assert "99 % can pass" in text
    assert "By who answered" in text
    assert "By recipient domain" not in text
    assert "2 more" in text
    assert "\x1b" not in text
    assert all(columns(line) <= width for line in text.splitlines()[1:])


def test_times_have_a_place_of_their_own_and_names_give_way() -> None:
    shares = tuple(LogShare(f"{'long-' * number}d{number}.example", 9 - number, 0) for number in range(7))
    cause = LogCause(FINDING, "x", 9, True, "several", "Nov 21 08:02:11", "Nov 21 11:40:00", shares)
    text = explain_text(Canvas(60), LogSummary(9, 9, (cause,)))
    assert next(line for line in text.splitlines() if "conn.refused  d0.example" in line).endswith(
        "Nov 21 08:02 – 11:40"
    )


@pytest.mark.parametrize(("number", "words"), [(49, "44 more; --json has them all"), (50, "many more; --json has 50")])
def test_how_many_names_there_are_is_said_only_where_it_is_known(number: int, words: str) -> None:
    shares = tuple(LogShare(f"d{one}.example", 1) for one in range(number))
    text = explain_text(Canvas(80), LogSummary(9, 9, (LogCause(FINDING, "x", 9, True),), shares))
    assert f"… and {words}\n" in text


def test_what_the_server_refused_to_its_clients_stands_apart() -> None:
    bots = tuple(LogCause(FINDING._replace(id=f"generic.bot{one}"), "x", 9, False) for one in range(7))
    text = explain_text(Canvas(80), LogSummary(64, 1, (LogCause(FINDING, "x", 1, False),), refused=bots))
    assert text.startswith("64 lines, 1 failure, 1 cause\n")
    assert text.index("conn.refused") < text.index("Refused by this server") < text.index("generic.bot0")
    assert "… and 2 more; --json has them all" in text
    assert text.endswith("First to mend:  smtpctl explain conn.refused\n")
    alone = explain_text(Canvas(80), LogSummary(64, 0, (), refused=bots))
    assert alone.startswith("64 lines, 0 failures of this server's own mail\n")
    assert "First to mend" not in alone


def test_words_with_several_causes_are_mended_by_what_tells_them_apart() -> None:
    sample = '535 5.7.3 Authentication unsuccessful [$(x) "y'
    cause = LogCause(
        FINDING, sample, 9, False, neutral="The server answered 535 (one of 3 causes)", others=("a.b", "a.c")
    )
    text = explain_text(Canvas(80), LogSummary(9, 9, (cause,)))
    assert FINDING.title not in text
    assert "conn.refused or 2 more" in text
    assert text.endswith('First to mend:  smtpctl explain "535 5.7.3 Authentication unsuccessful"\n')


def test_what_would_tell_more_is_said() -> None:
    text = explain_text(Canvas(80), Explanation(FINDING, "x", deciding=("login", "provider")))
    assert "smtpctl explain --login password|user-token|app-token --provider NAME" in text


def test_a_bounce_names_each_cause_once() -> None:
    other = Explanation(FINDING._replace(id="conn.timeout"), "y", retryable=True)
    told = [("a@x.example", "failed", Explanation(FINDING, "x")), ("b@y.example", "delayed", other)]
    told.append(("c@z.example", "failed", Explanation(FINDING, "x")))
    text = explain_text(Canvas(80), Bounce(tuple(Bounced(*one) for one in told)))
    assert text.startswith("2 recipients failed, 1 recipient still being tried\n")
    assert "To a@x.example, c@z.example" in text
    assert text.count("error[conn.refused]") == 1


def test_a_log_without_failures() -> None:
    assert explain_text(Canvas(80), LogSummary(1, 0, ())).startswith("1 line, 0 failures.")
